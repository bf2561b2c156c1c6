"""Reading digits in images of any kind: the public Python API.

Rules and a detector find the digits of a page, each by itself; the classifier reads what they find, and the
consensus of the two tells whose reading stands. A single mark on paper of one colour, as in a set of digits,
needs no detector where the pretrained classifier is sure of it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digitcli import models
from digitcli.errors import ImageError
from digitcli.models.classifier import Classifier, Floats, Probabilities
from digitcli.preprocessing.foreground import has_flat_paper
from digitcli.preprocessing.mnist_form import Images, Pixels
from digitcli.recognition import tta
from digitcli.recognition.pretrained import (
    NO_DETECTOR,
    PRETRAINED_DETECTOR,
    PRETRAINED_MODEL,
    detector_file,
    find_detector,
    find_model,
    model_file,
)
from digitcli.recognition.reading import Digit, Reading
from digitcli.recognition.rules.pages import MAX_SIDE, Page, prepare

if TYPE_CHECKING:
    from digitcli.recognition.consensus_reader import BothPages, ConsensusReader

_BATCH = 256  # candidate digits that go through the network together
# Confidence from which a single mark on paper of one colour is a digit, whatever a detector sees. Where the
# classifier rejects the mark, the digits that a detector sees in it must be as sure: it takes a fifth of
# scribbles for digits, the classifier a twentieth.
_SURE_ALONE = 0.95


@dataclass(frozen=True, eq=False)
class LonePage:
    """A page with a single mark on paper of one colour, at which a detector looks if need be.

    Attributes:
        by_rules: the mark.
        image, scale: as `Recognizer.prepare` takes them.
    """

    by_rules: Page
    image: Pixels
    scale: float

    @property
    def forms(self) -> Images:
        """The mark (1, 28, 28) uint8 in MNIST form."""
        return self.by_rules.forms


# an image's candidate digits, made ready for the classifier
Prepared: TypeAlias = "Page | LonePage | BothPages"


class _Once:
    """Makes something when it is first asked for, once for all threads."""

    def __init__(self, make: "Callable[[], ConsensusReader]") -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: ConsensusReader | None = None

    def __call__(self) -> "ConsensusReader":
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class Recognizer:
    """Reads digits with a classifier; make one with `Recognizer.load`. Several threads may share it.

    Attributes:
        classifier: tells what a single digit in MNIST form is.
    """

    def __init__(
        self,
        classifier: Classifier,
        pages: "Callable[[], ConsensusReader] | None" = None,
        *,
        knows_others: bool = False,
    ) -> None:
        """Take the models; see `load`.

        Args:
            classifier: reads forms.
            pages: returns what reads pages with a detector beside the rules; without it, rules do alone.
            knows_others: whether the classifier has learned what is no digit, so that a single mark of which
                it is sure needs no detector.
        """
        self.classifier, self._pages, self._knows_others = classifier, pages, knows_others

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        detector: str | Path | None = None,
        threads: int | None = None,
    ) -> "Recognizer":
        """Load ONNX models.

        Args:
            path: of the classifier, ``"pretrained"``, or by default ``artifacts/model.onnx`` or else the
                pretrained one.
            detector: of the detector, ``"pretrained"``, or by default ``artifacts/detector.onnx`` or else the
                pretrained one; ``"none"`` where only single digits and drawings are read, for which none is
                needed.
            threads: that work on an image together; several by default, which is best for many images.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier, or no
        detector.
        """
        file = find_model() if path is None else model_file(path)
        classifier = models.load(file, threads=threads)
        if str(detector) == NO_DETECTOR:
            return cls(classifier)
        finder = find_detector() if detector is None else detector_file(detector)

        def with_detector() -> "ConsensusReader":
            from digitcli.models.detector import load_detector
            from digitcli.recognition.consensus_reader import ConsensusReader
            from digitcli.recognition.page_reader import PageReader

            found = load_detector(finder, threads=threads)
            return ConsensusReader(PageReader(found, classifier, is_pretrained=file == PRETRAINED_MODEL))

        pages = _Once(with_detector)
        if finder != PRETRAINED_DETECTOR:
            pages()  # what is wrong with it is told now
        return cls(classifier, pages, knows_others=_knows_others(file))

    @property
    def threshold(self) -> float:
        """The confidence below which a mark is rejected as no digit, 0..1."""
        return self.classifier.threshold

    def classify(self, images: Images) -> Probabilities:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form."""
        return tta.predict(self.classifier, images)

    def read(self, image: Pixels, *, single: bool = False) -> Reading:
        """Read the digits of an image of any size, paper, light and colours.

        Args:
            image: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; of four channels the last is
                opacity, the order of colours does not matter.
            single: take all that is written for one digit.

        Raises `ImageError` where it is no such array.
        """
        return next(iter(self.read_many([image], single=single)))

    def read_many(self, images: Iterable[Pixels], *, single: bool = False) -> Iterator[Reading]:
        """Read images one after the other, as `read` does; several go through the network together."""
        for batch in _batches(self.prepare(_require_image(image), single=single) for image in images):
            yield from self.read_pages(batch)

    def prepare(
        self, image: Pixels, *, single: bool = False, scale: float = 1.0, is_drawing: bool = False
    ) -> Prepared:
        """Find what may be digits and bring it into MNIST form; any thread may.

        Args:
            image: as `read` takes it.
            single: take all that is written for one digit.
            scale: pixels of the original to one of the image.
            is_drawing: the image is that of a canvas, strokes and nothing else on paper of one colour, so
                that no detector need tell what is a digit.
        """
        by_rules = prepare(image, single=single, scale=scale)
        if single or is_drawing or self._pages is None:
            return by_rules
        if self._knows_others and len(by_rules.forms) == 1 and has_flat_paper(image):
            return LonePage(by_rules, image, scale)
        return self._pages().find(image, by_rules, scale)

    def read_pages(self, pages: Sequence[Prepared]) -> Iterator[Reading]:
        """Read what `prepare` has made ready, all together."""
        if not pages:
            return
        for page, rows in zip(pages, self._classify(pages), strict=True):
            if isinstance(page, Page):
                yield self._by_rules(page, rows)
            elif isinstance(page, LonePage):
                yield self._of_one_mark(page, rows)
            else:
                yield page.reader.reading(page, rows, self._by_rules)

    def _of_one_mark(self, page: LonePage, probabilities: Probabilities) -> Reading:
        sureness = float(probabilities.max())
        if self._pages is None or sureness >= _SURE_ALONE:
            return self._by_rules(page.by_rules, probabilities)
        both = self._pages().find(page.image, page.by_rules, page.scale)
        reading = both.reader.reading(both, self._classify([both])[0], self._by_rules)
        if sureness < self.threshold and _least_sure(reading) < _SURE_ALONE:
            return self._by_rules(page.by_rules, probabilities)
        return reading

    def _classify(self, pages: Sequence[Prepared]) -> list[Probabilities]:
        """Return the probabilities (N, 10) of each page's forms, augmented where they matter."""
        parts = [page.forms for page in pages]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        forms = np.concatenate(parts)
        found = self.classifier.predict(forms)
        both = zip(pages, np.split(found, ends), strict=True)
        chosen = np.concatenate([_worth_augmenting(page, rows) for page, rows in both])
        return np.split(tta.augment(self.classifier, forms, found, chosen), ends)

    def _by_rules(self, page: Page, probabilities: Probabilities, seen: Floats | None = None) -> Reading:
        cut = page.cut(probabilities, seen)
        if cut is not None:
            page, probabilities = cut, self._classify([cut])[0]
        texts: list[str] = []
        digits: list[Digit] = []
        for line in page.read(probabilities):
            read = [
                Digit.of(box, row, form, len(texts) if float(row.max()) >= self.threshold else None)
                for box, row, form in line
            ]
            digits += read
            if text := "".join(str(each.digit) for each in read if each.digit is not None):
                texts.append(text)
        return Reading("\n".join(texts), tuple(digits))


