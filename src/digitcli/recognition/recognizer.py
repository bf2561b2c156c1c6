"""Reading digits in images of any kind: the public Python API."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digitcli import models
from digitcli.errors import ImageError
from digitcli.models.classifier import Classifier, Floats, Probabilities
from digitcli.preprocessing.geometry import Box
from digitcli.preprocessing.mnist_form import Images, Pixels
from digitcli.recognition import tta
from digitcli.recognition.pretrained import PRETRAINED_MODEL, find_model
from digitcli.recognition.reading import Digit, Reading, Symbol
from digitcli.recognition.rules.pages import MAX_SIDE, Page, prepare

if TYPE_CHECKING:
    from digitcli.models.detector import Detector
    from digitcli.recognition.page_reader import FoundPage, PageReading

# an image's candidate digits, as rules or a detector found them, made ready for the classifier
Prepared: TypeAlias = "Page | FoundPage"

_BATCH = 256  # candidate digits that go through the network together


class Recognizer:
    """Reads digits with a classifier; make one with `Recognizer.load`. Several threads may share it.

    Attributes:
        classifier: tells what a single digit in MNIST form is.
    """

    def __init__(
        self, classifier: Classifier, detector: "Detector | None" = None, *, is_pretrained: bool = False
    ) -> None:
        """Take the models; see `load`.

        Args:
            classifier: reads forms.
            detector: finds digits on pages; without one, rules do.
            is_pretrained: whether the classifier is the pretrained one, to which the detector's own readings
                are fitted.
        """
        self.classifier = classifier
        self._pages = None
        if detector:  # without one, what it needs is not loaded
            from digitcli.recognition.page_reader import PageReader

            self._pages = PageReader(detector, classifier, is_pretrained=is_pretrained)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        detector: str | Path | None = None,
        threads: int | None = None,
    ) -> "Recognizer":
        """Load an ONNX model, by default ``artifacts/model.onnx`` or else the pretrained one.

        Args:
            path: of the model.
            detector: ONNX file of a detector, which finds the digits of a page then; rules do by default.
            threads: that work on an image together; several by default, which is best for many images.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier, or no
        detector.
        """
        file = find_model() if path is None else Path(path)
        classifier = models.load(file, threads=threads)
        if not detector:
            return cls(classifier)
        from digitcli.models.detector import load_detector

        found = load_detector(Path(detector), threads=threads)
        return cls(classifier, found, is_pretrained=file == PRETRAINED_MODEL)

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
            is_drawing: the image is a drawing (H, W) uint8, strokes bright on black, and upright.
        """
        if single or self._pages is None:
            return prepare(image, single=single, scale=scale)
        return self._pages.find(image, scale, is_drawing=is_drawing)

    def read_pages(self, pages: Sequence[Prepared]) -> Iterator[Reading]:
        """Read what `prepare` has made ready, all together."""
        if not pages:
            return
        for page, rows in zip(pages, self._classify(pages), strict=True):
            if isinstance(page, Page):
                cut = page.cut(rows)
                yield (
                    self._reading(page, rows) if cut is None else self._reading(cut, self._classify([cut])[0])
                )
            elif self._pages:
                yield _page_reading(self._pages.decide(page, rows))

    def _classify(self, pages: Sequence[Prepared]) -> list[Probabilities]:
        """Return the probabilities (N, 10) of each page's forms, augmented where they matter."""
        forms = np.concatenate([page.forms for page in pages])
        ends = np.cumsum([len(page.forms) for page in pages])[:-1]
        found = self.classifier.predict(forms)
        parts = zip(pages, np.split(found, ends), strict=True)
        chosen = np.concatenate([_worth_augmenting(page, rows) for page, rows in parts])
        return np.split(tta.augment(self.classifier, forms, found, chosen), ends)

    def _reading(self, page: Page, probabilities: Probabilities) -> Reading:
        texts: list[str] = []
        digits: list[Digit] = []
        for line in page.read(probabilities):
            read = [
                _digit(box, row, form, len(texts) if float(row.max()) >= self.threshold else None)
                for box, row, form in line
            ]
            digits += read
            if text := "".join(str(each.digit) for each in read if each.digit is not None):
                texts.append(text)
        return Reading("\n".join(texts), tuple(digits))


def _page_reading(found: "PageReading") -> Reading:
    digits = [_digit(_whole(each.box), each.probabilities, each.form, each.line) for each in found.digits]
    others = [_digit(_whole(each.box), each.probabilities, each.form, None) for each in found.others]
    symbols = tuple(
        Symbol(each.symbol, each.probability, _whole(each.box), each.line, each.place)
        for each in found.symbols
    )
    texts = [""] * (1 + max((each.line for each in found.digits), default=-1))
    for digit in digits:
        texts[digit.line or 0] += str(digit.digit)
    return Reading("\n".join(texts), (*digits, *others), symbols)


def _worth_augmenting(page: Prepared, probabilities: Probabilities) -> NDArray[np.bool_]:
    """Tell which forms (N,) to classify again: the uncertain ones that matter, on most pages none."""
    uncertain = tta.is_uncertain(probabilities)
    if not (isinstance(page, Page) and uncertain.any()):
        return uncertain
    return uncertain & page.affects_reading(probabilities)


def _whole(box: Floats) -> Box:
    x, y, width, height = (round(float(value)) for value in box)
    return x, y, width, height


def _digit(box: Box, probabilities: Probabilities, form: Images, line: int | None) -> Digit:
    """Return a digit of a line; without one, a mark that is none."""
    best = int(probabilities.argmax())
    return Digit(
        None if line is None else best,
        float(probabilities[best]),
        box,
        tuple(float(value) for value in probabilities),
        form,
        line,
    )


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
