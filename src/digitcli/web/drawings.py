"""Drawings that programs send as pen strokes, read as the canvas reads them."""

from collections.abc import Callable, Sequence

import numpy as np

from digitcli.canvas.canvas import SIDE
from digitcli.canvas.canvas_reading import CanvasReading, Snapshot
from digitcli.canvas.events import drawn
from digitcli.canvas.session import Mode, Session
from digitcli.datasets.strokes import PICTURE_SIZE, Drawing, placement
from digitcli.recognition.reading import Reading

_SCALE = SIDE / PICTURE_SIZE  # units of the canvas to a pixel of `strokes.picture`


def read(
    several: Sequence[Drawing],
    *,
    single: bool | None,
    read_canvases: Callable[[Sequence[Snapshot]], Sequence[CanvasReading]],
) -> list[Reading]:
    """Draw each on a canvas of its own and read it; boxes are in units of the canvas.

    Args:
        several: strokes of any scale.
        single: take all of a drawing for one digit, or for a number; None finds out.
        read_canvases: reads several canvases together.
    """
    sessions = [_drawn(drawing, single=single) for drawing in several]
    while waiting := [session for session in sessions if session.needs_reading]:
        canvas_readings = read_canvases([session.snapshot() for session in waiting])
        for session, canvas_reading in zip(waiting, canvas_readings, strict=True):
            session.accept(canvas_reading)
    return [
        session.canvas_reading.reading if session.canvas_reading else Reading("", ()) for session in sessions
    ]


def _drawn(drawing: Drawing, *, single: bool | None) -> Session:
    session = Session()
    if single is not None:
        session.mode = Mode.ONE if single else Mode.NUMBER
    for event in drawn(drawing):
        if event.do == "keep":
            break
        session.handle(event)
    return session


def in_units(drawing: Drawing, reading: Reading) -> dict[str, object]:
    """Return a reading of the canvas as JSON, its boxes in the units of the strokes."""
    scale, shift = placement(drawing.strokes)
    answer = reading.as_json()
    for digit in answer["digits"]:
        x, y, width, height = np.array(digit["box"]) / _SCALE
        left, top = (np.array([x, y]) - shift) / scale
        digit["box"] = [round(float(value), 3) for value in (left, top, width / scale, height / scale)]
    return answer
