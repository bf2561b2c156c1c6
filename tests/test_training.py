import numpy as np
import pytest

from digitcli.backend import seed_everything
from digitcli.config import load_recipe
from digitcli.datasets import Dataset, Digits, Division, divide
from digitcli.errors import TrainingError
from digitcli.models import KerasReader, build_network
from digitcli.training import Epoch, Progress, Step, _Loop, fit


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
def division(sample: Dataset) -> Division:
    return divide(sample, limit=1200)


def train(division: Division, **changes: object) -> tuple[object, Progress, Log]:
    recipe = load_recipe("ci")[1].override(**{"epochs": 2, **changes})
    seed_everything(recipe.seed, deterministic=False)
    network, progress, log = build_network(recipe), Progress(), Log()
    fit(network, recipe, division, progress, log)
    return network, progress, log


def test_it_learns_and_reports_what_is_true(division: Division) -> None:
    network, progress, log = train(division)
    assert log.epochs == progress.epochs
    assert [epoch.epoch for epoch in log.epochs] == [1, 2]
    last = log.epochs[-1]
    assert last.loss < log.epochs[0].loss
    assert last.val_accuracy > 0.8
    probabilities = KerasReader(network).digits(division.validation.images)
    truth = division.validation.labels
    assert last.val_accuracy == pytest.approx((probabilities.argmax(axis=1) == truth).mean())
    assert last.val_loss == pytest.approx(
        -np.log(probabilities[np.arange(len(truth)), truth]).mean(), rel=1e-3
    )
    for kept, present in zip(progress.weights, network.get_weights(), strict=True):
        assert np.array_equal(kept, present)


def test_the_seed_decides(division: Division) -> None:
    losses = [train(division, epochs=1, seed=seed)[2].epochs[0].loss for seed in (1, 1, 2)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)


def test_steps_cover_every_image_the_last_partial_batch_too(division: Division) -> None:
    _, _, log = train(division, epochs=1, batch_size=64)  # 1100 images: 17 batches and 12 images
    assert log.steps[-1].step == log.steps[-1].steps == 18
    assert log.steps[-1].seconds_left == pytest.approx(0)


def test_the_partial_batch_weighs_what_it_should(division: Division) -> None:
    """With a learning rate of almost nothing, the epoch's mean is the mean over all images."""
    _, _, log = train(division, epochs=1, batch_size=999, learning_rate=1e-12)
    accuracy = log.epochs[0].accuracy * len(division.train)
    assert accuracy == pytest.approx(round(accuracy))
    assert log.epochs[0].val_loss == pytest.approx(2.4, abs=0.4)


def test_a_batch_larger_than_the_data_is_one_step(division: Division) -> None:
    _, _, log = train(division, epochs=1, batch_size=5000)
    assert log.steps[-1].steps == 1


def test_history_has_a_list_for_every_quantity(division: Division) -> None:
    _, progress, _ = train(division)
    history = progress.history()
    assert list(history) == [
        "epoch",
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert history["epoch"] == [1, 2]


def test_labels_decide_what_is_learnt(division: Division) -> None:
    """A network trained on permuted labels reads permuted digits: no label leaks around the loop."""
    permuted = Division(
        Digits(division.train.images, (division.train.labels + 1) % 10), division.validation, division.test
    )
    _, _, log = train(permuted)
    assert log.epochs[-1].accuracy > 0.8
    assert log.epochs[-1].val_accuracy < 0.2


def test_weights_that_are_no_numbers_are_noticed_after_the_last_step(division: Division) -> None:
    """The loss is taken before a step changes the weights: the validation sees what the last one did."""
    recipe = load_recipe("ci")[1]
    network = build_network(recipe)
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    with pytest.raises(TrainingError, match=r"validation loss became nan.*lower --learning-rate"):
        _Loop(network, recipe, division).measure(division.validation)


def test_divergence_is_an_error_that_names_the_rate(division: Division) -> None:
    recipe = load_recipe("default")[1].override(epochs=2, learning_rate=1000.0)
    with pytest.raises(TrainingError, match=r"became (nan|inf).*lower --learning-rate \(it was 1000\)"):
        fit(build_network(recipe), recipe, division, Progress(), Log())
