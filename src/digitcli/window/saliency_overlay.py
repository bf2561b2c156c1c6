"""Saliency as colours over the canvas."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.canvas.canvas import SIDE
from digitcli.canvas.canvas_reading import CanvasReading
from digitcli.preprocessing.mnist_form import Images
from digitcli.window.painting import Colour

_FOR: Colour = (32, 84, 232)
_AGAINST: Colour = (196, 128, 40)


def saliency_map(canvas_reading: CanvasReading, side: int) -> NDArray[np.float32]:
    """Return how much each pixel of the canvas speaks for what was read, below 0 against it.

    Args:
        canvas_reading: with saliency.
        side: of the canvas, in pixels.

    Returns:
        (side, side) float32, -1..1.
    """
    scale = side / SIDE
    whole = np.zeros((side, side), np.float32)
    for digit, form, saliency in zip(
        canvas_reading.reading.digits, canvas_reading.forms, canvas_reading.saliency, strict=True
    ):
        written = cv2.boundingRect((form > 50).astype(np.uint8))
        if not written[2]:
            continue
        x, y, width, height = (value * scale for value in digit.box)
        across, down = width / written[2], height / written[3]
        # from a pixel of the form to a pixel of the canvas
        matrix = np.array([[across, 0, x - across * written[0]], [0, down, y - down * written[1]]])
        here = cv2.warpAffine(saliency, matrix, (side, side), flags=cv2.INTER_LINEAR)
        whole = np.where(np.abs(here) > np.abs(whole), here, whole)
    return whole


def tint(area: Images, strokes: Images, saliency: NDArray[np.float32]) -> None:
    """Colour strokes by their saliency, and the paper around them a little.

    Args:
        area: (H, W, 3) uint8, blue first; changed in place.
        strokes: (H, W) uint8, what is drawn.
        saliency: (H, W) float32, -1..1.
    """
    strength = np.sqrt(np.abs(saliency))[..., np.newaxis]  # little is not nothing
    colour = np.where(saliency[..., np.newaxis] > 0, *(np.array(c, np.float32) for c in (_FOR, _AGAINST)))
    share = strength * (0.15 + 0.8 * (strokes[..., np.newaxis] / np.float32(255)))
    area[:] = np.rint(area * (1 - share) + colour * share).astype(np.uint8)
