import pytest

from digitcli.cli import progress
from digitcli.cli.progress import Lines
from digitcli.training.progress import Epoch, Step


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (20.0, []),
        (100.0, ["The rest takes about 2 minutes"]),
        (400.0, ["The rest takes about 7 minutes; --time-budget 300 trains for 5 minutes"]),
        (9000.0, ["The rest takes about 2.5 hours; --time-budget 300 trains for 5 minutes"]),
    ],
)
def test_after_the_first_epoch_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "say", said.append)
    lines = Lines()
    lines._epochs = 10
    metrics = {"loss": 0.1, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.9}
    for number in (1, 2):
        lines.step(Step(number, 5, 5, metrics, 1000.0, 0.1 * number, seconds))
        lines.epoch(Epoch(number, 1, metrics, 0.1, 10.0))
    assert [words for words in said if "rest" in words] == expected


def test_where_time_decides_nothing_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "say", said.append)
    lines = Lines()  # the number of epochs is not known
    metrics = {"loss": 0.1, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.9}
    lines.step(Step(1, 5, 5, metrics, 1000.0, 0.1, 900.0))
    lines.epoch(Epoch(1, 1, metrics, 0.1, 10.0))
    assert not [words for words in said if "rest" in words]
