"""Every picture, as a Matplotlib figure without a window or global state.

Colours are Okabe and Ito's ("Color Universal Design", 2008), which colour-blind readers can tell
apart; curves differ in line style too.
"""

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from digitcli.datasets import Digits
from digitcli.metrics import Evaluation, hardest
from digitcli.preprocessing import CLASSES, Images

History = Mapping[str, Sequence[float]]

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PINK, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#6E6E6E"
_CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY, BLACK)
_DPI = 110
_NAME = 28  # characters of a run in a legend
_FONT = 11  # points


GALLERY_ROWS, GALLERY_COLUMNS = 4, 8
_SAMPLES_PER_DIGIT = 10


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file's content."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():  # a name in a script that the font lacks still has its place
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def curves(history: History, quantity: str, test: float) -> Figure:
    """Draw training and validation curves over the epochs.

    Args:
        history: columns ``epoch``, `quantity` and ``val_`` + `quantity`.
        quantity: ``loss`` or ``accuracy``.
        test: the result on the test images, drawn as a level line.
    """
    figure, axes = _axes(7, 4.2)
    epochs, training, validation = (history[key] for key in ("epoch", quantity, f"val_{quantity}"))
    size = 5 if len(epochs) <= 40 else 2.5
    axes.plot(*_broken(history, training), "o--", color=ORANGE, label="training", markersize=size)
    axes.plot(*_broken(history, validation), "s-", color=BLUE, label="validation", markersize=size)
    best = int(np.argmax(validation) if quantity == "accuracy" else np.argmin(validation))
    axes.plot(
        epochs[best],
        validation[best],
        "*",
        color=GREEN,
        markersize=17,
        markeredgecolor="white",
        label=f"best epoch: {epochs[best]:.0f} ({_value(quantity, validation[best])})",
    )
    axes.axhline(test, color=GREY, linestyle=":", linewidth=1.8, label=f"test: {_value(quantity, test)}")
    _finish_curves(axes, quantity)
    return figure


def comparison(histories: Mapping[str, History]) -> Figure:
    """Draw the validation loss and accuracy of several runs, by name, side by side."""
    figure = Figure(figsize=(11, 4.4), dpi=_DPI, layout="constrained")
    pair = figure.subplots(1, 2)
    for axes, quantity in zip(pair, ("loss", "accuracy"), strict=True):
        looks = zip(cycle(_CYCLE), cycle(("-", "--", "-.", ":")), cycle("os^Dv"), strict=False)
        for (name, history), (colour, line, marker) in zip(histories.items(), looks, strict=False):
            values = history[f"val_{quantity}"]
            axes.plot(
                *_broken(history, values),
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=5,
                label=_plain(f"{_shortened(name)} ({_value(quantity, values[-1])})"),
            )
        _finish_curves(axes, quantity)
        axes.set_ylabel(f"validation {quantity}", fontsize=_FONT)
    return figure


