"""From a mark's box to its form: grey values where the detector sees a digit's ink, in MNIST form.

The foreground tells what belongs to a digit: cell lines, neighbours and print-through are not in it. Grey
values are sharper; whether ink is darker or brighter than paper is seen where the foreground says what is
ink.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.models.classifier import Floats
from digitcli.preprocessing.mnist_form import Images, to_mnist_form
from digitcli.recognition.finder import View


@dataclass(frozen=True)
class FormParameters:
    """How a digit is cut out.

    Attributes:
        side: pixels of a box's longer side at which the detector's foreground is taken, about.
        working: pixels of that side in which the digit is cut out.
        margin: around the box, as a share of that side.
    """

    side: float = 48
    working: int = 64
    margin: float = 0.12


FORMS = FormParameters()


def cut_out(image: Images, views: list[View], box: Floats, others: Floats) -> Images | None:
    """Return the form (28, 28) of the digit in a box, None where there is no ink.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        views: of the image; see `finder.look`.
        box: x, y, width, height in pixels.
        others: (N, 4), boxes of the digits beside it.
    """
    longer = float(max(box[2:]))
    margin = FORMS.margin * longer + 1
    left, top = (int(max(0, np.floor(value - margin))) for value in box[:2])
    right, below = (
        int(min(side, np.ceil(start + extent + margin)))
        for side, start, extent in zip(image.shape[1::-1], box[:2], box[2:], strict=True)
    )
    if right - left < 2 or below - top < 2:
        return None
    scale = FORMS.working / longer
    size = (max(2, round((right - left) * scale)), max(2, round((below - top) * scale)))
    part = image[top:below, left:right]
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY) if part.ndim == 3 else part
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    mask = _foreground(views, (left, top, right, below), longer, size)
    mask *= _is_own(size, (left, top), scale, box, others)
    return to_mnist_form(np.asarray(grey, np.uint8), mask=mask)


def _foreground(
    views: list[View], place: tuple[int, int, int, int], longer: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the foreground of a place, 0..1, resized: of the view in which a digit is of the best size."""
    best, share = np.inf, np.zeros(size[::-1], np.float32)
    left, top, right, below = place
    for view in views:
        away = abs(np.log(longer * view.scale / FORMS.side))
        if away >= best:
            continue
        half = view.scale / 2
        matrix = np.array(
            [[size[0] / ((right - left) * half), 0, 0], [0, size[1] / ((below - top) * half), 0]], np.float64
        )
        # pixel centers: a pixel of the view's foreground covers 1 / half pixels of the picture
        matrix[0, 2] = (0.5 - left * half) * matrix[0, 0] - 0.5
        matrix[1, 2] = (0.5 - top * half) * matrix[1, 1] - 0.5
        found = cv2.warpAffine(view.foreground, matrix, size, flags=cv2.INTER_LINEAR)
        if not found.any():
            continue  # perhaps a tile that was not looked at
        best, share = away, found.astype(np.float32) / 255
    return share


def _is_own(
    size: tuple[int, int], corner: tuple[int, int], scale: float, box: Floats, others: Floats
) -> NDArray[np.float32]:
    """Return 1 where a pixel is nearer to the box's middle than to another's, in units of their sides."""
    x = (np.arange(size[0], dtype=np.float32) + 0.5) / scale + corner[0]
    y = (np.arange(size[1], dtype=np.float32) + 0.5) / scale + corner[1]

    def away(place: Floats) -> NDArray[np.float32]:
        across = np.abs(x - (place[0] + place[2] / 2)) / (place[2] / 2)
        down = np.abs(y - (place[1] + place[3] / 2)) / (place[3] / 2)
        return np.asarray(np.maximum(across[np.newaxis], down[:, np.newaxis]), np.float32)

    own = away(box)
    is_own = np.ones(size[::-1], np.float32)
    for other in others:
        theirs = away(other)
        is_own[(theirs < own) & (theirs < 1)] = 0
    return is_own
