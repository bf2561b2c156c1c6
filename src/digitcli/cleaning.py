"""What is ink but no writing: ruled lines and grids, remnants at the border, specks."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.ink import Grey

HALF = 128  # ink from which a pixel counts as written
_FAINT = 51  # ink from which it counts as something

_SPAN = 0.9  # a ruled line reaches over that share of the picture
_THIN = 0.035  # and is at most that share of the picture thick
_PIECE = 12  # pixels at least that a ruled line runs along one row; slanted ones run along several
_REMNANT = 0.06  # depth of a remnant at the border, as a share of the picture
_LEFT = 0.12  # share of the ink that must be left, else what looked like a remnant was the writing
_LEAST = 0.04  # longest side of what must be left beside ruled lines, as a share of the picture
_RIM = np.ones((5, 5), np.uint8)
_SPECK = 0.04  # area of a speck, as a share of that of the largest mark


def clean(ink: Grey, *, specks: bool = True) -> Grey:
    """Return `ink` (H, W) uint8 without ruled lines, remnants at the border and, where told, specks.

    Where there is but one mark, and no line, it is `ink` itself.
    """
    height, width = ink.shape
    faint = above(ink, _FAINT - 1)
    # outlines are found much faster than marks, and mostly there is but one
    outlines, _ = cv2.findContours(faint, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    sizes = [cv2.boundingRect(outline)[2:] for outline in outlines]
    if any(across >= _SPAN * width or down >= _SPAN * height for across, down in sizes):
        ink = np.where(_ruled_lines(faint) > 0, 0, ink).astype(np.uint8)
    elif len(outlines) <= 1:
        return ink
    marks, boxes = find_marks(ink)
    if len(boxes) == 0:
        return ink
    areas = boxes[:, cv2.CC_STAT_AREA]
    kept = ~_remnants(boxes, width, height)
    if areas[kept].sum() < _LEFT * areas.sum():
        kept[:] = True
    if specks:
        kept &= areas >= _SPECK * areas[kept].max()
    # what is faint goes where nothing near it stays
    near = cv2.dilate(np.concatenate([[False], kept])[marks].astype(np.uint8), _RIM)
    return np.asarray(cv2.copyTo(ink, near), np.uint8)


def above(ink: Grey, level: int) -> Grey:
    """Return 1 where `ink` is more than `level`, else 0."""
    return np.asarray(cv2.threshold(ink, level, 1, cv2.THRESH_BINARY)[1], np.uint8)


def find_marks(ink: Grey) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Find what is written in one piece.

    Args:
        ink: (H, W) uint8; a pixel counts as written from `HALF` on.

    Returns:
        The mark that each pixel belongs to, (H, W), 1 for the first and 0 for none; and (N, 5) with
        x, y, width, height and area of each mark, in pixels.
    """
    written = above(ink, HALF - 1)
    x, y, width, height = cv2.boundingRect(written)  # to look no further: labels are slow
    part = written[y : y + height, x : x + width]
    if not part.size:
        return np.zeros(ink.shape, np.int32), np.zeros((0, 5), np.int32)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    boxes = boxes[1:]
    boxes[:, : cv2.CC_STAT_WIDTH] += np.array([x, y], np.int32)
    margins = (y, ink.shape[0] - y - height, x, ink.shape[1] - x - width)
    whole = cv2.copyMakeBorder(labels, *margins, cv2.BORDER_CONSTANT)
    return np.asarray(whole, np.int32), np.asarray(boxes, np.int32)


def _remnants(boxes: NDArray[Any], width: int, height: int) -> NDArray[np.bool_]:
    """Tell which marks lie wholly in a narrow band along the border and touch it."""
    left, top = boxes[:, cv2.CC_STAT_LEFT], boxes[:, cv2.CC_STAT_TOP]
    right = left + boxes[:, cv2.CC_STAT_WIDTH]
    bottom = top + boxes[:, cv2.CC_STAT_HEIGHT]
    across, down = _REMNANT * width, _REMNANT * height
    flat: NDArray[np.bool_] = (
        ((left == 0) & (right <= across))
        | ((right == width) & (left >= width - across))
        | ((top == 0) & (bottom <= down))
        | ((bottom == height) & (top >= height - down))
    )
    return flat


def _ruled_lines(written: Grey) -> Grey:
    """Return the pixels of thin straight lines from one side to the other, less what crosses them."""
    found = _lines_across(written) | _lines_across(written.T.copy()).T
    rest = np.where(found > 0, 0, written).astype(np.uint8)
    outlines, _ = cv2.findContours(rest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max((max(cv2.boundingRect(outline)[2:]) for outline in outlines), default=0)
    if largest < _LEAST * max(written.shape):  # the lines were the writing: somebody's 1
        return np.zeros_like(written)
    return np.asarray(found, np.uint8)


def _lines_across(written: Grey) -> Grey:
    height, width = written.shape
    piece = max(_PIECE, width // 12)
    # a line that is a little slanted runs along a row for a while, then along the next
    runs = cv2.morphologyEx(written, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, piece), np.uint8))
    count, marks, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = np.zeros_like(written)
    for mark in range(1, count):
        left, top, length, tall = (int(value) for value in boxes[mark, : cv2.CC_STAT_AREA])
        if length < _SPAN * width:
            continue
        line = (marks[top : top + tall, left : left + length] == mark).astype(np.uint8)
        thickness = float(np.median(line.sum(axis=0)))
        if thickness > max(3.0, _THIN * height):
            continue
        first, last = max(0, top - 1), min(height, top + tall + 1)
        line = np.pad(line, ((top - first, last - top - tall), (0, 0)))
        line = np.asarray(cv2.dilate(line, np.ones((3, 1), np.uint8)))
        # where the ink is taller than the line, something crosses it
        crossing = math.ceil(1.6 * thickness) + 3
        above, below = max(0, first - crossing), min(height, last + crossing)
        around = written[above:below, left : left + length]
        crossed = cv2.morphologyEx(around, cv2.MORPH_OPEN, np.ones((crossing, 1), np.uint8))
        crossed = crossed[first - above : first - above + len(line)]
        found[first:last, left : left + length][(line > 0) & (crossed == 0)] = 1
    return found
