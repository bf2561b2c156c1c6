"""How well weights read the validation images, and the measures of training that this shares with it."""

import math
from typing import Any

from digitcli.backend import keras, tf
from digitcli.config import Recipe
from digitcli.datasets import NO_DIGIT, Digits
from digitcli.errors import InputError, TrainingError
from digitcli.layers import Weights
from digitcli.models import build_network
from digitcli.preprocessing import CLASSES

_BATCH = 500


class Validator:
    """Measures weights on the validation images, in float32, as the model that is kept would read."""

    def __init__(self, recipe: Recipe, digits: Digits) -> None:
        self._network = build_network(recipe)
        self._digits = digits
        self._recipe = recipe
        self._loss = keras.losses.CategoricalCrossentropy(reduction="sum")
        self._measure_batch = tf.function(self._measure, autograph=False, reduce_retracing=True)

    def require_fit(self, members: list[Weights]) -> None:
        """Raise an `InputError` where weights, read from a file, are not those of the recipe's network."""
        shapes = [weight.shape for weight in self._network.weights]
        for weights in members:
            if [value.shape for value in weights] != shapes:
                raise InputError("the checkpoint's weights do not fit its recipe; train without --resume")

    def measure(self, weights: Weights) -> tuple[float, float]:
        """Return mean loss and accuracy, dropout off."""
        self._network.set_weights(weights)
        loss, right, count = 0.0, 0, len(self._digits)
        for first in range(0, count, _BATCH):
            part = slice(first, first + _BATCH)
            images, labels = tf.constant(self._digits.images[part]), tf.constant(self._digits.labels[part])
            summed, count_right = self._measure_batch(images, labels)
            loss, right = loss + float(summed), right + int(count_right)
        require_finite(loss, f"the validation loss became {loss}", self._recipe)
        return loss / count, right / count

    def _measure(self, images: Any, labels: Any) -> tuple[Any, Any]:
        probabilities = self._network(as_input(images), training=False)
        return self._loss(as_target(labels), probabilities), hits(labels, probabilities)


def as_input(images: Any) -> Any:
    """Return images (B, 28, 28) uint8 as a network takes them."""
    return tf.cast(images, tf.float32)[..., tf.newaxis]  # (B, 28, 28, 1)


def as_target(labels: Any) -> Any:
    """Return (B, 10): one for the label; a tenth each for what is no digit."""
    known = tf.one_hot(tf.cast(labels, tf.int32), CLASSES)
    return tf.where((labels == NO_DIGIT)[:, tf.newaxis], 1 / CLASSES, known)


def hits(labels: Any, probabilities: Any) -> Any:
    """Return how many of (B,) labels are the likeliest of (B, 10)."""
    found = tf.argmax(probabilities, axis=1, output_type=tf.int32) == tf.cast(labels, tf.int32)
    return tf.reduce_sum(tf.cast(found, tf.int32))


def require_finite(loss: float, words: str, recipe: Recipe) -> None:
    """Raise a `TrainingError` that begins with `words` where a loss is no finite number."""
    if not math.isfinite(loss):
        rate = recipe.optimizer.learning_rate
        raise TrainingError(f"{words}: training diverged; lower --learning-rate (it was {rate:g})")
