"""What a model reads on a canvas: the digits, the 28x28 images that it classified, and their saliency.

Independent of windows: any view of a canvas passes in its drawing and gets the same reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitcli.canvas.canvas import SIDE
from digitcli.canvas.saliency import occlusion_saliency
from digitcli.canvas.stroke import Stroke
from digitcli.config.mnist import IMAGE_SIZE
from digitcli.preprocessing.geometry import Box, resize
from digitcli.preprocessing.mnist_form import Images, foreground_box
from digitcli.recognition import tta
from digitcli.recognition.reading import Reading
from digitcli.recognition.recognizer import Prepared, Recognizer

READING_SIZE = int(SIDE)  # pixels of the foreground that is read, a unit of the canvas each


@dataclass(frozen=True)
class CanvasReadingParameters:
    """How a canvas is cut out and taken for one digit or several; by eye, no benchmark chose it.

    Attributes:
        single_size: pixels, the longer side, with its margins, at which one digit is read.
        margin: paper around what is drawn, to be known as paper, as a share of the drawing's longer side.
        least_margin: pixels, in addition to that.
        wide: width to height; what is wider is several digits.
        dummy_stroke: rows and columns of the stroke that `warm_up` reads, an upright one.
    """

    single_size: int = 256
    margin: float = 0.35
    least_margin: int = 8
    wide: float = 1.4
    dummy_stroke: tuple[slice, slice] = (slice(100, -100), slice(250, 270))


CANVAS_READING = CanvasReadingParameters()


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class Snapshot:
    """A canvas at one moment, to be read in any thread.

    Attributes:
        version: of the canvas.
        foreground: (`READING_SIZE`, `READING_SIZE`) uint8, strokes bright.
        single: take all of it for one digit.
        with_saliency: compute the saliency, too.
    """

    version: int
    foreground: Images
    single: bool
    with_saliency: bool = False


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class CanvasReading:
    """What was read of a `Snapshot`.

    Attributes:
        version, single, with_saliency: as the snapshot's.
        reading: boxes are in units of the canvas.
        saliency: for each of the reading's digits (28, 28) float32, -1..1, of its form: how much that place
            speaks for what was read, below 0 against it; none unless asked for.
    """

    version: int
    single: bool
    with_saliency: bool
    reading: Reading
    saliency: tuple[NDArray[np.float32], ...] = ()

    @property
    def forms(self) -> tuple[Images, ...]:
        """For each of the reading's digits the very image (28, 28) uint8 that was classified."""
        return tuple(digit.form for digit in self.reading.digits)

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
    """Read a dummy drawing once.

    OpenCV and ONNX Runtime build tables and buffers on first use, which would halt the pen.
    """
    foreground = np.zeros((READING_SIZE, READING_SIZE), np.uint8)
    foreground[CANVAS_READING.dummy_stroke] = 255
    for single in (True, False):
        read(recognizer, Snapshot(0, foreground, single=single))
    tta.rotated(foreground[np.newaxis, :IMAGE_SIZE, :IMAGE_SIZE], tta.TTA.angles[0])


def read(recognizer: Recognizer, snapshot: Snapshot) -> CanvasReading:
    """Read what is drawn; slow for numbers, so that callers with an eye on the clock use a thread."""
    return read_many(recognizer, [snapshot])[0]


def read_many(recognizer: Recognizer, snapshots: Sequence[Snapshot]) -> list[CanvasReading]:
    """Read several canvases, as `read` does; they go through the network together."""
    cuts = [_cut_out(recognizer, snapshot) for snapshot in snapshots]
    found = recognizer.read_pages([cut.page for cut in cuts if cut])
    return [
        _canvas_reading(recognizer, snapshot, cut, next(found) if cut else Reading("", ()))
        for snapshot, cut in zip(snapshots, cuts, strict=True)
    ]


def _canvas_reading(
    recognizer: Recognizer, snapshot: Snapshot, cut: "_Cut | None", found: Reading
) -> CanvasReading:
    digits = tuple(replace(digit, box=_moved(digit.box, cut)) for digit in found.digits) if cut else ()
    saliency: tuple[NDArray[np.float32], ...] = ()
    if snapshot.with_saliency:
        saliency = tuple(occlusion_saliency(recognizer.classifier, digit.form) for digit in digits)
    symbols = tuple(replace(symbol, box=_moved(symbol.box, cut)) for symbol in found.symbols) if cut else ()
    reading = Reading(found.text, digits, symbols)
    return CanvasReading(snapshot.version, snapshot.single, snapshot.with_saliency, reading, saliency)


def seems_single(strokes: tuple[Stroke, ...]) -> bool:
    """Tell whether a drawing looks like one digit: no gap goes through it, and it is not too wide."""
    if not strokes:
        return True
    bounds = np.array([stroke.bounds for stroke in strokes])  # (N, 4)
    pens = np.array([stroke.width for stroke in strokes]) / 2
    left, right = bounds[:, 0] - pens, bounds[:, 2] + pens
    height = float((bounds[:, 3] + pens).max() - (bounds[:, 1] - pens).min())
    if float(right.max() - left.min()) > CANVAS_READING.wide * height:
        return False
    order = np.argsort(left)
    reach = np.maximum.accumulate(right[order])  # how far right the strokes before each one go
    return bool((left[order][1:] <= reach[:-1]).all())


@dataclass(frozen=True, eq=False)
class _Cut:
    """What is drawn with paper around it, ready to be read, and where on the canvas it begins."""

    page: Prepared
    left: float
    top: float


def _cut_out(recognizer: Recognizer, snapshot: Snapshot) -> _Cut | None:
    """Return what is drawn, if anything is."""
    place = foreground_box(snapshot.foreground)
    if place is None:
        return None
    x, y, width, height = place
    margin = _margin(width, height)
    cut = snapshot.foreground[y : y + height, x : x + width]
    scale = 1.0
    if snapshot.single and max(width, height) + 2 * margin > CANVAS_READING.single_size:
        scale = (max(width, height) + 2 * margin) / CANVAS_READING.single_size
        cut = resize(cut, 1 / scale)
        margin = round(margin / scale)
    page = recognizer.prepare(np.pad(cut, margin), single=snapshot.single, scale=scale, is_drawing=True)
    return _Cut(page, x - margin * scale, y - margin * scale)


def _moved(box: Box, cut: _Cut) -> Box:
    x, y, width, height = box
    return round(x + cut.left), round(y + cut.top), width, height


def _margin(width: int, height: int) -> int:
    return int(CANVAS_READING.margin * max(width, height)) + CANVAS_READING.least_margin
