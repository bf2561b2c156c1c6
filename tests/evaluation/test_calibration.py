import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitcli.datasets import Digits
from digitcli.evaluation.calibration import (
    apply_temperature,
    choose_tta,
    fit_temperature,
    fit_threshold,
    with_temperature,
)
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition import tta


def honest(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels that are drawn from them."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2.5, (count, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(10, p=row) for row in probabilities], np.uint8)
    return probabilities.astype(np.float32), labels


@pytest.mark.parametrize("too_hot", [0.4, 1.0, 2.5])
def test_the_temperature_undoes_false_confidence(too_hot: float) -> None:
    probabilities, labels = honest(4000, 0)
    distorted = apply_temperature([probabilities], too_hot).astype(np.float32)
    assert fit_temperature([distorted], labels) == pytest.approx(1 / too_hot, rel=0.08)


@given(st.floats(0.3, 4.0))
def test_weights_and_probabilities_agree_on_the_temperature(temperature: float) -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(20, 6))
    weights = [random.normal(size=(3, 3)), random.normal(size=(6, 10)), random.normal(size=10)]

    def probabilities(kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        powers = np.exp(features @ kernel + bias)
        return powers / powers.sum(axis=1, keepdims=True)

    first, kernel, bias = with_temperature(weights, temperature)
    assert first is weights[0]
    expected = apply_temperature([probabilities(*weights[-2:])], temperature)
    assert np.allclose(probabilities(kernel, bias), expected, atol=1e-5)


def test_the_threshold_gives_up_one_digit_in_a_thousand() -> None:
    probabilities, _ = honest(40_000, 2)
    sure = apply_temperature([probabilities], 0.5)
    threshold = fit_threshold(sure)
    assert 0.3 <= threshold < 0.95
    assert np.mean(sure.max(axis=1) < threshold) <= 0.0015 or threshold == 0.3
    assert fit_threshold(np.eye(10)) == 0.95


def test_few_images_tell_nothing() -> None:
    assert fit_temperature([np.eye(10, dtype=np.float32)], np.arange(10, dtype=np.uint8)) == 1.0


class Turned:
    """Reads upright images rightly but unsurely, and turned ones rightly (`helped`) or wrongly."""

    def __init__(self, helped: bool) -> None:
        self.helped = helped
        self.threshold, self.uses_tta = 0.5, True

    def predict(self, images: Images) -> NDArray[np.float32]:
        right = np.full(10, 0.3 / 9, np.float32)
        right[0] = 0.7
        sure = np.eye(10, dtype=np.float32)[0 if self.helped else 1]
        upright = images[:, 2, 2] == 255  # a corner that turning takes away
        return np.where(upright[:, np.newaxis], right, sure)


@pytest.mark.parametrize("helped", [True, False])
def test_validation_images_tell_whether_a_second_look_helps(helped: bool) -> None:
    images = np.zeros((8, 28, 28), np.uint8)
    images[:, 2, 2] = 255
    reader = Turned(helped)
    found = choose_tta(reader, Digits(images, np.zeros(8, np.uint8)))
    assert reader.uses_tta == helped
    np.testing.assert_array_equal(found, tta.predict(reader, images))
