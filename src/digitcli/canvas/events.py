"""Events on a canvas, and the files that record them.

A recording is lines of JSON: first ``{"digitcli": "recording", "version": 1}``, then an event a line, such
as ``{"t": 1.25, "do": "move", "x": 100.5, "y": 80}``. Coordinates are in units of the canvas.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from digitcli.canvas.canvas import SIDE
from digitcli.config import validation
from digitcli.datasets.strokes import PICTURE_SIZE, Drawing, parse, pen_width, placed, read_lines
from digitcli.errors import DataError, DigitcliError, OptionError

Action = Literal[
    "pen",  # comes down at x, y
    "erase",  # the same with the eraser
    "move",  # to x, y
    "up",
    "undo",
    "redo",
    "clear",
    "brush",  # becomes `to` units wide
    "eraser",  # the pen becomes the eraser, or the other way round
    "mode",  # one digit, a number, or found automatically: the next of these
    "explain",  # show what the network looked at, or no longer
    "help",  # show all keys, or no longer
    "keep",  # the reading
    "save",  # the drawing
    "correct",  # the drawing is a `to`
    "quit",
]
WITH_POSITION = ("pen", "erase", "move")

_HEADER = {"digitcli": "recording", "version": 1}


@dataclass(frozen=True)
class EventParameters:
    """What events may say, and when those of a replay happen; by convention.

    Attributes:
        largest_coordinate: units of the canvas, in either direction; a mouse may leave the canvas, but not
            that far.
        most_seconds: of an event's time, some eleven days; a safety bound.
        least_brush: units, width.
        frequency: events a second when pen strokes are played, as of a mouse.
        time_decimals, place_decimals: to which their times, in seconds, and places, in units, are rounded.
        linger_seconds: that a window stays after a replay, to be looked at.
    """

    largest_coordinate: float = 4 * SIDE
    most_seconds: float = 1e6
    least_brush: float = 1.0
    frequency: int = 125
    time_decimals: int = 4
    place_decimals: int = 2
    linger_seconds: float = 1.0


EVENTS = EventParameters()

_Coordinate = Annotated[float, Field(ge=-EVENTS.largest_coordinate, le=EVENTS.largest_coordinate)]


class Event(BaseModel):
    """One action of a user.

    Attributes:
        t: when, in seconds since the beginning.
        do: what.
        x, y: where, in units of the canvas.
        to: for ``brush`` the width, for ``correct`` the digit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    t: float = Field(ge=0, le=EVENTS.most_seconds)
    do: Action
    x: _Coordinate | None = None
    y: _Coordinate | None = None
    to: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.do in WITH_POSITION) != (self.x is not None and self.y is not None):
            raise ValueError(f"{self.do!r} expects {'x and y' if self.do in WITH_POSITION else 'no x and y'}")
        if self.do == "correct" and self.to not in range(10):
            raise ValueError(f"found a correction to {self.to}; expected a digit, 0 to 9")
        if self.do == "brush" and not (self.to and EVENTS.least_brush <= self.to <= SIDE):
            raise ValueError(f"found a brush of {self.to}; expected {EVENTS.least_brush:g} to {SIDE:g} units")
        return self


class Recording:
    """A file that takes events as they happen: what a crash or a kill leaves behind can be replayed."""

    def __init__(self, path: Path) -> None:
        """Begin the file; an `OptionError` where it cannot be or is there already."""
        try:
            self._file = path.open("x", encoding="utf-8")
        except FileExistsError as error:
            raise OptionError(f"--record {path}: is there already; name a new file") from error
        except OSError as error:
            raise OptionError(f"--record {path}: cannot be written: {error.strerror}") from error
        self._path = path
        self._line(_HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, event: Event) -> None:
        """Write an event; those before are on their way to the disk whenever the pen rests.

        Raises `DigitcliError` where the disk is full.
        """
        self._line(event.model_dump(exclude_none=True), rests=event.do != "move")

    def _line(self, value: dict[str, object], *, rests: bool = True) -> None:
        try:
            self._file.write(json.dumps(value) + "\n")
            if rests:
                self._file.flush()
        except OSError as error:
            raise DigitcliError(f"--record {self._path}: cannot be written: {error.strerror}") from error


class Replay:
    """Events that were recorded, as they become due."""

    def __init__(self, events: Iterator[Event], *, fast: bool) -> None:
        """Begin.

        Args:
            events: in the order of their times.
            fast: each turn takes what comes up to the next event that is no move, whatever its time.
        """
        self._events = events
        self._next: Event | None = next(self._events, None)
        self._fast = fast
        self._start = time.perf_counter()
        self._end: float | None = None

    def due(self) -> list[Event]:
        """Return what is to happen now; after the last event, and a moment to look at it, the end."""
        now = time.perf_counter()
        events: list[Event] = []
        while self._next is not None and (self._fast or self._next.t <= now - self._start):
            events.append(self._next)
            self._next = next(self._events, None)
            if self._fast and events[-1].do not in WITH_POSITION:
                break
        if self._next is None and not events:
            self._end = self._end or now
            if self._fast or now - self._end > EVENTS.linger_seconds:
                events.append(Event(t=now - self._start, do="quit"))
        return events


def load(path: Path, damaged: list[DataError]) -> Iterator[Event]:
    """Give the events of a recording, or those that draw and keep each drawing of a file of pen strokes.

    Args:
        path: of lines of JSON, plain or gzipped.
        damaged: gets an error for every line that cannot be used, with its number; the others count.

    Raises `DataError` where nothing can be read at all.
    """
    count, is_recording, elapsed = 0, False, 0.0
    for number, line in read_lines(path):
        where = f"{path}: line {number}"
        if count == 0 and not damaged and _is_header(line):
            is_recording = True
            continue
        try:
            if is_recording:
                events: Iterable[Event] = [_parse_event(line, where)]
            else:
                events = drawn(parse(line, where), elapsed)
        except DataError as error:
            damaged.append(error)
            continue
        for event in events:
            count, elapsed = count + 1, event.t
            yield event
    if not count and not damaged:
        raise DataError(f"{path}: nothing in it; expected a recording or drawings, one a line of JSON")


def drawn(drawing: Drawing, start: float = 0.0) -> Iterator[Event]:
    """Give the events that draw strokes as `strokes.picture` does, keep the reading, and clear."""
    scale = SIDE / PICTURE_SIZE
    strokes = placed(drawing.strokes)
    tick, number = 1 / EVENTS.frequency, 0

    def now() -> float:
        nonlocal number
        number += 1
        return round(start + number * tick, EVENTS.time_decimals)

    yield Event(t=now(), do="brush", to=pen_width(strokes) * scale)
    for points in strokes:
        places = (points * scale).round(EVENTS.place_decimals).tolist()
        for place, (x, y) in enumerate(places):
            yield Event(t=now(), do="move" if place else "pen", x=x, y=y)
        yield Event(t=now(), do="up")
    yield Event(t=now(), do="keep")
    yield Event(t=now(), do="clear")


def _is_header(line: bytes) -> bool:
    try:
        return bool(json.loads(line) == _HEADER)
    except ValueError:
        return False


def _parse_event(line: bytes, where: str) -> Event:
    try:
        return Event.model_validate_json(line)
    except ValidationError as error:
        raise DataError(f"{where}: {validation.first(error)}") from error
