"""Reading digits in images of any kind: the public Python API."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli import models
from digitcli.errors import ImageError
from digitcli.models.classifier import Classifier, Floats, Probabilities
from digitcli.models.detector import Detector, load_detector
from digitcli.preprocessing.geometry import Box
from digitcli.preprocessing.mnist_form import Images, Pixels
from digitcli.recognition import tta
from digitcli.recognition.page_reader import FoundPage, PageDigit, PageReader
from digitcli.recognition.pretrained import PRETRAINED_MODEL, find_model
from digitcli.recognition.rules.pages import MAX_SIDE, Page, prepare

# an image's candidate digits, as rules or a detector found them, made ready for the classifier
Prepared = Page | FoundPage

_BATCH = 256  # candidate digits that go through the network together


@dataclass(frozen=True)
class Digit:
    """One digit as read.

    Attributes:
        digit: 0..9, or None for a mark that is no digit.
        confidence: the largest of the probabilities, 0..1.
        box: x and y of the left upper corner, width and height, in pixels of the image.
        probabilities: of all ten digits; they sum to 1.
        form: (28, 28) uint8, the very image in MNIST form that was classified.
    """

    digit: int | None
    confidence: float
    box: Box
    probabilities: tuple[float, ...]
    form: Images = field(repr=False, compare=False)


@dataclass(frozen=True)
class Reading:
    """What an image says.

    Attributes:
        text: the digits in reading order, lines apart by line breaks; empty where there is none.
        digits: the same with all that is known of them, and the marks that are no digits.
    """

    text: str
    digits: tuple[Digit, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as every command and page gives it to programs."""
        digits = [
            {
                "digit": digit.digit,
                "confidence": digit.confidence,
                "box": list(digit.box),
                "probabilities": list(digit.probabilities),
            }
            for digit in self.digits
        ]
        return {"text": self.text, "digits": digits}


class Recognizer:
    """Reads digits with a classifier; make one with `Recognizer.load`. Several threads may share it.

    Attributes:
        classifier: tells what a single digit in MNIST form is.
    """

    def __init__(
        self, classifier: Classifier, detector: Detector | None = None, *, is_pretrained: bool = False
    ) -> None:
        """Take the models; see `load`.

        Args:
            classifier: reads forms.
            detector: finds digits on pages; without one, rules do.
            is_pretrained: whether the classifier is the pretrained one, to which the detector's own readings
                are fitted.
        """
        self.classifier = classifier
        self._pages = PageReader(detector, classifier, is_pretrained=is_pretrained) if detector else None

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
        found = load_detector(Path(detector), threads=threads) if detector else None
        return cls(models.load(file, threads=threads), found, is_pretrained=file == PRETRAINED_MODEL)

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

    def prepare(self, image: Pixels, *, single: bool = False, scale: float = 1.0) -> Prepared:
        """Find what may be digits and bring it into MNIST form; any thread may.

        Args:
            image: as `read` takes it.
            single: take all that is written for one digit.
            scale: pixels of the original to one of the image.
        """
        if single or self._pages is None:
            return prepare(image, single=single, scale=scale)
        return self._pages.find(image, scale)

    def read_pages(self, pages: Sequence[Prepared]) -> Iterator[Reading]:
        """Read what `prepare` has made ready, all together."""
        if not pages:
            return
        for page, rows in zip(pages, self._classify(pages), strict=True):
            if isinstance(page, FoundPage):
                yield _page_reading(self._pages.decide(page, rows) if self._pages else [])
                continue
            cut = page.cut(rows)
            if cut is None:
                yield self._reading(page, rows)
            else:
                yield self._reading(cut, self._classify([cut])[0])

    def _classify(self, pages: Sequence[Prepared]) -> list[Probabilities]:
        """Return the probabilities (N, 10) of each page's forms, augmented where they matter."""
        forms = np.concatenate([page.forms for page in pages])
        ends = np.cumsum([len(page.forms) for page in pages])[:-1]
        found = self.classifier.predict(forms)
        parts = zip(pages, np.split(found, ends), strict=True)
        chosen = np.concatenate([_worth_augmenting(page, rows) for page, rows in parts])
        return np.split(tta.augment(self.classifier, forms, found, chosen), ends)

    def _reading(self, page: Page, probabilities: Probabilities) -> Reading:
        lines = [
            [_digit(box, row, form, self.threshold) for box, row, form in line]
            for line in page.read(probabilities)
        ]
        texts = ["".join(str(each.digit) for each in line if each.digit is not None) for line in lines]
        return Reading("\n".join(filter(None, texts)), tuple(each for line in lines for each in line))


def _page_reading(found: list[PageDigit]) -> Reading:
    digits = [_digit(_whole(each.box), each.probabilities, each.form, 0.0) for each in found]
    lines: dict[int, str] = {}
    for each, digit in zip(found, digits, strict=True):
        lines[each.line] = lines.get(each.line, "") + str(digit.digit)
    return Reading("\n".join(lines.values()), tuple(digits))


def _worth_augmenting(page: Prepared, probabilities: Probabilities) -> NDArray[np.bool_]:
    """Tell which forms (N,) to classify again: the uncertain ones that matter, on most pages none."""
    uncertain = tta.is_uncertain(probabilities)
    if isinstance(page, FoundPage) or not uncertain.any():
        return uncertain
    return uncertain & page.affects_reading(probabilities)


def _whole(box: Floats) -> Box:
    x, y, width, height = (round(float(value)) for value in box)
    return x, y, width, height


def _digit(box: Box, probabilities: NDArray[np.float32], form: Images, threshold: float) -> Digit:
    best = int(probabilities.argmax())
    confidence = float(probabilities[best])
    known = confidence >= threshold
    return Digit(
        best if known else None, confidence, box, tuple(float(value) for value in probabilities), form
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