def _knows_others(model: Path) -> bool:
    """Tell whether a model was trained on marks that are no digits, too, as the record beside it has it."""
    if model == PRETRAINED_MODEL:
        return True
    from digitcli.run_record import RunRecord

    record = RunRecord.beside(model)
    synthesis = record.recipe.get("synthesis") if record and record.recipe else None
    return isinstance(synthesis, dict) and bool(synthesis.get("non_digits"))


def _least_sure(reading: Reading) -> float:
    """Return the lowest confidence of a reading's digits; 1 where there are none."""
    return min((digit.confidence for digit in reading.digits if digit.digit is not None), default=1.0)


def _worth_augmenting(page: Prepared, probabilities: Probabilities) -> NDArray[np.bool_]:
    """Tell which forms (N,) to classify again: the uncertain ones that matter, on most pages none."""
    uncertain = tta.is_uncertain(probabilities)
    if not uncertain.any():
        return uncertain
    by_rules = page if isinstance(page, Page) else page.by_rules
    count = len(by_rules.forms)
    if uncertain[:count].any():
        uncertain[:count] &= by_rules.affects_reading(probabilities[:count])
    return uncertain


def _batches(pages: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Gather pages until they fill a batch."""
    batch: list[Prepared] = []
    count = 0
    for page in pages:
        batch.append(page)
        count += max(1, len(page.forms))
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _require_image(image: Pixels) -> Pixels:
    if not isinstance(image, np.ndarray) or image.dtype not in (np.uint8, np.uint16):
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"found {found}; expected a NumPy array of uint8 or uint16")
    if image.ndim != 2 and (image.ndim != 3 or image.shape[2] not in (3, 4)):
        raise ImageError(f"found an image of shape {image.shape}; expected (H, W), (H, W, 3) or (H, W, 4)")
    if not 1 <= min(image.shape[:2]) <= max(image.shape[:2]) <= MAX_SIDE:
        raise ImageError(f"found an image of shape {image.shape}; expected sides of 1 to {MAX_SIDE:,} pixels")
    return image
