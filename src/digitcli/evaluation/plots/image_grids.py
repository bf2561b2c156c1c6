"""Images of digits, side by side.

All images of a grid lie in one diagram: Matplotlib needs seconds for a hundred diagrams of one image each.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digitcli.config.mnist import CLASSES
from digitcli.datasets import Digits
from digitcli.evaluation.metrics import Evaluation, hardest
from digitcli.evaluation.plots.style import BLACK, BLUE, DPI, VERMILION
from digitcli.evaluation.wording import percent
from digitcli.preprocessing.mnist_form import Images

GRID_ROWS, GRID_COLUMNS = 4, 8
SUSPECTS_SHOWN = 96
_SAMPLES_PER_DIGIT = 10


@dataclass(frozen=True)
class Grid:
    """Where the images of a figure lie; lengths in inches.

    Attributes:
        rows: of images.
        columns: of images.
        side: of an image.
        gap: between two images of a row, and at the edge of the figure.
        caption: height of the words above an image.
        head: height above the first caption.
    """

    rows: int
    columns: int
    side: float
    gap: float
    caption: float
    head: float = 0.0

    def figure(self) -> tuple[Figure, Axes]:
        """Return a figure whose one diagram fills it, in inches from the upper left."""
        width = self.columns * (self.side + self.gap) + self.gap
        height = self.head + self.rows * (self.caption + self.side) + self.gap
        figure = Figure(figsize=(width, height), dpi=DPI)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        return figure, axes

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Return the upper left corner of an image."""
        x = self.gap + column * (self.side + self.gap)
        return x, self.head + row * (self.caption + self.side) + self.caption

    def draw(
        self,
        axes: Axes,
        row: int,
        column: int,
        image: Images,
        caption: str = "",
        colour: str = BLACK,
        frame: str | None = None,
    ) -> None:
        """Draw an image (28, 28) in a frame, with words above it."""
        x, y = self.corner(row, column)
        axes.imshow(
            image,
            cmap="gray_r",
            vmin=0,
            vmax=255,
            interpolation="nearest",
            extent=(x, x + self.side, y + self.side, y),
            aspect="auto",
        )
        edge, width = (frame, 2.0) if frame else ("#CCCCCC", 0.8)
        axes.add_patch(Rectangle((x, y), self.side, self.side, fill=False, edgecolor=edge, linewidth=width))
        if caption:
            self.write(axes, x + self.side / 2, y, caption, colour)

    def write(self, axes: Axes, x: float, y: float, words: str, colour: str = BLACK, size: float = 9) -> None:
        """Write above a point."""
        axes.text(
            x, y - 0.035, words, ha="center", va="bottom", color=colour, fontsize=size, linespacing=1.15
        )


def samples(digits: Digits) -> Figure:
    """Draw the first images of each digit with their labels."""
    grid = Grid(CLASSES, _SAMPLES_PER_DIGIT, side=0.55, gap=0.135, caption=0.205)
    figure, axes = grid.figure()
    for digit in range(CLASSES):
        chosen = np.flatnonzero(digits.labels == digit)[:_SAMPLES_PER_DIGIT]
        for column, index in enumerate(chosen):
            grid.draw(axes, digit, column, digits.images[index], str(digit))
    return figure


def augmentation(originals: Images, distorted: Images) -> Figure:
    """Draw images (N, 28, 28), one a row, and beside each what training made of it (N, M, 28, 28)."""
    columns = 1 + distorted.shape[1]
    grid = Grid(len(originals), columns, side=0.62, gap=0.07, caption=0.07, head=0.15)
    figure, axes = grid.figure()
    for row, (original, changed) in enumerate(zip(originals, distorted, strict=True)):
        grid.draw(axes, row, 0, original, frame=BLUE)
        for column, image in enumerate(changed, 1):
            grid.draw(axes, row, column, image)
    first, y = grid.corner(0, 0)
    last = grid.corner(0, columns - 1)[0]
    grid.write(axes, first + grid.side / 2, y, "as it is", BLUE)
    middle = (grid.corner(0, 1)[0] + last + grid.side) / 2
    grid.write(axes, middle, y, "as the network sees it in training")
    return figure


def mistakes(evaluation: Evaluation, digits: Digits) -> Figure:
    """Draw the wrongly read images, surest first, then the least certain of the right ones."""
    grid = Grid(GRID_ROWS, GRID_COLUMNS, side=1.1, gap=0.045, caption=0.4, head=0.21)
    figure, axes = grid.figure()
    chosen = hardest(evaluation, digits, GRID_ROWS * GRID_COLUMNS)
    for place, index in enumerate(chosen):
        truth, probabilities = int(digits.labels[index]), evaluation.probabilities[index]
        read = int(probabilities.argmax())
        caption = f"{truth}, read {read}\n{_sureness(probabilities[read])}"
        colour = VERMILION if read != truth else BLUE
        grid.draw(axes, *divmod(place, GRID_COLUMNS), digits.images[index], caption, colour)
    wrong = int(evaluation.confusion.sum() - np.trace(evaluation.confusion))
    middle = sum(axes.get_xlim()) / 2
    grid.write(axes, middle, grid.head, _grid_title(wrong, len(chosen)), size=10.5)
    return figure


def suspects(digits: Digits, captions: Sequence[str], is_likely: Sequence[bool]) -> Figure:
    """Draw images whose labels may be wrong, at most `SUSPECTS_SHOWN`, each with words above it.

    Args:
        digits: the images.
        captions: of each image, two lines.
        is_likely: of each image, whether its label is likely to be wrong; its words are red then.
    """
    shown = min(len(digits), SUSPECTS_SHOWN)
    rows = max(1, math.ceil(shown / GRID_COLUMNS))
    grid = Grid(rows, GRID_COLUMNS, side=1.1, gap=0.09, caption=0.4, head=0.21)
    figure, axes = grid.figure()
    for place in range(shown):
        colour = VERMILION if is_likely[place] else BLACK
        grid.draw(axes, *divmod(place, GRID_COLUMNS), digits.images[place], captions[place], colour)
    title = "No label that the model disagrees with"
    if shown:
        which = f"{shown} of {len(digits):,}" if shown < len(digits) else str(shown)
        title = (
            f"{which} labels that may be wrong, surest first. Place in the set; label, read as, how surely"
        )
    grid.write(axes, sum(axes.get_xlim()) / 2, grid.head, title, size=10.5)
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
    return percent(probability, digits=0) if probability < 0.995 else percent(min(probability, 0.9999))
