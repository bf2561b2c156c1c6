"""The training loop: many steps inside one compiled function, data in memory as uint8.

The loop follows TensorFlow's guides "Writing a training loop from scratch" and "Custom training
with tf.distribute.Strategy": one device, several, or several machines run the same steps. Python
only decides the order of the images and the learning rates, and hears about the loss between
chunks of steps.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitcli import models
from digitcli.config.mnist import CLASSES
from digitcli.config.recipe import Augmentation, Recipe
from digitcli.datasets import ALIGNMENT, NO_DIGIT, Digits, Split
from digitcli.errors import InputError, TrainingError
from digitcli.models.backend import keras, seed_everything, tf
from digitcli.models.classifier import Weights, batches
from digitcli.models.factory import build_optimizer
from digitcli.training.augmentation import augment
from digitcli.training.clock import TrainingClock
from digitcli.training.cluster.distribution import Distribution
from digitcli.training.progress import Arrays, Epoch, Progress, Reporter, Step

_SUMMED = ("loss", "images", "hits", "digits")  # over an epoch


@dataclass(frozen=True)
class LoopParameters:
    """How much is computed at once.

    Attributes:
        chunk_images: of the steps between two looks at the clock; Ctrl-C and the progress display wait for
            them, about 0.3 s on a laptop.
        validation_batch: images; bounds the memory that a validation takes.
    """

    chunk_images: int = 1024
    validation_batch: int = 500


LOOP = LoopParameters()


def fit(
    recipe: Recipe,
    split: Split,
    progress: Progress,
    report: Reporter,
    *,
    distribution: Distribution,
    precision: str = "float32",
    budget: float | None = None,
    init: Sequence[Weights] = (),
    save: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Train a recipe's networks from where `progress` stands, adding to it after every epoch.

    Args:
        recipe: what to train and how.
        split: the images; every worker gets all of them and trains on its share.
        progress: where to begin; holds the weights in the end.
        report: hears how it goes.
        distribution: who trains.
        precision: of the arithmetic, ``float32`` or ``bfloat16``.
        budget: seconds of training, in place of the recipe's epochs.
        init: weights with which each network begins, in place of fresh ones.
        save: called with `progress` after every epoch.

    Raises `TrainingError` as soon as the loss is no finite number.
    """
    start = time.perf_counter() - progress.seconds
    validator = Validator(recipe, split.validation)
    validator.require_fit(progress.weights())
    while len(progress.members) < recipe.ensemble_size:
        member = len(progress.members)
        seed_everything(recipe.seed + member)
        building = time.perf_counter()
        first = init[member] if init else None
        shard = distribution.shard(split.train)
        loop = _Loop(recipe, member, distribution, shard, precision, first)
        progress.building += time.perf_counter() - building
        done = [epoch for epoch in progress.epochs if epoch.member == member + 1]
        if progress.state:
            loop.restore(progress.state)
        until = start + budget if budget else None
        spent = sum(epoch.seconds for epoch in done)
        ahead = recipe.ensemble_size - member
        clock = TrainingClock(recipe, loop.steps, len(done), spent, until, ahead, distribution.agree)
        while len(progress.members) == member:
            began = time.perf_counter()
            number = len(progress.epochs) + 1
            loss, accuracy, rate = loop.train_epoch(number, len(done) + 1, clock, report)
            with clock.validating():
                kept = loop.weights()
                val_loss, val_accuracy = (distribution.agree(v) for v in validator.measure(kept))
            seconds = time.perf_counter() - began
            epoch = Epoch(number, member + 1, loss, accuracy, val_loss, val_accuracy, rate, seconds)
            if recipe.patience and any(before.val_loss <= val_loss for before in done):
                kept = progress.kept  # those of an earlier epoch are better
            done.append(epoch)
            progress.advance(epoch, kept, loop.state(), time.perf_counter() - start)
            if clock.is_over or _out_of_patience(recipe, done):
                progress.complete_member()
            report.epoch(epoch)
            save(progress)


def _out_of_patience(recipe: Recipe, done: list[Epoch]) -> bool:
    if recipe.patience is None:
        return False
    best = min(range(len(done)), key=lambda place: done[place].val_loss)
    return len(done) - 1 - best >= recipe.patience


