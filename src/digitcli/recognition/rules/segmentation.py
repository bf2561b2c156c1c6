"""From a page's ink to its marks, the connected parts of it, gathered into lines."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.cleaning import find_marks
from digitcli.preprocessing.geometry import Grey
from digitcli.preprocessing.rulings import MAX_MARKS, usual_size

_MOST_COVERED = 4.0  # of the page's area, by the boxes of all marks; more is a texture as well
_LEAST_AREA = 3  # pixels of a mark
_MOST_FRAMES = 20  # of a page
_MIDDLE, _EMPTY = 0.6, 0.01  # share of a frame's sides that is its middle; share of that with its ink
_INSIDE = 0.12  # size of what is framed, at least, as a share of the frame's lower side
_LINE_OVERLAP = 0.35  # of two marks' heights, as a share of the lower one's, by which they share a line
_SMALL = 0.4  # of a line's height; lower and narrower marks do not found lines
FLAT = 0.3  # height of a bar, and its distance to the digit, at most; shares of the digit's height
_LONGEST_BAR = 1.2  # width of such a bar, at most
_BESIDE = 1.5  # distance to a mark, as a share of its size, within which another is beside it
_STACKED = 0.6  # of the narrower of two halves, that lies over or under the other
_HALF_SIZE = 0.25  # of a digit's height, a half of it at least; smaller ones are dust
_CRACK, _APART = 0.05, 0.15  # of a digit's height, between its halves: always; beside one as high as both
_BOTH = 0.7  # of each half's height, beside which another mark stands
_TALL = 1.5  # height of a digit to that of the others, at most
_DUST = 0.1  # of the usual size of a mark, large ones counting for more
_SPECK = 0.16  # of a line's height; what is lower and narrower is dust


@dataclass(frozen=True)
class Segment:
    """A part of the ink that belongs to one digit as a whole.

    Attributes:
        x, y: of its left upper corner on the page, in pixels.
        ink: (H, W) uint8; other pieces' ink in the box is wiped out.
        is_cut_off: whether it was one mark with the piece before it.
    """

    x: int
    y: int
    ink: Grey
    is_cut_off: bool = False

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.ink.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.ink.shape[0])

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


Line = list[Segment]  # from left to right


def join(pieces: Line) -> Segment:
    """Put pieces together into one."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = min(piece.x for piece in pieces), min(piece.y for piece in pieces)
    right = max(piece.x + piece.width for piece in pieces)
    bottom = max(piece.y + piece.height for piece in pieces)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for piece in pieces:
        y, x = piece.y - top, piece.x - left
        part = ink[y : y + piece.height, x : x + piece.width]
        np.maximum(part, piece.ink, out=part)
    return Segment(left, top, ink)


def find_lines(ink: Grey) -> list[Line]:
    """Return the marks of a page (H, W) uint8, line by line from top to bottom, uncut."""
    marks = _mended(_marks(ink))
    lines = _group(marks)
    kept = []
    for line in lines:
        height = line_height(line)
        digits = [mark for mark in line if max(mark.width, mark.height) >= _SPECK * height]
        kept.append(sorted(digits, key=lambda mark: mark.middle))
    return kept


def line_height(line: Line) -> float:
    """Return the height of a line's digits, in pixels: large marks count for more than small ones."""
    if len(line) == 1:
        return float(line[0].height)
    return usual_size(np.array([mark.height for mark in line], float))


def _marks(ink: Grey) -> list[Segment]:
    """Return the connected parts of the ink, each with its faint rim; none where they are a texture."""
    labels, boxes = find_marks(ink)
    height, width = ink.shape
    sizes = boxes[:, cv2.CC_STAT_WIDTH].astype(float) * boxes[:, cv2.CC_STAT_HEIGHT]
    kept = np.flatnonzero(~_frames(labels, boxes) & (boxes[:, cv2.CC_STAT_AREA] >= _LEAST_AREA))
    if len(kept) > MAX_MARKS or sizes[kept].sum() > _MOST_COVERED * ink.size:
        return []
    marks = []
    for place in kept:
        left, top, across, down, _ = (int(value) for value in boxes[place])
        right, bottom = min(width, left + across + 1), min(height, top + down + 1)
        left, top = max(0, left - 1), max(0, top - 1)
        own = labels[top:bottom, left:right]
        part = ink[top:bottom, left:right]
        stranger = (own != place + 1) & (own != 0)
        marks.append(Segment(left, top, np.where(stranger, 0, part).astype(np.uint8)))
    return marks


