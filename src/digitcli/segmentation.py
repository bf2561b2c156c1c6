"""From a page's ink to lines, and from lines to the smallest pieces that may belong to a digit.

Handwritten digits touch and fall apart. So nothing is decided here: marks are cut wherever a cut is
cheap, and `numbers.py` asks the network which pieces belong together (over-segmentation; Casey and
Lecolinet, "A survey of methods and strategies in character segmentation", 1996).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.cleaning import HALF
from digitcli.ink import Grey

MAX_MARKS = 2_000  # of a page; more is a texture, not writing
_LINE_OVERLAP = 0.35  # of two marks' heights, as a share of the lower one's, by which they share a line
_SMALL = 0.4  # of a line's height; lower and narrower marks do not found lines
_SPECK = 0.16  # of a line's height; what is lower and narrower is dust
_CUT_HEIGHT = 40  # pixels, to which a mark is reduced in the search for cuts
_CUT_DISTANCE = 0.18  # of the height, at least between two cuts and between a cut and the mark's ends
_CUT_LENGTH = 0.45  # of the height; cuts through more ink than that are not made
_MAX_CUTS = 8  # of a mark
_SLANT_COST = 0.05  # of a step aside, in pixels of ink


@dataclass(frozen=True)
class Piece:
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


Line = list[Piece]  # from left to right


def join(pieces: Line) -> Piece:
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
    return Piece(left, top, ink)


def find_lines(ink: Grey) -> list[Line]:
    """Return the marks of a page (H, W) uint8, line by line from top to bottom, uncut."""
    marks = _marks(ink)
    lines = _group(marks)
    kept = []
    for line in lines:
        height = line_height(line)
        digits = [mark for mark in line if max(mark.width, mark.height) >= _SPECK * height]
        kept.append(sorted(digits, key=lambda mark: mark.middle))
    return kept


def line_height(line: Line) -> float:
    """Return the height of a line's digits, in pixels: large marks count for more than small ones."""
    heights = np.sort([mark.height for mark in line])
    shares = np.cumsum(heights**2) / np.sum(heights**2)
    return float(heights[int(np.searchsorted(shares, 0.5))])


