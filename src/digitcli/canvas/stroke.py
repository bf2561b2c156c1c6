"""One stroke of the pen on a canvas: it grows, can be hit, and an eraser cuts it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.canvas.raster import Bounds, grown
from digitcli.datasets.strokes import Points

Point = tuple[float, float]


class Stroke:
    """A stroke of the pen; it grows while it is drawn and does not change afterwards.

    Attributes:
        width: of the pen, in units.
        times: of each point, in seconds since some moment.
    """

    def __init__(self, points: Sequence[Point], times: Sequence[float], width: float) -> None:
        self.width = width
        self.times = list(times)
        self._points = list(points)
        self._array: Points | None = None
        x, y = zip(*points, strict=True)
        self._bounds: Bounds = (min(x), min(y), max(x), max(y))

    def __len__(self) -> int:
        return len(self._points)

    @property
    def last(self) -> Point:
        """The last point."""
        return self._points[-1]

    @property
    def points(self) -> Points:
        """(P, 2) float64: x and y."""
        if self._array is None or len(self._array) != len(self._points):
            self._array = np.array(self._points, np.float64)
        return self._array

    @property
    def tip(self) -> "Stroke":
        """The last two points as a stroke: all that growing by a point adds to a picture."""
        return Stroke(self._points[-2:], self.times[-2:], self.width)

    @property
    def bounds(self) -> Bounds:
        """Of the points, without the pen's width."""
        return self._bounds

    def append(self, point: Point, time: float) -> None:
        """Let the stroke grow."""
        self._points.append(point)
        self.times.append(time)
        (x, y), (left, top, right, bottom) = point, self._bounds
        self._bounds = (min(left, x), min(top, y), max(right, x), max(bottom, y))

    def distance(self, x: float, y: float) -> float:
        """Return how far (x, y) is from the stroke, in units; 0 where it is on it."""
        starts = self.points[:-1] if len(self) > 1 else self.points
        ends = self.points[1:] if len(self) > 1 else self.points
        along = ends - starts
        length = (along**2).sum(axis=1)
        share = ((np.array([x, y]) - starts) * along).sum(axis=1) / np.where(length > 0, length, 1)
        nearest = starts + np.clip(share, 0, 1)[:, np.newaxis] * along
        middle = float(np.sqrt(((nearest - [x, y]) ** 2).sum(axis=1)).min())
        return max(0.0, middle - self.width / 2)

    def without(self, x: float, y: float, radius: float) -> "tuple[list[Stroke], Bounds] | None":
        """Cut out what a round eraser takes away.

        Returns:
            What is left, as strokes in their order, and the bounds of all that is drawn differently
            now; None where the eraser takes nothing.
        """
        reach = radius + self.width / 2  # what is left has round ends, which then just do not touch
        points = self.points - [x, y]
        if len(points) == 1:
            return None if math.hypot(*points[0]) >= reach else ([], grown(self.bounds, self.width / 2))
        starts, along = points[:-1], points[1:] - points[:-1]
        # where |start + t along| = reach
        a = np.maximum((along**2).sum(axis=1), 1e-12)
        b = (starts * along).sum(axis=1)
        under = b**2 - a * ((starts**2).sum(axis=1) - reach**2)
        root = np.sqrt(np.maximum(under, 0))
        enters, leaves = np.clip((-b - root) / a, 0, 1), np.clip((-b + root) / a, 0, 1)
        hit = np.flatnonzero((under > 0) & (enters < leaves))
        if not len(hit):
            return None
        touched = self.points[hit[0] : hit[-1] + 2]
        (left, top), (right, bottom) = touched.min(axis=0), touched.max(axis=0)
        damaged = grown((float(left), float(top), float(right), float(bottom)), self.width / 2)
        return self._pieces(hit, enters, leaves), damaged

    def _pieces(self, hit: NDArray[Any], enters: NDArray[Any], leaves: NDArray[Any]) -> "list[Stroke]":
        """Return what is left of the segments, where those of `hit` are lost between two shares."""
        pieces: list[Stroke] = []
        current = Stroke(self._points[:1], self.times[:1], self.width)
        first = 0  # of the points that are not yet in a piece, but for the current one's
        for place in hit.tolist():
            for number in range(first + 1, place + 1):
                current.append(self._points[number], self.times[number])
            if enters[place] > 0:
                current.append(*self._between(place, float(enters[place])))
            if len(current) > 1:
                pieces.append(current)
            point, time = self._between(place, float(leaves[place]))
            current = Stroke([point], [time], self.width)
            first = place if leaves[place] < 1 else place + 1
        for number in range(first + 1, len(self)):
            current.append(self._points[number], self.times[number])
        if len(current) > 1:
            pieces.append(current)
        return pieces

    def _between(self, place: int, share: float) -> tuple[Point, float]:
        (x0, y0), (x1, y1) = self._points[place], self._points[place + 1]
        before, after = self.times[place], self.times[place + 1]
        return (x0 + share * (x1 - x0), y0 + share * (y1 - y0)), before + share * (after - before)