def _mended(marks: list[Segment]) -> list[Segment]:
    """Join what lies one over the other with hardly a gap: a digit that is broken, not two lines."""
    marks, boxes, place = list(marks), _boxes(marks), 0
    while place < len(marks):
        half = _half(place, boxes)
        if half is None:
            place += 1
        else:
            marks[place] = join([marks[place], marks.pop(half)])
            boxes = np.delete(boxes, half, axis=0)
            boxes[place] = _boxes([marks[place]])
    return marks


def _boxes(marks: list[Segment]) -> NDArray[np.float64]:
    """Return left, top, right and bottom (N, 4) of each mark."""
    boxes = [(m.x, m.y, m.x + m.width, m.y + m.height) for m in marks]
    return np.array(boxes, float).reshape(-1, 4)


def _half(place: int, boxes: NDArray[np.float64]) -> int | None:
    """Return which of the boxes (N, 4) after `place` holds the other half of its digit, if any."""
    left, top, right, bottom = boxes.T
    own = boxes[place]
    widths, heights = right - left, bottom - top
    shared = np.minimum(right, own[2]) - np.maximum(left, own[0])
    width = np.maximum(right, own[2]) - np.minimum(left, own[0])
    height = np.maximum(bottom, own[3]) - np.minimum(top, own[1])
    gap = height - heights - heights[place]  # negative where they overlap
    sizes = np.maximum(widths, heights)
    fits = (
        (shared >= _STACKED * np.minimum(widths, widths[place]))
        & (gap <= _APART * height)
        & (np.minimum(sizes, sizes[place]) >= _HALF_SIZE * height)
        & (width <= _LONGEST_BAR * height)
    )
    for half in np.flatnonzero(fits[place + 1 :]) + place + 1:
        others = np.delete(boxes, np.array([place, half]), axis=0)
        if gap[half] <= _CRACK * height[half]:
            is_one = not len(others) or height[half] <= _TALL * usual_size(others[:, 3] - others[:, 1])
        else:
            level = np.minimum(_overlaps(others, own), _overlaps(others, boxes[half])) >= _BOTH
            is_one = bool((level & (_distances(own, others) < height[half])).any())
        if is_one:
            return int(half)
    return None


