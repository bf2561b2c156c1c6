"""Pages: what on them may be a digit, made ready for the network, and read by what it says."""

from collections.abc import Iterator, Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.preprocessing.geometry import Box, Grey, within
from digitcli.preprocessing.mnist_form import WORKING_SIDE, Images, Pixels
from digitcli.preprocessing.mnist_form import digit_foreground as digit_ink
from digitcli.preprocessing.mnist_form import foreground_box as box
from digitcli.preprocessing.mnist_form import normalize as normalise
from digitcli.preprocessing.mnist_form import page_foreground as page_ink
from digitcli.recognition.rules.cuts import cut
from digitcli.recognition.rules.paths import Candidate, affects_reading, best_path, without_vain_cuts
from digitcli.recognition.rules.segmentation import FLAT, Line, Segment, find_lines, join, line_height
from digitcli.recognition.rules.separators import without_separators

MAX_SIDE = 16_384  # pixels of an image
MAX_PIECES = 13  # of a digit: a mark cut as often as it can be
MAX_CANDIDATES = 10_000  # of a page

# Costs are logarithms of probabilities; chosen on strings of digits of half of the development writers.
_GAP_COST = 6.0  # of joining pieces that are a line's height apart
_CUT_COST = 0.5  # of every cut through ink
_WIDE_COST, _USUAL_WIDTH = 1.0, 0.8  # per line's height by which a digit is wider than that share of it
_LOW_COST = 4.0  # of a digit with no height at all
_LOWEST = 0.45  # height of a digit to its line's, from which on it costs nothing
_NARROW, _WIDE = 0.6, 1.4  # width of a mark to its line's height: surely one digit, surely more
_SURE = 0.9  # confidence from which a mark of doubtful width is one digit
_WIDEST = 2.2  # width of a digit to its line's height


