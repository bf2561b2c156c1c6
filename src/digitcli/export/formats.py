"""Export formats: the file of each, what writes it and what runs it.

All take the same input and give the same output as the model that they are made from; all carry the
same metadata (`metadata.py`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """What can be asked for."""

    ONNX = "onnx"
    LITERT = "litert"
    SAVED_MODEL = "saved-model"


@dataclass(frozen=True)
class Target:
    """One file, or folder, that is to be made.

    Attributes:
        format: what kind.
        int8: whether it computes in 8-bit integers, which SavedModel cannot.
    """

    format: Format
    int8: bool = False

    @property
    def name(self) -> str:
        """Return what the file is called."""
        match self.format:
            case Format.ONNX:
                return "model.int8.onnx" if self.int8 else "model.onnx"
            case Format.LITERT:
                return "model.int8.tflite" if self.int8 else "model.tflite"
            case Format.SAVED_MODEL:
                return "saved-model"
