"""Which values a model expects, and whether the ink is bright: what it reads best tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from digitcli.datasets import Digits
from digitcli.errors import ModelError
from digitcli.evaluation.calibration import apply_temperature, cross_entropy
from digitcli.export.foreign.onnx_form import InputForm
from digitcli.models.classifier import Floats, Probabilities

Gives = Literal["probabilities", "logits", "log-probabilities"]

_TEMPERATURES = tuple(np.geomspace(0.1, 30, 40))
_MNIST_MEAN, _MNIST_DEVIATION = 0.1307, 0.3081  # by which PyTorch's examples standardize, of values 0 to 1


@dataclass(frozen=True)
class InputFormParameters:
    """How a form is chosen.

    Attributes:
        images: of MNIST's validation set that are read in every form.
        tie: share of them by which accuracies are as good as alike; the lower loss decides then.
        alike: share of the lowest loss by which losses are as good as alike; the form that is the most common
            is taken then, the first of `FORMS`.
        unusual: share by which values standardized must be read better than plain ones.
        least: share that must be read right in the best form.
    """

    images: int = 1_000
    tie: float = 0.01
    alike: float = 0.1
    unusual: float = 0.003
    least: float = 0.5


INPUT_FORM = InputFormParameters()


def _forms() -> tuple[InputForm, ...]:
    standardized = f"values standardized by {_MNIST_MEAN} and {_MNIST_DEVIATION}"
    values = (
        (1 / 255, 0.0, "values 0 to 1", False),
        (1.0, 0.0, "values 0 to 255", False),
        (2 / 255, -1.0, "values -1 to 1", False),
        (1 / (255 * _MNIST_DEVIATION), -_MNIST_MEAN / _MNIST_DEVIATION, standardized, True),
    )
    bright = [
        InputForm(scale, offset, f"{words}, ink bright", is_unusual)
        for scale, offset, words, is_unusual in values
    ]
    dark = [
        InputForm(-scale, offset + 255 * scale, f"{words}, ink dark", is_unusual)
        for scale, offset, words, is_unusual in values
    ]
    return (*bright, *dark)


FORMS = _forms()


@dataclass(frozen=True)
class Reading:
    """What a model reads in a form.

    Attributes:
        form: what it was given.
        gives: what it gives.
        accuracy: share of the images that it reads right.
        loss: mean cross-entropy at the best temperature.
    """

    form: InputForm
    gives: Gives
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Choice:
    """The form that a model is used in, and those that were as good by accuracy alone."""

    best: Reading
    tied: tuple[Reading, ...]
    images: int


def choose(name: str, run: Callable[[InputForm, Floats], Floats], images: Floats, digits: Digits) -> Choice:
    """Return the form in which a model reads best.

    Args:
        name: of its file, for messages.
        run: gives (N, 10) for images (N, 28, 28, 1) float32, 0..255, brought into a form.
        images: validation images.
        digits: the same, with labels.

    Raises `ModelError` where it reads few of them in any form.
    """
    readings = [_read(form, run(form, images), digits) for form in FORMS]
    best = max(each.accuracy for each in readings)
    if best < INPUT_FORM.least:
        raise ModelError(
            f"{name}: reads at most {100 * best:.1f}% of {len(digits):,} validation images of MNIST, "
            f"whatever values it is given; expected a classifier that reads at least {INPUT_FORM.least:.0%}"
        )
    plain = max(each.accuracy for each in readings if not each.form.is_unusual)
    good = [
        each
        for each in readings
        if each.accuracy >= best - INPUT_FORM.tie
        and (not each.form.is_unusual or each.accuracy >= plain + INPUT_FORM.unusual)
    ]
    lowest = min(each.loss for each in good)
    taken = next(each for each in good if each.loss <= lowest * (1 + INPUT_FORM.alike))
    others = tuple(each for each in good if each is not taken)
    return Choice(taken, others, len(digits))


def _read(form: InputForm, values: Floats, digits: Digits) -> Reading:
    gives = kind_of(values)
    found = as_probabilities(values, gives)
    right = float((found.argmax(axis=1) == digits.labels).mean())
    return Reading(form, gives, right, _calibrated_loss(found, digits))


def _calibrated_loss(probabilities: Probabilities, digits: Digits) -> float:
    """Return the cross-entropy at the best temperature (Guo et al., 2017).

    Larger values make a network surer of everything, which as such tells nothing about what it expects.
    """
    at_each = (apply_temperature([probabilities], temperature) for temperature in _TEMPERATURES)
    return min(cross_entropy(each, digits.labels) for each in at_each)


def kind_of(values: Floats) -> Gives:
    """Tell what the rows of (N, 10) are."""
    with np.errstate(over="ignore"):
        if values.min() >= 0 and np.abs(values.sum(axis=1) - 1).max() < 1e-3:
            return "probabilities"
        if values.max() <= 1e-6 and np.abs(np.exp(values).sum(axis=1) - 1).max() < 1e-3:
            return "log-probabilities"
    return "logits"


def as_probabilities(values: Floats, gives: Gives) -> Probabilities:
    """Return rows (N, 10) as probabilities."""
    if gives == "probabilities":
        return np.asarray(values, np.float32)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
