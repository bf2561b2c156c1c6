"""Reads pages with a detector and a classifier: views, marks, forms, digits, lines.

The detector finds marks and tells how likely each is a digit; each likely one is cut out with the detector's
foreground and brought into MNIST form; the classifier reads the form. What the detector takes a digit for
counts as well where the pretrained classifier reads, since the two were fitted to each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.config.marks import SYMBOLS
from digitcli.config.mnist import IMAGE_SIZE
from digitcli.models.classifier import Classifier, Floats, Probabilities
from digitcli.models.detector import Detector
from digitcli.preprocessing.foreground import opaque
from digitcli.preprocessing.mnist_form import Images, Pixels
from digitcli.recognition import tta
from digitcli.recognition.detections import Detections, shared_areas
from digitcli.recognition.finder import View, look
from digitcli.recognition.forms import cut_out
from digitcli.recognition.lines import in_lines
from digitcli.recognition.marks import Marks, gather
from digitcli.recognition.orientation import quarter_turns
from digitcli.recognition.scoring import Scoring, load_scoring
from digitcli.recognition.signs import distinct, placed


@dataclass(frozen=True)
class PageReaderParameters:
    """Which marks are read; probabilities, 0..1, chosen on generated validation pages.

    Attributes:
        candidate: of being a digit, from which a mark is looked at more closely.
        neighbour: from which it takes ink from the marks beside it.
        digit: from which it is read.
        sign: of being a sign, from which a mark is told as one.
        covered: share of a box that a digit's covers, from which it shows nothing else.
        most: candidates of a page; the likeliest count.
        turned_other: from which another mark speaks for a page's being upright.
        turned_power: by which the probability of the likeliest digit counts.
    """

    candidate: float = 0.05
    neighbour: float = 0.4
    digit: float = 0.5
    sign: float = 0.4
    covered: float = 0.4
    most: int = 2_000
    turned_other: float = 0.3
    turned_power: float = 4.0


PAGE_READER = PageReaderParameters()


@dataclass(frozen=True, eq=False)
class PageDigit:
    """A digit on a page.

    Attributes:
        box: (4,), x, y, width, height in pixels.
        probability: of being a digit, 0..1.
        probabilities: (10,), of which.
        form: (28, 28) uint8, what was classified.
        line: number of its line.
    """

    box: Floats
    probability: float
    probabilities: Probabilities
    form: Images
    line: int


@dataclass(frozen=True, eq=False)
class PageSymbol:
    """A sign beside digits on a page.

    Attributes:
        symbol: one of `config.marks.SYMBOLS`.
        box: (4,), x, y, width, height in pixels.
        probability: of being this sign, 0..1.
        line: number of its line, None where no digit is beside it.
        place: number of digits of that line before it.
    """

    symbol: str
    box: Floats
    probability: float
    line: int | None
    place: int


@dataclass(frozen=True, eq=False)
class PageReading:
    """What is read on a page: digits in reading order, signs, and marks that may be digits and are none."""

    digits: list[PageDigit]
    symbols: list[PageSymbol]
    others: list[PageDigit]


@dataclass(frozen=True, eq=False)
class FoundPage:
    """What a detector found in a picture, ready to be classified.

    Attributes:
        forms: (N, 28, 28) uint8, of marks that may be digits.
        marks: these marks, in pixels of the upright picture.
        likely: (N,), how likely each is a digit, by its own features.
        signs: marks that seem to be signs.
        turn: quarter turns, counterclockwise, after which the picture is upright.
        shape: height and width of the picture, in pixels.
        scale: pixels of the original to one of the picture.
    """

    forms: Images
    marks: Marks
    likely: Floats
    signs: Detections
    turn: int
    shape: tuple[int, int]
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the original, in pixels."""
        return round(self.shape[0] * self.scale), round(self.shape[1] * self.scale)

    @property
    def candidates(self) -> Floats:
        """Boxes (N, 4) of the marks, in pixels of the original."""
        return self.of_original(self.marks.found.boxes)

    def of_original(self, boxes: Floats) -> Floats:
        """Return boxes (N, 4) of the upright picture in pixels of the original."""
        return _turned_back(boxes, self.turn, self.shape) * np.float32(self.scale)


