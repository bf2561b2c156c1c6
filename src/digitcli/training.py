"""The training loop: many steps inside one compiled function, data in memory as uint8.

The loop follows TensorFlow's guide "Writing a training loop from scratch". Python only decides
the order of the images and hears about the loss between chunks of steps.
"""

import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from digitcli.augmentation import augment
from digitcli.backend import keras, tf
from digitcli.config import Augmentation, Recipe
from digitcli.datasets import Digits, Division
from digitcli.errors import TrainingError
from digitcli.models import Network, build_optimizer
from digitcli.preprocessing import CLASSES

_CHUNK_IMAGES = 1024  # about 0.3 s on a laptop: how long Ctrl-C and the progress display wait
_EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Step:
    """Where a run is, between two chunks of steps.

    Attributes:
        epoch, step: from 1; `step` counts within the epoch, of `steps`.
        loss, accuracy: means over the epoch so far; accuracy 0..1.
        images_per_second: over the epoch so far.
        seconds_left: of training, at that speed.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class Epoch:
    """A complete epoch; accuracies 0..1, learning rate as its last step left it, wall-clock seconds.

    `loss` and `accuracy` are means over the epoch's batches as they were trained on, dropout
    active; `val_loss` and `val_accuracy` are measured after it.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


class Reporter(Protocol):
    """Hears how a run goes."""

    def stage(self, words: str) -> None:
        """Something that is neither step nor epoch begins."""

    def step(self, step: Step) -> None:
        """A chunk of steps is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is complete."""


@dataclass
class Progress:
    """What is complete of a run: the epochs and the weights after the last of them."""

    epochs: list[Epoch] = field(default_factory=list)
    weights: list[NDArray[np.float32]] = field(default_factory=list)

    def history(self) -> dict[str, list[float]]:
        """Return one list per quantity, in Keras's layout."""
        columns = [asdict(epoch) for epoch in self.epochs]
        return {key: [row[key] for row in columns] for key in Epoch.__dataclass_fields__}


def fit(network: Network, recipe: Recipe, division: Division, progress: Progress, report: Reporter) -> None:
    """Train `network` in place, adding to `progress` after every epoch.

    Raises `TrainingError` as soon as the loss is no finite number.
    """
    loop = _Loop(network, recipe, division)
    for number in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = loop.train_epoch(number, report)
        val_loss, val_accuracy = loop.measure(division.validation)
        epoch = Epoch(
            number, loss, accuracy, val_loss, val_accuracy, loop.learning_rate(), time.perf_counter() - start
        )
        progress.weights = network.get_weights()
        progress.epochs.append(epoch)
        report.epoch(epoch)


