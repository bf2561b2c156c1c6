"""Robustness: accuracy under fifteen corruptions, and the smallest amount that flips a reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import Digits
from digitcli.datasets.split import balanced
from digitcli.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from digitcli.evaluation.metrics import wilson_interval
from digitcli.models.classifier import Probabilities
from digitcli.preprocessing.mnist_form import Images, to_form

TENTH, HALF = 0.1, 0.5  # shares of readings whose flips are told


@dataclass(frozen=True)
class RobustnessParameters:
    """How much is measured: a compromise between narrow intervals and a report within a minute.

    Attributes:
        images: read at every severity of every corruption; the 95% interval of an accuracy of
            90% is five points wide then.
        flipped_images: whose smallest corruption is searched for; each is read ten times a corruption.
        seed: chooses the images, and what is random about their corruptions.
        step: of severity, in which a first flip is looked for.
        halvings: of the step in which it was found.
    """

    images: int = 500
    flipped_images: int = 100
    seed: int = 0
    step: float = 1.0
    halvings: int = 5


ROBUSTNESS = RobustnessParameters()

Classify = Callable[[Images], Probabilities]  # images (N, 28, 28) uint8 to probabilities (N, 10)
OnStep = Callable[[str], None]  # takes what is being done, in words


def with_preprocessing(classify: Classify) -> Classify:
    """Return what brings each image into MNIST form first, as ``predict --single`` does."""
    return lambda images: classify(np.stack([to_form(image, single=True) for image in images]))


@dataclass(frozen=True)
class CorruptionAccuracy:
    """How pictures with one kind of corruption are read.

    Attributes:
        accuracy: at severities 1 to 5.
        accuracy_ci95: its 95% confidence intervals (Wilson).
    """

    corruption: Corruption
    accuracy: tuple[float, ...]
    accuracy_ci95: tuple[tuple[float, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "corruption": self.corruption.name,
            "unit": self.corruption.unit,
            "amounts": list(self.corruption.amounts),
            "accuracy": list(self.accuracy),
            "accuracy_ci95": [list(interval) for interval in self.accuracy_ci95],
        }


@dataclass(frozen=True)
class Robustness:
    """The result of `measure`.

    Attributes:
        n: images read at every severity of every corruption.
        uncorrupted: accuracy on the same images as they were.
        rows: one for each of `CORRUPTIONS`.
    """

    n: int
    uncorrupted: float
    rows: tuple[CorruptionAccuracy, ...]

    @property
    def mean(self) -> float:
        """Mean accuracy over all corruptions and severities."""
        return float(np.mean([row.accuracy for row in self.rows]))

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "n": self.n,
            "uncorrupted": self.uncorrupted,
            "mean": self.mean,
            "corruptions": [row.as_json() for row in self.rows],
        }


def measure(classify: Classify, digits: Digits, on_step: OnStep) -> Robustness:
    """Read `digits` at every severity of every corruption."""

    def hits(images: Images) -> int:
        return int((classify(images).argmax(axis=1) == digits.labels).sum())

    rows = []
    for corruption in CORRUPTIONS:
        on_step(f"corruption: {corruption.name}")
        counts = [
            hits(corrupt(digits.images, corruption, severity, ROBUSTNESS.seed)) for severity in SEVERITIES
        ]
        rows.append(
            CorruptionAccuracy(
                corruption=corruption,
                accuracy=tuple(count / len(digits) for count in counts),
                accuracy_ci95=tuple(wilson_interval(count, len(digits)) for count in counts),
            )
        )
    return Robustness(len(digits), hits(digits.images) / len(digits), tuple(rows))


@dataclass(frozen=True)
class Flip:
    """A picture with the smallest corruption that changes its reading.

    Attributes:
        severity: 0..5, of which `amount` is the measure in the corruption's own unit.
        original, picture: (28, 28) uint8, before and after.
        label: the digit that it is, and as which it was read.
        read: what is read after.
    """

    severity: float
    amount: float
    original: Images
    picture: Images
    label: int
    read: int


@dataclass(frozen=True)
class Flips:
    """The smallest corruptions of one kind that flip readings.

    Attributes:
        severities: (N,) 0..5 for each picture; infinite where none does.
        first: the picture that flips at the smallest amount, None where no reading flips.
    """

    corruption: Corruption
    severities: NDArray[np.float64]
    first: Flip | None

    @property
    def unflipped(self) -> float:
        """The share of pictures that are read correctly at every severity tested."""
        return float(np.isinf(self.severities).mean())

    def reached(self, share: float) -> float | None:
        """The severity at which that share of the readings has flipped, None where fewer do."""
        severity = float(np.quantile(self.severities, share, method="higher"))
        return severity if np.isfinite(severity) else None

    def amount(self, share: float) -> float | None:
        """What `reached` gives, in the corruption's own unit."""
        severity = self.reached(share)
        return None if severity is None else self.corruption.amount(severity)

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        first = self.first
        return {
            "corruption": self.corruption.name,
            "unit": self.corruption.unit,
            "n": len(self.severities),
            "tenth_severity": self.reached(TENTH),
            "tenth_amount": self.amount(TENTH),
            "median_severity": self.reached(HALF),
            "median_amount": self.amount(HALF),
            "unflipped": self.unflipped,
            "first": None
            if first is None
            else {
                "severity": first.severity,
                "amount": first.amount,
                "label": first.label,
                "read": first.read,
            },
        }