def _marks(ink: Grey) -> list[Piece]:
    """Return the connected parts of the ink, each with its faint rim."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((ink >= HALF).astype(np.uint8), connectivity=8)
    order = np.argsort(-boxes[1:, cv2.CC_STAT_AREA])[:MAX_MARKS] + 1
    height, width = ink.shape
    marks = []
    for number in order if count > 1 else []:
        left, top = int(boxes[number, cv2.CC_STAT_LEFT]) - 1, int(boxes[number, cv2.CC_STAT_TOP]) - 1
        right = left + int(boxes[number, cv2.CC_STAT_WIDTH]) + 2
        bottom = top + int(boxes[number, cv2.CC_STAT_HEIGHT]) + 2
        left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
        own = labels[top:bottom, left:right]
        part = ink[top:bottom, left:right]
        stranger = (own != number) & (own != 0)
        marks.append(Piece(left, top, np.where(stranger, 0, part).astype(np.uint8)))
    return marks


def _group(marks: list[Piece]) -> list[Line]:
    """Gather marks into lines, from top to bottom; small marks join the line that is nearest."""
    if not marks:
        return []
    usual = line_height(marks)
    large = [m for m in marks if max(m.height, m.width) >= _SMALL * usual]
    small = [m for m in marks if max(m.height, m.width) < _SMALL * usual]
    lines: list[Line] = []
    for mark in sorted(large, key=lambda m: m.x):
        best = max(lines, key=lambda line: _overlap(line[-1], mark), default=None)
        if best is not None and _overlap(best[-1], mark) >= _LINE_OVERLAP:
            best.append(mark)
        else:
            lines.append([mark])
    lines = _merged(lines)
    for mark in small:
        nearest = min(lines, key=lambda line: min(_distance(other, mark) for other in line))
        if min(_distance(other, mark) for other in nearest) < usual / 2:
            nearest.append(mark)
    return sorted(lines, key=lambda line: float(np.mean([mark.y + mark.height / 2 for mark in line])))


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


def _overlap(one: Piece, other: Piece) -> float:
    shared = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return shared / min(one.height, other.height)


def _distance(one: Piece, other: Piece) -> float:
    """Pixels between two boxes."""
    across = max(0, one.x - other.x - other.width, other.x - one.x - one.width)
    down = max(0, one.y - other.y - other.height, other.y - one.y - one.height)
    return float(np.hypot(across, down))


def cut(mark: Piece) -> Line:
    """Cut a mark along the paths from top to bottom that cross the least ink."""
    scale = min(1.0, _CUT_HEIGHT / mark.height)
    size = (max(2, round(mark.width * scale)), max(2, round(mark.height * scale)))
    small = np.asarray(cv2.resize(mark.ink, size, interpolation=cv2.INTER_AREA), np.float32)
    small /= np.float32(255)
    down, back_down = _paths(small)
    up, back_up = _paths(small[::-1])
    middle = len(small) // 2
    # the cheapest path through each column of the middle row
    cost = down[middle] + up[len(small) - 1 - middle] - small[middle]
    places = _minima(cost, len(small))
    pieces: Line = []
    rest = mark.ink
    columns = np.arange(mark.width)[np.newaxis]
    for place in places:
        path = np.concatenate([_follow(back_down, middle, place)[::-1],
                               _follow(back_up, len(small) - 1 - middle, place)[1:]])  # fmt: skip
        rows = np.minimum((np.arange(mark.height) + 0.5) * len(path) / mark.height, len(path) - 1).astype(int)
        edge = ((path[rows] + 0.5) / scale)[:, np.newaxis]
        pieces.append(_trimmed(mark, np.where(columns <= edge, rest, 0)))
        rest = np.where(columns <= edge, 0, rest)
    pieces.append(_trimmed(mark, rest))
    pieces = [piece for piece in pieces if piece.ink.size]
    return [pieces[0], *(replace(piece, is_cut_off=True) for piece in pieces[1:])]


def _paths(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the cost of the cheapest path from the top to every pixel, and where it came from."""
    cost, back = ink.copy(), np.zeros(ink.shape, np.int8)
    for row in range(1, len(ink)):
        before = np.pad(cost[row - 1], 1, constant_values=np.inf)
        ways = np.stack([before[1:-1], before[:-2] + _SLANT_COST, before[2:] + _SLANT_COST])
        choice = ways.argmin(axis=0)
        cost[row] += ways[choice, np.arange(ink.shape[1])]
        back[row] = np.array([0, -1, 1])[choice]
    return cost, back


def _follow(back: NDArray[np.int8], row: int, column: int) -> NDArray[np.intp]:
    """Return the columns of the path from (row, column) to the top, beginning at the bottom."""
    path = [column]
    for above in range(row, 0, -1):
        column += int(back[above, column])
        path.append(column)
    return np.array(path)


def _minima(cost: NDArray[np.float32], height: int) -> list[int]:
    """Return the columns at which a cut is cheaper than around, from left to right."""
    distance = max(2, round(_CUT_DISTANCE * height))
    allowed = [
        column
        for column in np.argsort(cost, kind="stable")
        if cost[column] <= _CUT_LENGTH * height and distance <= column < len(cost) - distance
    ]
    chosen: list[int] = []
    for column in allowed:
        if all(abs(column - other) >= distance for other in chosen):
            chosen.append(int(column))
        if len(chosen) == _MAX_CUTS:
            break
    return sorted(chosen)


def _trimmed(mark: Piece, ink: NDArray[np.uint8]) -> Piece:
    x, y, width, height = cv2.boundingRect((ink >= HALF).astype(np.uint8))
    return Piece(mark.x + x, mark.y + y, ink[y : y + height, x : x + width])
