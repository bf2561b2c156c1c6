"""The drawing: strokes, their history and the eraser, without a window or files.

A canvas is a square of `SIDE` x `SIDE` units, whatever its size on a screen; x goes right, y down.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from digitcli.canvas.raster import Bounds, Raster, grown
from digitcli.canvas.stroke import Point, Stroke
from digitcli.datasets.strokes import MAX_POINTS, MAX_STROKES
from digitcli.errors import InputError

SIDE = 512.0  # units; by convention, as many as pixels are read


@dataclass(frozen=True)
class CanvasParameters:
    """With what a canvas is drawn on, and how much it holds; by eye where nothing else is said.

    Lengths are units of the canvas. Brushes and eraser are the same in the page (web/static/app.js).

    Attributes:
        brushes: widths to choose from, from thin to thick.
        usual_brush: width to begin with; a thicker one fills the loops of a number across the canvas
            (docs/experiments.md, "Reading: before and after").
        eraser: its radius.
        most_eraser_steps: of one movement; a bound on time, for movements from far outside.
        least_step: from a point to the next; a nearer one adds nothing.
        most_points, most_strokes: from which on nothing more can be drawn. Below what a drawing may have, as
            the eraser cuts strokes into more strokes, of more points.
        most_undo: gestures that can be undone; a bound on memory.
    """

    brushes: tuple[float, ...] = (6.0, 10.0, 16.0, 24.0, 34.0, 48.0)
    usual_brush: float = 16.0
    eraser: float = 20.0
    most_eraser_steps: int = 1000
    least_step: float = 1.0
    most_points: int = MAX_POINTS - MAX_STROKES
    most_strokes: int = MAX_STROKES // 2
    most_undo: int = 500

    @property
    def eraser_step(self) -> float:
        """From one place that is erased to the next on the eraser's way, so that nothing between stays."""
        return self.eraser / 2


CANVAS = CanvasParameters()


