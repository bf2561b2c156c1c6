"""Lines that are no writing: ruled across the paper, boxes and combs of forms, drawn under a sum."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Grey

MAX_MARKS = 1_000  # of a page; more is a texture, not writing
SPAN = 0.9  # a ruled line reaches over that share of the picture
_THIN = 0.035  # and is at most that share of the picture thick
_PIECE = 12  # pixels at least that a line runs along one row; slanted ones run along several
_FAINT_SLACK = 5.0  # pixels by which a faint line may be blurred
_LEAST = 0.04  # longest side of what must be left beside ruled lines, as a share of the picture

# Of marks that are lines themselves; shares of the height that digits have there.
_PEN = 0.15  # thickness of their lines, at most
_WIDE = 2.2  # width from which a mark may hold a line; also of its own height: large digits have bars, too
_LONG = 1.8  # width from which a mark may be a line and nothing else; the bar of a 5 is shorter
_TALL = 5.0  # height from which a mark may be a line down the page; a large 1 is lower
_LEAN = 5.0  # height to width of what is a line or a 1, and tells nothing of the others' height
_FLAT = 0.5  # height of such a line, slanted, at most; lower rests of a comb go with it
_HELD = 0.25  # height of what a frame is drawn around, at least; a share of its cells' height
_DUST = 0.04  # height of what counts as drawn inside a mark; a share of the mark's
_SIDES = 0.8  # a frame's sides reach over that share of it, where digits stick out
_MOST = 20  # marks of a page that are looked into
_SLOPE = 0.15  # of a line, at most
_AT_END = 0.08  # distance of a side to the end of a line that it stands on, at most; a share of the line
# Of a line with digits on it: shares that are drawn and straight; by which it may wave, of its thickness.
_FULL, _STRAIGHT, _WAVE = 0.95, 0.7, 0.3
_STEP = 1.0  # pixels by which a straight line may seem to wave at least
_SMALLEST = 40  # pixels, longer side of such a mark
_FILLED = 0.85  # of its box, by the outline of a frame


@dataclass(frozen=True)
class _Line:
    """A thin line from left to right.

    Attributes:
        left, top: of its mask, in pixels of the picture.
        mask: (H, W) bool, a pixel more above and below than the line.
        thickness: in pixels.
    """

    left: int
    top: int
    mask: NDArray[np.bool_]
    thickness: float

    @property
    def area(self) -> tuple[slice, slice]:
        """The part of the picture where its mask lies."""
        height, width = self.mask.shape
        return np.s_[self.top : self.top + height, self.left : self.left + width]

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return self.top + len(self.mask) / 2

    def is_straight(self, written: Grey) -> bool:
        """Tell whether `written` is there all along the line, and as straight as a ruler draws."""
        ink = (written[self.area] > 0) & self.mask
        filled = np.flatnonzero(ink.any(axis=0))
        if len(filled) < _FULL * self.mask.shape[1]:
            return False
        middles = np.arange(len(ink)) @ ink[:, filled] / ink[:, filled].sum(axis=0)
        off = np.zeros(len(filled))
        for _ in range(2):  # the second time without what stands on the line
            near = off <= np.quantile(off, _STRAIGHT)
            off = np.abs(middles - np.polynomial.Polynomial.fit(filled[near], middles[near], 1)(filled))
        return float(np.quantile(off, _STRAIGHT)) <= max(_STEP, _WAVE * self.thickness)

    def without_crossings(self, written: Grey, *, slack: float = 1.0) -> NDArray[np.bool_]:
        """Return its mask less what crosses it: where `written` is a quarter and `slack` pixels taller."""
        reach = math.ceil(1.25 * self.thickness + slack)
        rows, columns = self.area
        first, last = max(0, rows.start - reach), min(len(written), rows.stop + reach)
        crossed = _opened(written[first:last, columns], (reach, 1))
        return np.asarray(self.mask & (crossed[rows.start - first : rows.stop - first] == 0))

    def draw_on(self, found: Grey, mask: NDArray[np.bool_]) -> None:
        """Set `found` (H, W) to 1 where `mask`, which lies as the line's own, does."""
        found[self.area][mask] = 1


@dataclass(frozen=True)
class _Rest:
    """Where on the page a connected part of a mark is, and which pixels there are its own."""

    area: tuple[slice, slice]
    mask: NDArray[np.bool_]


