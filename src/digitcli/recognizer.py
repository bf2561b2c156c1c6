"""Reading digits with a trained model on ONNX Runtime, without TensorFlow: the public Python API."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from digitcli.artifacts import DEFAULT_FOLDER, MODEL
from digitcli.errors import ImageError, MissingError, ModelError, first_line
from digitcli.pages import MAX_SIDE, Page, prepare
from digitcli.paths import Box
from digitcli.preprocessing import CLASSES, IMAGE_SIZE, Images, Pixels, network_input
from digitcli.second_look import DigitReader, unsure

_BATCH = 256  # images; bounds the memory that inference takes
_MAX_THREADS = 4  # more do not help so small a network
_SUM_TOLERANCE = 1e-3  # of ten probabilities
USUAL_THRESHOLD = 0.5  # where the model says none
_THRESHOLD = "rejection_threshold"  # in the model's metadata
_SECOND_LOOK, _YES, _NO = "second_look", "yes", "no"  # there, too; what older files do not say is yes
BOXED_MODEL = Path(__file__).parent / "boxed" / MODEL
_INPUT_SHAPE = [IMAGE_SIZE, IMAGE_SIZE, 1]


@dataclass(frozen=True)
class Digit:
    """One digit as read.

    Attributes:
        digit: 0..9, or None for a mark that is no digit.
        confidence: the largest of the probabilities, 0..1.
        box: x and y of the left upper corner, width and height, in pixels of the image.
        probabilities: of all ten digits; they sum to 1.
    """

    digit: int | None
    confidence: float
    box: tuple[int, int, int, int]
    probabilities: tuple[float, ...]


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


class Recognizer(DigitReader):
    """Reads digits with a model file; make one with `Recognizer.load`."""

    def __init__(self, session: onnxruntime.InferenceSession, path: Path) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.path = path
        facts = session.get_modelmeta().custom_metadata_map
        self.threshold = _threshold(facts)
        self.looks_again = facts.get(_SECOND_LOOK) != _NO

    @classmethod
    def load(cls, path: str | Path | None = None, *, threads: int | None = None) -> "Recognizer":
        """Load an ONNX model, by default ``artifacts/model.onnx`` or else the one in the package.

        Args:
            path: of the model.
            threads: that work on an image together; several by default, which is best for many images.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit reader.
        """
        path = find_model() if path is None else Path(path)
        require_model(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or min(os.cpu_count() or 1, _MAX_THREADS)
        options.log_severity_level = 4  # what goes wrong is raised, and told once
        try:
            session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
        except Exception as error:  # ONNX Runtime has no common base for what a damaged file raises
            raise ModelError(
                f"{path}: not an ONNX model that can be loaded; expected a digit reader"
            ) from error
        _check_shapes(path, session)
        return cls(session, path)

    def network(self, images: Images) -> NDArray[np.float32]:
        """Return what the network alone says: probabilities (N, 10) for images (N, 28, 28) uint8."""
        size = (IMAGE_SIZE, IMAGE_SIZE)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != size:
            found = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else repr(type(images))
            raise ImageError(f"found {found}; expected an array (N, {IMAGE_SIZE}, {IMAGE_SIZE}) of uint8")
        result = np.empty((len(images), CLASSES), np.float32)
        for first in range(0, len(images), _BATCH):
            part = slice(first, first + _BATCH)
            try:
                result[part] = self._session.run(None, {self._input: network_input(images[part])})[0]
            except Exception as error:  # ONNX Runtime has no common base for what a model can do wrong
                raise ModelError(f"{self.path}: cannot be run ({first_line(error)})") from error
        require_probabilities(result, str(self.path))
        return result

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
        for batch in _batches(prepare(_require_image(image), single=single) for image in images):
            yield from self.read_pages(batch)

    def read_pages(self, pages: Sequence[Page]) -> Iterator[Reading]:
        """Read what `pages.prepare` has made ready, all together."""
        if not pages:
            return
        for page, rows in zip(pages, self._classify(pages), strict=True):
            if (cut := page.cut(rows)) is not None:
                page, (rows,) = cut, self._classify([cut])
            yield self._reading(page, rows)

    def _classify(self, pages: Sequence[Page]) -> list[NDArray[np.float32]]:
        """Return the probabilities (N, 10) of each page's forms; those that do not matter get one look."""
        forms = np.concatenate([page.forms for page in pages])
        ends = np.cumsum([len(page.forms) for page in pages])[:-1]
        found = self.network(forms)
        parts = zip(pages, np.split(found, ends), strict=True)
        which = np.concatenate([_worth_a_look(page, rows) for page, rows in parts])
        return np.split(self.look_again(forms, found, which), ends)

    def _reading(self, page: Page, probabilities: NDArray[np.float32]) -> Reading:
        lines = [[_digit(box, row, self.threshold) for box, row in line] for line in page.read(probabilities)]
        texts = ["".join(str(each.digit) for each in line if each.digit is not None) for line in lines]
        return Reading("\n".join(filter(None, texts)), tuple(each for line in lines for each in line))


