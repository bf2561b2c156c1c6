"""Drawing on a window's picture: colours, and antialiased text in the font that OpenCV carries."""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.mnist_form import Images

Colour = tuple[int, int, int]  # blue, green, red, as OpenCV shows them
Rect = tuple[int, int, int, int]  # x and y of the left upper corner, width, height; in pixels

PAPER: Colour = (255, 255, 255)
STROKE: Colour = (48, 36, 28)
GROUND: Colour = (243, 245, 246)
LINE: Colour = (212, 217, 220)
FAINT: Colour = (178, 184, 188)
QUIET: Colour = (102, 108, 112)
WORDS: Colour = (48, 36, 28)
ACCENT: Colour = (196, 104, 32)
DOUBT: Colour = (24, 96, 184)

REGULAR, MEDIUM, BOLD = 400, 500, 700
CAPITALS = 0.76  # height of a capital or a digit to the size of its font


@dataclass(frozen=True)
class PaintingParameters:
    """Lengths that several parts of the window share.

    Attributes:
        corner: radius of the corners of the canvas and of the square of forms, in units of the layout.
        box_margin: from a digit's box to its frame and from there to its label, in units of the layout; the
            radius of the frame's corners, too.
        key_gap: from a key to what it does in the status bar, in sizes of the type.
        caption_lift: from the lower edge of the reading to the baseline of its caption, in sizes of the type.
        min_caption: smallest size of captions and of the list of keys, in pixels.
    """

    corner: float = 3.0
    box_margin: float = 5.0
    key_gap: float = 0.4
    caption_lift: float = 0.35
    min_caption: float = 11.0


PAINTING = PaintingParameters()


def blank(width: int, height: int, colour: Colour = GROUND) -> Images:
    """Return a picture (height, width, 3) uint8 of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def write(
    picture: Images, words: str, x: float, y: float, size: float, colour: Colour, weight: int = REGULAR
) -> None:
    """Write `words` with the left end of their baseline at (x, y), `size` pixels high."""
    if words:
        _put(picture, words, (round(x), round(y)), colour, round(size), weight)


def write_centred(
    picture: Images, words: str, x: float, y: float, size: float, colour: Colour, weight: int = REGULAR
) -> None:
    """Write `words` with the middle of their baseline at (x, y)."""
    write(picture, words, x - width_of(words, size, weight) / 2, y, size, colour, weight)


def write_right(
    picture: Images, words: str, x: float, y: float, size: float, colour: Colour, weight: int = REGULAR
) -> None:
    """Write `words` with the right end of their baseline at (x, y)."""
    write(picture, words, x - width_of(words, size, weight), y, size, colour, weight)


def width_of(words: str, size: float, weight: int = REGULAR) -> int:
    """Return how wide `words` are, in pixels."""
    return _width(words, round(size), weight)


def fitting(words: str, width: float, size: float, least: float, weight: int = REGULAR) -> float:
    """Return the largest size from `least` to `size` at which `words` are no wider than `width`."""
    wide = width_of(words, size, weight)
    return size if wide <= width else max(least, size * width / wide)


def shortened(words: str, width: float, size: float, weight: int = REGULAR, *, keep_end: bool = False) -> str:
    """Return `words`, or as much of them as fits into `width` with dots for what is left out."""
    if width_of(words, size, weight) <= width:
        return words
    for count in range(len(words) - 1, 0, -1):
        short = f"...{words[-count:]}" if keep_end else f"{words[:count].rstrip()}..."
        if width_of(short, size, weight) <= width:
            return short
    return ""


def fill(picture: Images, rect: Rect, colour: Colour, radius: float = 0.0) -> None:
    """Fill a rectangle, with round corners of `radius` pixels."""
    _, _, width, height = rect
    if width <= 0 or height <= 0:
        return
    corner = min(round(radius), width // 2, height // 2)
    if corner < 1:
        cv2.rectangle(picture, rect, colour, cv2.FILLED)
        return
    cv2.fillPoly(picture, [_rounded(rect, corner)], colour, cv2.LINE_AA, _SHIFT)


def outline(picture: Images, rect: Rect, colour: Colour, thickness: int = 1, radius: float = 0.0) -> None:
    """Draw the edge of a rectangle, with round corners of `radius` pixels."""
    _, _, width, height = rect
    if width <= 0 or height <= 0:
        return
    corner = max(1, min(round(radius), width // 2, height // 2))
    cv2.polylines(picture, [_rounded(rect, corner)], True, colour, thickness, cv2.LINE_AA, _SHIFT)


_SHIFT = 4  # bits of fractions of a pixel


def _rounded(rect: Rect, radius: int) -> NDArray[np.int32]:
    """Return the corner points of a rectangle whose corners are quarters of circles."""
    x, y, width, height = rect
    return _outline(width, height, radius) + (np.array([x, y], np.int32) << _SHIFT)


@lru_cache(maxsize=1024)  # every turn of a window draws much the same ones
def _outline(width: int, height: int, radius: int) -> NDArray[np.int32]:
    right, bottom = width - 1, height - 1
    angles = np.linspace(0, np.pi / 2, max(7, radius))
    cos, sin = np.cos(angles) * radius, np.sin(angles) * radius
    points = [
        np.stack([right - radius + sin, radius - cos], axis=1),
        np.stack([right - radius + cos, bottom - radius + sin], axis=1),
        np.stack([radius - sin, bottom - radius + cos], axis=1),
        np.stack([radius - cos, radius - sin], axis=1),
    ]
    return np.asarray(np.rint(np.concatenate(points) * (1 << _SHIFT)), np.int32)


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")  # Rubik, inside OpenCV; a variable font


def _put(
    picture: Images, words: str, origin: tuple[int, int], colour: Colour, size: int, weight: int
) -> None:
    cv2.putText(picture, words, origin, colour, _font(), size, weight)


@cache
def _width(words: str, size: int, weight: int) -> int:
    return int(cv2.getTextSize((0, 0), words, (0, 0), _font(), size, weight)[2])


def colour(grey: Images, low: Colour, high: Colour, area: Images) -> None:
    """Paint a picture (H, W) uint8 into `area` (H, W, 3): 0 as `low`, 255 as `high`."""
    # a channel at a time: OpenCV is four times as fast at this as at looking colours up
    ranges = zip(low, high, strict=True)
    cv2.merge([cv2.convertScaleAbs(grey, alpha=(b - a) / 255, beta=a) for a, b in ranges], area)
