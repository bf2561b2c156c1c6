"""Reading order: marks in lines, from top to bottom and from left to right, columns one after the other.

Columns are told by the white between them, as in the recursive XY-cut (Nagy and Seth, 1984), and by their
lines, which do not go on in the next one as those of a table do.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitcli.models.classifier import Floats


@dataclass(frozen=True)
class LineParameters:
    """What stands on one line; lengths are heights of the taller of two marks.

    Attributes:
        lower: by how much a mark may stand higher or lower than where the line before it leads.
        gap: between marks, from which another line begins.
        reach: how far to the right a neighbour is looked for that tells in which direction lines go.
        steepest: direction of lines, downwards for each pixel to the right, at most: 30 degrees.
        steps: of a line, from which on its own direction counts as much as that of the page.
        apart: between marks, from which they may be in cells of a table.
        pitch: share of the distance between rows by which what is in another cell may be higher or lower.
        farthest: between rows whose distance tells that.
        column: white between columns, at least.
        shared: lines that go on beyond that white, of all there are on the side with fewer; with more, it is
            a table.
    """

    lower: float = 0.6
    gap: float = 2.0
    reach: float = 3.5
    steepest: float = 0.577
    steps: float = 3.0
    apart: float = 0.8
    pitch: float = 0.4
    farthest: float = 6.0
    column: float = 3.0
    shared: float = 0.34


LINES = LineParameters()


def in_lines(boxes: Floats) -> list[list[int]]:
    """Return the places of marks, line by line.

    Lines may go up or down, each in a direction of its own, as in a photograph. What stands far apart on a
    level is of different lines, the left one first; of columns whose lines are not on a level, all of the
    left one comes first.

    Args:
        boxes: (N, 4), x, y, width, height.
    """
    if not len(boxes):
        return []
    middles = np.asarray(boxes[:, :2] + boxes[:, 2:] / 2, np.float32)
    slope, pitch = _direction(boxes, middles), _pitch(boxes, middles)
    rows = _rows(boxes, middles, slope, pitch)
    rows.sort(key=lambda row: float(np.mean(middles[row, 1] - slope * middles[row, 0])))
    if sides := _columns(rows, boxes, middles, slope):
        return [[int(side[place]) for place in line] for side in sides for line in in_lines(boxes[side])]
    return [part for row in rows for part in _parted(row, boxes)]


def _rows(boxes: Floats, middles: Floats, slope: float, pitch: float) -> list[list[int]]:
    """Return the places of marks on a level, from left to right; the rows in no order."""
    rows: list[list[int]] = []
    for place in np.argsort(middles[:, 0] + slope * middles[:, 1], kind="stable"):
        best, least = None, 1.0
        for row in rows:
            last = row[-1]
            steps = len(row) - 1
            own = _slope(middles[row[max(0, steps - 4)]], middles[last]) if steps else slope
            leads = (own * steps + slope * LINES.steps) / (steps + LINES.steps)
            expected = middles[last, 1] + leads * (middles[place, 0] - middles[last, 0])
            taller = max(boxes[place, 3], boxes[last, 3])
            gap = boxes[place, 0] - (boxes[last, 0] + boxes[last, 2])
            allowed = LINES.lower * taller
            if gap > LINES.apart * taller:
                allowed = max(allowed, LINES.pitch * pitch)
            apart = abs(middles[place, 1] - expected) / allowed
            if apart < least:
                best, least = row, apart
        if best is None:
            rows.append([int(place)])
        else:
            best.append(int(place))
    return rows


def _columns(
    rows: list[list[int]], boxes: Floats, middles: Floats, slope: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the places of the marks left and right of the widest white from top to bottom.

    None where it is narrow, or where lines go on beyond it.
    """
    across = middles[:, 0] + slope * middles[:, 1]
    order = np.argsort(across, kind="stable")
    right = np.maximum.accumulate((across + boxes[:, 2] / 2)[order])
    white = (across - boxes[:, 2] / 2)[order][1:] - right[:-1]
    if not len(white) or white.max() < LINES.column * float(np.median(boxes[:, 3])):
        return None
    place = int(white.argmax()) + 1
    is_left = np.zeros(len(boxes), bool)
    is_left[order[:place]] = True
    of_left = np.array([is_left[row].any() for row in rows])
    of_right = np.array([not is_left[row].all() for row in rows])
    fewer = min(np.count_nonzero(of_left), np.count_nonzero(of_right))
    if fewer < 2 or np.count_nonzero(of_left & of_right) > LINES.shared * fewer:
        return None
    return np.flatnonzero(is_left), np.flatnonzero(~is_left)


def _slope(start: Floats, end: Floats) -> float:
    return float(np.clip((end[1] - start[1]) / max(end[0] - start[0], 1.0), -LINES.steepest, LINES.steepest))


def _direction(boxes: Floats, middles: Floats) -> float:
    """Return how far lines go down for each pixel to the right: the median of neighbours."""
    apart = middles[np.newaxis] - middles[:, np.newaxis]
    taller = np.maximum(boxes[:, 3, np.newaxis], boxes[:, 3])
    is_right = (apart[..., 0] > 0.2 * taller) & (np.abs(apart[..., 1]) < LINES.steepest * apart[..., 0])
    distances = np.where(is_right, np.hypot(apart[..., 0], 2 * apart[..., 1]) / taller, np.inf)
    nearest = distances.argmin(axis=1)
    found = np.flatnonzero(distances[np.arange(len(boxes)), nearest] < LINES.reach)
    if not len(found):
        return 0.0
    steps = apart[found, nearest[found]]
    return float(np.median(steps[:, 1] / steps[:, 0]))


def _pitch(boxes: Floats, middles: Floats) -> float:
    """Return the distance between rows: the median distance to what stands right below; 0 if nothing does."""
    below = middles[np.newaxis, :, 1] - middles[:, np.newaxis, 1]
    taller = np.maximum(boxes[:, 3, np.newaxis], boxes[:, 3])
    left, right = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    is_below = (below > 0.8 * taller) & (left < right[:, np.newaxis]) & (right > left[:, np.newaxis])
    nearest = np.where(is_below, below, np.inf).min(axis=1)
    found = nearest[nearest < LINES.farthest * boxes[:, 3]]
    return float(np.median(found)) if len(found) else 0.0


def _parted(row: list[int], boxes: Floats) -> list[list[int]]:
    """Part a row where a gap is too wide for a number."""
    parts = [row[:1]]
    for before, place in pairwise(row):
        gap = boxes[place, 0] - (boxes[before, 0] + boxes[before, 2])
        if gap > LINES.gap * max(boxes[place, 3], boxes[before, 3]):
            parts.append([])
        parts[-1].append(place)
    return parts
