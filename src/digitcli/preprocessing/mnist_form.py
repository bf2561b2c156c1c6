"""From any pixels to MNIST form, and from MNIST form to what a network takes.

MNIST form is a 28x28 image of grey values 0..255, ink bright on black, the digit fitted into
20x20 with its aspect ratio kept and its centre of mass at the centre of the 28x28 (LeCun, Cortes
and Burges, "The MNIST database of handwritten digits"). Scaling of grey values is not done here:
it is the first layer of every network.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CENTRE, DIGIT_SIZE, IMAGE_SIZE
from digitcli.preprocessing.cleaning import HALF, above, clean
from digitcli.preprocessing.foreground import extract_foreground, opaque
from digitcli.preprocessing.geometry import Box, bounding_box, resize_to
from digitcli.preprocessing.margin import add_margin, margin_width
from digitcli.preprocessing.masked import masked_foreground

PREPROCESSING_VERSION = 3  # raised whenever a picture gets another MNIST form than before

WORKING_SIDE = 2048  # pixels; larger images are reduced to it before anything else


@dataclass(frozen=True)
class StrokeParameters:
    """How a digit is delimited and its strokes are brought to MNIST's width.

    Attributes:
        edge_share: of the strongest foreground; what is fainter does not extend the bounding box.
        side: pixels, the longer side of the digit at which the width of its strokes is changed.
        hair: pixels at that size; thinner strokes may have gaps and are dilated before they are reduced.
        slight: pixels at that size of a difference that is left as it is.
        margin: pixels around the digit, for strokes that grow.
        thinnest, thickest: pixels of a digit of `DIGIT_SIZE`; strokes are brought between these. Of MNIST's
            own digits fitted into 20x20, half have strokes 2.6 to 3.4 pixels wide, 90% 2.1 to 4.5.
    """

    edge_share: float = 0.2
    side: int = 80
    hair: float = 2.0
    slight: float = 2.0
    margin: int = 12
    thinnest: float = 3.5
    thickest: float = 3.8


STROKES = StrokeParameters()

Images = NDArray[np.uint8]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]  # (H, W), (H, W, 3) or (H, W, 4)


def network_input(images: Images) -> NDArray[np.float32]:
    """Return images (N, 28, 28) uint8 as (N, 28, 28, 1) float32, still 0..255."""
    return images[..., np.newaxis].astype(np.float32)


def to_mnist_form(
    image: Pixels, *, single: bool = False, mask: NDArray[np.float32] | None = None
) -> Images | None:
    """Normalize one digit as MNIST's makers did, whatever it is written on.

    Args:
        image: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; see `foreground.extract_foreground`.
        single: the picture is of one digit and may be cropped to its edge; see `margin`.
        mask: (H, W) float32, 0..1, how surely each pixel is the digit's ink, where a detector tells that; the
            image is grey then.

    Returns:
        (28, 28) uint8 in MNIST form, or None where there is no foreground.
    """
    if mask is not None:
        return normalize(masked_foreground(np.asarray(image, np.uint8), mask))
    return normalize(digit_foreground(image, single=single))


def to_form(image: Pixels, *, single: bool = False) -> Images:
    """Do as `to_mnist_form`; an image without foreground gives (28, 28) of 0, so that counts stay whole."""
    form = to_mnist_form(image, single=single)
    return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8) if form is None else form


def digit_foreground(image: Pixels, *, single: bool = False) -> Images:
    """Return the foreground (H, W) uint8 of an image with one digit, cleaned of all else."""
    if not single:
        return clean(extract_foreground(image))
    picture = opaque(image)
    margin = margin_width(picture)
    if not margin:
        return clean(extract_foreground(picture))
    return clean(extract_foreground(add_margin(picture, margin)))[margin:-margin, margin:-margin]


def page_foreground(image: Pixels) -> Images:
    """Return the foreground (H, W) uint8 of an image with any number of digits, in lines."""
    return clean(extract_foreground(image), specks=False)


def normalize(foreground: Images) -> Images | None:
    """Crop, bring the strokes to MNIST's width, fit into 20x20, and centre.

    Args:
        foreground: (H, W) uint8, 0 is paper; all of it is taken for one digit.

    Returns:
        (28, 28) uint8 in MNIST form, or None where there is no foreground.
    """
    digit = _crop(foreground)
    if digit is None:
        return None
    digit = resize_to(_with_usual_strokes(digit), DIGIT_SIZE)
    if not digit.any():  # so little that nothing is left of it at this size
        return None
    return _centre(np.asarray(cv2.convertScaleAbs(digit, alpha=255 / int(digit.max())), np.uint8))


def foreground_box(foreground: Images) -> Box | None:
    """Return the bounding box of `foreground` (H, W) uint8, in pixels; None where it is all 0."""
    strongest = int(foreground.max())
    return bounding_box(foreground, int(STROKES.edge_share * strongest)) if strongest else None


def _crop(foreground: Images) -> Images | None:
    if (place := foreground_box(foreground)) is None:
        return None
    x, y, width, height = place
    return foreground[y : y + height, x : x + width]


def measure_strokes(digit: Images) -> tuple[Images, NDArray[np.float32], float]:
    """Measure the strokes of a digit or several, (H, W) uint8.

    Returns:
        What is written, 0 or 1, with a margin; each pixel's distance to what is not, in pixels; the
        strokes' width in the mean, in pixels.
    """
    margin = (STROKES.margin,) * 4
    written = above(np.asarray(cv2.copyMakeBorder(digit, *margin, cv2.BORDER_CONSTANT), np.uint8), HALF - 1)
    inside = np.asarray(cv2.distanceTransform(written, cv2.DIST_L2, 3), np.float32)
    # within a stroke of width w, the distance to the rim is w/4 in the mean
    return written, inside, 4 * float(inside.sum()) / max(1, cv2.countNonZero(written))


def _with_usual_strokes(digit: Images) -> Images:
    """Bring the strokes' width, where it is unlike MNIST's, to the nearest that is like it."""
    longer = max(digit.shape)
    if longer <= DIGIT_SIZE:  # too coarse to tell
        return digit
    scale = STROKES.side / longer
    written, inside, stroke = measure_strokes(resize_to(digit, STROKES.side))
    # so thin a pen leaves nothing but its bends
    if scale < 1 and (stroke < STROKES.hair or cv2.countNonZero(written) < STROKES.hair * STROKES.side):
        pen = round(1 / scale) + 1
        thick = np.asarray(cv2.dilate(digit, np.ones((pen, pen), np.uint8)), np.uint8)
        written, inside, stroke = measure_strokes(resize_to(thick, STROKES.side))
    usual = STROKES.side / DIGIT_SIZE
    wanted = min(max(stroke, STROKES.thinnest * usual), STROKES.thickest * usual)
    if abs(wanted - stroke) < STROKES.slight:
        return digit
    change = (wanted - stroke) / 2  # on either side
    outside = cv2.distanceTransform(1 - written, cv2.DIST_L2, 3)
    distance = np.clip(inside - outside + change, -1, 1)  # to the changed rim, in pixels
    cropped = _crop(np.asarray(cv2.convertScaleAbs(distance, alpha=128, beta=128), np.uint8))
    return digit if cropped is None else cropped


def _centre(digit: Images) -> Images:
    """Put the digit into 28x28 with its centre of mass at the centre, by whole pixels."""
    height, width = digit.shape
    moments = cv2.moments(digit)
    x = round(CENTRE - moments["m10"] / moments["m00"])
    y = round(CENTRE - moments["m01"] / moments["m00"])
    x, y = min(max(x, 0), IMAGE_SIZE - width), min(max(y, 0), IMAGE_SIZE - height)
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    canvas[y : y + height, x : x + width] = digit
    return canvas
