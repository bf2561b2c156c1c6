"""Generated pages with what is labelled on them, side by side."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digitcli.config.mnist import CLASSES
from digitcli.evaluation.plots.style import BLACK, DPI, GREEN, SKY
from digitcli.synthesis.pages import Page

_COLUMNS = 6
_SIDE, _GAP, _CAPTION, _HEAD = 1.9, 0.08, 0.22, 0.32  # inches


def page_sheet(pages: Sequence[Page]) -> Figure:
    """Draw pages with a frame round each digit, another round other marks; all in one diagram."""
    rows = -(-len(pages) // _COLUMNS)
    width = _COLUMNS * (_SIDE + _GAP) + _GAP
    height = _HEAD + rows * (_CAPTION + _SIDE) + _GAP
    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    axes.text(
        _GAP, 0.21, "Generated pages, of marks that are held out: digits in green, other marks in blue",
        fontsize=10, color=BLACK,
    )  # fmt: skip
    for place, page in enumerate(pages):
        left = _GAP + place % _COLUMNS * (_SIDE + _GAP)
        top = _HEAD + place // _COLUMNS * (_CAPTION + _SIDE) + _CAPTION
        tall, wide = page.image.shape[:2]
        image = cv2.cvtColor(page.image, cv2.COLOR_BGR2RGB)
        axes.imshow(
            np.asarray(image), extent=(left, left + _SIDE, top + _SIDE, top), interpolation="antialiased"
        )
        axes.text(left, top - 0.06, page.kind, fontsize=8, color=BLACK)
        for label in page.labels:
            x, y, box_width, box_height = label.box
            axes.add_patch(
                Rectangle(
                    (left + x * _SIDE / wide, top + y * _SIDE / tall),
                    box_width * _SIDE / wide,
                    box_height * _SIDE / tall,
                    fill=False,
                    linewidth=0.6,
                    edgecolor=GREEN if label.kind < CLASSES else SKY,
                )
            )
    axes.set_xlim(0, width)  # images set their own
    axes.set_ylim(height, 0)
    return figure
