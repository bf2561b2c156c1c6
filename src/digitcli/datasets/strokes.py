"""Pen strokes: the format of stored drawings, and their rendering.

One drawing is one JSON object a line: ``{"label": 7, "strokes": [[[x, y], ...], ...]}``, y pointing
down, any scale, other keys ignored.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from digitcli.config import validation
from digitcli.config.mnist import CLASSES
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images

Points = NDArray[np.float64]  # (P, 2), x and y

# Bounds on memory and time, far beyond what a person draws.
MAX_STROKES = 1_000  # of a drawing
MAX_POINTS = 20_000  # of a drawing
MAX_LINE = 1_000_000  # characters of a drawing as JSON; some 50 for each point

# By convention; a drawing with room for pen and paper around it.
PICTURE_SIZE = 256  # pixels, height and width of a drawing's picture
PICTURE_BOX = 180  # pixels, the longer side of the drawing in it

_FRACTION_BITS = 4  # of coordinates: OpenCV draws at sixteenths of a pixel


@dataclass(frozen=True)
class PenStrokeParameters:
    """What strokes may be, and with what pen they are drawn where they have no width.

    The pen was chosen by the digits of 23 writers, alone and in numbers: thin pens leave small loops open
    (docs/experiments.md, "Reading: before and after", compares it with one pen for all).

    Attributes:
        largest_coordinate: in either direction, of any scale; a safety bound.
        least_extent: of a drawing, in its own units; a smaller one is a dot and is not enlarged.
        pen_share: width of the pen, as a share of the tallest stroke's height, which is that of a digit,
            alone or in a number.
        least_pen: its width at least, in pixels.
    """

    largest_coordinate: float = 1e6
    least_extent: float = 1e-9
    pen_share: float = 0.08
    least_pen: float = 3.0


PEN_STROKES = PenStrokeParameters()

_Coordinate = Annotated[
    float,
    Field(
        ge=-PEN_STROKES.largest_coordinate,
        le=PEN_STROKES.largest_coordinate,
        allow_inf_nan=False,
        strict=True,
    ),
]
_Point = tuple[_Coordinate, _Coordinate]


class Drawing(BaseModel):
    """Pen strokes with what they mean, if that is known.

    Attributes:
        strokes: each a sequence of points (x, y), in the order in which they were drawn.
        label: 0..9.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    strokes: tuple[Annotated[tuple[_Point, ...], Field(min_length=1, max_length=MAX_POINTS)], ...] = Field(
        min_length=1, max_length=MAX_STROKES
    )
    label: int | None = Field(default=None, ge=0, lt=CLASSES, strict=True)


def parse(line: str | bytes, where: str) -> Drawing:
    """Read one drawing from its JSON; a `DataError` begins with `where`."""
    if len(line) > MAX_LINE:
        raise DataError(f"{where}: over {MAX_LINE:,} characters; expected one drawing a line")
    try:
        drawing = Drawing.model_validate_json(line)
    except ValidationError as error:
        raise DataError(f"{where}: {validation.first(error)}") from error
    if sum(len(stroke) for stroke in drawing.strokes) > MAX_POINTS:
        raise DataError(f"{where}: over {MAX_POINTS:,} points; expected at most that")
    return drawing


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file, plain or gzipped, that are not blank, with their numbers, from 1.

    Raises `DataError` where the file cannot be read.
    """
    number = 0
    try:
        with cast("IO[bytes]", gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")) as file:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cut off or damaged ({error}); expected gzipped lines of JSON") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def picture(strokes: Sequence[Sequence[tuple[float, float]]]) -> Images:
    """Draw strokes of any scale, which have no width of their own, with a pen that suits them.

    Returns (256, 256) uint8, strokes bright on black, the drawing in the middle.
    """
    canvas = np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.uint8)
    drawn = placed(strokes)
    width = round(pen_width(drawn))
    for stroke in drawn:
        draw_stroke(canvas, stroke, width)
    return canvas


def pen_width(strokes: Sequence[Points]) -> float:
    """Return the width, in pixels, of the pen that suits strokes where `placed` has put them."""
    tallest = max(float(np.ptp(stroke[:, 1])) for stroke in strokes)
    return max(PEN_STROKES.least_pen, PEN_STROKES.pen_share * tallest)


def placed(strokes: Sequence[Sequence[tuple[float, float]]]) -> list[Points]:
    """Return the points of strokes of any scale, moved and scaled to where `picture` draws them."""
    scale, shift = placement(strokes)
    return [np.asarray(stroke, np.float64) * scale + shift for stroke in strokes]


def placement(strokes: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, Points]:
    """Return by what factor `placed` scales, and by how much (x, y) it moves after that."""
    points = [np.asarray(stroke, np.float64) for stroke in strokes]
    low = np.min([stroke.min(axis=0) for stroke in points], axis=0)
    high = np.max([stroke.max(axis=0) for stroke in points], axis=0)
    extent = float(np.max(high - low))
    scale = PICTURE_BOX / extent if extent > PEN_STROKES.least_extent else 1.0
    return scale, PICTURE_SIZE / 2 - (low + high) / 2 * scale


def draw_stroke(canvas: Images, points: Points, width: int, value: int = 255) -> None:
    """Draw one stroke onto `canvas` (height, width) uint8: antialiased, round at ends and bends.

    Args:
        canvas: changed in place.
        points: (P, 2) x, y in pixels; a single one is a dot.
        width: of the pen, in pixels.
        value: grey value of the stroke, 0..255.
    """
    places = _fixed(points)
    if (places == places[0]).all():
        _dot(canvas, places[0], width, value)
    else:
        line = places[:, np.newaxis]
        cv2.polylines(canvas, [line], False, value, width, cv2.LINE_AA, _FRACTION_BITS)


def draw_growing(canvas: Images, points: Points, width: int, first: int = 0, value: int = 255) -> None:
    """Draw a stroke that grows: the same picture to the bit, in however many calls it is drawn.

    Args:
        canvas: (height, width) uint8, changed in place.
        points: (P, 2) x, y in pixels; all of the stroke so far.
        width: of the pen, in pixels.
        first: how many of the points earlier calls have drawn.
        value: grey value of the stroke, 0..255.
    """
    places = _fixed(points[max(0, first - 1) :])
    if first == 0:
        _dot(canvas, places[0], width, value)
    pieces = list(
        np.stack([places[:-1], places[1:]], axis=1)
    )  # each with round ends: no order of calls shows
    if pieces:
        cv2.polylines(canvas, pieces, False, value, width, cv2.LINE_AA, _FRACTION_BITS)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.rint(points * (1 << _FRACTION_BITS)).astype(np.int32)


def _dot(canvas: Images, place: NDArray[np.int32], width: int, value: int) -> None:
    x, y = (int(part) for part in place)
    radius = (width << _FRACTION_BITS) // 2
    cv2.circle(canvas, (x, y), radius, value, cv2.FILLED, cv2.LINE_AA, _FRACTION_BITS)
