import io

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from digitcli.datasets import Dataset, Digits
from digitcli.evaluation import plots
from digitcli.evaluation.metrics import Evaluation, score

HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [0.5, 0.2, 0.1],
    "accuracy": [0.8, 0.93, 0.97],
    "val_loss": [0.3, 0.1, 0.2],
    "val_accuracy": [0.9, 0.96, 0.95],
}


@pytest.fixture(scope="module")
def evaluation(few: Digits) -> Evaluation:
    """Every tenth image is read as the next digit."""
    read = few.labels.astype(int)
    read[::10] = (read[::10] + 1) % 10
    probabilities = np.full((len(few), 10), 0.01, np.float32)
    probabilities[np.arange(len(few)), read] = 0.91
    return score(probabilities, few, data="few", model="m", seconds=0.0)


def texts(figure: Figure) -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_png_is_a_picture_with_something_on_it() -> None:
    content = plots.png(plots.curves(HISTORY, "loss", 0.15))
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert min(picture.shape) > 300
    assert picture.std() > 5
    assert io.BytesIO(content).read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("quantity", "test", "words"),
    [
        ("loss", 0.15, ["loss (cross-entropy)", "best epoch: 2 (0.1000)", "test: 0.1500"]),
        ("accuracy", 0.955, ["accuracy", "best epoch: 2 (96.00%)", "test: 95.50%"]),
    ],
)
def test_curves_show_the_history(quantity: str, test: float, words: list[str]) -> None:
    figure = plots.curves(HISTORY, quantity, test)
    shown = texts(figure)
    for word in ["training", "validation", "epoch", *words]:
        assert word in shown
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert list(lines["training"]) == HISTORY[quantity]
    assert list(lines["validation"]) == HISTORY[f"val_{quantity}"]


def test_one_epoch_is_enough() -> None:
    plots.png(plots.curves({key: values[:1] for key, values in HISTORY.items()}, "accuracy", 0.9))


def test_comparison_has_a_curve_for_every_run() -> None:
    names = [f"run {number}" for number in range(9)]
    figure = plots.comparison(dict.fromkeys(names, HISTORY))
    for axes in figure.axes:
        assert len(axes.lines) == 9
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in figure.axes[0].lines}
    assert len(looks) == 9
    assert all(name in texts(figure) for name in names)


def test_a_wide_range_of_losses_keeps_its_scale() -> None:
    wide = {**HISTORY, "loss": [0.001, 5.0, 90_000.0], "val_loss": [0.01, 600.0, 0.02]}
    figure = plots.curves(wide, "loss", 0.1)
    plots.png(figure)
    assert sum(bool(label.get_text()) for label in figure.axes[0].get_yticklabels()) >= 3


def test_any_name_can_be_shown() -> None:
    figure = plots.comparison(dict.fromkeys(["_private", "cost $5 or $6", "数字", "\udcc3"], HISTORY))
    plots.png(figure)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [name.split(" (")[0].strip() for name in shown] == ["_private", r"cost \$5 or \$6", "数字", "?"]


def test_samples_are_labelled(sample: Dataset) -> None:
    figure = plots.samples(sample.train)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == [str(digit) for digit in range(10) for _ in range(10)]
    image = axes.images[37].get_array()
    assert any(np.array_equal(image, threes) for threes in sample.train.images[sample.train.labels == 3])


def test_confusion_counts_are_written(evaluation: Evaluation) -> None:
    shown = texts(plots.confusion(evaluation))
    assert "few: 90.00% right, 30 of 300 wrong" in shown
    assert "what it is" in shown
    assert "what was read" in shown


def test_mistakes_say_what_was_read(evaluation: Evaluation, few: Digits) -> None:
    figure = plots.mistakes(evaluation, few)
    assert figure.axes[0].texts[0].get_text() == f"{few.labels[0]}, read {(few.labels[0] + 1) % 10}\n91%"
    assert "All 30 mistakes" in texts(figure)
    assert "the 2 read right" in texts(figure)


def test_pictures_without_a_mistake(few: Digits) -> None:
    five = few.take(np.arange(5))
    perfect = score(np.eye(10, dtype=np.float32)[five.labels], five, data="five", model="m", seconds=0.0)
    assert "100.00% right, 0 of 5 wrong" in texts(plots.confusion(perfect))
    assert "No mistakes" in texts(plots.mistakes(perfect, five))


def test_reliability_holds_confidence_against_accuracy(evaluation: Evaluation) -> None:
    figure = plots.reliability(evaluation)
    points = figure.axes[0].containers[0][0].get_xydata()
    counts = [int(text.get_text()) for text in figure.axes[0].texts]
    assert sum(counts) == 300
    weighted = sum(count * abs(x - y) for count, (x, y) in zip(counts, points, strict=True)) / 300
    assert weighted == pytest.approx(evaluation.calibration_error)
    assert f"calibration error {weighted:.2%}" in figure.axes[0].get_title()
