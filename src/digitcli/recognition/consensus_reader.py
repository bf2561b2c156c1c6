"""Pages that rules and a detector read, each by itself, and whose reading stands: see `consensus`.

Imported where a detector reads along; single digits and drawings need none of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from digitcli.models.classifier import Floats, Probabilities
from digitcli.preprocessing.foreground import has_flat_paper
from digitcli.preprocessing.geometry import Box, within
from digitcli.preprocessing.mnist_form import Images, Pixels
from digitcli.recognition.consensus import CONSENSUS, as_seen, consensus, standing
from digitcli.recognition.lines import in_lines
from digitcli.recognition.page_reader import (
    FoundPage,
    PageDigit,
    PageReader,
    PageReading,
    PageSymbol,
    symbols_beside,
)
from digitcli.recognition.reading import Digit, Reading, Symbol
from digitcli.recognition.rules.pages import Page

# what rules read of a page, given the probabilities (N, 10) of its forms, and boxes (M, 4): of the marks that
# may be several digits, they cut those that have the middle of one
RulesReader: TypeAlias = Callable[[Page, Probabilities, Floats], Reading]
_NONE = np.empty((0, 4), np.float32)


@dataclass(frozen=True, eq=False)
class BothPages:
    """A page as rules and as a detector see it, ready to be classified.

    Attributes:
        reader: that reads it on.
        by_rules, found: the page.
        is_flat: whether its paper has one colour.
        forms: (N, 28, 28) uint8, the candidates of the rules, then those of the detector.
    """

    reader: "ConsensusReader"
    by_rules: Page
    found: FoundPage
    is_flat: bool
    forms: Images


class ConsensusReader:
    """Reads pages with a detector beside the rules; several threads may share it."""

    def __init__(self, pages: PageReader) -> None:
        """Take what reads with the detector."""
        self._pages = pages

    def find(self, image: Pixels, by_rules: Page, scale: float) -> BothPages:
        """Find what may be digits; any thread may.

        Args:
            image: as `Recognizer.read` takes it.
            by_rules: what the rules have found in it.
            scale: pixels of the original to one of the image.
        """
        found = self._pages.find(image, scale)
        forms = np.concatenate([by_rules.forms, found.forms])
        return BothPages(self, by_rules, found, has_flat_paper(image), forms)

    def reading(self, page: BothPages, probabilities: Probabilities, read: RulesReader) -> Reading:
        """Return the reading that stands.

        Args:
            page: as `find` returns it.
            probabilities: (N, 10) for its `forms`.
            read: what rules read of their part of the page.
        """
        found, candidates = page.found, page.found.candidates
        count = len(page.by_rules.forms)
        by_detector = self._pages.decide(found, probabilities[count:])
        boxes_found = _boxes(by_detector.digits)
        if found.turn or not _may_agree(page, probabilities[:count], boxes_found, read):
            return _detector_reading(by_detector, found.size)
        by_rules = read(page.by_rules, probabilities[:count], candidates)
        digits = [digit for digit in by_rules.digits if digit.digit is not None]
        boxes = _boxes(digits)
        agreed = consensus(_sure(digits), boxes, candidates, boxes_found, is_flat=page.is_flat)
        if agreed < CONSENSUS.least:
            return _detector_reading(by_detector, found.size)
        stands = standing(boxes, candidates)
        others = [digit for digit in by_rules.digits if digit.digit is None]
        others += [replace(digits[place], digit=None, line=None) for place in np.flatnonzero(~stands)]
        digits, boxes = [digits[place] for place in np.flatnonzero(stands)], boxes[stands]
        lines = in_lines(boxes)
        symbols = symbols_beside(found, as_seen(boxes, candidates), lines)
        in_order = [
            replace(digits[place], line=number) for number, line in enumerate(lines) for place in line
        ]
        return _reading(in_order, others, symbols, found.size)


def _may_agree(page: BothPages, probabilities: Probabilities, found: Floats, read: RulesReader) -> bool:
    """Tell whether the rules' reading may stand once the marks that may be several digits are cut.

    Cutting costs more than all else on a page that is full of them. At best it finds what the detector takes
    for a possible digit there, and is sure of it.
    """
    doubtful = page.by_rules.doubtful(probabilities)
    if not len(doubtful):
        return True
    digits = [each for each in read(page.by_rules, probabilities, _NONE).digits if each.digit is not None]
    kept = [digits[place] for place in np.flatnonzero(~within(_boxes(digits), doubtful))]
    candidates = page.found.candidates
    at_best = candidates[within(candidates, doubtful)]
    sure = np.concatenate([_sure(kept), np.ones(len(at_best), np.float32)])
    boxes = np.concatenate([_boxes(kept), at_best])
    return consensus(sure, boxes, candidates, found, is_flat=page.is_flat) >= CONSENSUS.least


def _sure(digits: Sequence[Digit]) -> Floats:
    return np.array([digit.confidence for digit in digits], np.float32)


def _boxes(digits: Sequence[Digit] | Sequence[PageDigit]) -> Floats:
    return np.array([digit.box for digit in digits], np.float32).reshape(-1, 4)


def _detector_reading(found: PageReading, size: tuple[int, int]) -> Reading:
    def told(mark: PageDigit, line: int | None) -> Digit:
        return Digit.of(_whole(mark.box, size), mark.probabilities, mark.form, line)

    digits = [told(each, each.line) for each in found.digits]
    return _reading(digits, [told(each, None) for each in found.others], found.symbols, size)


def _reading(
    digits: Sequence[Digit],
    others: Sequence[Digit],
    symbols: Sequence[PageSymbol],
    size: tuple[int, int],
) -> Reading:
    """Return a reading of digits in order, marks that are none, and signs; `size` is height and width."""
    texts = [""] * (1 + max((digit.line or 0 for digit in digits), default=-1))
    for digit in digits:
        texts[digit.line or 0] += str(digit.digit)
    told = (
        Symbol(each.symbol, each.probability, _whole(each.box, size), each.line, each.place)
        for each in symbols
    )
    return Reading("\n".join(texts), (*digits, *others), tuple(told))


def _whole(box: Floats, size: tuple[int, int]) -> Box:
    """Return a box in whole pixels, as far as it is on a page of a height and width."""
    x, y, width, height = (float(value) for value in box)
    left, top = (min(max(round(at), 0), side - 1) for at, side in ((x, size[1]), (y, size[0])))
    right, below = (
        min(max(round(x + width), left + 1), size[1]),
        min(max(round(y + height), top + 1), size[0]),
    )
    return left, top, right - left, below - top