class _Loop:
    """One network in training; its variables, its compiled steps, and what it needs to continue later."""

    def __init__(
        self,
        recipe: Recipe,
        member: int,
        distribution: Distribution,
        digits: Digits,
        precision: str,
        first: Weights | None,
    ) -> None:
        self._recipe = recipe
        self._seed = recipe.seed + member
        self._strategy = distribution.strategy
        self._replicas, self._workers = distribution.replicas, distribution.workers
        self._task = distribution.task
        self._local = distribution.share_of_batch(recipe.batch_size)  # images of a step
        self._images = _without_copy(digits.images)  # (N, 28, 28) uint8
        self._labels = tf.constant(digits.labels)  # (N,) uint8
        self.steps = math.ceil(len(digits) / self._local)  # of an epoch
        self._chunk_steps = max(1, LOOP.chunk_images // recipe.batch_size)
        self._augmented = recipe.augmentation != Augmentation()
        self._loss = keras.losses.CategoricalCrossentropy(
            label_smoothing=recipe.label_smoothing, reduction="sum"
        )
        with self._strategy.scope():
            self._network: Any = models.build(recipe, precision=precision, replicas=self._replicas)
            if first is not None:
                self._network.set_weights(first)
            self._optimizer = build_optimizer(recipe)
            self._optimizer.build(self._network.trainable_variables)
            weights = [weight.value for weight in self._network.weights]
            self._averages = [tf.Variable(w, trainable=False) for w in weights if recipe.ema]
            self._sums = tf.Variable(
                np.zeros(len(_SUMMED)),
                dtype=tf.float64,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
        # traced now and once, for any order, place and rates
        whole, rates = tf.TensorSpec(len(digits), tf.int32), tf.TensorSpec(self._chunk_steps, tf.float32)
        place = tf.TensorSpec((), tf.int32)
        function = tf.function(self._chunk, autograph=False)
        self._train_chunk = function.get_concrete_function(whole, place, place, rates)

    def train_epoch(
        self, number: int, of_member: int, clock: TrainingClock, report: Reporter
    ) -> tuple[float, float, float]:
        """Go once over all images, or until the time is up, in an order of this epoch's own.

        Returns loss and accuracy, means over the epoch, and the learning rate of its last step.
        """
        order = np.arange(len(self._labels), dtype=np.int32)
        np.random.default_rng([self._seed, of_member, self._task]).shuffle(order)
        order = tf.constant(order)
        self._sums.assign(np.zeros(len(_SUMMED)))
        first = 0
        while first < self.steps and not clock.is_over:
            last = min(first + self._chunk_steps, self.steps)
            shares = clock.rate_shares(self._chunk_steps)
            rates = [self._recipe.optimizer.learning_rate * share for share in shares]
            self._train_chunk(order, tf.constant(first), tf.constant(last), tf.constant(rates, tf.float32))
            loss, seen, right, of_digits = (float(value) for value in self._sums.numpy())
            of_digits = max(of_digits, 1.0)
            _require_finite(loss, f"the loss became {loss} in epoch {number}, by step {last}", self._recipe)
            clock.advance(last - first)
            rate, first = rates[last - first - 1], last
            speed = len(self._labels) / self.steps * self._workers * clock.steps_per_second
            report.step(
                Step(
                    number,
                    last,
                    self.steps,
                    loss / seen,
                    right / of_digits,
                    speed,
                    clock.fraction,
                    clock.seconds_left,
                )
            )
        return loss / seen, right / of_digits, rate

    def weights(self) -> Weights:
        """The weights to judge and to keep: averaged ones where the recipe has them averaged."""
        if self._averages:
            return [average.numpy() for average in self._averages]
        weights: Weights = self._network.get_weights()
        return weights

    def state(self) -> Arrays:
        """Everything that changes from step to step, the state of the dropout included."""
        return {f"{kind}/{place}": np.asarray(v) for kind, group in self._variables() for place, v in group}

    def restore(self, state: Arrays) -> None:
        """Go on from where `state` was taken; an `InputError` where it is another network's."""
        for kind, group in self._variables():
            for place, variable in group:
                value = state.get(f"{kind}/{place}")
                if value is None or value.shape != tuple(variable.shape):
                    raise InputError("the checkpoint's state does not fit its recipe; train without --resume")
                variable.assign(value)

    def _variables(self) -> list[tuple[str, Any]]:
        groups = {
            "network": self._network.variables,
            "optimizer": self._optimizer.variables,
            "average": self._averages,
        }
        return [(kind, enumerate(variables)) for kind, variables in groups.items()]

    def _chunk(self, order: Any, first: Any, last: Any, rates: Any) -> None:
        """Train on steps `first` to `last` of an epoch, the first of them at `rates[0]`."""

        def train_one(step: Any) -> tuple[Any]:
            self._optimizer.learning_rate.assign(rates[step - first])
            self._strategy.run(self._step, args=(order, step))
            self._update_averages()
            return (step + 1,)

        # Not a Python loop: AutoGraph's rewriting of those depends on the version of Python. One
        # step after the other: collective operations must meet in the same order everywhere.
        tf.while_loop(lambda step: step < last, train_one, (first,), parallel_iterations=1)

    def _step(self, order: Any, step: Any) -> None:
        """Train on a replica's part of a batch."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        local = self._replicas // self._workers  # replicas of this worker
        size = tf.minimum(self._local, tf.size(order) - step * self._local)  # the last step may be smaller
        start = step * self._local + replica % local * (size // local)
        batch = order[start : start + size // local]
        images, labels = tf.gather(self._images, batch), tf.gather(self._labels, batch)
        if self._augmented:
            turn = tf.cast(self._optimizer.iterations, tf.int32) * self._replicas + replica
            images = augment(images, self._recipe.augmentation, tf.stack([self._seed, turn]))
        else:
            images = _as_input(images)
        with tf.GradientTape() as tape:
            probabilities = self._network(images, training=True)
            summed = self._loss(_as_target(labels), probabilities)
            mean = summed / tf.cast(size * self._workers, tf.float32)  # over the images of all replicas
        variables = self._network.trainable_variables
        self._optimizer.apply(tape.gradient(mean, variables), variables)
        of_digits = tf.math.count_nonzero(labels != NO_DIGIT)
        sums = [summed, tf.size(batch), _hits(labels, probabilities), of_digits]  # as in _SUMMED
        self._sums.assign_add(tf.stack([tf.cast(value, tf.float64) for value in sums]))

    def _update_averages(self) -> None:
        """Move each average towards its weight; faster at first, when it still holds the first draw."""
        if not self._averages:
            return
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        momentum = tf.minimum(self._recipe.ema, (1 + steps) / (10 + steps))
        for average, weight in zip(self._averages, self._network.weights, strict=True):
            self._strategy.extended.update(
                average, lambda old, new: old.assign_add((1 - momentum) * (new - old)), args=(weight.value,)
            )


def _without_copy(images: Any) -> Any:
    """Return NumPy's array as a tensor on the same memory, where that is possible."""
    if tf.config.list_physical_devices("GPU") or images.ctypes.data % ALIGNMENT:
        return tf.constant(images)
    return tf.experimental.dlpack.from_dlpack(images.__dlpack__())


class Validator:
    """Measures weights on the validation images, in float32, as the model that is kept would read."""

    def __init__(self, recipe: Recipe, digits: Digits) -> None:
        self._network = models.build(recipe)
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
        for batch in batches(count, LOOP.validation_batch):
            images, labels = tf.constant(self._digits.images[batch]), tf.constant(self._digits.labels[batch])
            summed, count_right = self._measure_batch(images, labels)
            loss, right = loss + float(summed), right + int(count_right)
        _require_finite(loss, f"the validation loss became {loss}", self._recipe)
        return loss / count, right / count

    def _measure(self, images: Any, labels: Any) -> tuple[Any, Any]:
        probabilities = self._network(_as_input(images), training=False)
        return self._loss(_as_target(labels), probabilities), _hits(labels, probabilities)


def _as_input(images: Any) -> Any:
    """Return images (B, 28, 28) uint8 as a network takes them."""
    return tf.cast(images, tf.float32)[..., tf.newaxis]  # (B, 28, 28, 1)


def _as_target(labels: Any) -> Any:
    """Return (B, 10): one for the label; a tenth each for what is no digit."""
    known = tf.one_hot(tf.cast(labels, tf.int32), CLASSES)
    return tf.where((labels == NO_DIGIT)[:, tf.newaxis], 1 / CLASSES, known)


def _hits(labels: Any, probabilities: Any) -> Any:
    """Return how many of (B,) labels are the likeliest of (B, 10)."""
    found = tf.argmax(probabilities, axis=1, output_type=tf.int32) == tf.cast(labels, tf.int32)
    return tf.reduce_sum(tf.cast(found, tf.int32))


def _require_finite(loss: float, words: str, recipe: Recipe) -> None:
    """Raise a `TrainingError` that begins with `words` where a loss is no finite number."""
    if not math.isfinite(loss):
        rate = recipe.optimizer.learning_rate
        raise TrainingError(f"{words}: training diverged; lower --learning-rate (it was {rate:g})")
