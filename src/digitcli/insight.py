"""What a trained model makes of a canvas: the reading, the pictures that it was made from, and why.

Knows nothing of windows: any face of a canvas hands in its ink and gets the same back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.canvas import SIDE
from digitcli.pages import Page, prepare
from digitcli.preprocessing import IMAGE_SIZE, Images, box, to_form
from digitcli.recognizer import Digit, Reading, Recognizer
from digitcli.second_look import TURNS, DigitReader, turned
from digitcli.stroke import Stroke

READING_SIZE = int(SIDE)  # pixels of the ink that is read, a unit of the canvas each

_SINGLE_SIZE = 256  # pixels, the longer side at which one digit is read
_MARGIN = 0.35  # of the longer side of what is drawn: paper around it, to be known as paper
_WIDE = 1.4  # width to height; what is wider is several digits
_PATCH, _STEP = 7, 3  # pixels of 28; what is hidden at once, and from one place to the next
_LEAST_EFFECT = 0.05  # nats; a model that no hiding moves has looked at nothing in particular


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class Snapshot:
    """A canvas at one moment, to be read in any thread.

    Attributes:
        version: of the canvas.
        ink: (`READING_SIZE`, `READING_SIZE`) uint8, ink bright.
        single: take all of it for one digit.
        explained: find out what the model looked at, too.
    """

    version: int
    ink: Images
    single: bool
    explained: bool = False


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class Insight:
    """What was read of a `Snapshot`.

    Attributes:
        version, single, explained: as the snapshot's.
        reading: boxes are in units of the canvas.
        forms: for each of the reading's digits, what the network saw, (28, 28) uint8.
        evidence: for each of them (28, 28) float32, -1..1: how much that place speaks for what was read,
            below 0 against it; none unless asked for.
    """

    version: int
    single: bool
    explained: bool
    reading: Reading
    forms: tuple[Images, ...]
    evidence: tuple[NDArray[np.float32], ...] = ()

    @property
    def confidence(self) -> float | None:
        """Of the least sure of the digits read, 0..1; None where none was."""
        known = [digit.confidence for digit in self.reading.digits if digit.digit is not None]
        return min(known, default=None)

    @property
    def in_words(self) -> str:
        """The digits read, or why there are none."""
        return self.reading.text.replace("\n", " ") or ("not a digit" if self.reading.digits else "")


def warm_up(recognizer: Recognizer) -> None:
    """Read something that nobody wrote.

    OpenCV and ONNX Runtime make tables and room when they are first used, which would halt the pen.
    """
    ink = np.zeros((READING_SIZE, READING_SIZE), np.uint8)
    ink[100:-100, 250:270] = 255
    for single in (True, False):
        read(recognizer, Snapshot(0, ink, single=single))
    turned(ink[np.newaxis, :IMAGE_SIZE, :IMAGE_SIZE], TURNS[0])


def read(recognizer: Recognizer, snapshot: Snapshot) -> Insight:
    """Read what is drawn; slow for numbers, so that callers with an eye on the clock use a thread."""
    return read_many(recognizer, [snapshot])[0]


def read_many(recognizer: Recognizer, snapshots: Sequence[Snapshot]) -> list[Insight]:
    """Read several canvases, as `read` does; they go through the network together."""
    cuts = [_cut_out(snapshot) for snapshot in snapshots]
    found = recognizer.read_pages([cut.page for cut in cuts if cut])
    return [
        _insight(recognizer, snapshot, cut, next(found) if cut else Reading("", ()))
        for snapshot, cut in zip(snapshots, cuts, strict=True)
    ]


def _insight(recognizer: Recognizer, snapshot: Snapshot, cut: "_Cut | None", found: Reading) -> Insight:
    digits = tuple(_moved(digit, cut.left, cut.top) for digit in found.digits) if cut else ()
    if cut and snapshot.single:
        forms = tuple(cut.page.forms)
    else:
        forms = tuple(_form(snapshot.ink, digit) for digit in digits)
    evidence = tuple(explain(recognizer, form) for form in forms) if snapshot.explained else ()
    reading = Reading(found.text, digits)
    return Insight(snapshot.version, snapshot.single, snapshot.explained, reading, forms, evidence)


def explain(reader: DigitReader, form: Images) -> NDArray[np.float32]:
    """Hide one place after the other and see how much less likely what was read becomes.

    Occlusion as in Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014).

    Args:
        reader: gives probabilities.
        form: (28, 28) uint8 in MNIST form.

    Returns:
        (28, 28) float32, -1..1, in shares of the largest effect.
    """
    corners = range(0, IMAGE_SIZE - _PATCH + 1, _STEP)
    hidden = np.repeat(form[np.newaxis], 1 + len(corners) ** 2, axis=0)
    for number, (row, column) in enumerate((row, column) for row in corners for column in corners):
        hidden[1 + number, row : row + _PATCH, column : column + _PATCH] = 0
    probabilities = reader.network(hidden)
    likely = np.log(np.maximum(probabilities[:, probabilities[0].argmax()], 1e-6))
    effects = (likely[0] - likely[1:]).reshape(len(corners), len(corners)).astype(np.float32)
    effects /= max(float(np.abs(effects).max()), _LEAST_EFFECT)
    # the middle of the first patch is at pixel 3, that of the last at pixel 24
    inner = cv2.resize(effects, (IMAGE_SIZE - _PATCH + 1,) * 2, interpolation=cv2.INTER_LINEAR)
    padded = np.pad(inner, _PATCH // 2, mode="edge")
    return np.asarray(cv2.GaussianBlur(padded, (0, 0), 1.2), np.float32)


def seems_single(strokes: tuple[Stroke, ...]) -> bool:
    """Tell whether a drawing looks like one digit: no gap goes through it, and it is not too wide."""
    if not strokes:
        return True
    bounds = np.array([stroke.bounds for stroke in strokes])  # (N, 4)
    pens = np.array([stroke.width for stroke in strokes]) / 2
    left, right = bounds[:, 0] - pens, bounds[:, 2] + pens
    height = float((bounds[:, 3] + pens).max() - (bounds[:, 1] - pens).min())
    if float(right.max() - left.min()) > _WIDE * height:
        return False
    order = np.argsort(left)
    reach = np.maximum.accumulate(right[order])  # how far right the strokes before each one go
    return bool((left[order][1:] <= reach[:-1]).all())


@dataclass(frozen=True, eq=False)
class _Cut:
    """What is drawn with paper around it, ready to be read, and where on the canvas it begins."""

    page: Page
    left: float
    top: float


def _cut_out(snapshot: Snapshot) -> _Cut | None:
    """Return what is drawn, if anything is."""
    place = box(snapshot.ink)
    if place is None:
        return None
    x, y, width, height = place
    margin = _margin(width, height)
    cut = snapshot.ink[y : y + height, x : x + width]
    scale = 1.0
    if snapshot.single and max(width, height) + 2 * margin > _SINGLE_SIZE:
        scale = (max(width, height) + 2 * margin) / _SINGLE_SIZE
        size = (max(1, round(width / scale)), max(1, round(height / scale)))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
        margin = round(margin / scale)
    page = prepare(np.pad(cut, margin), single=snapshot.single, scale=scale)
    return _Cut(page, x - margin * scale, y - margin * scale)


def _moved(digit: Digit, left: float, top: float) -> Digit:
    x, y, width, height = digit.box
    return Digit(
        digit.digit, digit.confidence, (round(x + left), round(y + top), width, height), digit.probabilities
    )


def _form(ink: Images, digit: Digit) -> Images:
    """Return what the network saw of one digit of a number, as near as its box tells."""
    x, y, width, height = digit.box
    x, y = max(0, x), max(0, y)
    cut = ink[y : y + height, x : x + width]
    return to_form(np.pad(cut, _margin(width, height)))


def _margin(width: int, height: int) -> int:
    return int(_MARGIN * max(width, height)) + 8
