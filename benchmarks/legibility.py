"""Which drawings of digits nobody misreads: those with the loops and the gaps of printed digits.

The rules look at shapes alone and ask no reader, so that no page favours the reader that is measured on it.
"""

import cv2
import numpy as np

HEIGHT = 48  # pixels of a digit that is looked at
LOOPS = {0: 1, 1: 0, 3: 0, 5: 0, 6: 1, 7: 0, 8: 2, 9: 1}
SMALLEST = 0.01  # loop, in squares of the digit's height
SMALLEST_OF_ZERO = 0.08
SPREAD = 0.02  # by how much a pen of whole pixels and a camera widen strokes, in heights
HAIR = 0.03  # pen that fills no loop
GAP = 0.1  # between the arm and the upright of an open 4
OPENING = 0.12  # how much of the height shows that gap
WAIST = 0.135  # how far the waist of a 3 goes in from the right

Strokes = list[np.ndarray]  # (P, 2) x, y in heights of the digit, from (0, 0)


def is_clear(strokes: Strokes, label: int, pen: float) -> bool:
    """Whether nobody misreads the digit when it is drawn with a pen of this width."""
    ink = _ink(strokes, pen + SPREAD)
    parts, loops = _parts_and_loops(ink, SMALLEST)
    if label == 4:
        if parts > 1 or loops != _parts_and_loops(_ink(strokes, HAIR), SMALLEST / 3)[1]:
            return False
        return loops > 0 or _opening(ink) > OPENING
    if label == 0 and _parts_and_loops(ink, SMALLEST_OF_ZERO)[1] != 1:
        return False
    if label == 3 and _waist(ink) < WAIST:
        return False
    return label not in LOOPS or loops == LOOPS[label]


def _ink(strokes: Strokes, pen: float) -> np.ndarray:
    """Return (H, W) uint8, 0 or 255."""
    canvas = np.zeros((HEIGHT + 16, 2 * HEIGHT), np.uint8)
    lines = [np.rint((stroke * HEIGHT + 8) * 16).astype(np.int32) for stroke in strokes]
    cv2.polylines(canvas, lines, False, 255, max(1, round(pen * HEIGHT)), cv2.LINE_AA, 4)
    return cv2.threshold(canvas, 127, 255, cv2.THRESH_BINARY)[1]


def _parts_and_loops(ink: np.ndarray, smallest: float) -> tuple[int, int]:
    contours, tree = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    inner = [contour for contour, links in zip(contours, tree[0], strict=True) if links[3] >= 0]
    return len(contours) - len(inner), sum(cv2.contourArea(loop) > smallest * HEIGHT**2 for loop in inner)


def _opening(ink: np.ndarray) -> float:
    """Return over how much of the height paper shows between the arm and the upright of a 4, in heights."""
    rows = (np.flatnonzero(row) for row in ink)
    return sum(bool(np.diff(row).max(initial=0) > GAP * HEIGHT) for row in rows) / HEIGHT


def _waist(ink: np.ndarray) -> float:
    """Return how deep the deepest dent from the right is in the middle of the height, in heights."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)
    defects = cv2.convexityDefects(contour, cv2.convexHull(contour, returnPoints=False))
    depths = [0.0]
    for first, last, far, depth in [] if defects is None else defects.reshape(-1, 4):
        (x0, y0), (x1, y1), (x, y) = (contour[place].reshape(2) for place in (first, last, far))
        is_from_right = x < np.interp(y, *zip(*sorted([(y0, x0), (y1, x1)]), strict=True))
        if is_from_right and 0.25 < (y - 8) / HEIGHT < 0.75:
            depths.append(depth / 256 / HEIGHT)
    return max(depths)
