"""Images of digits, side by side."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from digitcli.config.mnist import CLASSES
from digitcli.datasets import Digits
from digitcli.evaluation.metrics import Evaluation, hardest
from digitcli.evaluation.plots.style import BLUE, DPI, VERMILION
from digitcli.preprocessing.mnist_form import Images

GRID_ROWS, GRID_COLUMNS = 4, 8
_SAMPLES_PER_DIGIT = 10


def samples(digits: Digits) -> Figure:
    """Draw the first images of each digit with their labels."""
    figure = Figure(figsize=(7, 7.6), dpi=DPI, layout="constrained")
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
    figure = Figure(figsize=(7, 7.6), dpi=DPI, layout="constrained")
    grid = figure.subplots(len(originals), 1 + distorted.shape[1], squeeze=False)
    for row, original, changed in zip(grid, originals, distorted, strict=True):
        for axes, image in zip(row, [original, *changed], strict=True):
            _show(axes, image)
        row[0].spines[:].set(color=BLUE, linewidth=2)
    grid[0][0].set_title("as it is", fontsize=9, pad=3, color=BLUE)
    grid[0][1 + distorted.shape[1] // 2].set_title("as the network sees it in training", fontsize=9, pad=3)
    return figure


def mistakes(evaluation: Evaluation, digits: Digits) -> Figure:
    """Draw the wrongly read images, surest first, then the least certain of the right ones."""
    tight = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.03, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(9.2, 6.2), dpi=DPI, layout=tight)
    grid = figure.subplots(GRID_ROWS, GRID_COLUMNS).ravel()
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
    figure.suptitle(_grid_title(wrong, len(chosen)), fontsize=10.5)
    return figure


def _grid_title(wrong: int, shown: int) -> str:
    if wrong > shown:
        which = f"{shown} of {wrong:,} mistakes, surest first"
    elif wrong:
        which = f"All {wrong} mistakes, surest first"
    else:
        which = "No mistakes"
    if wrong < shown:
        which += f"; in blue, the {shown - wrong} read right with the least certainty"
    return f"What it is, what was read, how sure. {which}"


def _sureness(probability: float) -> str:
    return f"{probability:.0%}" if probability < 0.995 else f"{min(probability, 0.9999):.2%}"


def _show(axes: Axes, image: Images) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(color="#CCCCCC", linewidth=0.8)