def _worth_a_look(page: Page, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which forms (N,) to look at again: the unsure ones that matter, on most pages none."""
    which = unsure(probabilities)
    return which & page.in_question(probabilities) if which.any() else which


def _digit(box: Box, probabilities: NDArray[np.float32], threshold: float) -> Digit:
    best = int(probabilities.argmax())
    confidence = float(probabilities[best])
    known = confidence >= threshold
    return Digit(best if known else None, confidence, box, tuple(float(value) for value in probabilities))


def _batches(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Gather pages until they fill a batch."""
    batch: list[Page] = []
    count = 0
    for page in pages:
        batch.append(page)
        count += max(1, len(page.forms))
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def require_probabilities(probabilities: NDArray[np.float32], model: str) -> None:
    """Raise a `ModelError` where rows (N, 10) are not probabilities."""
    sums = probabilities.sum(axis=1)
    if ((np.abs(sums - 1) <= _SUM_TOLERANCE) & (probabilities.min(axis=1) >= 0)).all():
        return
    if not np.isfinite(probabilities).all():
        raise ModelError(f"{model}: gives numbers that are not finite; expected probabilities")
    raise ModelError(f"{model}: gives numbers that are no probabilities; expected ten that sum to 1")


def require_model(path: Path) -> None:
    """Raise a `MissingError` where there is no such file."""
    if os.path.isdir(path):
        raise MissingError(f"{path}: is a folder; expected a model file in it, such as {path / MODEL}")
    if not os.path.isfile(path):
        raise MissingError(f"{path}: no such model; train one with: digitcli train")


def find_model(folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the model in `folder`, or else the one that comes with the package."""
    own = folder / MODEL
    return own if os.path.isfile(own) else BOXED_MODEL


def _require_image(image: Pixels) -> Pixels:
    if not isinstance(image, np.ndarray) or image.dtype not in (np.uint8, np.uint16):
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"found {found}; expected a NumPy array of uint8 or uint16")
    if image.ndim != 2 and (image.ndim != 3 or image.shape[2] not in (3, 4)):
        raise ImageError(f"found an image of shape {image.shape}; expected (H, W), (H, W, 3) or (H, W, 4)")
    if not 1 <= min(image.shape[:2]) <= max(image.shape[:2]) <= MAX_SIDE:
        raise ImageError(f"found an image of shape {image.shape}; expected sides of 1 to {MAX_SIDE:,} pixels")
    return image


def _threshold(facts: Mapping[str, str]) -> float:
    """Return the confidence below which a mark is no digit, as the model's maker chose it."""
    try:
        value = float(facts[_THRESHOLD])
    except (KeyError, ValueError):
        return USUAL_THRESHOLD
    return value if 0 <= value < 1 else USUAL_THRESHOLD


def as_metadata(threshold: float, *, looks_again: bool) -> dict[str, str]:
    """Return what a model's file says of how it is to be read, as `Recognizer` takes it from there."""
    return {_THRESHOLD: f"{threshold:.6f}", _SECOND_LOOK: _YES if looks_again else _NO}


def _check_shapes(path: Path, session: onnxruntime.InferenceSession) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        [len(inputs), len(outputs)] == [1, 1]
        and inputs[0].type == "tensor(float)"
        and inputs[0].shape[1:] == _INPUT_SHAPE
        and not isinstance(inputs[0].shape[0], int)  # any number of images
        and outputs[0].shape[1:] == [CLASSES]
    )
    if not fits:
        found = f"takes {[i.shape for i in inputs]}, gives {[o.shape for o in outputs]}"
        raise ModelError(
            f"{path}: {found}; expected one input (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 1) of floats "
            f"and one output (N, {CLASSES})"
        )
