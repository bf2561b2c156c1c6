"""Strokes beside digits that are none though they look like a 1: slashes, brackets, bars and ticks.

A network sees every mark at the same size. What tells a slash from a 1 is that it reaches above and below
the digits beside it; no digit does both. A tick is two strokes that meet at their feet, as in no digit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.cleaning import HALF
from digitcli.recognition.rules.segmentation import Line, Segment, line_height

_NEAREST = 3  # digits beside a stroke by which it is measured
_REACH = 0.03  # of those digits' height, by which it reaches above and below them, at least
_TALL = 1.15  # height of a slash or bracket to theirs, at least
_TALL_UPRIGHT = 1.35  # of what is upright and straight, as a 1 is
_LEAN = 0.25  # x for each y, from which a stroke is slanted
_BOW = 0.06  # of a stroke's height, by which its middle is off the line between its ends, and it is bent
_FULL_HEIGHT = 0.6  # of a line's height; lower marks tell nothing of its digits
_WIDEST = 0.85  # width to height of such a stroke
_SPARSE = 0.04  # share of rows that may be otherwise: rough edges
_THICKEST = 1.35  # width of a row's ink to the usual one, at most: no flag that is one with its stem
_OFF = 0.25  # of its thickness, by which a stroke may be off a smooth bow, as a root of the mean square
_THINNEST = 5.0  # height of a stroke to its thickness, at least

_LEFT_ARM = (0.15, 0.8)  # height of a tick's left arm to its whole height
_FOOT = 0.35  # height to its whole height, below which its arms have met
_APART = 0.3  # x for each y, by which a tick's arms part
_UP_RIGHT = 0.15  # x for each y, by which its right arm leans at least
_ARM_OFF = 0.45  # of its thickness, by which that arm may be off a straight line
_ARMS, _FEET = 2.6, 3.2  # width of the ink of both arms, and where they have met, to one arm's, at most
_CLOSING = 0.5  # by how much of an arm's width its arms are nearer below than above, at least
_FEW = 3  # rows that tell no course


@dataclass(frozen=True)
class _Runs:
    """A mark's ink row by row.

    Attributes:
        counts: (H,), how many runs of ink each row has.
        first, last: (H,), the middles of each row's first and last run, in pixels.
        widths: (H,), pixels of ink in each row.
    """

    counts: NDArray[np.int64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    widths: NDArray[np.int64]


def without_separators(lines: list[Line]) -> list[Line]:
    """Return lines without the marks that stand between or beside their digits."""
    return [kept for line in lines if (kept := _digits(line))]


def _digits(line: Line) -> Line:
    tall = _FULL_HEIGHT * line_height(line)
    rows = {id(mark): _runs(mark) for mark in line}
    marks = [mark for mark in line if mark.height < tall or not _is_tick(rows[id(mark)])]
    if len(marks) < 2:
        return marks
    strokes = {id(mark): stroke for mark in marks if (stroke := _stroke(mark, rows[id(mark)])) is not None}
    tall = _FULL_HEIGHT * line_height(marks)  # a tick may have been the tallest
    full = [mark for mark in marks if mark.height >= tall]
    digits = [mark for mark in full if id(mark) not in strokes]
    digits = digits or [min(full, key=lambda mark: mark.height)]  # 1) or (1
    return [
        mark
        for mark in marks
        if id(mark) not in strokes or not _reaches_beyond(mark, strokes[id(mark)], digits)
    ]


@dataclass(frozen=True)
class _Stroke:
    """One stroke from top to bottom; x for each y, and the bow of its middle as a share of its height."""

    lean: float
    bow: float


def _reaches_beyond(mark: Segment, stroke: _Stroke, digits: Line) -> bool:
    nearest = sorted(digits, key=lambda digit: abs(digit.middle - mark.middle))[:_NEAREST]
    top = float(np.median([digit.y for digit in nearest]))
    bottom = float(np.median([digit.y + digit.height for digit in nearest]))
    height = bottom - top
    is_upright = abs(stroke.lean) < _LEAN and abs(stroke.bow) < _BOW
    return (
        mark.height >= (_TALL_UPRIGHT if is_upright else _TALL) * height
        and top - mark.y >= _REACH * height
        and mark.y + mark.height - bottom >= _REACH * height
    )


def _stroke(mark: Segment, runs: _Runs) -> _Stroke | None:
    """Return the course of a mark that is a single stroke from top to bottom, without flag or foot."""
    height = len(runs.counts)
    if mark.width > _WIDEST * mark.height or height < _THINNEST:  # a pen is a pixel wide at least
        return None
    if np.count_nonzero(runs.counts != 1) > _SPARSE * height or not _is_even(runs.widths, height):
        return None
    course, off = _course(np.arange(height), runs.first, 2)
    start, middle, end = (float(course(place)) for place in (0, (height - 1) / 2, height - 1))
    lean = (end - start) / height
    across = float(np.median(runs.widths) / np.hypot(1, lean))  # the pen's width
    if height < _THINNEST * across or off > _OFF * across:
        return None
    return _Stroke(lean, (middle - (start + end) / 2) / height)


def _is_tick(runs: _Runs) -> bool:
    """Tell whether a mark is two arms, the right one longer, that part upwards from a foot."""
    height = len(runs.counts)
    both = np.flatnonzero(runs.counts == 2)
    if not len(both) or np.count_nonzero(runs.counts > 2) > _SPARSE * height:
        return False
    top, foot = int(both[0]), int(both[-1]) + 1
    if min(top, len(both)) < _FEW or not 0 < height - foot <= _FOOT * height:
        return False
    is_split = np.count_nonzero(runs.counts[top:foot] != 2) <= _SPARSE * height
    if not is_split or not _LEFT_ARM[0] * height <= height - top <= _LEFT_ARM[1] * height:
        return False
    if not _is_even(runs.widths[:top], height):
        return False
    thickness = float(np.median(runs.widths[:top]))
    if np.median(runs.widths[both]) > _ARMS * thickness or runs.widths[foot:].max() > _FEET * thickness:
        return False
    gaps = (runs.last - runs.first - runs.widths / 2)[both]
    if gaps[:_FEW].mean() < gaps[-_FEW:].mean() + _CLOSING * thickness:  # the flag of a 1 parts downwards
        return False
    right, off = _course(np.arange(foot), runs.last[:foot], 1)
    left, _ = _course(both, runs.first[both], 1)
    lean, left_lean = (float(arm.deriv()(0)) for arm in (right, left))
    across = thickness / float(np.hypot(1, lean))
    return lean <= -_UP_RIGHT and left_lean - lean >= _APART and off <= _ARM_OFF * across


def _is_even(widths: NDArray[np.int64], height: int) -> bool:
    """Tell whether all but a few rows, of a mark so high, are about as wide as the usual one."""
    return bool(np.count_nonzero(widths > _THICKEST * np.median(widths)) <= _SPARSE * height)


def _course(
    rows: NDArray[Any], places: NDArray[np.float64], degree: int
) -> tuple[np.polynomial.Polynomial, float]:
    """Return the smooth course of a stroke's places in rows, and by how many pixels they are off it."""
    course = np.polynomial.Polynomial.fit(rows, places, degree)
    return course, float(np.sqrt(np.mean((places - course(rows)) ** 2)))


def _runs(mark: Segment) -> _Runs:
    ink = mark.ink >= HALF
    ink = ink[ink.any(axis=1)]
    edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = edges == 1, edges == -1
    last_column = ink.shape[1]
    first = (starts.argmax(axis=1) + ends.argmax(axis=1) - 1) / 2
    last = (2 * last_column - starts[:, ::-1].argmax(axis=1) - ends[:, ::-1].argmax(axis=1) - 1) / 2
    return _Runs(starts.sum(axis=1), first, last, ink.sum(axis=1))
