"""A margin around a picture of one digit that is cropped to the digit's edge.

Without paper around it, a stroke that ends at the picture's edge looks like a ruled line or like the remnant
of a desk, and ink that fills most of a picture looks like its paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digitcli.preprocessing.foreground import FOREGROUND
from digitcli.preprocessing.geometry import Grey


@dataclass(frozen=True)
class MarginParameters:
    """When a margin is added, and how wide it is.

    Attributes:
        rim: how close to the edge foreground leaves no paper, as a share of the picture's longer side.
        contrast: of the largest difference from the border's colour; above it, a pixel counts as foreground.
        width: of the margin, as a share of the picture's longer side.
    """

    rim: float = 0.1
    contrast: float = 0.5
    width: float = 1 / 3


MARGIN = MarginParameters()


def margin_width(image: Grey) -> int:
    """Return how many pixels of paper a picture of one digit lacks on each side; 0 where it has enough.

    Args:
        image: (H, W) or (H, W, 3) uint8, strokes dark on bright or bright on dark.
    """
    channels = cv2.split(image) if image.ndim == 3 else (image,)
    if not any(_reaches_rim(np.asarray(channel, np.uint8)) for channel in channels):
        return 0
    longer: int = max(image.shape[:2])
    return max(1, round(MARGIN.width * longer))


def add_margin(image: Grey, width: int) -> Grey:
    """Return an image (H, W) or (H, W, 3) uint8 with `width` pixels of its border's colour on each side."""
    # a few strokes that cross the border leave its median the paper's
    outermost = np.concatenate([part.reshape(-1, *image.shape[2:]) for part in _rim(image, 1)])
    colour = np.atleast_1d(np.median(outermost, axis=0)).tolist()
    return np.asarray(
        cv2.copyMakeBorder(image, width, width, width, width, cv2.BORDER_CONSTANT, value=colour), np.uint8
    )


def _reaches_rim(channel: Grey) -> bool:
    """Tell whether foreground of (H, W) uint8 comes close to the edge."""
    rim = _rim(channel, max(1, round(MARGIN.rim * max(channel.shape))))
    least, most = _range(rim)
    if most - least < FOREGROUND.least_contrast:  # nearly always: fast
        return False
    paper = float(np.median(np.concatenate([part.ravel() for part in _rim(channel, 1)])))
    nearest, strongest = (max(paper - low, high - paper) for low, high in ((least, most), _range((channel,))))
    return nearest >= FOREGROUND.least_contrast and nearest > MARGIN.contrast * strongest


def _rim(image: Grey, width: int) -> tuple[Grey, ...]:
    return image[:width], image[-width:], image[:, :width], image[:, -width:]


def _range(parts: Sequence[Grey]) -> tuple[float, float]:
    """Return the least and the largest value."""
    ranges = [cv2.minMaxLoc(part)[:2] for part in parts]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
