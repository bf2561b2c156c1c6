"""Generated pages with what is labelled on them, side by side."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digitcli.config.mnist import CLASSES
from digitcli.evaluation.plots.image_grids import Grid
from digitcli.evaluation.plots.style import BLACK, GREEN, SKY
from digitcli.synthesis.pages import Page

_COLUMNS = 6
_SIDE = 1.9  # inches


def page_sheet(pages: Sequence[Page]) -> Figure:
    """Draw pages with a frame round each digit, another round other marks; all in one diagram."""
    grid = Grid(-(-len(pages) // _COLUMNS), _COLUMNS, side=_SIDE, gap=0.08, caption=0.22, head=0.32)
    figure, axes = grid.figure()
    axes.text(
        grid.gap, 0.21, "Generated pages, of marks that are held out: digits in green, other marks in blue",
        fontsize=10, color=BLACK,
    )  # fmt: skip
    for place, page in enumerate(pages):
        left, top = grid.corner(*divmod(place, _COLUMNS))
        tall, wide = page.image.shape[:2]
        image = cv2.cvtColor(page.image, cv2.COLOR_BGR2RGB)
        extent = (left, left + _SIDE, top + _SIDE, top)
        axes.imshow(np.asarray(image), extent=extent, interpolation="antialiased", aspect="auto")
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
    return figure
