"""What is ink but no writing: ruled lines and grids, remnants at the border, specks."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Grey
from digitcli.preprocessing.rulings import SPAN, drawn_lines, may_hold_lines, ruled_lines

HALF = 128  # ink from which a pixel counts as written
_FAINT = 51  # ink from which it counts as something

_REMNANT = 0.06  # depth of a remnant at the border, as a share of the picture
_LEFT = 0.12  # share of the ink that must be left, else what looked like a remnant was the writing
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
    if any(across >= SPAN * width or down >= SPAN * height for across, down in sizes):
        ink = np.where(ruled_lines(faint) > 0, 0, ink).astype(np.uint8)
    elif len(outlines) <= 1 and not any(may_hold_lines(outline) for outline in outlines):
        return ink
    marks, boxes = find_marks(ink)
    if (lines := drawn_lines(marks, boxes)) is not None:
        ink = np.where(lines > 0, 0, ink).astype(np.uint8)
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
