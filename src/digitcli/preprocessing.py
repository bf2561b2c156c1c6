"""From pixels to MNIST form, and from MNIST form to what a network takes.

MNIST form is a 28x28 image of grey values 0..255, ink bright on black, the digit fitted into
20x20 with its aspect ratio kept and its centre of mass at the centre of the 28x28 (LeCun, Cortes
and Burges, "The MNIST database of handwritten digits"). Scaling of grey values is not done here:
it is the first layer of every network.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

IMAGE_SIZE = 28  # pixels, height and width of MNIST form
DIGIT_SIZE = 20  # pixels, the longer side of the digit inside it
CENTRE = IMAGE_SIZE // 2  # the pixel on which MNIST puts the centre of mass
CLASSES = 10

MAX_SIDE = 4096  # pixels; a larger picture is not a single digit
MIN_CONTRAST = 32  # grey levels between paper and ink, below which an image counts as blank
INK_SHARE = 0.2  # of the strongest ink; what is fainter does not extend the digit's box

Images = NDArray[np.uint8]


def network_input(images: Images) -> NDArray[np.float32]:
    """Return images (N, 28, 28) uint8 as (N, 28, 28, 1) float32, still 0..255."""
    return images[..., np.newaxis].astype(np.float32)


def to_mnist_form(image: Images) -> Images | None:
    """Normalise one digit as MNIST's makers did.

    Args:
        image: (height, width) uint8, one digit, dark on bright or bright on dark.

    Returns:
        (28, 28) uint8 in MNIST form, or None where there is no ink.
    """
    ink = _ink(image)
    strongest = int(ink.max())
    if strongest < MIN_CONTRAST:
        return None
    rows, columns = np.nonzero(ink > INK_SHARE * strongest)
    digit = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    digit = _fit(digit, DIGIT_SIZE)
    digit = np.rint(digit * (255.0 / digit.max())).astype(np.uint8)
    return _centre(digit)


def _ink(image: Images) -> NDArray[np.float32]:
    """How much each pixel differs from the paper, which is what the border mostly shows."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    paper = float(np.median(border))
    grey = image.astype(np.float32)
    # bright paper carries dark ink
    ink = paper - grey if paper > 255 / 2 else grey - paper
    positive: NDArray[np.float32] = np.maximum(ink, 0)
    return positive


def _fit(digit: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Scale so that the longer side is `size` pixels."""
    height, width = digit.shape
    scale = size / max(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    if target == (width, height):
        return digit
    # INTER_AREA averages what falls into a pixel: the antialiasing of the original
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(digit, target, interpolation=how).astype(np.float32)


def _centre(digit: Images) -> Images:
    """Put the digit into 28x28 with its centre of mass at the centre, by whole pixels."""
    height, width = digit.shape
    moments = cv2.moments(digit)
    x = round(CENTRE - moments["m10"] / moments["m00"])
    y = round(CENTRE - moments["m01"] / moments["m00"])
    x, y = np.clip(x, 0, IMAGE_SIZE - width), np.clip(y, 0, IMAGE_SIZE - height)
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    canvas[y : y + height, x : x + width] = digit
    return canvas
