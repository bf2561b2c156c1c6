"""Annotated copies of images: a box, a digit and a confidence for every mark."""

import cv2
import numpy as np

from digitcli.preprocessing.foreground import opaque
from digitcli.preprocessing.image_files import Picture
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.recognizer import Digit, Reading

_READ, _NO_DIGIT = (46, 139, 46), (150, 150, 150)  # red, green, blue
_BAND = 18  # pixels above each box for the words, on an image 400 pixels high
_LEAST_SIDE = 240  # pixels; smaller images are enlarged, so that words can be read


def annotate(picture: Picture, reading: Reading) -> Images:
    """Return the image, in colours (H, W, 3) uint8 in the order red, green, blue, with the reading."""
    canvas, enlarged = _in_colours(picture)
    scale = enlarged / picture.scale
    unit = max(1.0, min(canvas.shape[:2]) / 400)  # of lines and letters
    for digit in reading.digits:
        _draw(canvas, digit, scale, unit)
    return canvas


def _in_colours(picture: Picture) -> tuple[Images, float]:
    pixels = opaque(picture.pixels)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    longer = max(pixels.shape[:2])
    enlarged = 1.0 if longer >= _LEAST_SIDE else float(-(-_LEAST_SIDE // longer))
    canvas = cv2.resize(pixels, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(canvas, np.uint8), enlarged


def _draw(canvas: Images, digit: Digit, scale: float, unit: float) -> None:
    x, y, width, height = (value * scale for value in digit.box)
    colour = _NO_DIGIT if digit.digit is None else _READ
    margin = 3 * unit
    left, top = round(x - margin), round(y - margin)
    right, bottom = round(x + width + margin), round(y + height + margin)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, max(1, round(1.5 * unit)), cv2.LINE_AA)
    size = 0.5 * unit
    words = "?" if digit.digit is None else f"{digit.digit} {digit.confidence:.0%}"
    (across, up), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    if across > 1.15 * (right - left):  # it would reach over the next digit's
        words = words.partition(" ")[0]
        (across, up), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    edge = max(0, min(left, canvas.shape[1] - across - 2))
    foot = top - round(2 * unit) if top >= _BAND * unit else bottom + up + round(4 * unit)
    cv2.rectangle(canvas, (edge, foot - up - below // 2), (edge + across, foot + below // 2), colour, -1)
    cv2.putText(
        canvas, words, (edge, foot), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255),
        max(1, round(unit)), cv2.LINE_AA,
    )  # fmt: skip
