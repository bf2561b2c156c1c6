"""Comparison of two models on the same images, and whether their difference is significant."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.evaluation.metrics import Evaluation, wilson_interval

SIGNIFICANCE = 0.05  # p-value below which a difference counts as real
_NEGLIGIBLE = 1e-17  # share of a sum


@dataclass(frozen=True)
class ModelComparison:
    """What two models made of the same images, counted image by image.

    Attributes:
        both_right, only_first, only_second, both_wrong: images that were read right by those.
        p_value: of McNemar's exact test; see `mcnemar`.
        difference: the first one's accuracy less the second one's.
        difference_ci95: its 95% confidence interval; see `paired_interval`.
    """

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float
    difference: float
    difference_ci95: tuple[float, float]

    @property
    def n(self) -> int:
        """How many images."""
        return self.both_right + self.only_first + self.only_second + self.both_wrong

    @property
    def is_real(self) -> bool:
        """Whether chance alone would seldom make so large a difference."""
        return self.p_value < SIGNIFICANCE

    def in_words(self, first: str, second: str) -> str:
        """Say whether the difference is real; `first` and `second` are what the models are called."""
        images = "this one image" if self.n == 1 else f"these {self.n:,} images"
        if self.only_first == self.only_second == 0:
            return f"No difference can be shown: both models read the same of {images} right."
        counts = f"{first} alone reads {self.only_first:,} right, {second} alone {self.only_second:,}"
        low, high = (points(end) for end in self.difference_ci95)
        size = (
            f"First less second: {points(self.difference)} percentage points of accuracy "
            f"(95% interval {low} to {high})."
        )
        if not self.is_real:
            return f"No difference can be shown with {images} ({p_in_words(self.p_value)}): {counts}. {size}"
        better = first if self.difference > 0 else second
        return (
            f"The difference is real ({p_in_words(self.p_value)}): {better} reads better. "
            f"Of {images}, {counts}. {size}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "n": self.n,
            "both_right": self.both_right,
            "only_first_right": self.only_first,
            "only_second_right": self.only_second,
            "both_wrong": self.both_wrong,
            "difference": self.difference,
            "difference_ci95": list(self.difference_ci95),
            "p_value": self.p_value,
            "is_real": self.is_real,
        }


def compare(first: Evaluation, second: Evaluation) -> ModelComparison:
    """Compare two evaluations of the same images in the same order."""
    return _of_counts(_paired(first.right, second.right))


def _paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    return (
        int((first & second).sum()),
        int((first & ~second).sum()),
        int((~first & second).sum()),
        int((~first & ~second).sum()),
    )


def _of_counts(counts: tuple[int, int, int, int]) -> ModelComparison:
    _, only_first, only_second, _ = counts
    return ModelComparison(
        *counts,
        p_value=mcnemar(only_first, only_second),
        difference=(only_first - only_second) / sum(counts),
        difference_ci95=paired_interval(*counts),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's test in its exact form.

    Of images that just one of two models reads right, either is as likely to be the one if they are
    equally good: twice the binomial tail, at most 1 (Q. McNemar, Psychometrika 12, 1947; exact after
    F. Mosteller, Biometrics 8, 1952).
    """
    fewer, count = min(only_first, only_second), only_first + only_second
    if count == 0:
        return 1.0
    logarithm = math.lgamma(count + 1) - math.lgamma(fewer + 1) - math.lgamma(count - fewer + 1)
    term = total = 1.0  # of the tail, relative to its largest term
    for hits in range(fewer, 0, -1):  # each term from the one above it
        term *= hits / (count - hits + 1)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, 2 * total * math.exp(logarithm - count * math.log(2)))


def paired_interval(
    both_right: int, only_first: int, only_second: int, both_wrong: int
) -> tuple[float, float]:
    """Return the 95% confidence interval of the difference of two paired shares.

    Wilson intervals of either share, put together with their correlation: method 10 of R. G. Newcombe,
    Statistics in Medicine 17 (1998), 2635-2650.
    """
    n = both_right + only_first + only_second + both_wrong
    first, second = both_right + only_first, both_right + only_second
    difference = (only_first - only_second) / n
    below_first, above_first = _reach(first, n)
    below_second, above_second = _reach(second, n)
    correlation = _correlation(both_right, only_first, only_second, both_wrong)
    return (
        max(-1.0, difference - _joined(below_first, above_second, correlation)),
        min(1.0, difference + _joined(above_first, below_second, correlation)),
    )


def _reach(hits: int, n: int) -> tuple[float, float]:
    """How far a share's Wilson interval goes below it and above it."""
    low, high = wilson_interval(hits, n)
    return hits / n - low, high - hits / n


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


def _correlation(both_right: int, only_first: int, only_second: int, both_wrong: int) -> float:
    """The correlation of two paired answers, made smaller for continuity; 0 where one never varies."""
    first, second = both_right + only_first, both_right + only_second
    n = second + only_first + both_wrong
    margins = first * (n - first) * second * (n - second)
    excess: float = both_right * both_wrong - only_first * only_second
    if excess > 0:
        excess = max(0.0, excess - n / 2)
    return excess / math.sqrt(margins) if margins else 0.0


def p_in_words(p_value: float) -> str:
    """Say a p-value."""
    if p_value < 0.0001:
        return "p < 0.0001"
    return f"p = {p_value:.4f}" if p_value < 0.1 else f"p = {p_value:.2f}"


def points(difference: float) -> str:
    """Say a difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.2f}"
