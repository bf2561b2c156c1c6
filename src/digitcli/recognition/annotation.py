"""Annotated copies of images: a box, a digit and a confidence for every mark."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitcli.preprocessing.foreground import opaque
from digitcli.preprocessing.image_files import Picture
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.reading import Digit, Reading


@dataclass(frozen=True)
class AnnotationParameters:
    """How a reading is drawn into an image; chosen by eye.

    Colours are red, green and blue, 0..255. Lengths are pixels where the image's shorter side has
    `usual_side` or fewer, and grow with larger images.

    Attributes:
        read, no_digit: colours of a digit's box and of a mark's that is no digit.
        words: colour.
        usual_side: pixels.
        least_side: pixels, the longer side below which images are enlarged, so that words can be read.
        margin: between what was read and its box.
        line: width of the box's outline.
        letters: of the words, in multiples of the Hershey font's own size.
        letter_line: width.
        band: height that words need above a box; where there is less, they are below.
        above, below: between a box and the words.
        overhang: widths of its box that words may have; wider ones would reach over the next digit's.
        right_margin: pixels, whatever the image's size, between words and its right edge.
    """

    read: tuple[int, int, int] = (46, 139, 46)
    no_digit: tuple[int, int, int] = (150, 150, 150)
    words: tuple[int, int, int] = (255, 255, 255)
    usual_side: int = 400
    least_side: int = 240
    margin: float = 3
    line: float = 1.5
    letters: float = 0.5
    letter_line: float = 1
    band: float = 18
    above: float = 2
    below: float = 4
    overhang: float = 1.15
    right_margin: int = 2


ANNOTATION = AnnotationParameters()


def annotate(picture: Picture, reading: Reading) -> Images:
    """Return the image, in colours (H, W, 3) uint8 in the order red, green, blue, with the reading."""
    canvas, enlarged = _in_colours(picture)
    scale = enlarged / picture.scale
    unit = max(1.0, min(canvas.shape[:2]) / ANNOTATION.usual_side)  # of lines and letters
    for digit in reading.digits:
        _draw(canvas, digit, scale, unit)
    return canvas


def _in_colours(picture: Picture) -> tuple[Images, float]:
    pixels = opaque(picture.pixels)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    longer = max(pixels.shape[:2])
    enlarged = 1.0 if longer >= ANNOTATION.least_side else float(-(-ANNOTATION.least_side // longer))
    canvas = cv2.resize(pixels, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(canvas, np.uint8), enlarged


def _draw(canvas: Images, digit: Digit, scale: float, unit: float) -> None:
    x, y, width, height = (value * scale for value in digit.box)
    colour = ANNOTATION.no_digit if digit.digit is None else ANNOTATION.read
    margin = ANNOTATION.margin * unit
    left, top = round(x - margin), round(y - margin)
    right, bottom = round(x + width + margin), round(y + height + margin)
    line = max(1, round(ANNOTATION.line * unit))
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, line, cv2.LINE_AA)
    size = ANNOTATION.letters * unit
    words = "?" if digit.digit is None else f"{digit.digit} {digit.confidence:.0%}"
    (across, up), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    if across > ANNOTATION.overhang * (right - left):  # it would reach over the next digit's
        words = words.partition(" ")[0]
        (across, up), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    edge = max(0, min(left, canvas.shape[1] - across - ANNOTATION.right_margin))
    has_band = top >= ANNOTATION.band * unit
    foot = top - round(ANNOTATION.above * unit) if has_band else bottom + up + round(ANNOTATION.below * unit)
    cv2.rectangle(canvas, (edge, foot - up - below // 2), (edge + across, foot + below // 2), colour, -1)
    cv2.putText(
        canvas, words, (edge, foot), cv2.FONT_HERSHEY_SIMPLEX, size, ANNOTATION.words,
        max(1, round(ANNOTATION.letter_line * unit)), cv2.LINE_AA,
    )  # fmt: skip
