"""The picture of a canvas at one size, kept up to date piece by piece.

Drawing piece by piece and redrawing give bit-identical pixels.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from digitcli.datasets.strokes import Points, draw_growing

if TYPE_CHECKING:
    from digitcli.preprocessing.mnist_form import Images

Bounds = tuple[float, float, float, float]  # left, top, right, bottom; in units of the canvas
Pixels = tuple[int, int, int, int]  # the same in pixels, from the first to before the last

_FRINGE = 4  # pixels around a stroke that antialiasing may touch, with some to spare


class StrokeLike(Protocol):
    """A stroke as it is to be drawn."""

    @property
    def points(self) -> Points:
        """(P, 2) x, y in units of the canvas; at least one."""

    @property
    def width(self) -> float:
        """Of the pen, in units of the canvas."""

    @property
    def bounds(self) -> Bounds:
        """Of the points, without the pen's width."""


class Raster:
    """The strokes of a square canvas as pixels.

    Attributes:
        pixels: (size, size) uint8, 0 is paper, 255 a stroke, antialiased in between; only to be read.
        scale: pixels to a unit of the canvas.
    """

    def __init__(self, size: int, side: float) -> None:
        """Begin with an empty picture of `size` pixels of a canvas of `side` units."""
        self.pixels: Images = np.zeros((size, size), np.uint8)
        self.scale = size / side
        self._changed: Pixels | None = None

    def take_change(self) -> Pixels | None:
        """Return what is different since the last call, or None where nothing is."""
        changed, self._changed = self._changed, None
        return changed

    def grow(self, stroke: StrokeLike, first: int) -> None:
        """Draw the points of the last stroke after the first `first`, which are there already."""
        draw_growing(self.pixels, self._scaled(stroke), self._pen(stroke), first)
        self._note(self._within([grown(stroke.bounds, stroke.width / 2)]))

    def paint(self, strokes: Sequence[StrokeLike]) -> None:
        """Redraw everything."""
        self.pixels[:] = 0
        self._note((0, 0, *self.pixels.shape))
        for stroke in strokes:
            draw_growing(self.pixels, self._scaled(stroke), self._pen(stroke))

    def repaint(self, strokes: Sequence[StrokeLike], damaged: Iterable[Bounds]) -> None:
        """Redraw the parts where something appeared or disappeared.

        Args:
            strokes: all that are to be seen, in their order.
            damaged: bounds that contain every change, pens included.
        """
        left, top, right, bottom = changed = self._within(list(damaged))
        if left >= right or top >= bottom:
            return
        self._note(changed)
        # Drawn on a whole picture and cut out: a line that is clipped while it is drawn comes out
        # a little different.
        scratch = np.zeros_like(self.pixels)
        for stroke in strokes:
            reach = stroke.width / 2 + _FRINGE / self.scale
            x0, y0, x1, y1 = (value * self.scale for value in grown(stroke.bounds, reach))
            if x0 < right and x1 > left and y0 < bottom and y1 > top:
                draw_growing(scratch, self._scaled(stroke), self._pen(stroke))
        self.pixels[top:bottom, left:right] = scratch[top:bottom, left:right]

    def _within(self, bounds: Sequence[Bounds]) -> Pixels:
        """Return which pixels may show what is within `bounds`."""
        if not bounds:
            return 0, 0, 0, 0
        size = len(self.pixels)
        left, top = (max(0, math.floor(min(b[i] for b in bounds) * self.scale) - _FRINGE) for i in (0, 1))
        right, bottom = (
            min(size, math.ceil(max(b[i] for b in bounds) * self.scale) + _FRINGE) for i in (2, 3)
        )
        return left, top, right, bottom

    def _note(self, new: Pixels) -> None:
        if old := self._changed:
            new = (min(old[0], new[0]), min(old[1], new[1]), max(old[2], new[2]), max(old[3], new[3]))
        self._changed = new

    def _scaled(self, stroke: StrokeLike) -> Points:
        return stroke.points * self.scale

    def _pen(self, stroke: StrokeLike) -> int:
        return max(1, round(stroke.width * self.scale))


def grown(bounds: Bounds, by: float) -> Bounds:
    """Return bounds that reach further on every side."""
    left, top, right, bottom = bounds
    return left - by, top - by, right + by, bottom + by
