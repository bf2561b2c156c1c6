"""Trying a model file on its own runtime: how it reads, how fast, and whether it may be kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import Digits
from digitcli.formats import Target
from digitcli.formats.running import BATCH
from digitcli.metrics import TOLERANCE
from digitcli.recognizer import require_probabilities
from digitcli.second_look import DigitReader

INT8_LOSS = 0.002  # by how much the accuracy of an int8 file may be below the original's

_BATCHES, _SINGLES = 10, 100  # how often a batch and an image are timed; the fastest counts


@dataclass(frozen=True)
class Measures:
    """What a model does on its runtime.

    Attributes:
        probabilities: (N, 10) float32, of the test images.
        right: how many of these it reads right.
        images_per_second: in batches of 256.
        milliseconds: for one image.
    """

    probabilities: NDArray[np.float32]
    right: int
    images_per_second: float
    milliseconds: float

    @property
    def accuracy(self) -> float:
        """Return the share of the test images that is read right."""
        return self.right / len(self.probabilities)


@dataclass(frozen=True)
class Trial:
    """How a file did.

    Attributes:
        target: what it is.
        size: in bytes.
        measures: None where it could not be written or run.
        difference: the largest to the original, over all probabilities of all test images.
        problem: why it was refused; None where it is kept.
    """

    target: Target
    size: int
    measures: Measures | None
    difference: float | None
    problem: str | None


def measure(reader: DigitReader, test: Digits, name: str) -> Measures:
    """Read all test images, then time a batch and a single image.

    Raises `ModelError` where the model `name` cannot be run or gives no probabilities.
    """
    probabilities = reader.network(test.images)
    require_probabilities(probabilities, name)
    batch, single = test.images[:BATCH], test.images[:1]
    return Measures(
        probabilities,
        int((probabilities.argmax(axis=1) == test.labels).sum()),
        len(batch) / _fastest(lambda: reader.network(batch), _BATCHES),
        1000 * _fastest(lambda: reader.network(single), _SINGLES),
    )


def judge(target: Target, size: int, found: Measures, original: Measures) -> Trial:
    """Compare a file with the model that it was made from."""
    difference = float(np.abs(found.probabilities - original.probabilities).max())
    problem = None
    allowed = INT8_LOSS if target.int8 else 0.0
    if not target.int8 and not difference <= TOLERANCE:
        problem = f"differs from the original by {difference:.2g}; expected at most {TOLERANCE:g}"
    elif original.right - found.right > allowed * len(found.probabilities):
        problem = (
            f"reads {found.accuracy:.2%} of the test images, the original {original.accuracy:.2%}; "
            f"expected at most {allowed:.2%} less"
        )
    return Trial(target, size, found, difference, problem)


def _fastest(action: Callable[[], object], times: int) -> float:
    """Return the seconds that an action takes when nothing disturbs it."""
    action()  # the first time, memory is reserved
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