class Page:
    """A page's candidate digits, made ready for the network without it.

    Attributes:
        forms: (N, 28, 28) uint8 in MNIST form, one a candidate.
    """

    def __init__(
        self, lines: list[Line], scale: float, *, is_final: bool = False, heights: Sequence[float] = ()
    ) -> None:
        self._scale = scale
        self._is_final = is_final  # whether every mark is as small as it may become
        self._lines = lines
        self._heights = heights or [line_height(line) for line in lines]
        self._candidates: list[list[Candidate]] = []
        forms: list[Images] = []
        for line, height in zip(lines, self._heights, strict=True):
            self._candidates.append([])
            for candidate, ink in _candidates(line, height):
                if len(forms) == MAX_CANDIDATES:
                    break
                form = normalise(ink)
                if form is not None:
                    self._candidates[-1].append(candidate)
                    forms.append(form)
        self.forms: Images = np.stack(forms) if forms else np.zeros((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)

    def cut(
        self, probabilities: NDArray[np.float32], seen: NDArray[np.float32] | None = None
    ) -> "Page | None":
        """Return the page with its doubtful marks cut, or None where there is no doubt.

        Args:
            probabilities: (N, 10) for `forms`.
            seen: boxes (M, 4), in pixels of the original; only marks that have the middle of one are cut. All
                are by default.
        """
        if not self._may_be_cut or (seen is not None and not len(seen)):
            return None
        lines, is_cut = [], False
        for line, doubtful in zip(self._lines, self._doubtful(probabilities), strict=True):
            pieces: Line = []
            for mark, is_doubtful in zip(line, doubtful, strict=True):
                is_cut_up = is_doubtful and (seen is None or bool(within(seen, self._box(mark)).any()))
                pieces += cut(mark) if is_cut_up else [mark]
            pieces.sort(key=lambda piece: piece.middle)
            is_cut = is_cut or len(pieces) > len(line)
            lines.append(pieces)
        # pieces are lower than the digits that they are of
        return Page(lines, self._scale, is_final=True, heights=self._heights) if is_cut else None

    def doubtful(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the boxes (N, 4) of the marks that `cut` would cut, in pixels of the original.

        Args:
            probabilities: (N, 10) for `forms`.
        """
        boxes = [
            self._box(mark)
            for line, doubtful in zip(self._lines, self._doubtful(probabilities), strict=True)
            for mark, is_doubtful in zip(line, doubtful, strict=True)
            if is_doubtful and self._may_be_cut
        ]
        return np.concatenate(boxes) if boxes else np.empty((0, 4), np.float32)

    def _box(self, mark: Segment) -> NDArray[np.float32]:
        """Return the box (1, 4) of a mark in pixels of the original."""
        return np.array([_scaled((mark.x, mark.y, mark.width, mark.height), self._scale)], np.float32)

    @property
    def _may_be_cut(self) -> bool:
        return not self._is_final and len(self.forms) <= MAX_CANDIDATES // 4  # a fuller page has no writing

    def _doubtful(self, probabilities: NDArray[np.float32]) -> Iterator[list[bool]]:
        """Tell for each mark of each line whether it may be several digits that touch."""
        for (line, candidates, rows), height in zip(self._by_line(probabilities), self._heights, strict=True):
            sure = {
                candidate.first: float(row.max())
                for candidate, row in zip(candidates, rows, strict=True)
                if candidate.last == candidate.first + 1
            }
            yield [_is_doubtful(mark, height, sure.get(place, 0.0)) for place, mark in enumerate(line)]

    def affects_reading(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell for each of `forms` whether its ten probabilities matter for what is read.

        Args:
            probabilities: (N, 10) for `forms`.
        """
        lines = self._by_line(probabilities)
        return np.concatenate([affects_reading(*parts) for parts in lines] or [np.zeros(0, bool)])

    def read(self, probabilities: NDArray[np.float32]) -> list[list[tuple[Box, NDArray[np.float32], Images]]]:
        """Return the digits of each line as the network likes them best.

        Args:
            probabilities: (N, 10) for `forms`.

        Returns:
            Lines from top to bottom; in them, from left to right, each digit's box in pixels of the
            original, its ten probabilities, and its form (28, 28).
        """
        readings, first = [], 0
        for line, candidates, rows in self._by_line(probabilities):
            path = without_vain_cuts(best_path(candidates, rows), line, candidates, rows)
            readings.append(
                [
                    (_scaled(candidates[place].box, self._scale), rows[place], self.forms[first + place])
                    for place in path
                ]
            )
            first += len(candidates)
        return readings

    def _by_line(
        self, probabilities: NDArray[np.float32]
    ) -> Iterator[tuple[Line, list[Candidate], NDArray[np.float32]]]:
        """Give each line's pieces and candidates with the candidates' rows of (N, 10)."""
        ends = np.cumsum([len(candidates) for candidates in self._candidates])
        rows = np.split(probabilities, ends[:-1])
        return zip(self._lines, self._candidates, rows, strict=False)  # of no line there is one empty part


def prepare(image: Pixels, *, single: bool = False, scale: float = 1.0) -> Page:
    """Bring an image's candidate digits into MNIST form; needs no model, and may run in any thread.

    Args:
        image: as `preprocessing.to_mnist_form` takes it.
        single: take all that is written for one digit.
        scale: pixels of the original to one of `image`.
    """
    longer = max(image.shape[:2])
    if longer > WORKING_SIDE:
        size = [max(1, side * WORKING_SIDE // longer) for side in image.shape[1::-1]]
        image = cast("Pixels", cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        scale *= longer / WORKING_SIDE
    if not single:
        return Page(without_separators(find_lines(page_ink(image))), scale)
    ink = digit_ink(image, single=True)
    if (place := box(ink)) is None:
        return Page([], scale)
    x, y, width, height = place
    return Page([[Segment(x, y, ink[y : y + height, x : x + width])]], scale, is_final=True)


def _is_doubtful(mark: Segment, height: float, confidence: float) -> bool:
    """Tell whether a mark may be several digits that touch."""
    if mark.height < FLAT * height:
        return False
    breadth = mark.width / min(height, 1.5 * mark.height)
    return breadth > _NARROW and (confidence < _SURE or breadth > _WIDE)


def _scaled(place: Box, scale: float) -> Box:
    x, y, width, height = (round(value * scale) for value in place)
    return x, y, width, height


def _candidates(pieces: Line, height: float) -> Iterator[tuple[Candidate, Grey]]:
    """Give every way of joining neighbouring pieces that may be a digit, with its ink."""
    for first in range(len(pieces)):
        for last in range(first + 1, min(first + MAX_PIECES, len(pieces)) + 1):
            joined = join(pieces[first:last])
            if last > first + 1 and joined.width > _WIDEST * height:
                break
            place = (joined.x, joined.y, joined.width, joined.height)
            marks = 1 + sum(not piece.is_cut_off for piece in pieces[first + 1 : last])
            yield Candidate(first, last, place, _cost(pieces[first:last], joined, height), marks), joined.ink


def _cost(pieces: Line, joined: Segment, height: float) -> float:
    gaps, reach = 0.0, pieces[0].x + pieces[0].width
    for piece in pieces[1:]:
        gaps += max(0, piece.x - reach)
        reach = max(reach, piece.x + piece.width)
    low = max(0.0, _LOWEST - joined.height / height) / _LOWEST
    wide = max(0.0, joined.width / height - _USUAL_WIDTH)  # else one mark that is none beats four digits
    cut = _CUT_COST * pieces[0].is_cut_off
    return cut + _GAP_COST * gaps / height + _LOW_COST * low + _WIDE_COST * wide