class _Loop:
    def __init__(self, network: Network, recipe: Recipe, division: Division) -> None:
        self._network = network
        self._recipe = recipe
        self._images = tf.constant(division.train.images)  # (N, 28, 28) uint8
        self._labels = tf.constant(division.train.labels)  # (N,) uint8
        self._steps = math.ceil(len(division.train) / recipe.batch_size)
        self._optimizer = build_optimizer(recipe, self._steps * recipe.epochs)
        self._optimizer.build(network.trainable_variables)
        self._augmented = recipe.augmentation != Augmentation()
        self._loss = keras.losses.CategoricalCrossentropy()
        self._train_chunk = tf.function(self._chunk, autograph=False)
        self._measure_batch = tf.function(self._measure, autograph=False, reduce_retracing=True)

    def learning_rate(self) -> float:
        """The rate that the last step left to the next."""
        return float(self._optimizer.learning_rate)

    def train_epoch(self, epoch: int, report: Reporter) -> tuple[float, float]:
        """Go once over all images in an order of this epoch's own; return loss and accuracy."""
        order = np.random.default_rng([self._recipe.seed, epoch]).permutation(len(self._labels))
        order = tf.constant(order.astype(np.int32))
        chunk = max(1, _CHUNK_IMAGES // self._recipe.batch_size)  # steps
        start, seen, loss, right = time.perf_counter(), 0, 0.0, 0
        for first in range(0, self._steps, chunk):
            last = min(first + chunk, self._steps)
            summed, correct = self._train_chunk(order, tf.constant(first), tf.constant(last))
            loss, right = loss + float(summed), right + int(correct)
            self._require_finite(loss, f"the loss became {loss} in epoch {epoch}, by step {last}")
            seen = min(last * self._recipe.batch_size, len(order))
            rate = seen / (time.perf_counter() - start)
            left = (len(order) * (self._recipe.epochs - epoch + 1) - seen) / rate
            report.step(Step(epoch, last, self._steps, loss / seen, right / seen, rate, left))
        return loss / seen, right / seen

    def measure(self, digits: Digits) -> tuple[float, float]:
        """Return mean loss and accuracy on `digits`, dropout off."""
        loss, right = 0.0, 0
        for first in range(0, len(digits), _EVALUATION_BATCH):
            part = slice(first, first + _EVALUATION_BATCH)
            summed, correct = self._measure_batch(
                tf.constant(digits.images[part]), tf.constant(digits.labels[part])
            )
            loss, right = loss + float(summed), right + int(correct)
        self._require_finite(loss, f"the validation loss became {loss}")
        return loss / len(digits), right / len(digits)

    def _require_finite(self, loss: float, words: str) -> None:
        if not math.isfinite(loss):
            rate = self._recipe.optimizer.learning_rate
            raise TrainingError(f"{words}: training diverged; lower --learning-rate (it was {rate:g})")

    def _chunk(self, order: Any, first: Any, last: Any) -> tuple[Any, Any]:
        """Train on steps `first` to `last` of an epoch; return the summed loss and the hits."""

        def train_one(step: Any, loss: Any, right: Any) -> tuple[Any, Any, Any]:
            mean, correct, count = self._step(order, step)
            return step + 1, loss + mean * tf.cast(count, tf.float32), right + correct

        # not a Python loop: AutoGraph's rewriting of those depends on the version of Python
        start = (first, tf.constant(0.0), tf.constant(0))
        _, loss, right = tf.while_loop(lambda step, *_: step < last, train_one, start)
        return loss, right

    def _step(self, order: Any, step: Any) -> tuple[Any, Any, Any]:
        """Train on one batch; return its mean loss, its hits and its size."""
        size = self._recipe.batch_size
        batch = order[step * size : (step + 1) * size]  # the last one may be shorter
        images = self._as_input(tf.gather(self._images, batch))
        labels = tf.gather(self._labels, batch)
        if self._augmented:
            seed = tf.stack([self._recipe.seed, tf.cast(self._optimizer.iterations, tf.int32)])
            images = augment(images, self._recipe.augmentation, seed)
        with tf.GradientTape() as tape:
            mean, correct = self._loss_and_hits(images, labels, training=True)
        variables = self._network.trainable_variables
        self._optimizer.apply(tape.gradient(mean, variables), variables)
        return mean, correct, tf.size(batch)

    def _measure(self, images: Any, labels: Any) -> tuple[Any, Any]:
        mean, correct = self._loss_and_hits(self._as_input(images), labels, training=False)
        return mean * tf.cast(tf.size(labels), tf.float32), correct

    @staticmethod
    def _as_input(images: Any) -> Any:
        return tf.cast(images, tf.float32)[..., tf.newaxis]  # (B, 28, 28, 1)

    def _loss_and_hits(self, images: Any, labels: Any, *, training: bool) -> tuple[Any, Any]:
        probabilities = self._network(images, training=training)  # (B, 10)
        labels = tf.cast(labels, tf.int32)
        mean = self._loss(tf.one_hot(labels, CLASSES), probabilities)
        hits = tf.argmax(probabilities, axis=1, output_type=tf.int32) == labels
        return mean, tf.reduce_sum(tf.cast(hits, tf.int32))