def find_flips(classify: Classify, digits: Digits, on_step: OnStep) -> tuple[Flips, ...]:
    """Find, for each corruption and each of `digits` that is read right, the least that flips the reading.

    The five severities are tried; the step to the first one with a flip is then halved five times, so what
    is found is at most a thirty-second of a severity too large. A flip that a step leaps over is missed.
    """
    right = digits.take(np.flatnonzero(classify(digits.images).argmax(axis=1) == digits.labels))
    found = []
    for corruption in CORRUPTIONS:
        on_step(f"smallest corruption that flips a reading: {corruption.name}")
        found.append(_flips_by(corruption, classify, right))
    return tuple(found)


def _flips_by(corruption: Corruption, classify: Classify, digits: Digits) -> Flips:
    """As `find_flips`, by one corruption; all of `digits` are read right uncorrupted."""
    if len(digits) == 0:
        return Flips(corruption, np.array([np.inf]), None)

    def is_flipped(severities: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        pictures = corrupt(digits.images, corruption, severities, ROBUSTNESS.seed)
        return np.asarray(classify(pictures).argmax(axis=1) != digits.labels)

    flipping = np.full(len(digits), np.inf)  # (N,) the least severity so far at which a reading flips
    for severity in np.arange(SEVERITIES[-1], 0, -ROBUSTNESS.step):
        flipping[is_flipped(float(severity))] = severity
    reached = np.isfinite(flipping)
    holding = flipping - ROBUSTNESS.step  # (N,) and one below it at which it holds
    for _ in range(ROBUSTNESS.halvings):
        middle = np.where(reached, (flipping + holding) / 2, 0)
        flips = is_flipped(middle)
        flipping, holding = np.where(flips, middle, flipping), np.where(flips, holding, middle)
    return Flips(corruption, flipping, _first(corruption, classify, digits, flipping))


def _first(
    corruption: Corruption, classify: Classify, digits: Digits, severities: NDArray[np.float64]
) -> Flip | None:
    place = int(severities.argmin())
    severity = float(severities[place])
    if not np.isfinite(severity):
        return None
    # all, so that chance falls as before
    pictures = corrupt(digits.images, corruption, severity, ROBUSTNESS.seed)
    return Flip(
        severity=severity,
        amount=corruption.amount(severity),
        original=digits.images[place],
        picture=pictures[place],
        label=int(digits.labels[place]),
        read=int(classify(pictures).argmax(axis=1)[place]),
    )


def subset(digits: Digits, count: int) -> Digits:
    """Return up to `count` of `digits`, as many of each class as there are, always the same ones."""
    return digits.take(balanced(digits.labels, count, ROBUSTNESS.seed))