class PageReader:
    """Reads pictures of any number of digits; several threads may share it."""

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        *,
        is_pretrained: bool,
        scoring: Scoring | None = None,
    ) -> None:
        """Take the models.

        Args:
            detector: finds marks.
            classifier: reads forms.
            is_pretrained: whether the classifier is the pretrained one, whose readings are combined with the
                detector's.
            scoring: fitted weights; those that ship with digitcli by default.
        """
        self._detector, self._classifier, self._is_pretrained = detector, classifier, is_pretrained
        self._scoring = scoring or load_scoring()

    def find(self, image: Pixels, scale: float = 1.0) -> FoundPage:
        """Find what may be digits; any thread may.

        Args:
            image: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16, as `Recognizer.read` takes it.
            scale: pixels of the original to one of the image.
        """
        seen = np.asarray(opaque(image), np.uint8)
        turn, views, gathered = self._look(seen)
        upright = np.ascontiguousarray(np.rot90(seen, turn))
        marks, likely = self._candidates(gathered)
        forms = forms_of(upright, views, marks.found.boxes, likely)
        presence = gathered.found.presence
        is_sign = (presence[:, 1] >= PAGE_READER.sign) & (presence[:, 1] > presence[:, 2])
        signs = gathered.found.select(is_sign)
        return FoundPage(forms, marks, likely, signs, turn, (seen.shape[0], seen.shape[1]), scale)

    def decide(self, page: FoundPage, classified: Probabilities) -> PageReading:
        """Return what is on a page, digits in reading order, boxes in pixels of the original.

        Args:
            page: as `find` returns it.
            classified: (N, 10), what the classifier says of its forms.
        """
        found = page.marks.found
        fused = self._scoring.fused(classified, found.digits) if self._is_pretrained else classified
        likely = self._scoring.decided(found, page.likely, classified if self._is_pretrained else None, fused)
        kept = np.flatnonzero(likely >= PAGE_READER.digit)
        boxes = found.boxes[kept]
        lines = in_lines(boxes)
        signs = _signs_beside(page, boxes)
        rejected = np.flatnonzero(likely < PAGE_READER.digit)
        rejected = rejected[_apart(found.boxes[rejected], np.concatenate([boxes, signs.boxes]))]
        originals = page.of_original(found.boxes)

        def digit(place: int, line: int) -> PageDigit:
            return PageDigit(originals[place], float(likely[place]), fused[place], page.forms[place], line)

        digits = [digit(int(kept[place]), number) for number, line in enumerate(lines) for place in line]
        others = [digit(int(place), -1) for place in rejected]
        return PageReading(digits, _placed_signs(page, signs, boxes, lines), others)

    def read(self, image: Pixels) -> list[PageDigit]:
        """Return the digits of an image, as `find` takes it, in reading order."""
        page = self.find(image)
        return self.decide(page, tta.predict(self._classifier, page.forms)).digits

    def text(self, image: Pixels) -> str:
        """Return the digits of an image as text, lines apart by line breaks; see `read`."""
        lines: dict[int, str] = {}
        for digit in self.read(image):
            lines[digit.line] = lines.get(digit.line, "") + str(int(digit.probabilities.argmax()))
        return "\n".join(lines.values())

    def _candidates(self, marks: Marks) -> tuple[Marks, Floats]:
        """Return the marks that may be digits, and how likely each is one."""
        first = self._scoring.candidates(marks)
        likeliest = np.argsort(-first, kind="stable")[: PAGE_READER.most]
        likeliest = likeliest[first[likeliest] >= PAGE_READER.candidate]
        return marks.select(likeliest), first[likeliest]

    def _look(self, image: Images) -> tuple[int, list[View], Marks]:
        """Return quarter turns, counterclockwise, after which a page is upright; its views and marks then."""
        views = look(self._detector, image)
        marks = gather(views)
        likely, likelihoods = self._candidates(marks)
        digits = likely.found.boxes[likelihoods >= PAGE_READER.digit]
        turn = quarter_turns(self._detector, image, digits, self._weights)
        if turn:
            views = look(self._detector, np.ascontiguousarray(np.rot90(image, turn)))
            marks = gather(views)
        return turn, views, marks

    def _weights(self, view: View) -> tuple[float, float]:
        """Return how many digits and how many other marks there seem to be, by how surely each is one.

        A digit that lies on its side still looks like one; which one is then less sure.
        """
        marks = gather([view])
        first = self._scoring.candidates(marks)
        digits = first * marks.found.digits.max(axis=1, initial=0) ** PAGE_READER.turned_power
        others = (marks.found.presence[:, 2] * (1 - first))[first < 0.5]
        return float(digits[first >= 0.5].sum()), float(others[others >= PAGE_READER.turned_other].sum())


