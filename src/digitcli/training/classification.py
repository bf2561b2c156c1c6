"""The classifier's task: the digit in an image; images in memory as uint8."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from digitcli import models
from digitcli.config.mnist import CLASSES
from digitcli.config.recipe import Augmentation, Recipe
from digitcli.datasets import ALIGNMENT, NO_DIGIT, Digits, Split
from digitcli.models.backend import keras, tf
from digitcli.models.classifier import batches
from digitcli.models.keras_classifier import Network
from digitcli.training.augmentation import augment
from digitcli.training.task import Metrics, Tensor


@dataclass(frozen=True)
class ValidationParameters:
    """How much is computed at once.

    Attributes:
        batch: images; bounds the memory that a validation takes.
    """

    batch: int = 500


_VALIDATION = ValidationParameters()


class Classification:
    """Trains on the split's training images, distorted as the recipe says; see `Task`."""

    metrics: tuple[str, ...] = ("accuracy",)  # of the digits; what is no digit has none
    chunk: int = 1024  # about 0.3 s on a laptop

    def __init__(self, recipe: Recipe, split: Split) -> None:
        self._recipe = recipe
        self._augmented = recipe.augmentation != Augmentation()
        self._images = _without_copy(split.train.images)  # (N, 28, 28) uint8
        self._labels = tf.constant(split.train.labels)  # (N,) uint8
        self._validation: Digits = split.validation
        self._loss = keras.losses.CategoricalCrossentropy(
            label_smoothing=recipe.label_smoothing, reduction="sum"
        )
        self._validation_loss = keras.losses.CategoricalCrossentropy(reduction="sum")
        self._measure_batch = tf.function(self._measure, autograph=False, reduce_retracing=True)
        self.examples = len(split.train)

    def build(self, *, precision: str | None = None, replicas: int = 1) -> Network:
        """Return a network with fresh weights; see `factory.build`."""
        return models.build(self._recipe, precision=precision, replicas=replicas)

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Do nothing: every epoch has the same images."""

    def review(self, network: Network, epoch: int) -> None:
        """Do nothing: what a network learns does not change its images."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return nothing: nothing is chosen on the way."""
        return {}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Do nothing, as nothing was chosen."""

    def batch(self, indices: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Return images (B, 28, 28, 1) float32, 0..255, and labels (B,) uint8."""
        images, labels = tf.gather(self._images, indices), tf.gather(self._labels, indices)
        if self._augmented:
            return augment(images, self._recipe.augmentation, seed), labels
        return _as_input(images), labels

    def loss(self, targets: Tensor, outputs: Tensor) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """Return the summed cross-entropy of probabilities (B, 10), and the digits read correctly and all."""
        of_digits = tf.math.count_nonzero(targets != NO_DIGIT)
        summed = self._loss(_as_distribution(targets), outputs)
        return summed, {"accuracy": (_hits(targets, outputs), of_digits)}

    def validate(self, network: Network) -> Metrics:
        """Return mean cross-entropy, without label smoothing, and accuracy on the validation images."""
        loss, right, count = 0.0, 0, len(self._validation)
        for batch in batches(count, _VALIDATION.batch):
            images = tf.constant(self._validation.images[batch])
            labels = tf.constant(self._validation.labels[batch])
            summed, count_right = self._measure_batch(network, images, labels)
            loss, right = loss + float(summed), right + int(count_right)
        return {"loss": loss / count, "accuracy": right / count}

    def _measure(self, network: Network, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        probabilities = network(_as_input(images), training=False)
        return self._validation_loss(_as_distribution(labels), probabilities), _hits(labels, probabilities)


def _without_copy(images: Any) -> Tensor:
    """Return NumPy's array as a tensor on the same memory, where that is possible."""
    if tf.config.list_physical_devices("GPU") or images.ctypes.data % ALIGNMENT:
        return tf.constant(images)
    return tf.experimental.dlpack.from_dlpack(images.__dlpack__())


def _as_input(images: Tensor) -> Tensor:
    """Return images (B, 28, 28) uint8 as a network takes them."""
    return tf.cast(images, tf.float32)[..., tf.newaxis]  # (B, 28, 28, 1)


def _as_distribution(labels: Tensor) -> Tensor:
    """Return (B, 10): one for the label; a tenth each for what is no digit."""
    known = tf.one_hot(tf.cast(labels, tf.int32), CLASSES)
    return tf.where((labels == NO_DIGIT)[:, tf.newaxis], 1 / CLASSES, known)


def _hits(labels: Tensor, probabilities: Tensor) -> Tensor:
    """Return how many of (B,) labels are the likeliest of (B, 10)."""
    found = tf.argmax(probabilities, axis=1, output_type=tf.int32) == tf.cast(labels, tf.int32)
    return tf.reduce_sum(tf.cast(found, tf.int32))
