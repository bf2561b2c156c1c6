"""From a mark to the smallest pieces that may belong to a digit.

Handwritten digits touch and fall apart. So nothing is decided here: marks are cut wherever a cut is
cheap, and `pages.py` asks the network which pieces belong together (over-segmentation; Casey and
Lecolinet, "A survey of methods and strategies in character segmentation", 1996).
"""

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.cleaning import HALF, above
from digitcli.preprocessing.geometry import Grey
from digitcli.preprocessing.mnist_form import measure_strokes
from digitcli.recognition.rules.segmentation import Line, Segment

_CUT_HEIGHT = 40  # pixels, to which a mark is reduced in the search for cuts
_CUT_DISTANCE = 0.12  # of the height, at least between two cuts
_END_DISTANCE = 0.06  # of the height, at least between a cut and the mark's ends: a 1 may be a stroke wide
_CUT_LENGTH = 0.45  # of the height; cuts through more ink than that are not made
_MAX_CUTS = 20  # of a mark
_SHARED = 0.5  # of the strokes' width, by which what a cut crosses is given to both sides
_SLANT_COST = np.float32(0.5)  # of a step aside, in pixels of ink
_STEPS = np.array([0, -1, 1], np.int8)  # to where a path came from
# Strokes that lie side by side, or one on the other, are wider than one, and no bar yet. In shares of a
# stroke's width: how far what lies between them is from both rims, at least; half of the width of a bar.
_INSIDE, _BAR = 0.45, 1.3
_INSIDE_COST = 0.1  # of a pixel of ink there


def cut(mark: Segment) -> Line:
    """Cut a mark along the paths from top to bottom that cross the least ink.

    What a path crosses belongs to the pieces on both sides: where two strokes lie over each other,
    neither digit is to lose its own.
    """
    ink = mark.ink
    _, _, width = measure_strokes(ink)
    reach = max(1, round(_SHARED * width))
    columns = np.arange(mark.width)[np.newaxis]
    pieces: Line = []
    left, shared_left = np.full((mark.height, 1), -1.0), np.zeros(ink.shape, bool)
    for edge in [*_edges(ink, width), np.full(mark.height, float(mark.width))]:
        right = np.maximum(edge[:, np.newaxis], left)
        own = (columns > left) & (columns <= right)
        shared_right = _crossed(ink, edge, reach)
        if above(np.where(own, ink, 0).astype(np.uint8), HALF - 1).any():
            kept = own | shared_left | shared_right
            pieces.append(_trimmed(mark, np.where(kept, ink, 0).astype(np.uint8)))
        left, shared_left = right, shared_right
    return [pieces[0], *(replace(piece, is_cut_off=True) for piece in pieces[1:])]


def _edges(ink: Grey, stroke: float) -> list[NDArray[np.float64]]:
    """Return the x of each cut in each row of a mark (H, W), from left to right.

    Args:
        ink: of the mark.
        stroke: width of its strokes, in pixels.
    """
    height, width = ink.shape
    scale = min(1.0, _CUT_HEIGHT / height)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    reduced = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = reduced.astype(np.float32) / np.float32(255)
    small[_between_strokes(reduced, stroke * scale)] *= _INSIDE_COST
    down, back_down = _paths(small)
    up, back_up = _paths(small[::-1])
    middle = len(small) // 2
    # the cheapest path through each column of the middle row
    cost = down[middle] + up[len(small) - 1 - middle] - small[middle]
    edges = []
    for place in _minima(cost, len(small)):
        path = np.concatenate([_follow(back_down, middle, place)[::-1],
                               _follow(back_up, len(small) - 1 - middle, place)[1:]])  # fmt: skip
        rows = np.minimum((np.arange(height) + 0.5) * len(path) / height, len(path) - 1).astype(int)
        edges.append((path[rows] + 0.5) / scale)
    return edges


def _between_strokes(ink: Grey, stroke: float) -> NDArray[np.bool_]:
    """Tell which ink (H, W) may lie between two strokes that have become one, as the stems of an 11 do."""
    written = above(ink, HALF - 1)
    constant, paper = cv2.BORDER_CONSTANT, 0  # beside the mark
    inside = cv2.erode(written, _row(_INSIDE * stroke), borderType=constant, borderValue=paper)
    row = _row(_BAR * stroke)
    bars = cv2.morphologyEx(written, cv2.MORPH_OPEN, row, borderType=constant, borderValue=paper)
    return np.asarray((inside > 0) & (bars == 0))


def _row(reach: float) -> Grey:
    """Return a structuring element: a pixel and those whose middles are up to `reach` + 0.5 pixels aside."""
    return np.ones((1, 2 * math.ceil(reach - 0.5) + 1), np.uint8)


def _crossed(ink: Grey, edge: NDArray[np.float64], reach: int) -> NDArray[np.bool_]:
    """Tell which ink (H, W) a cut with its `edge` (H,) crosses, up to `reach` pixels beside it."""
    height, width = ink.shape
    rows = np.arange(height)[:, np.newaxis]
    at = np.rint(edge).astype(int)[:, np.newaxis] + reach  # in what has a margin
    padded = np.pad(ink, ((0, 0), (reach, 2 * reach + 1)))
    crossed = np.zeros(padded.shape, bool)
    starts = padded[rows, at] >= HALF
    for side in (-1, 1):
        columns = at + side * np.arange(reach + 1)
        crossed[rows, columns] |= np.logical_and.accumulate(padded[rows, columns] > 0, axis=1) & starts
    return crossed[:, reach : reach + width]


def _paths(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the cost of the cheapest path from the top to every pixel, and where it came from."""
    cost, back = ink.copy(), np.zeros(ink.shape, np.int8)
    ways = np.full((3, ink.shape[1]), np.inf, np.float32)  # from above, and from the left and right of it
    for row in range(1, len(ink)):
        before = cost[row - 1]
        ways[0] = before
        ways[1, 1:] = before[:-1] + _SLANT_COST
        ways[2, :-1] = before[1:] + _SLANT_COST
        back[row] = _STEPS[ways.argmin(axis=0)]
        cost[row] += ways.min(axis=0)
    return cost, back


def _follow(back: NDArray[np.int8], row: int, column: int) -> NDArray[np.intp]:
    """Return the columns of the path from (row, column) to the top, beginning at the bottom."""
    path = [column]
    for place in range(row, 0, -1):
        column += int(back[place, column])
        path.append(column)
    return np.array(path)


def _minima(cost: NDArray[np.float32], height: int) -> list[int]:
    """Return the columns at which a cut is cheaper than around, from left to right."""
    distance, end = (max(2, round(share * height)) for share in (_CUT_DISTANCE, _END_DISTANCE))
    allowed = [
        column
        for column in np.argsort(cost, kind="stable")
        if cost[column] <= _CUT_LENGTH * height and end <= column < len(cost) - end
    ]
    chosen: list[int] = []
    for column in allowed:
        if all(abs(column - other) >= distance for other in chosen):
            chosen.append(int(column))
        if len(chosen) == _MAX_CUTS:
            break
    return sorted(chosen)


def _trimmed(mark: Segment, ink: NDArray[np.uint8]) -> Segment:
    x, y, width, height = cv2.boundingRect(above(ink, HALF - 1))
    return Segment(mark.x + x, mark.y + y, ink[y : y + height, x : x + width])
