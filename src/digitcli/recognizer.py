"""Reading digits with a trained model on ONNX Runtime, without TensorFlow: the public Python API."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from digitcli.artifacts import DEFAULT_FOLDER, MODEL
from digitcli.errors import InputError, MissingError, ModelError
from digitcli.preprocessing import CLASSES, IMAGE_SIZE, MAX_SIDE, Images, network_input, to_mnist_form

_BATCH = 256  # images; bounds the memory that inference takes
_MAX_THREADS = 4  # more do not help so small a network
_INPUT_SHAPE = [IMAGE_SIZE, IMAGE_SIZE, 1]


class DigitReader(Protocol):
    """Whatever gives probabilities for images in MNIST form."""

    def digits(self, images: Images) -> NDArray[np.float32]:
        """Return probabilities (N, 10) for images (N, 28, 28) uint8."""


@dataclass(frozen=True)
class Digit:
    """One digit as read.

    Attributes:
        digit: 0..9.
        confidence: its probability, 0..1.
        probabilities: of all ten digits; they sum to 1.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """What an image says; `text` is empty and `digits` too where there is no ink."""

    text: str
    digits: tuple[Digit, ...]


class Recognizer:
    """Reads digits with a model file; make one with `Recognizer.load`."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Recognizer":
        """Load an ONNX model, by default ``artifacts/model.onnx``.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit reader.
        """
        path = DEFAULT_FOLDER / MODEL if path is None else Path(path)
        if not os.path.isfile(path):
            raise MissingError(f"{path}: no such model; train one with: digitcli train")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(os.cpu_count() or 1, _MAX_THREADS)
        options.log_severity_level = 4  # what goes wrong is raised, and told once
        try:
            session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
        except Exception as error:  # ONNX Runtime has no common base for what a damaged file raises
            raise ModelError(
                f"{path}: not an ONNX model that can be loaded; expected a digit reader"
            ) from error
        _check_shapes(path, session)
        return cls(session)

    def digits(self, images: Images) -> NDArray[np.float32]:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form."""
        _require(images, ndim=3)
        if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
            raise InputError(
                f"found images of shape {images.shape}; expected (N, {IMAGE_SIZE}, {IMAGE_SIZE})"
            )
        result = np.empty((len(images), CLASSES), np.float32)
        for first in range(0, len(images), _BATCH):
            part = slice(first, first + _BATCH)
            result[part] = self._session.run(None, {self._input: network_input(images[part])})[0]
        return result

    def read(self, image: Images) -> Reading:
        """Read the one digit of a grey image (height, width) uint8 of any size and polarity.

        The digit is brought into MNIST form first: cropped, scaled, centred.
        """
        _require(image, ndim=2)
        if not 1 <= min(image.shape) <= max(image.shape) <= MAX_SIDE:
            raise InputError(
                f"found an image of shape {image.shape}; expected sides of 1 to {MAX_SIDE} pixels"
            )
        normalised = to_mnist_form(image)
        if normalised is None:
            return Reading("", ())
        probabilities = self.digits(normalised[np.newaxis])[0]
        best = int(probabilities.argmax())
        return Reading(
            str(best), (Digit(best, float(probabilities[best]), tuple(float(p) for p in probabilities)),)
        )


def _require(array: Images, *, ndim: int) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != ndim:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"found {found}; expected a NumPy array of uint8 with {ndim} axes")


def _check_shapes(path: Path, session: onnxruntime.InferenceSession) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        [len(inputs), len(outputs)] == [1, 1]
        and inputs[0].type == "tensor(float)"
        and inputs[0].shape[1:] == _INPUT_SHAPE
        and not isinstance(inputs[0].shape[0], int)  # any number of images
        and outputs[0].shape[1:] == [CLASSES]
    )
    if not fits:
        found = f"takes {[i.shape for i in inputs]}, gives {[o.shape for o in outputs]}"
        raise ModelError(
            f"{path}: {found}; expected one input (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 1) of floats "
            f"and one output (N, {CLASSES})"
        )
