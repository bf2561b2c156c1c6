"""The seam between the loop and what is learned: the loop trains a task that it knows nothing of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitcli.config.recipe import Recipe, load_recipe
from digitcli.datasets import Dataset, Digits
from digitcli.errors import TrainingError
from digitcli.models.backend import keras, tf
from digitcli.models.classifier import Weights
from digitcli.training import checkpoints
from digitcli.training.checkpoints import RunSettings
from digitcli.training.cluster.distribution import on_this_machine
from digitcli.training.loop import fit
from digitcli.training.progress import Progress, SilentReporter
from digitcli.training.task import Task

EXAMPLES = 300


class CentreOfMass:
    """Finds a digit's centre of mass, with a head for each axis, on shifted digits drawn for every epoch."""

    examples = EXAMPLES
    chunk = 1024
    metrics: tuple[str, ...] = ("row_loss", "within_a_pixel")

    def __init__(self, digits: Digits) -> None:
        self._images = digits.images
        self._pool = tf.Variable(np.zeros((EXAMPLES, 28, 28), np.uint8))
        self.epochs: list[tuple[int, int]] = []

    def build(self, *, precision: str | None = None, replicas: int = 1) -> Any:
        image = keras.Input((28, 28, 1))
        flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
        hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(32, activation="relu")(flat))
        return keras.Model(image, [keras.layers.Dense(1)(hidden), keras.layers.Dense(1)(hidden)])

    def begin_epoch(self, seed: int, epoch: int) -> None:
        self.epochs.append((seed, epoch))
        self._pool.assign(self._drawn(np.random.default_rng([seed, epoch]), EXAMPLES))

    def batch(self, indices: Any, seed: Any) -> tuple[Any, Any]:
        images = tf.cast(tf.gather(self._pool, indices), tf.float32)
        total = tf.reduce_sum(images, axis=(1, 2)) + 1
        places = tf.range(28.0) - 13.5
        row = tf.reduce_sum(images * places[:, tf.newaxis], axis=(1, 2)) / total
        column = tf.reduce_sum(images * places, axis=(1, 2)) / total
        noise = tf.random.stateless_uniform(tf.shape(images), seed, 0.0, 10.0)
        return (images + noise)[..., tf.newaxis], tf.stack([row, column], axis=1)

    def loss(self, targets: Any, outputs: Any) -> tuple[Any, dict[str, tuple[Any, Any]]]:
        off = tf.concat(outputs, axis=1) - targets  # (B, 2)
        near = tf.math.count_nonzero(tf.reduce_all(tf.abs(off) < 1, axis=1))
        count = tf.shape(off)[0]
        row_loss = tf.reduce_sum(off[:, 0] ** 2)
        return tf.reduce_sum(off**2), {"within_a_pixel": (near, count), "row_loss": (row_loss, count)}

    def validate(self, network: Any) -> dict[str, float]:
        self._pool.assign(self._drawn(np.random.default_rng(0), EXAMPLES))
        inputs, targets = self.batch(tf.range(EXAMPLES), tf.constant([0, 0]))
        loss, metrics = self.loss(targets, network(inputs, training=False))
        near, count = metrics["within_a_pixel"]
        return {"loss": float(loss) / EXAMPLES, "within_a_pixel": int(near) / int(count)}

    def review(self, network: Any, epoch: int) -> None:
        self.reviewed.append(epoch)

    def state(self) -> dict[str, Any]:
        return {"reviewed": np.array(self.reviewed)}

    def restore(self, state: dict[str, Any]) -> None:
        self.reviewed = state["reviewed"].tolist() if state else []

    def _drawn(self, dice: np.random.Generator, count: int) -> Any:
        chosen = self._images[dice.integers(len(self._images), size=count)]
        shifts = dice.integers(-4, 5, (count, 2))
        return np.stack([np.roll(one, by, (0, 1)) for one, by in zip(chosen, shifts, strict=True)])


@pytest.fixture
def task(sample: Dataset) -> CentreOfMass:
    return CentreOfMass(sample.train)


def recipe(**values: object) -> Recipe:
    optimizer = {"type": "adam", "learning_rate": 0.003}
    common = {"epochs": 4, "batch_size": 16, "optimizer": optimizer, **values}
    return Recipe.model_validate({**load_recipe("ci")[1].model_dump(), **common})


def train(recipe: Recipe, task: Task, progress: Progress, **options: Any) -> Progress:
    distribution = on_this_machine(recipe.batch_size)
    fit(recipe, task, progress, SilentReporter(), distribution=distribution, **options)
    return progress


def test_the_loop_trains_what_it_knows_nothing_of(task: CentreOfMass) -> None:
    progress = train(recipe(epochs=8), task, Progress())
    first, last = progress.epochs[0].metrics, progress.epochs[-1].metrics
    assert last["val_loss"] < first["val_loss"] / 2
    assert last["val_within_a_pixel"] > first["val_within_a_pixel"]
    assert 0 < last["row_loss"] < last["loss"]  # each under its own name
    assert list(progress.history()) == [
        "epoch", "member", "loss", "row_loss", "within_a_pixel", "val_loss", "val_within_a_pixel",
        "learning_rate", "seconds",
    ]  # fmt: skip
    assert task.epochs == [(0, epoch) for epoch in range(1, 9)]
    network = task.build()
    network.set_weights(progress.weights()[0])
    assert task.validate(network)["loss"] == pytest.approx(last["val_loss"])


def test_it_is_resumed_with_its_averages_from_any_epoch(task: CentreOfMass, tmp_path: Path) -> None:
    """Through the checkpoint's file, and with more than one network."""
    common = {"epochs": 3, "ensemble_size": 2, "schedule": {"type": "constant"}}
    averaged = recipe(**common, ema=0.99, patience=2)
    settings = RunSettings({"name": "toy", **averaged.model_dump(mode="json")}, {}, None, True, None)

    def save(progress: Progress) -> None:
        checkpoints.save(tmp_path / str(len(progress.epochs)), settings, "float32", progress)

    whole = train(averaged, task, Progress(), save=save)
    assert task.epochs == [(seed, epoch) for seed in (0, 1) for epoch in (1, 2, 3)]
    last = train(recipe(**common), task, Progress())
    assert not near(whole.weights(), last.weights())  # averages, not the last weights
    for done in (1, 3, 4):
        task.epochs.clear()
        checkpoint = checkpoints.load(tmp_path / str(done))
        assert len(checkpoint.progress.epochs) == done
        resumed = train(checkpoint.recipe, task, checkpoint.progress)
        assert len(task.epochs) == 6 - done
        assert near(resumed.weights(), whole.weights())
        assert resumed.history()["epoch"] == [1, 2, 3, 4, 5, 6]
        assert resumed.history()["row_loss"] == pytest.approx(whole.history()["row_loss"], rel=1e-3)


def test_a_validation_loss_that_is_no_number_ends_it(task: CentreOfMass) -> None:
    task.validate = lambda _: {"loss": float("nan"), "within_a_pixel": 0.0}
    with pytest.raises(TrainingError, match=r"validation loss became nan.*lower --learning-rate"):
        train(recipe(), task, Progress())


def near(one: list[Weights], other: list[Weights]) -> bool:
    """Equal but for the order of sums, which is free outside the deterministic mode."""
    pairs = [(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True)]
    return all(np.allclose(a, b, atol=1e-3) for a, b in pairs)
