"""Drawings that programs send as pen strokes, read as the canvas reads them."""

import numpy as np

from digitcli.canvas import SIDE
from digitcli.events import drawn
from digitcli.insight import Snapshot
from digitcli.recognizer import Reading
from digitcli.session import Session
from digitcli.strokes import PICTURE_SIZE, Drawing, placement

_SCALE = SIDE / PICTURE_SIZE  # units of the canvas to a pixel of `strokes.picture`


def snapshot(drawing: Drawing, *, single: bool | None) -> Snapshot:
    """Draw strokes on a canvas, to be read.

    Args:
        drawing: strokes of any scale.
        single: take all of it for one digit, or for a number; None finds out.
    """
    session = Session()
    for event in drawn(drawing):
        if event.do == "keep":
            break
        session.handle(event)
    found = session.snapshot()
    return Snapshot(found.version, found.ink, found.single if single is None else single)


def in_units(drawing: Drawing, reading: Reading) -> dict[str, object]:
    """Return a reading of the canvas as JSON, its boxes in the units of the strokes."""
    scale, shift = placement(drawing.strokes)
    told = reading.as_json()
    for digit in told["digits"]:
        x, y, width, height = np.array(digit["box"]) / _SCALE
        left, top = (np.array([x, y]) - shift) / scale
        digit["box"] = [round(float(value), 3) for value in (left, top, width / scale, height / scale)]
    return told