def ruled_lines(written: Grey) -> Grey:
    """Return the pixels of thin straight lines from one side to the other, less what crosses them."""
    found = _across(written) | _across(written.T.copy()).T
    rest = np.where(found > 0, 0, written).astype(np.uint8)
    outlines, _ = cv2.findContours(rest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max((max(cv2.boundingRect(outline)[2:]) for outline in outlines), default=0)
    if largest < _LEAST * max(written.shape):  # the lines were the writing: somebody's 1
        return np.zeros_like(written)
    return np.asarray(found, np.uint8)


def may_hold_lines(outline: NDArray[Any]) -> bool:
    """Tell whether what has this outline (P, 1, 2) may be a frame, or is wider than a digit."""
    _, _, width, height = cv2.boundingRect(outline)
    return width >= _WIDE * height or cv2.contourArea(outline) >= _FILLED * width * height


def drawn_lines(marks: NDArray[np.int32], boxes: NDArray[np.int32]) -> Grey | None:
    """Return the pixels of lines that are marks or parts of marks, and of what else is left of a comb.

    A frame has two sides each way, and something in it; any other line is too long for a digit's.

    Args:
        marks: (H, W), 1 for the pixels of the first mark.
        boxes: (N, 5), x, y, width, height and area of each.

    Returns:
        (H, W), 1 where such a line is, or None where there is none.
    """
    if not 0 < len(boxes) <= MAX_MARKS:
        return None
    widths, heights = boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]
    sizes = np.where(np.maximum(widths, heights) >= _SMALLEST, widths * heights, 0)
    largest = np.argsort(-sizes, kind="stable")[: min(_MOST, np.count_nonzero(sizes))].tolist()
    held = {place: _height_inside(boxes, place) for place in largest}
    holders = [place for place, height in held.items() if height >= _DUST * heights[place]]
    is_full = heights < _LEAN * widths
    is_full[holders] = False
    usual = usual_size(heights[is_full] if is_full.any() else heights)
    is_long = (widths >= _WIDE * np.maximum(usual, heights)) | (
        (widths >= _LONG * usual) & (heights <= _FLAT * usual)
    )
    is_tall = heights >= np.maximum(_TALL * usual, _WIDE * widths)
    found = np.zeros(marks.shape, np.uint8)
    ruled: list[int] = []
    rests: list[_Rest] = []
    for place in largest:
        if not (is_long[place] or is_tall[place] or place in holders):
            continue
        left, top, width, height = (int(value) for value in boxes[place, : cv2.CC_STAT_AREA])
        area = np.s_[top : top + height, left : left + width]
        own = (marks[area] == place + 1).astype(np.uint8)
        lines = _frame(own, held[place], usual) if place in holders else None
        if lines is None and is_long[place]:
            lines = _long_lines(own, usual)
        if lines is None and is_tall[place]:
            upright = _long_lines(own.T.copy(), usual)
            lines = None if upright is None else upright.T
        if lines is not None:
            found[area] |= lines
            ruled.append(place)
            parts = _rests(np.where(lines > 0, 0, own).astype(np.uint8), left, top)
            if all(_is_side(part, left, width, _PEN * usual) for part in parts):  # a frame, open somewhere
                found[area] |= own
            else:
                rests += parts
    left_over = np.array([*np.delete(heights, ruled), *(len(rest.mask) for rest in rests)])
    if not ruled or not len(left_over):  # or the lines were the writing
        return None
    lowest = _FLAT * usual_size(left_over)
    for rest in rests:
        if len(rest.mask) < lowest:
            found[rest.area][rest.mask] = 1
    return found


def usual_size(sizes: NDArray[Any]) -> float:
    """Return the size below which lies half of the sum of the sizes' squares."""
    ascending = np.sort(np.asarray(sizes, float))
    shares = np.cumsum(ascending**2) / np.sum(ascending**2)
    return float(ascending[int(np.searchsorted(shares, 0.5))])


def _height_inside(boxes: NDArray[np.int32], place: int) -> int:
    """Return the height of the highest mark within the box of another, 0 where there is none."""
    left, top, width, height = (boxes[:, column] for column in range(cv2.CC_STAT_AREA))
    x, y, across, down = boxes[place, : cv2.CC_STAT_AREA]
    is_inside = (left > x) & (top > y) & (left + width < x + across) & (top + height < y + down)
    return int(height[is_inside].max(initial=0))