def _shortened(name: str) -> str:
    """Leave out the middle of a long name: folders of runs differ at their ends."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 3]}...{name[-(_NAME - _NAME // 3 - 3) :]}"


def samples(digits: Digits) -> Figure:
    """Draw the first images of each digit with their labels."""
    figure = Figure(figsize=(7, 7.6), dpi=_DPI, layout="constrained")
    grid = figure.subplots(CLASSES, _SAMPLES_PER_DIGIT, squeeze=False)
    for digit, row in enumerate(grid):
        chosen = digits.images[np.flatnonzero(digits.labels == digit)[:_SAMPLES_PER_DIGIT]]
        for axes in row:
            axes.set_axis_off()
        for axes, image in zip(row, chosen, strict=False):
            _show(axes, image)
            axes.set_title(str(digit), fontsize=9, pad=2)
    return figure


def augmentation(originals: Images, distorted: Images) -> Figure:
    """Draw images (N, 28, 28), one a row, and beside each what training made of it (N, M, 28, 28)."""
    figure = Figure(figsize=(7, 7.6), dpi=_DPI, layout="constrained")
    grid = figure.subplots(len(originals), 1 + distorted.shape[1], squeeze=False)
    for row, original, changed in zip(grid, originals, distorted, strict=True):
        for axes, image in zip(row, [original, *changed], strict=True):
            _show(axes, image)
        row[0].spines[:].set(color=BLUE, linewidth=2)
    grid[0][0].set_title("as it is", fontsize=9, pad=3, color=BLUE)
    grid[0][1 + distorted.shape[1] // 2].set_title("as the network sees it in training", fontsize=9, pad=3)
    return figure


def confusion(evaluation: Evaluation) -> Figure:
    """Draw the confusion matrix; colour shows mistakes only, on a logarithmic scale."""
    figure, axes = _axes(7, 6.2)
    counts = evaluation.confusion
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    mistakes[mistakes == 0] = np.nan
    most = max(2.0, np.nanmax(mistakes)) if np.isfinite(mistakes).any() else 2.0
    axes.imshow(mistakes, cmap="YlOrBr", norm=LogNorm(0.7, most * 1.6))
    for truth in range(CLASSES):
        for read in range(CLASSES):
            count = counts[truth, read]
            if truth == read:
                axes.add_patch(_cell(read, truth))
            if count or truth == read:
                dark = truth != read and count > 0.5 * most
                axes.text(
                    read,
                    truth,
                    f"{count:,}",
                    ha="center",
                    va="center",
                    fontsize=10.5,
                    color="white" if dark else "black",
                    weight="bold" if truth == read else "normal",
                )
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#DDDDDD", linewidth=0.8)
    axes.tick_params(which="both", length=0, labelsize=11)
    axes.set_xlabel("what was read", fontsize=_FONT)
    axes.set_ylabel("what it is", fontsize=_FONT)
    wrong = int(counts.sum() - np.trace(counts))
    axes.set_title(
        f"{_plain(evaluation.data)}: {evaluation.accuracy:.2%} right, {wrong:,} of {counts.sum():,} wrong",
        fontsize=_FONT,
    )
    return figure


def mistakes(evaluation: Evaluation, digits: Digits) -> Figure:
    """Draw the wrongly read images, surest first, then the least certain of the right ones."""
    tight = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.03, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(9.2, 6.2), dpi=_DPI, layout=tight)
    grid = figure.subplots(GALLERY_ROWS, GALLERY_COLUMNS).ravel()
    for axes in grid:
        axes.set_axis_off()
    chosen = hardest(evaluation, digits, len(grid))
    for axes, index in zip(grid, chosen, strict=False):
        truth, probabilities = int(digits.labels[index]), evaluation.probabilities[index]
        read = int(probabilities.argmax())
        _show(axes, digits.images[index])
        axes.set_title(
            f"{truth}, read {read}\n{_sureness(probabilities[read])}",
            fontsize=9.5,
            color=VERMILION if read != truth else BLUE,
            pad=3,
        )
    wrong = int(evaluation.confusion.sum() - np.trace(evaluation.confusion))
    figure.suptitle(_gallery_title(wrong, len(chosen)), fontsize=10.5)
    return figure


def _gallery_title(wrong: int, shown: int) -> str:
    if wrong > shown:
        which = f"{shown} of {wrong:,} mistakes, surest first"
    elif wrong:
        which = f"All {wrong} mistakes, surest first"
    else:
        which = "No mistakes"
    if wrong < shown:
        which += f"; in blue, the {shown - wrong} read right with the least certainty"
    return f"What it is, what was read, how sure. {which}"


def _broken(history: History, values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return a curve's points with a gap where one network's training ends and the next one's begins."""
    members = history.get("member", [1] * len(values))
    x: list[float] = []
    y: list[float] = []
    for epoch, value, member, before in zip(
        history["epoch"], values, members, [members[0], *members], strict=False
    ):
        if member != before:
            x.append(epoch)
            y.append(math.nan)
        x.append(epoch)
        y.append(value)
    return x, y


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    return figure, figure.subplots()


def _finish_curves(axes: Axes, quantity: str) -> None:
    axes.set_xlabel("epoch", fontsize=_FONT)
    axes.set_ylabel(quantity if quantity == "accuracy" else "loss (cross-entropy)", fontsize=_FONT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if quantity == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    else:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=10)


def _plain(name: str) -> str:
    """Keep Matplotlib from taking a name for a formula, or for a label that is not to be shown."""
    name = name.encode("utf-8", "replace").decode().replace("$", r"\$")
    return f" {name}" if name.startswith("_") else name


def _value(quantity: str, value: float) -> str:
    return f"{value:.2%}" if quantity == "accuracy" else f"{value:.4f}"


def _sureness(probability: float) -> str:
    return f"{probability:.0%}" if probability < 0.995 else f"{min(probability, 0.9999):.2%}"


def _cell(column: int, row: int) -> Rectangle:
    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="#E8F1F8", edgecolor="none")


def _show(axes: Axes, image: Images) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(color="#CCCCCC", linewidth=0.8)
