"""The training loop: many steps of any task inside one compiled function.

The loop follows TensorFlow's guides "Writing a training loop from scratch" and "Custom training
with tf.distribute.Strategy": one device, several, or several machines run the same steps. Python
only decides the order of the examples and the learning rates, and hears about the loss between
chunks of steps.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from digitcli.config.recipe import TrainingRecipe
from digitcli.errors import InputError, TrainingError
from digitcli.models.backend import seed_everything, tf
from digitcli.models.classifier import Weights
from digitcli.models.factory import build_optimizer
from digitcli.models.keras_classifier import Network
from digitcli.training.clock import TrainingClock
from digitcli.training.cluster.distribution import Distribution
from digitcli.training.progress import Arrays, Epoch, Progress, Reporter, Step
from digitcli.training.task import Metrics, Task

_TASK = "task"  # in names of a checkpoint's arrays: what belongs to the task


def fit(
    recipe: TrainingRecipe,
    task: Task,
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
        recipe: how to train.
        task: what is to be learned; every worker has all examples and trains on its share.
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
    validated = task.build()
    _require_fit(validated, progress.weights())
    while len(progress.members) < recipe.ensemble_size:
        member = len(progress.members)
        seed_everything(recipe.seed + member)
        building = time.perf_counter()
        first = init[member] if init else None
        loop = _Loop(recipe, task, member, distribution, precision, first)
        progress.building += time.perf_counter() - building
        done = [epoch for epoch in progress.epochs if epoch.member == member + 1]
        task.restore({})
        if progress.state:
            loop.restore(progress.state)
        until = start + budget if budget else None
        spent = sum(epoch.seconds for epoch in done)
        ahead = recipe.ensemble_size - member
        clock = TrainingClock(recipe, loop.steps, len(done), spent, until, ahead, distribution.agree)
        while len(progress.members) == member:
            began = time.perf_counter()
            number = len(progress.epochs) + 1
            metrics, rate = loop.train_epoch(number, len(done) + 1, clock, report)
            with clock.validating():
                kept = loop.weights()
                validated.set_weights(kept)
                measured = task.validate(validated)
                val_loss = measured["loss"]
                _require_finite(val_loss, f"the validation loss became {val_loss}", recipe)
                agreed = {f"val_{name}": distribution.agree(value) for name, value in measured.items()}
            seconds = time.perf_counter() - began
            epoch = Epoch(number, member + 1, {**metrics, **agreed}, rate, seconds)
            if recipe.patience and any(before.val_loss <= epoch.val_loss for before in done):
                kept = progress.kept  # those of an earlier epoch are better
            done.append(epoch)
            is_last = clock.is_over or _out_of_patience(recipe, done)
            if not is_last:
                with clock.preparing():
                    task.review(validated, len(done))
            progress.advance(epoch, kept, loop.state(), time.perf_counter() - start)
            if is_last:
                progress.complete_member()
            report.epoch(epoch)
            save(progress)


def _out_of_patience(recipe: TrainingRecipe, done: list[Epoch]) -> bool:
    if recipe.patience is None:
        return False
    best = min(range(len(done)), key=lambda place: done[place].val_loss)
    return len(done) - 1 - best >= recipe.patience


class _Loop:
    """One network in training; its variables, its compiled steps, and what it needs to continue later."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        task: Task,
        member: int,
        distribution: Distribution,
        precision: str,
        first: Weights | None,
    ) -> None:
        self._recipe = recipe
        self._task = task
        self._seed = recipe.seed + member
        self._strategy = distribution.strategy
        self._replicas, self._workers = distribution.replicas, distribution.workers
        self._worker = distribution.task
        self._local = distribution.share_of_batch(recipe.batch_size)  # examples of a step
        self._shard = distribution.shard(task.examples)
        self.steps = math.ceil(len(self._shard) / self._local)  # of an epoch
        self._chunk_steps = max(1, task.chunk // recipe.batch_size)
        with self._strategy.scope():
            self._network: Any = task.build(precision=precision, replicas=self._replicas)
            if first is not None:
                self._network.set_weights(first)
            self._optimizer = build_optimizer(recipe)
            self._optimizer.build(self._network.trainable_variables)
            weights = [weight.value for weight in self._network.weights]
            self._averages = [tf.Variable(w, trainable=False) for w in weights if recipe.ema]
            self._sums = tf.Variable(
                np.zeros(2 + 2 * len(task.metrics)),  # loss, examples, then each metric's sum and count
                dtype=tf.float64,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
        # traced now and once, for any order, place and rates
        whole, rates = tf.TensorSpec(len(self._shard), tf.int32), tf.TensorSpec(self._chunk_steps, tf.float32)
        place = tf.TensorSpec((), tf.int32)
        function = tf.function(self._chunk, autograph=False)
        self._train_chunk = function.get_concrete_function(whole, place, place, rates)

    def train_epoch(
        self, number: int, of_member: int, clock: TrainingClock, report: Reporter
    ) -> tuple[Metrics, float]:
        """Go once over all examples, or until the time is up, in an order of this epoch's own.

        Returns the means over the epoch and the learning rate of its last step.
        """
        with clock.preparing():
            self._task.begin_epoch(self._seed, of_member)
        order = self._shard.copy()
        np.random.default_rng([self._seed, of_member, self._worker]).shuffle(order)
        order = tf.constant(order)
        self._sums.assign(np.zeros(self._sums.shape))
        first = 0
        while first < self.steps and not clock.is_over:
            last = min(first + self._chunk_steps, self.steps)
            shares = clock.rate_shares(self._chunk_steps)
            rates = [self._recipe.optimizer.learning_rate * share for share in shares]
            self._train_chunk(order, tf.constant(first), tf.constant(last), tf.constant(rates, tf.float32))
            metrics = self._means()
            loss = metrics["loss"]
            _require_finite(loss, f"the loss became {loss} in epoch {number}, by step {last}", self._recipe)
            clock.advance(last - first)
            rate, first = rates[last - first - 1], last
            speed = len(self._shard) / self.steps * self._workers * clock.steps_per_second
            report.step(Step(number, last, self.steps, metrics, speed, clock.fraction, clock.seconds_left))
        return metrics, rate

    def _means(self) -> Metrics:
        """Return the loss and the metrics of the epoch so far."""
        loss, seen, *others = (float(value) for value in self._sums.numpy())
        pairs = zip(self._task.metrics, others[::2], others[1::2], strict=True)
        return {"loss": loss / seen, **{name: value / max(count, 1.0) for name, value, count in pairs}}

    def weights(self) -> Weights:
        """The weights to judge and to keep: averaged ones where the recipe has them averaged."""
        if self._averages:
            return [average.numpy() for average in self._averages]
        weights: Weights = self._network.get_weights()
        return weights

    def state(self) -> Arrays:
        """Everything that changes from step to step, the state of the dropout and the task included."""
        found = {f"{kind}/{place}": np.asarray(v) for kind, group in self._variables() for place, v in group}
        return found | {f"{_TASK}/{name}": value for name, value in self._task.state().items()}

    def restore(self, state: Arrays) -> None:
        """Go on from where `state` was taken; an `InputError` where it is another network's."""
        for kind, group in self._variables():
            for place, variable in group:
                value = state.get(f"{kind}/{place}")
                if value is None or value.shape != tuple(variable.shape):
                    raise InputError("the checkpoint's state does not fit its recipe; train without --resume")
                variable.assign(value)
        prefix = f"{_TASK}/"
        self._task.restore({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})

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
        turn = tf.cast(self._optimizer.iterations, tf.int32) * self._replicas + replica
        inputs, targets = self._task.batch(batch, tf.stack([self._seed, turn]))
        with tf.GradientTape() as tape:
            summed, metrics = self._task.loss(targets, self._network(inputs, training=True))
            mean = summed / tf.cast(size * self._workers, tf.float32)  # over the examples of all replicas
        variables = self._network.trainable_variables
        self._optimizer.apply(tape.gradient(mean, variables), variables)
        sums = [summed, tf.size(batch), *(part for name in self._task.metrics for part in metrics[name])]
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


def _require_fit(network: Network, members: list[Weights]) -> None:
    """Raise an `InputError` where weights, read from a file, are not those of the task's network."""
    shapes = [weight.shape for weight in network.weights]
    for weights in members:
        if [value.shape for value in weights] != shapes:
            raise InputError("the checkpoint's weights do not fit its recipe; train without --resume")


def _require_finite(loss: float, words: str, recipe: TrainingRecipe) -> None:
    """Raise a `TrainingError` that begins with `words` where a loss is no finite number."""
    if not math.isfinite(loss):
        rate = recipe.optimizer.learning_rate
        raise TrainingError(f"{words}: training diverged; lower --learning-rate (it was {rate:g})")
