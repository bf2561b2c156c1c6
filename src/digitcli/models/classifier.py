"""The classifier protocol: probabilities of ten digits for images in MNIST form, on any runtime."""

import math
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from digitcli.artifacts import MODEL
from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.errors import MissingError, ModelError
from digitcli.preprocessing.mnist_form import Images, network_input

Floats = NDArray[np.float32]
Probabilities = NDArray[np.float32]  # (N, 10), each row sums to 1
Weights = list[NDArray[np.float32]]  # of a network, in Keras's order

INPUT, OUTPUT = "image", "probabilities"  # names in every model file
INPUT_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)
TOLERANCE = 1e-4  # of a probability, between forms of one model; sums in another order differ by some 1e-6
DEFAULT_THRESHOLD = 0.5  # where a model file says none

DETECT = "detect"  # the task of a detector, in its file's metadata
TASK = "task"  # key of a model file's metadata; files of classifiers need not have it
DETECTOR_NETWORK = "digit_detector"  # name of a detector's Keras network, by which its files are known

CLASSIFIER_NETWORK = "digit_reader"  # name of a classifier's Keras network
SAVED_MODEL = "saved_model.pb"  # the file by which TensorFlow's SavedModel is known

_USUAL_LOGIT = 30  # up to which rounding is no matter
_SUM_TOLERANCE = 1e-3  # of ten probabilities
# keys of a model file's metadata
_THRESHOLD = "rejection_threshold"
_TTA, _YES, _NO = "test_time_augmentation", "yes", "no"


class Classifier(Protocol):
    """A trained network, ready to classify.

    Attributes:
        threshold: the confidence, 0..1, below which a mark is rejected as no digit.
        uses_tta: whether images of low confidence get test-time augmentation (`recognition.tta`); models
            trained without rotated images classify worse with it.
    """

    threshold: float
    uses_tta: bool

    def predict(self, images: Images) -> Probabilities:
        """Return the network's probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form."""


def batches(count: int, size: int) -> Iterator[slice]:
    """Cut `count` items into batches of `size`; the last one may be smaller."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))


def predict_in_batches(run: Callable[[Floats], Floats], images: Images, size: int) -> Probabilities:
    """Classify any number of images in bounded memory.

    Args:
        run: takes (B, 28, 28, 1) float32, 0..255, and gives probabilities (B, 10) float32.
        images: (N, 28, 28) uint8 in MNIST form.
        size: images of a batch.
    """
    probabilities = np.empty((len(images), CLASSES), np.float32)
    for batch in batches(len(images), size):
        probabilities[batch] = run(network_input(images[batch]))
    return probabilities


def require_model(path: Path) -> None:
    """Raise a `MissingError` where there is no such file, `ModelError` where it cannot be digitcli's own."""
    if is_saved_model(path) or (is_hdf5(path) and os.path.isfile(path)):
        raise foreign_model(path)
    if os.path.isdir(path):
        raise MissingError(f"{path}: is a folder; expected a model file in it, such as {path / MODEL}")
    if not os.path.isfile(path):
        raise MissingError(f"{path}: no such model; train one with: digitcli train")


def is_hdf5(path: Path) -> bool:
    """Tell from its name whether a file is HDF5, as Keras 2 kept models."""
    return path.suffix.lower() in (".h5", ".hdf5")


def is_saved_model(path: Path) -> bool:
    """Tell whether a folder is TensorFlow's SavedModel."""
    return os.path.isfile(path / SAVED_MODEL)


def is_own(metadata: Mapping[str, str]) -> bool:
    """Tell from a model file's metadata whether digitcli wrote it."""
    return _THRESHOLD in metadata or TASK in metadata


def may_read_digits(taken: Sequence[object], given: Sequence[object]) -> bool:
    """Tell from the shapes of an image and an output whether a network may read digits, in any layout."""
    sides = [side for side in taken if isinstance(side, int)]
    return len(sides) == len(taken) and math.prod(sides) == IMAGE_SIZE**2 and list(given) == [CLASSES]


def foreign_model(path: Path) -> ModelError:
    """Return the error for a model that somebody else made."""
    return ModelError(
        f"{path}: is no model of digitcli's, and may take other values; bring it into digitcli's form with: "
        f"digitcli export --model {shlex.quote(str(path))}"
    )


def no_classifier(path: Path) -> ModelError:
    """Return the error for a detector's file that is given where a classifier is needed."""
    return ModelError(
        f"{path}: is a detector, which finds digits on pages; expected a classifier, which reads one digit, "
        "such as model.onnx; train one with: digitcli train"
    )


def require_probabilities(probabilities: Floats, model: str) -> None:
    """Raise a `ModelError` that names `model` where rows (N, 10) are not probabilities."""
    sums = probabilities.sum(axis=1)
    if ((np.abs(sums - 1) <= _SUM_TOLERANCE) & (probabilities.min(axis=1) >= 0)).all():
        return
    if not np.isfinite(probabilities).all():
        raise ModelError(f"{model}: gives numbers that are not finite; expected probabilities")
    raise ModelError(f"{model}: gives numbers that are no probabilities; expected ten that sum to 1")


def tolerance(probabilities: Probabilities) -> float:
    """Return by how much a probability may differ between forms of one model.

    Errors of rounding grow with the logits: where the least likely digit is e^-60 times as likely as the
    likeliest, twice as much is allowed as where it is e^-30 times.

    Args:
        probabilities: (N, 10), of the model.
    """
    least = float(probabilities.min(initial=1.0))
    return TOLERANCE * max(1.0, -math.log(max(least, 1e-38)) / _USUAL_LOGIT)


def as_metadata(threshold: float, *, uses_tta: bool) -> dict[str, str]:
    """Return what a model file says of how it is to be used."""
    return {TASK: "classify", _THRESHOLD: f"{threshold:.6f}", _TTA: _YES if uses_tta else _NO}


def from_metadata(metadata: Mapping[str, str]) -> tuple[float, bool]:
    """Return threshold and `uses_tta` from a model file's metadata; defaults where it says nothing usable."""
    try:
        threshold = float(metadata[_THRESHOLD])
    except (KeyError, ValueError):
        threshold = DEFAULT_THRESHOLD
    if not 0 <= threshold < 1:
        threshold = DEFAULT_THRESHOLD
    return threshold, metadata.get(_TTA) != _NO
