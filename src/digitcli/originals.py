"""The model that is exported: its file, what reads with it, and its network for TensorFlow."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import artifacts
from digitcli.datasets import Digits
from digitcli.errors import ModelError
from digitcli.evaluation import load_reader
from digitcli.finetuning import recipe_beside
from digitcli.formats import onnxfile
from digitcli.metrics import TOLERANCE
from digitcli.recognizer import BOXED_MODEL, USUAL_THRESHOLD, Recognizer


def find(folder: Path) -> Path:
    """Return the model of the run in `folder`, or else the one that comes with the package."""
    own = (folder / name for name in (artifacts.MODEL, artifacts.KERAS_MODEL))
    return next((path for path in own if os.path.isfile(path)), BOXED_MODEL)


class Original:
    """A model as it is before it is exported.

    Attributes:
        path: ``.keras`` or ``.onnx``.
        reader: reads with it.
        record: the ``run.json`` beside it; empty where there is none that can be read.
        threshold: the confidence below which a mark is no digit.
    """

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit reader or
        computes in 8-bit integers already.
        """
        self.path = path
        self.reader = load_reader(path)
        if not self.is_keras and onnxfile.is_int8(path):
            raise ModelError(f"{path}: is int8 already; expected the float32 model that it was made from")
        self.record = artifacts.record_beside(path) or {}
        self.threshold = _threshold(self)

    @property
    def is_keras(self) -> bool:
        """Tell whether the file is Keras's, and not ONNX."""
        return self.path.suffix == ".keras"

    def network(self, digits: Digits) -> Any:
        """Return the Keras network; of an ONNX file that of the same run, or else its weights put back.

        Args:
            digits: some training images, for comparing.

        Raises `ModelError` where it reads otherwise than the file, `InputError` where nothing tells the
        file's recipe.
        """
        from digitcli.models import KerasReader, assemble, load_keras_network
        from digitcli.restoring import restore

        if self.is_keras:
            return load_keras_network(self.path)
        beside = self.path.with_suffix(".keras")
        if not os.path.isfile(beside):
            _, recipe = recipe_beside(self.path)
            return assemble(recipe, restore(self.path, recipe, digits))
        network = load_keras_network(beside)
        found, expected = (each.network(digits.images) for each in (KerasReader(network), self.reader))
        difference = float(np.abs(found - expected).max())
        if not difference <= TOLERANCE:
            raise ModelError(
                f"{beside}: reads otherwise than {self.path.name} beside it (by {difference:.2g}); "
                "expected the same network; name the one that is meant with --model"
            )
        return network


def _threshold(original: Original) -> float:
    """Return the threshold that the file holds; of a ``.keras`` file, which holds none, its run's."""
    if isinstance(original.reader, Recognizer):
        return original.reader.threshold
    calibration = original.record.get("calibration")
    value = calibration.get("threshold") if isinstance(calibration, dict) else None
    return value if isinstance(value, float) and 0 <= value < 1 else USUAL_THRESHOLD