def symbols_beside(page: FoundPage, digits: Floats, lines: list[list[int]]) -> list[PageSymbol]:
    """Return the signs of a page whose digits somebody else has found.

    Args:
        page: upright, as it was seen.
        digits: boxes (N, 4), in pixels of the original.
        lines: places of the digits, line by line.
    """
    boxes = np.asarray(digits / np.float32(page.scale), np.float32)
    return _placed_signs(page, _signs_beside(page, boxes), boxes, lines)


def _signs_beside(page: FoundPage, digits: Floats) -> Detections:
    """Return each sign once, without those that digits (N, 4) cover."""
    signs = page.signs.select(_apart(page.signs.boxes, digits))
    signs = signs.select(np.argsort(-signs.presence[:, 1], kind="stable"))
    return signs.select(distinct(signs.boxes, digits))


def _placed_signs(
    page: FoundPage, signs: Detections, digits: Floats, lines: list[list[int]]
) -> list[PageSymbol]:
    return [
        PageSymbol(SYMBOLS[int(kinds.argmax())], box, float(presence[1] * kinds.max()), line, place)
        for box, presence, kinds, (line, place) in zip(
            page.of_original(signs.boxes),
            signs.presence,
            signs.symbols,
            placed(signs.boxes, digits, lines),
            strict=True,
        )
    ]


def forms_of(image: Images, views: list[View], boxes: Floats, likely: Floats) -> Images:
    """Return the forms (N, 28, 28) of marks; all 0 where there is no ink.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        views: of the image.
        boxes: (N, 4).
        likely: (N,), how likely each is a digit.
    """
    forms = np.zeros((len(boxes), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for place, box in enumerate(boxes):
        form = cut_out(image, views, box, boxes[_beside(boxes, place, likely)])
        if form is not None:
            forms[place] = form
    return forms


def _beside(boxes: Floats, place: int, likely: Floats) -> NDArray[np.int64]:
    """Return the places of the likely digits that may reach into a box."""
    box = boxes[place]
    apart = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - (box[:2] + box[2:] / 2))
    is_near = (apart < 0.7 * (boxes[:, 2:] + box[2:])).all(axis=1) & (likely >= PAGE_READER.neighbour)
    is_near[place] = False
    return np.flatnonzero(is_near)


def _apart(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """Tell which boxes (N, 4) others leave free, for the most part."""
    shared = shared_areas(boxes, others) / np.maximum(np.prod(boxes[:, 2:], axis=1), 1e-6)[:, np.newaxis]
    return np.asarray(shared.max(axis=1, initial=0) < PAGE_READER.covered)


def _turned_back(boxes: Floats, turn: int, shape: tuple[int, ...]) -> Floats:
    """Return boxes (N, 4) of an image turned `turn` quarters counterclockwise in pixels of the image."""
    x, y, width, height = boxes.T
    rows, columns = shape[:2]
    if turn == 1:
        return np.stack([columns - y - height, x, height, width], axis=1)
    if turn == 2:
        return np.stack([columns - x - width, rows - y - height, width, height], axis=1)
    if turn == 3:
        return np.stack([y, rows - x - width, height, width], axis=1)
    return boxes