class Canvas:
    """A drawing in the making; every gesture can be undone.

    Attributes:
        version: another number whenever the drawing is another.
        brush: width of the pen for the next stroke, in units.
    """

    def __init__(self) -> None:
        self.version = 0
        self.brush = CANVAS.usual_brush
        self._strokes: tuple[Stroke, ...] = ()
        self._points = 0
        self._past: list[tuple[Stroke, ...]] = []
        self._future: list[tuple[Stroke, ...]] = []
        self._rasters: list[Raster] = []
        self._gesture: str | None = None
        self._before: tuple[Stroke, ...] = ()  # the gesture
        self._at: Point = (0.0, 0.0)  # of the pen or the eraser, which may be outside
        self._pen_is_down = False  # on the canvas, and not outside

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """All strokes, the one in the making included, in their order."""
        return self._strokes

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be drawn."""
        return self._points >= CANVAS.most_points or len(self._strokes) >= CANVAS.most_strokes

    @property
    def can_undo(self) -> bool:
        """Whether there is a gesture to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a gesture to redo."""
        return bool(self._future)

    def raster(self, size: int) -> Raster:
        """Return a picture of the canvas, `size` pixels wide and high, that follows all changes."""
        raster = Raster(size, SIDE)
        raster.paint(self._strokes)
        self._rasters.append(raster)
        return raster

    def release(self, raster: Raster) -> None:
        """Let a picture no longer follow."""
        self._rasters.remove(raster)

    def begin(self, x: float, y: float, time: float = 0.0, *, erase: bool = False) -> None:
        """Put the pen, or the eraser, down at (x, y).

        What is outside the canvas is not drawn. Raises `InputError` where a number is not finite.
        """
        _require_finite(x, y, time)
        self.end()
        self._before = self._strokes
        self._at = (x, y)
        self._gesture = "erase" if erase else "draw"
        if erase:
            self._erase(x, y)
        elif _is_inside(x, y):
            self._start(x, y, time)

    def extend(self, x: float, y: float, time: float = 0.0) -> None:
        """Move what `begin` put down to (x, y); nothing where it is up."""
        _require_finite(x, y, time)
        if self._gesture is None:
            return
        before = self._at
        if self._gesture == "erase":
            self._at = (x, y)
            steps = max(1, math.ceil(math.dist(before, (x, y)) / CANVAS.eraser_step))
            for step in range(1, min(steps, CANVAS.most_eraser_steps) + 1):
                share = step / steps
                self._erase(before[0] + share * (x - before[0]), before[1] + share * (y - before[1]))
            return
        if math.dist(before, (x, y)) < CANVAS.least_step:
            return
        self._at = (x, y)
        visible = _clip(before, (x, y))
        if visible is None:
            self._pen_is_down = False
            return
        start, end = visible
        if not self._pen_is_down:
            self._start(*start, time)
        if end != start:
            self._grow(*end, time)
        self._pen_is_down = self._pen_is_down and _is_inside(x, y)

    def end(self) -> None:
        """Take the pen or the eraser off; only a gesture that changed something can be undone."""
        if self._gesture is not None and self._before is not self._strokes:
            self._remember(self._before)
        self._gesture = None
        self._pen_is_down = False

    def undo(self) -> bool:
        """Take the last gesture back; return whether there was one."""
        self.end()
        if not self._past:
            return False
        self._future.append(self._strokes)
        self._show(self._past.pop())
        return True

    def redo(self) -> bool:
        """Carry out again what was last undone; return whether there was something."""
        self.end()
        if not self._future:
            return False
        self._past.append(self._strokes)
        self._show(self._future.pop())
        return True

    def clear(self) -> bool:
        """Take all strokes away, as a gesture; return whether there were any."""
        self.end()
        if not self._strokes:
            return False
        self._remember(self._strokes)
        self._show(())
        return True

    def load(self, strokes: Sequence[Sequence[Point]], width: float) -> None:
        """Draw strokes in units of the canvas, as one gesture, in place of all that is there."""
        self.end()
        self._remember(self._strokes)
        self._show(
            tuple(
                Stroke([(float(x), float(y)) for x, y in each], [0.0] * len(each), width) for each in strokes
            )
        )

    def hit(self, x: float, y: float, within: float = 0.0) -> int | None:
        """Return which stroke is at (x, y) or no further away than `within`; the topmost one."""
        _require_finite(x, y, within)
        for place in reversed(range(len(self._strokes))):
            if self._strokes[place].distance(x, y) <= within:
                return place
        return None

    def as_strokes(self) -> list[list[list[float]]]:
        """Return the drawing in the format of strokes, in units with one decimal."""
        return [[[round(x, 1), round(y, 1)] for x, y in stroke.points.tolist()] for stroke in self._strokes]

    def _remember(self, strokes: tuple[Stroke, ...]) -> None:
        self._past.append(strokes)
        del self._past[: -CANVAS.most_undo]
        self._future.clear()

    def _start(self, x: float, y: float, time: float) -> None:
        if self.is_full:
            return
        stroke = Stroke([(x, y)], [time], self.brush)
        self._strokes = (*self._strokes, stroke)
        self._points += 1
        self._pen_is_down = True
        self.version += 1
        for raster in self._rasters:
            raster.grow(stroke, 0)

    def _grow(self, x: float, y: float, time: float) -> None:
        if self.is_full or not self._pen_is_down:
            return
        stroke = self._strokes[-1]
        stroke.append((x, y), time)
        self._points += 1
        self.version += 1
        tip = stroke.tip
        for raster in self._rasters:
            raster.grow(tip, 1)

    def _erase(self, x: float, y: float) -> None:
        kept: list[Stroke] = []
        damaged: list[Bounds] = []
        strokes_left, points_left = MAX_STROKES - len(self._strokes), MAX_POINTS - self._points
        for stroke in self._strokes:
            left, top, right, bottom = grown(stroke.bounds, CANVAS.eraser + stroke.width / 2)
            cut = stroke.without(x, y, CANVAS.eraser) if left < x < right and top < y < bottom else None
            if cut is None:
                kept.append(stroke)
                continue
            pieces, bounds = cut
            strokes_left -= len(pieces) - 1
            points_left -= sum(len(piece) for piece in pieces) - len(stroke)
            if strokes_left < 0 or points_left < 0:  # no drawing holds so many: all of the stroke goes
                strokes_left += len(pieces)
                points_left += sum(len(piece) for piece in pieces)
                pieces, bounds = [], grown(stroke.bounds, stroke.width / 2)
            kept += pieces
            damaged.append(bounds)
        if damaged:
            self._replace(tuple(kept), damaged)

    def _show(self, strokes: tuple[Stroke, ...]) -> None:
        before, after = set(self._strokes), set(strokes)
        self._replace(strokes, [grown(stroke.bounds, stroke.width / 2) for stroke in before ^ after])

    def _replace(self, strokes: tuple[Stroke, ...], damaged: list[Bounds]) -> None:
        self._strokes = strokes
        self._points = sum(len(stroke) for stroke in strokes)
        self.version += 1
        for raster in self._rasters:
            raster.repaint(strokes, damaged)


def next_brush(width: float, step: int) -> float:
    """Return which of `CANVAS.brushes` is next to `width`, wider (`step` 1) or thinner (-1), if one is."""
    if step > 0:
        return min((brush for brush in CANVAS.brushes if brush > width), default=CANVAS.brushes[-1])
    return max((brush for brush in CANVAS.brushes if brush < width), default=CANVAS.brushes[0])


def _require_finite(*values: float) -> None:
    if not all(math.isfinite(value) for value in values):
        raise InputError(f"found a point at {values[:2]}; expected finite numbers")


def _is_inside(x: float, y: float) -> bool:
    return 0 <= x <= SIDE and 0 <= y <= SIDE


def _clip(start: Point, end: Point) -> tuple[Point, Point] | None:
    """Return the part of a line that is on the canvas (Liang and Barsky, 1984)."""
    enters, leaves = 0.0, 1.0
    for low, step in zip(start, (end[0] - start[0], end[1] - start[1]), strict=True):
        if step == 0:
            if not 0 <= low <= SIDE:
                return None
            continue
        first, second = sorted((-low / step, (SIDE - low) / step))
        enters, leaves = max(enters, first), min(leaves, second)
    if enters > leaves:
        return None
    return _along(start, end, enters), _along(start, end, leaves)


def _along(start: Point, end: Point, share: float) -> Point:
    if share in (0.0, 1.0):
        return end if share else start
    x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return min(max(x, 0.0), SIDE), min(max(y, 0.0), SIDE)
