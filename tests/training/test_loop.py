from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, execute

from digitcli.config.recipe import Recipe, Synthesis, load_recipe
from digitcli.datasets import Dataset, Digits, Split, split_dataset
from digitcli.errors import TrainingError
from digitcli.models.factory import assemble
from digitcli.models.keras_classifier import KerasClassifier
from digitcli.recognition.rules.cuttings import miscut
from digitcli.synthesis.drawing import non_digits
from digitcli.training.classification import Classification
from digitcli.training.cluster.distribution import on_this_machine
from digitcli.training.loop import fit
from digitcli.training.progress import Epoch, Progress, Step
from digitcli.training.training_images import with_synthesis


class Log:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.epochs: list[Epoch] = []

    def stage(self, words: str) -> None: ...

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


@pytest.fixture(scope="module")
def split(sample: Dataset) -> Split:
    return split_dataset(sample, limit=1200)


def changed(recipe: str = "ci", **values: object) -> Recipe:
    return Recipe.model_validate({**load_recipe(recipe)[1].model_dump(), "epochs": 2, **values})


def train(
    split: Split, recipe: Recipe, progress: Progress | None = None, **options: object
) -> tuple[object, Progress, Log]:
    """Return the model that a run would keep, its progress and what it told."""
    progress, log = progress or Progress(), Log()
    task = Classification(recipe, split)
    fit(recipe, task, progress, log, **{"distribution": on_this_machine(recipe.batch_size), **options})
    return assemble(recipe, progress.weights()), progress, log


def near(one: list[list[np.ndarray]], other: list[list[np.ndarray]]) -> bool:
    """Equal but for the order of sums, which is free outside the deterministic mode."""
    return all(
        np.allclose(a, b, atol=1e-3)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_it_learns_and_reports_what_is_true(split: Split) -> None:
    network, progress, log = train(split, changed())
    assert log.epochs == progress.epochs
    assert [epoch.epoch for epoch in log.epochs] == [1, 2]
    last = log.epochs[-1]
    assert last.metrics["loss"] < log.epochs[0].metrics["loss"]
    assert last.metrics["val_accuracy"] > 0.8
    probabilities = KerasClassifier(network).predict(split.validation.images)
    truth = split.validation.labels
    assert last.metrics["val_accuracy"] == pytest.approx((probabilities.argmax(axis=1) == truth).mean())
    assert last.val_loss == pytest.approx(
        -np.log(probabilities[np.arange(len(truth)), truth]).mean(), rel=1e-3
    )


def test_the_seed_decides(split: Split) -> None:
    losses = [train(split, changed(epochs=1, seed=seed))[2].epochs[0].metrics["loss"] for seed in (1, 1, 2)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)


def test_steps_cover_every_image_the_last_partial_batch_too(split: Split) -> None:
    _, _, log = train(split, changed(epochs=1, batch_size=64))  # 1100 images: 17 batches and 12 images
    assert log.steps[-1].step == log.steps[-1].steps == 18
    assert log.steps[-1].seconds_left == pytest.approx(0)
    assert log.steps[-1].share == 1


def test_the_partial_batch_weighs_what_it_should(split: Split) -> None:
    """With a learning rate of almost nothing, the epoch's mean is the mean over all images."""
    recipe = changed(epochs=1, batch_size=999).override(learning_rate=1e-12)
    _, _, log = train(split, recipe)
    accuracy = log.epochs[0].metrics["accuracy"] * len(split.train)
    assert accuracy == pytest.approx(round(accuracy))
    assert log.epochs[0].val_loss == pytest.approx(2.4, abs=0.4)


def test_a_batch_larger_than_the_data_is_one_step(split: Split) -> None:
    _, _, log = train(split, changed(epochs=1, batch_size=5000))
    assert log.steps[-1].steps == 1


def test_history_has_a_list_for_every_quantity(split: Split) -> None:
    history = train(split, changed())[1].history()
    expected = ["epoch", "member", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert list(history) == expected
    assert history["epoch"] == [1, 2]
    assert history["member"] == [1, 1]


def test_labels_decide_what_is_learnt(split: Split) -> None:
    """A network trained on permuted labels reads permuted digits: no label leaks around the loop."""
    labels = (split.train.labels + 1) % 10
    permuted = replace(split, train=Digits(split.train.images, labels))
    _, _, log = train(permuted, changed())
    assert log.epochs[-1].metrics["accuracy"] > 0.8
    assert log.epochs[-1].metrics["val_accuracy"] < 0.2


def test_bfloat16_trains_a_float32_model_as_well(split: Split) -> None:
    network, progress, _ = train(split, changed(epochs=4), precision="bfloat16")
    assert {weights.dtype for weights in progress.weights()[0]} == {np.dtype("float32")}
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert progress.epochs[-1].metrics["val_accuracy"] > 0.9


def test_the_average_of_the_weights_is_judged_and_kept(split: Split) -> None:
    """With a rate of nearly nothing the average stays where the weights are, batch statistics apart."""
    still = changed(ema=0.9).override(learning_rate=1e-9)
    weights = train(split, still)[1].weights()[0]
    raw = train(split, changed(ema=0.0).override(learning_rate=1e-9))[1].weights()[0]
    assert np.allclose(weights[0], raw[0], atol=1e-5)
    moving = train(split, changed(ema=0.99))[1]
    assert not np.allclose(moving.weights()[0][0], train(split, changed())[1].weights()[0][0], atol=1e-3)
    assert moving.epochs[-1].metrics["val_accuracy"] > 0.7


def test_label_smoothing_keeps_the_network_from_being_sure(split: Split) -> None:
    def sureness(smoothing: float) -> float:
        network, _, _ = train(split, changed(epochs=4, label_smoothing=smoothing))
        return float(KerasClassifier(network).predict(split.validation.images).max(axis=1).mean())

    assert sureness(0.3) < sureness(0.0) - 0.05


def test_marks_that_are_no_digits_leave_the_network_unsure(split: Split) -> None:
    def sureness(count: int) -> float:
        more = with_synthesis(split.train, Synthesis(non_digits=count), 0)
        network, _, log = train(replace(split, train=more), changed(epochs=4))
        assert 0.8 < log.epochs[-1].metrics["accuracy"] <= 1  # of the digits alone
        return float(KerasClassifier(network).predict(unseen.images).max(axis=1).mean())

    unseen = non_digits(200, 99, split.validation, miscut)
    assert sureness(600) < sureness(0) - 0.15


def test_patience_stops_and_keeps_the_best(split: Split) -> None:
    recipe = changed(epochs=30, patience=2, batch_size=20, schedule={"type": "constant"})
    network, progress, _ = train(split, recipe)
    losses = [epoch.val_loss for epoch in progress.epochs]
    assert len(losses) == losses.index(min(losses)) + 3 < 30
    probabilities = KerasClassifier(network).predict(split.validation.images)
    truth = split.validation.labels
    kept = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-7)).mean()
    assert kept == pytest.approx(min(losses), rel=1e-3)


