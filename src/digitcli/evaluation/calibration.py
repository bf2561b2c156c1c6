"""Calibration: temperature scaling, and the threshold that rejects what is no digit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.digits import Digits, Labels
from digitcli.evaluation.metrics import EPSILON
from digitcli.models.classifier import Classifier, Weights
from digitcli.recognition import tta

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class CalibrationParameters:
    """Bounds of what is fitted to the validation images.

    Attributes:
        rejected: share of the validation digits that the rejection threshold gives up; by choice, one of a
            thousand.
        lowest_threshold, highest_threshold: few images or a poor model are no reason to leave these.
        coldest, hottest: temperatures.
        least_images: with fewer there is no telling the temperature, and it stays 1.
        search_steps: each narrows the interval of temperatures by a third or more.
    """

    rejected: float = 0.001
    lowest_threshold: float = 0.3
    highest_threshold: float = 0.95
    coldest: float = 0.2
    hottest: float = 5.0
    least_images: int = 500
    search_steps: int = 60


CALIBRATION = CalibrationParameters()


def fit_temperature(members: list[NDArray[np.float32]], labels: Labels) -> float:
    """Return the temperature at which the members' mean is least wrong (Guo et al., 2017).

    Args:
        members: each network's probabilities (N, 10) on images that it was not trained on.
        labels: (N,) uint8.

    Returns:
        T, by which all logits are to be divided; that of the smallest mean cross-entropy. 1 where there
        are fewer than 500 images.
    """
    if len(labels) < CALIBRATION.least_images:
        return 1.0  # too few to tell

    def loss(log_temperature: float) -> float:
        return cross_entropy(apply_temperature(members, float(np.exp(log_temperature))), labels)

    low, high = np.log(CALIBRATION.coldest), np.log(CALIBRATION.hottest)
    for _ in range(CALIBRATION.search_steps):  # golden-section search: the loss has one minimum
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def apply_temperature(members: list[NDArray[np.float32]], temperature: float) -> NDArray[np.float64]:
    """Return the mean (N, 10) of the members' probabilities at `temperature`."""
    logits = [np.log(np.maximum(each.astype(np.float64), 1e-30)) for each in members]
    return np.asarray(np.mean([_softmax(each / temperature) for each in logits], axis=0))


def with_temperature(weights: Weights, temperature: float) -> Weights:
    """Return a network's weights with the logits of its last dense layer divided by `temperature`."""
    kernel, bias = (np.asarray(value / temperature, np.float32) for value in weights[-2:])
    return [*weights[:-2], kernel, bias]


def fit_threshold(probabilities: NDArray[np.floating[Any]]) -> float:
    """Return the confidence under which only a share `CalibrationParameters.rejected` of digits fall.

    Args:
        probabilities: (N, 10) of images that are digits.
    """
    found = float(np.quantile(probabilities.max(axis=1), CALIBRATION.rejected))
    return min(max(found, CALIBRATION.lowest_threshold), CALIBRATION.highest_threshold)


def choose_tta(classifier: Classifier, digits: Digits) -> NDArray[np.float32]:
    """Let a classifier use test-time augmentation from now on if that lowers the cross-entropy on `digits`.

    Returns:
        Its probabilities (N, 10) of `digits`, used so.
    """
    classifier.uses_tta = True
    alone = classifier.predict(digits.images)
    augmented = tta.augment(classifier, digits.images, alone, tta.is_uncertain(alone))
    classifier.uses_tta = cross_entropy(augmented, digits.labels) <= cross_entropy(alone, digits.labels)
    return augmented if classifier.uses_tta else alone


def cross_entropy(probabilities: NDArray[np.floating[Any]], labels: Labels) -> float:
    """Return the mean cross-entropy of probabilities (N, 10) with labels (N,)."""
    likely = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(likely, EPSILON)).mean())


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
