"""One session at a canvas: events go in, the drawing and its readings come out.

Every view of the canvas shares it: a window, a replay without one, a page. It opens no window, prints
nothing, and reads in whichever thread its caller chooses.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from digitcli import artifacts
from digitcli.canvas.canvas import SIDE, Canvas
from digitcli.canvas.canvas_reading import READING_SIZE, CanvasReading, Snapshot, seems_single
from digitcli.canvas.corrections import Corrections
from digitcli.canvas.events import WITH_POSITION, Event
from digitcli.canvas.raster import Raster
from digitcli.errors import DigitcliError
from digitcli.recognition.reading import Reading

_NOWHERE = "Not kept: nothing is written here"


@dataclass(frozen=True)
class SessionParameters:
    """When what looked like one digit is several, and what is kept and saved.

    Attributes:
        least_digits: of a number, if what looked like one digit is to be one.
        sure: confidence, 0..1, of each of these digits; with 0.9, small digits in two lines were not read.
        kept_readings: the last ones; a bound on memory, by convention.
        saved_size: pixels, height and width of a saved picture, a unit of the canvas each.
    """

    least_digits: int = 2
    sure: float = 0.7
    kept_readings: int = 50
    saved_size: int = int(SIDE)


SESSION = SessionParameters()


class Mode(StrEnum):
    """What a drawing is taken for."""

    AUTO = "automatic"
    ONE = "one digit"
    NUMBER = "number"


@dataclass(frozen=True)
class KeptReading:
    """A reading that was kept.

    Attributes:
        words: the digits, or that it is none.
        confidence: of the least sure of them, 0..1; None where there are none.
        reading: boxes are in units of the canvas.
    """

    words: str
    confidence: float | None
    reading: Reading


class Session:
    """What has been drawn, read, kept and said so far.

    Attributes:
        read: reads a snapshot; None while the model is still being loaded.
        canvas_reading: what was read last; may be of an earlier version of the canvas.
        kept: the readings that were kept, the last `SESSION.kept_readings` of them.
        message: the last thing to tell, or nothing.
        is_over: whether the person wants to stop.
    """

    def __init__(
        self,
        read: Callable[[Snapshot], CanvasReading] | None = None,
        *,
        drawings: Path | None = None,
        corrections: Path | None = None,
    ) -> None:
        """Begin with an empty canvas.

        Args:
            read: see above.
            drawings: the folder for drawings that are to be saved; none are where it is None.
            corrections: the file for them; none are kept where it is None.
        """
        self.canvas = Canvas()
        self.read = read
        self.mode = Mode.AUTO
        self.erases = False
        self.shows_saliency = False
        self.shows_help = False
        self.canvas_reading: CanvasReading | None = None
        self.kept: list[KeptReading] = []
        self.message = ""
        self.is_over = False
        self._drawings = drawings
        self._raster: Raster = self.canvas.raster(READING_SIZE)
        self._corrections = Corrections(corrections) if corrections else None
        self._corrected: int | None = None  # the version of the canvas that was corrected last
        self._kept_version: int | None = None
        self._seems_single = (self.canvas.version, True)  # a version, and whether it seems to be one digit
        self._no_digit: CanvasReading | None = None  # of what seemed to be one digit
        self._no_number: int | None = None  # the version of the canvas that is no number either
        self._emptied = 0  # the version of the canvas that was empty last

    def handle(self, event: Event) -> KeptReading | None:
        """Apply an event; return the reading that it keeps, if any."""
        x, y = event.x or 0.0, event.y or 0.0
        match event.do:
            case "pen" | "erase":
                self.message = ""
                self.shows_help = False
                self.canvas.begin(x, y, event.t, erase=self.erases or event.do == "erase")
            case "move":
                self.canvas.extend(x, y, event.t)
            case "up":
                self.canvas.end()
                if self.canvas.is_full:
                    self.message = "The canvas is full; C clears it"
            case "undo":
                self.message = "" if self.canvas.undo() else "Nothing to undo"
            case "redo":
                self.message = "" if self.canvas.redo() else "Nothing to redo"
            case "clear":
                self.canvas.clear()
                self.message = ""
            case "keep":
                return self._keep()
            case "save":
                self._attempt(self._save)
            case "correct":
                self._attempt(lambda: self._correct(int(event.to or 0)))
            case "quit":
                self.canvas.end()
                self.is_over = True
            case _:
                self._change_setting(event)
        return None

    def _change_setting(self, event: Event) -> None:
        """Change how it draws, reads or shows; the drawing stays as it is."""
        match event.do:
            case "brush":
                self.canvas.brush = float(event.to or self.canvas.brush)
                self.message = f"Brush {self.canvas.brush:g}"
            case "eraser":
                self.erases = not self.erases
                self.message = "The pen erases; E draws again" if self.erases else ""
            case "mode":
                modes = list(Mode)
                self.mode = modes[(modes.index(self.mode) + 1) % len(modes)]
                self.message = f"Reads: {self.mode}"
            case "explain":
                self.shows_saliency = not self.shows_saliency
                self.message = ""
            case "help":
                self.shows_help = not self.shows_help

    @property
    def is_single(self) -> bool:
        """Whether the drawing is taken for one digit."""
        if self.mode != Mode.AUTO:
            return self.mode == Mode.ONE
        if self._seems_single[0] != self.canvas.version:
            self._seems_single = (self.canvas.version, seems_single(self.canvas.strokes))
        doubted = self._no_digit is not None and self._no_digit.version == self.canvas.version
        return self._seems_single[1] and (not doubted or self._no_number == self.canvas.version)

    @property
    def needs_reading(self) -> bool:
        """Whether the last reading is not of the canvas as it is now, or lacks a saliency that is shown."""
        if not self.canvas.strokes:
            self.canvas_reading = None
            self._emptied = self.canvas.version
            return False
        done = self.canvas_reading
        return (
            done is None
            or (done.version, done.single) != (self.canvas.version, self.is_single)
            or done.with_saliency < self.shows_saliency
        )

    def snapshot(self) -> Snapshot:
        """Return what is to be read, for any thread, while the drawing goes on."""
        return Snapshot(self.canvas.version, self._raster.pixels.copy(), self.is_single, self.shows_saliency)

    def accept(self, canvas_reading: CanvasReading) -> None:
        """Take the reading of a snapshot, unless a newer one is there or the canvas was emptied since.

        What looks like one digit and is none is to be read once more, as a number: digits may touch, or
        stand one above the other.
        """
        if canvas_reading.version < max(
            self._emptied, self.canvas_reading.version if self.canvas_reading else 0
        ):
            return
        self.canvas_reading = canvas_reading
        if canvas_reading.single and not canvas_reading.reading.text and len(self.canvas.strokes) > 1:
            self._no_digit = canvas_reading
        doubted = self._no_digit
        if (
            self.mode != Mode.AUTO
            or canvas_reading.single
            or doubted is None
            or doubted.version != canvas_reading.version
        ):
            return
        sure = [
            digit.digit is not None and digit.confidence >= SESSION.sure
            for digit in canvas_reading.reading.digits
        ]
        if len(sure) < SESSION.least_digits or not all(sure):
            self._no_number, self.canvas_reading = canvas_reading.version, doubted

    def refresh(self) -> None:
        """Read the canvas now, if that has not been done and the model is there."""
        while self.needs_reading and self.read:
            self.accept(self.read(self.snapshot()))

    def last(self) -> KeptReading | None:
        """Return the reading of what is on the canvas, if it was not kept."""
        self.refresh()
        if self.canvas_reading is None or self.canvas.version == self._kept_version:
            return None
        return _kept(self.canvas_reading)

    def _attempt(self, action: Callable[[], str]) -> None:
        """Do what may fail for outside reasons and show what it says; drawing goes on either way."""
        try:
            self.message = action()
        except DigitcliError as error:
            self.message = f"Not saved: {error}"

    def _keep(self) -> KeptReading | None:
        self.canvas.end()
        self.refresh()
        kept = _kept(self.canvas_reading) if self.canvas_reading else None
        if kept is None:
            self.message = "Nothing to keep yet" if self.read else "The model is still being loaded"
            return None
        self.kept.append(kept)
        del self.kept[: -SESSION.kept_readings]
        self._kept_version = self.canvas.version
        self.message = ""
        return kept

    def _save(self) -> str:
        self.canvas.end()
        if not self.canvas.strokes:
            return "Nothing to save yet"
        folder = self._drawings
        if folder is None:
            return _NOWHERE
        self.refresh()
        read = self.canvas_reading.in_words if self.canvas_reading else ""
        stem = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
        name, number = stem, 1
        while (folder / f"{name}.png").exists():
            number += 1
            name = f"{stem}-{number}"
        with artifacts.replacing(folder) as files:
            files.write(f"{name}.png", self.picture())
            drawing = {"label": None, "read": read, "strokes": self.canvas.as_strokes()}
            files.write(f"{name}.jsonl", json.dumps(drawing).encode() + b"\n")
        return f"Saved {folder / name}.png and .jsonl"

    def picture(self) -> bytes:
        """Return the drawing as PNG, dark on white, (512, 512)."""
        from digitcli.preprocessing.image_files import png

        raster = Raster(SESSION.saved_size, SIDE)
        raster.paint(self.canvas.strokes)
        return png(np.asarray(cv2.bitwise_not(raster.pixels), np.uint8))

    def _correct(self, label: int) -> str:
        self.canvas.end()
        if not self.canvas.strokes:
            return f"Draw first, then say that it is a {label}"
        if not self.is_single:
            return "Corrections are of one digit alone; N reads as one"
        if self._corrections is None:
            return _NOWHERE
        self.refresh()
        again = self._corrected == self.canvas.version and self._corrections.take_back()
        read = self.canvas_reading.in_words if self.canvas_reading else ""
        self._corrections.add(self.canvas.as_strokes(), label, read)
        self._corrected = self.canvas.version
        return f"{'Now a' if again else 'Noted as a'} {label} in {self._corrections.path}"


def _kept(canvas_reading: CanvasReading) -> KeptReading | None:
    if not canvas_reading.in_words:
        return None
    return KeptReading(canvas_reading.in_words, canvas_reading.confidence, canvas_reading.reading)


def play(session: Session, events: Iterable[Event]) -> Iterator[KeptReading]:
    """Apply events without a window, and yield each reading that is kept.

    The canvas is read whenever the pen is up, as a window would have read it last.
    """
    for event in events:
        kept = session.handle(event)
        if event.do not in WITH_POSITION:
            session.refresh()
        if kept:
            yield kept
        if session.is_over:
            break