def test_members_are_different_networks_whose_mean_is_the_model(split: Split) -> None:
    recipe = changed(ensemble_size=3, epochs=1)
    network, progress, _ = train(split, recipe)
    assert progress.history()["member"] == [1, 2, 3]
    assert progress.history()["epoch"] == [1, 2, 3]
    images = split.validation.images
    alone = [KerasClassifier(assemble(recipe, [weights])).predict(images) for weights in progress.weights()]
    assert np.abs(alone[0] - alone[1]).max() > 0.1
    assert np.allclose(KerasClassifier(network).predict(images), np.mean(alone, axis=0), atol=1e-6)
    second = train(split, changed(seed=1, epochs=1))[1].weights()[0]
    assert np.allclose(second[0], progress.weights()[1][0], atol=1e-3)  # as if trained alone


def test_the_time_decides_where_there_is_a_budget(split: Split) -> None:
    train(split, changed(epochs=1))  # TensorFlow's own first steps are over
    _, progress, log = train(split, changed(ensemble_size=2), budget=10.0)
    assert progress.seconds == pytest.approx(10, abs=4)
    for member in (1, 2):
        assert [epoch for epoch in log.epochs if epoch.member == member][-1].learning_rate < 0.02  # of 0.1
    assert log.steps[-1].share == 1


def test_a_run_goes_on_from_any_epoch_with_the_same_bits(split: Split) -> None:
    """Averages, patience, dropout, distortions and several networks included."""
    recipe = changed(
        epochs=3,
        ensemble_size=2,
        ema=0.9,
        patience=2,
        augmentation={"shift": 1.0, "elastic": 0.5, "stroke_width": 0.3},
    )
    kept: list[Progress] = []

    def keep(progress: Progress) -> None:
        kept.append(
            Progress(
                list(progress.epochs), list(progress.members), progress.kept, progress.state, progress.seconds
            )
        )

    whole = train(split, recipe, save=keep)[1]
    assert len(kept) == 6  # after each epoch
    for progress in kept[:5:2]:
        resumed = train(split, recipe, progress)[1]
        assert near(resumed.weights(), whole.weights())
        losses = [[epoch.val_loss for epoch in run.epochs] for run in (resumed, whole)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)


TWO_DEVICES = """
import json, sys
sys.path[:0] = sys.argv[1:]
from digitcli.models.backend import tf
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
from digitcli.datasets import split_dataset, load
from digitcli.training.cluster.distribution import Distribution
from digitcli.errors import OptionError
from test_loop import changed, train
split = split_dataset(load("sample"), 1200)
both = Distribution(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
assert both.replicas == 2
recipe = changed(epochs=1, batch_size=64, augmentation={"shift": 1.0})
runs = [train(split, recipe, **options)[1] for options in ({"distribution": both}, {})]
losses = [progress.epochs[0].metrics["loss"] for progress in runs]
try:
    train(split, changed(batch_size=25), distribution=both)
except OptionError as error:
    print(json.dumps([*losses, str(error)]))
"""


def test_devices_share_a_step(tmp_path: Path) -> None:
    """Two devices give what one gives, but for the rounding and their own distortions."""
    outcome = execute("-c", TWO_DEVICES, REPOSITORY / "tests", Path(__file__).parent, cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    together, alone, error = outcome.json()
    assert together == pytest.approx(alone, rel=0.1)
    assert error.startswith("--batch-size 25: expected a multiple of 2")


def test_weights_that_are_no_numbers_are_noticed_after_the_last_step(split: Split) -> None:
    """The loss is taken before a step changes the weights: the validation sees what the last one did."""
    recipe = changed(epochs=1)
    task = Classification(recipe, split)
    ruined = task.build()
    ruined.set_weights([np.full_like(values, np.nan) for values in ruined.get_weights()])
    task.validate = lambda _: Classification.validate(task, ruined)
    with pytest.raises(TrainingError, match=r"validation loss became nan.*lower --learning-rate"):
        fit(recipe, task, Progress(), Log(), distribution=on_this_machine(recipe.batch_size))


def test_divergence_is_an_error_that_names_the_rate(split: Split) -> None:
    recipe = changed("default").override(learning_rate=1000.0)
    with pytest.raises(TrainingError, match=r"became (nan|inf).*lower --learning-rate \(it was 1000\)"):
        train(split, recipe)
