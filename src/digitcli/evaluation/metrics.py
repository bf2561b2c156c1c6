"""Classification metrics: accuracy, loss, results by class, calibration error."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.datasets import Digits

Z_95 = 1.959964  # standard normal quantile of 0.975
_BINS = 15  # intervals of confidence
EPSILON = 1e-7  # probabilities below it count as this much, as in Keras's cross-entropy


@dataclass(frozen=True)
class ClassReport:
    """How one digit fares; None where nothing of the kind was there to count.

    Attributes:
        precision: of those read as it, the share that are it.
        recall: of those that are it, the share read as it.
        f1: harmonic mean of the two.
        support: how many are it.
    """

    digit: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class Evaluation:
    """The result of `score`.

    Attributes:
        data, model: names, as the user gave them.
        probabilities: (N, 10) float32, one row an image.
        right: (N,), whether it was read right.
        loss: mean categorical cross-entropy, natural logarithm.
        accuracy_ci95: 95% confidence interval of the accuracy (Wilson).
        confusion: (10, 10) counts; rows are what it is, columns what was read.
        calibration_error: by how much confidence and accuracy differ on average, 0..1 (expected
            calibration error over 15 intervals; Naeini et al., 2015).
        seconds: wall-clock time of reading all images.
    """

    data: str
    model: str
    probabilities: NDArray[np.float32]
    right: NDArray[np.bool_]
    accuracy: float
    accuracy_ci95: tuple[float, float]
    loss: float
    per_class: tuple[ClassReport, ...]
    confusion: NDArray[np.intp]
    calibration_error: float
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return {
            "data": self.data,
            "model": self.model,
            "n": len(self.probabilities),
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.accuracy_ci95),
            "loss": self.loss,
            "per_class": [vars(report) for report in self.per_class],
            "confusion": self.confusion.tolist(),
            "calibration_error": self.calibration_error,
            "seconds": self.seconds,
        }


def score(
    probabilities: NDArray[np.float32], digits: Digits, *, data: str, model: str, seconds: float
) -> Evaluation:
    """Compare probabilities (N, 10) with the labels of `digits`."""
    read, truth = probabilities.argmax(axis=1), digits.labels
    right = read == truth
    count = int(right.sum())
    confusion = np.bincount(truth.astype(np.intp) * CLASSES + read, minlength=CLASSES**2)
    confusion = confusion.reshape(CLASSES, CLASSES)
    of_truth = probabilities[np.arange(len(digits)), truth].astype(np.float64)
    return Evaluation(
        data=data,
        model=model,
        probabilities=probabilities,
        right=right,
        accuracy=count / len(digits),
        accuracy_ci95=wilson_interval(count, len(digits)),
        loss=float(-np.log(np.clip(of_truth, EPSILON, 1)).mean()),
        per_class=tuple(_class_report(confusion, digit) for digit in range(CLASSES)),
        confusion=confusion,
        calibration_error=_calibration_error(probabilities, right),
        seconds=seconds,
    )


@dataclass(frozen=True)
class ReliabilityBin:
    """The images of an interval of confidence.

    Attributes:
        confidence: their mean.
        accuracy: the share of them that was read right.
        accuracy_ci95: its 95% confidence interval (Wilson).
        count: how many they are.
    """

    confidence: float
    accuracy: float
    accuracy_ci95: tuple[float, float]
    count: int


def reliability_bins(
    probabilities: NDArray[np.float32], right: NDArray[np.bool_]
) -> tuple[ReliabilityBin, ...]:
    """Gather images by confidence, in 15 intervals of the same width, of which empty ones are left out."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    places = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = []
    for place in np.unique(places):
        inside = places == place
        hits, count = int(right[inside].sum()), int(inside.sum())
        interval = wilson_interval(hits, count)
        bins.append(ReliabilityBin(float(confidence[inside].mean()), hits / count, interval, count))
    return tuple(bins)


def _calibration_error(probabilities: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    bins = reliability_bins(probabilities, right)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in bins) / len(right)


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a proportion (E. B. Wilson, JASA 22, 1927)."""
    share = successes / trials
    centre = share + z**2 / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    # the share itself lies inside, but for rounding
    return max(0.0, min(share, (centre - spread) / scale)), min(1.0, max(share, (centre + spread) / scale))


def _class_report(confusion: NDArray[np.intp], digit: int) -> ClassReport:
    hits, are, read = (
        int(n) for n in (confusion[digit, digit], confusion[digit].sum(), confusion[:, digit].sum())
    )
    return ClassReport(
        digit=digit,
        precision=hits / read if read else None,
        recall=hits / are if are else None,
        f1=2 * hits / (are + read) if are + read else None,
        support=are,
    )


@dataclass(frozen=True)
class Confusion:
    """`count` images of the digit `truth` were read as `read`."""

    truth: int
    read: int
    count: int


def frequent_confusions(confusion: NDArray[np.intp], most: int = 5) -> list[Confusion]:
    """Return the pairs of digits that are taken for each other, most frequent first."""
    pairs = [
        Confusion(truth, read, int(confusion[truth, read]))
        for truth in range(CLASSES)
        for read in range(CLASSES)
        if truth != read and confusion[truth, read] > 0
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:most]


def hardest(evaluation: Evaluation, digits: Digits, most: int) -> NDArray[np.intp]:
    """Return indices of the worst-read images (M,): wrong ones, surest first, then the least sure."""
    confidence = evaluation.probabilities.max(axis=1)
    wrong = evaluation.probabilities.argmax(axis=1) != digits.labels
    return np.lexsort((np.where(wrong, -confidence, confidence), ~wrong))[:most]