def _frame(mark: Grey, held: int, usual: float) -> Grey | None:
    """Return the pixels of a frame's or a table's lines, in a mark (H, W) that is one; else None.

    Args:
        mark: 0 or 1.
        held: height of the highest mark in it.
        usual: height of digits on the page.
    """
    levels = _lines(mark, _SIDES, _PEN * usual)
    if len(levels) < 2:
        return None
    top, bottom = levels[0].top, levels[-1].top + len(levels[-1].mask)
    uprights = _lines(mark[top:bottom].T.copy(), _SIDES, _PEN * usual)
    if len(uprights) < 2 or held < _HELD * (bottom - top) / (len(levels) - 1):
        return None
    lines, level_ink, upright_ink = (np.zeros_like(mark) for _ in range(3))
    for line in levels:
        line.draw_on(level_ink, line.mask)
    for line in uprights:
        line.draw_on(upright_ink[top:bottom].T, line.mask)
    without_uprights, without_levels = (
        np.where(ink > 0, 0, mark).astype(np.uint8) for ink in (upright_ink, level_ink)
    )
    for line in levels:
        line.draw_on(lines, line.without_crossings(without_uprights))
    for line in uprights:
        line.draw_on(lines[top:bottom].T, line.without_crossings(without_levels[top:bottom].T.copy()))
    return lines


def _long_lines(mark: Grey, usual: float) -> Grey | None:
    """Return the pixels of lines that are too long for a digit's, in a mark (H, W), or None."""
    is_line = len(mark) <= _FLAT * usual  # else the feet of touching digits may look like one
    lines = np.zeros_like(mark)
    for line in _lines(mark, SPAN, _PEN * usual):
        if is_line or line.is_straight(mark):
            line.draw_on(lines, line.without_crossings(mark))
    return lines if lines.any() else None


def _rests(left_over: Grey, left: int, top: int) -> list[_Rest]:
    """Return what is left (H, W) of a mark at (`left`, `top`) without its lines, part by part."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(left_over, connectivity=8)
    rests = []
    for number, (x, y, width, height, _) in enumerate(boxes.tolist()[1:], start=1):
        mask = labels[y : y + height, x : x + width] == number
        rests.append(_Rest(np.s_[top + y : top + y + height, left + x : left + x + width], mask))
    return rests


def _is_side(part: _Rest, left: int, width: int, pen: float) -> bool:
    """Tell whether a part of a mark is a thin upright line at its left or right end, and no 1 in between."""
    down, across = part.mask.shape
    is_upright = across <= pen + _SLOPE * down and np.count_nonzero(part.mask) <= max(3.0, pen) * down
    place = (part.area[1].start + across / 2 - left) / width
    return bool(is_upright and min(place, 1 - place) <= _AT_END)


def _across(written: Grey) -> Grey:
    """Return the pixels of lines from the left to the right of a picture, less what crosses them."""
    found = np.zeros_like(written)
    for line in _lines(written, SPAN, _THIN * len(written)):
        line.draw_on(found, line.without_crossings(written, slack=_FAINT_SLACK))
    return found


def _lines(written: Grey, span: float, pen: float) -> list[_Line]:
    """Find thin lines, level or a little slanted, from top to bottom.

    Args:
        written: (H, W), 0 or 1.
        span: share of the width that they reach over, at least.
        pen: thickness, at most, in pixels; three always are thin enough.
    """
    height, width = written.shape
    piece = max(_PIECE, width // 12)
    # a line that is a little slanted runs along a row for a while, then along the next
    runs = _opened(written, (1, piece))
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, piece), np.uint8))
    count, marks, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for mark in range(1, count):
        left, top, length, tall = (int(value) for value in boxes[mark, : cv2.CC_STAT_AREA])
        if length < span * width or tall > pen + _SLOPE * length:
            continue
        line = (marks[top : top + tall, left : left + length] == mark).astype(np.uint8)
        thickness = float(np.median(line.sum(axis=0)))
        if thickness > max(3.0, pen):
            continue
        first, last = max(0, top - 1), min(height, top + tall + 1)
        line = np.pad(line, ((top - first, last - top - tall), (0, 0)))
        line = np.asarray(cv2.dilate(line, np.ones((3, 1), np.uint8)))
        found.append(_Line(left, first, line > 0, thickness))
    return sorted(found, key=lambda line: line.middle)


def _opened(written: Grey, shape: tuple[int, int]) -> Grey:
    """Return what of a picture (H, W) is at least so many pixels high and wide; beside it is paper."""
    brush = np.ones(shape, np.uint8)
    return np.asarray(
        cv2.morphologyEx(written, cv2.MORPH_OPEN, brush, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    )