def _overlaps(boxes: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of their height boxes (N, 4) share with one (4,), of the lower one's."""
    shared = np.minimum(boxes[:, 3], one[3]) - np.maximum(boxes[:, 1], one[1])
    return np.asarray(shared / np.minimum(boxes[:, 3] - boxes[:, 1], one[3] - one[1]))


def _frames(labels: NDArray[Any], boxes: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which marks are drawn around others, or are the desk around the paper: empty in the middle.

    Args:
        labels: (H, W), 1 for the pixels of the first mark.
        boxes: (N, 5), x, y, width, height and area of each mark.
    """
    if len(boxes) < 3:  # it takes two to be framed
        return np.zeros(len(boxes), bool)
    left, top, width, height = boxes[:, :4].T.astype(float)
    x, y = left + width / 2, top + height / 2
    frames = np.zeros(len(boxes), bool)
    for place in np.argsort(-width * height)[:_MOST_FRAMES]:
        inside = (np.abs(x - x[place]) < width[place] / 2) & (np.abs(y - y[place]) < height[place] / 2)
        inside[place] = False
        if width[place] < labels.shape[1] or height[place] < labels.shape[0]:
            # dust inside a 0 does not make it a frame
            inside &= np.maximum(width, height) >= _INSIDE * min(width[place], height[place])
        if np.count_nonzero(inside & ~frames) < 2:
            continue
        across, down = int(_MIDDLE * width[place] / 2), int(_MIDDLE * height[place] / 2)
        row, column = int(y[place]), int(x[place])
        middle = labels[row - down : row + down + 1, column - across : column + across + 1]
        frames[place] = float((middle == place + 1).mean()) < _EMPTY
    return frames


def _group(marks: list[Segment]) -> list[Line]:
    """Gather marks into lines, from top to bottom; small marks join the line that is nearest."""
    if len(marks) <= 1:
        return [marks] if marks else []
    boxes = _boxes(marks)
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    sizes = np.maximum(widths, heights)
    # what is as high as digits but wider is several that touch, and no larger than one beside it
    are_several = (heights >= _SMALL * usual_size(heights)) & (widths > _LONGEST_BAR * heights)
    sizes = np.where(are_several, _LONGEST_BAR * heights, sizes)
    usual = usual_size(sizes)
    small = np.array([_is_small(place, boxes, sizes, usual) for place in range(len(marks))])
    small[int(sizes.argmax())] = False  # what all others are small beside
    lines: list[Line] = []
    ends: list[int] = []  # of the lines, their last marks
    for place in np.flatnonzero(~small)[np.argsort(boxes[~small, 0], kind="stable")]:
        shares = _overlaps(boxes[np.array(ends, int)], boxes[place])
        if shares.max(initial=0.0) >= _LINE_OVERLAP:
            best = int(shares.argmax())
            lines[best].append(marks[place])
            ends[best] = int(place)
        else:
            lines.append([marks[place]])
            ends.append(int(place))
    lines = _merged(lines)
    line_of = {id(mark): line for line in lines for mark in line}
    large = np.flatnonzero(~small)
    for place in np.flatnonzero(small):
        distances = _distances(boxes[place], boxes[large])
        nearest = int(distances.argmin())
        if distances[nearest] < sizes[large[nearest]] / 2:
            line_of[id(marks[large[nearest]])].append(marks[place])
    return sorted(lines, key=lambda line: float(np.mean([mark.y + mark.height / 2 for mark in line])))


def _is_small(place: int, boxes: NDArray[np.float64], sizes: NDArray[np.float64], usual: float) -> bool:
    """Tell whether a mark is much smaller than one beside it in the same line, a bar, or mere dust."""
    left, top, right, bottom = boxes[place]
    heights = boxes[:, 3] - boxes[:, 1]
    over = (boxes[:, 0] < right) & (boxes[:, 2] > left) & (bottom <= boxes[:, 1] + FLAT * heights)
    flat = (bottom - top < FLAT * heights) & (right - left < _LONGEST_BAR * heights)
    if (over & flat & (_distances(boxes[place], boxes) < FLAT * heights)).any():  # the bar of a 5
        return True
    near = _distances(boxes[place], boxes) < _BESIDE * sizes
    level = (boxes[:, 1] < bottom + sizes / 4) & (boxes[:, 3] > top - sizes / 4)
    largest = float(sizes[near & level].max())  # at least its own
    return bool(sizes[place] < max(_SMALL * largest, _DUST * usual))


def _distances(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixels between one box (4,) and others (N, 4); 0 where they overlap."""
    across = np.maximum(np.maximum(others[:, 0] - one[2], one[0] - others[:, 2]), 0)
    down = np.maximum(np.maximum(others[:, 1] - one[3], one[1] - others[:, 3]), 0)
    return np.asarray(np.hypot(across, down))


def _merged(lines: list[Line]) -> list[Line]:
    """Join lines that are one, as when its first mark is low and its second high."""
    merged: list[Line] = []
    for line in sorted(lines, key=len, reverse=True):
        top, bottom = _extent(line)
        for other in merged:
            other_top, other_bottom = _extent(other)
            shared = min(bottom, other_bottom) - max(top, other_top)
            if shared >= 0.6 * min(bottom - top, other_bottom - other_top):
                other.extend(line)
                other.sort(key=lambda m: m.x)
                break
        else:
            merged.append(line)
    return merged


def _extent(line: Line) -> tuple[float, float]:
    return (
        float(np.median([mark.y for mark in line])),
        float(np.median([mark.y + mark.height for mark in line])),
    )
