"""The foreground of a digit whose ink is known roughly, as from a detector: sharp where grey values are.

What is ink tells where paper is, and by both whether ink is darker or brighter than paper.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Grey


@dataclass(frozen=True)
class MaskedParameters:
    """How grey values under a mask become foreground.

    Attributes:
        ink, paper: of the mask, 0..1, from which a pixel surely is ink, up to which it surely is none.
        reach: by which ink goes beyond where it is sure, as a share of the picture's longer side.
        least: contrast of ink, of its strongest, that is kept.
        strongest: percentile of the ink's contrast that is taken for full.
        least_paper: share of pixels that are surely paper, else all that is no ink is taken for it.
    """

    ink: float = 0.5
    paper: float = 0.2
    reach: float = 0.04
    least: float = 0.15
    strongest: float = 80
    least_paper: float = 0.01


MASKED = MaskedParameters()


def masked_foreground(grey: Grey, mask: NDArray[np.float32]) -> Grey:
    """Return the foreground (H, W) uint8 of grey values (H, W) uint8.

    Args:
        grey: of the picture, ink dark on bright or bright on dark.
        mask: (H, W) float32, 0..1, how surely each pixel is ink; where it is 0, there is no foreground.
    """
    is_ink = mask > MASKED.ink * max(MASKED.ink, float(mask.max(initial=0)))
    if not is_ink.any():
        return np.zeros_like(grey)
    reach = 2 * max(1, round(MASKED.reach * max(grey.shape))) + 1
    is_near = cv2.dilate(is_ink.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    is_paper = (cv2.dilate(mask, np.ones((3, 3), np.uint8)) < MASKED.paper) & ~is_near
    if np.count_nonzero(is_paper) < MASKED.least_paper * grey.size:
        is_paper = ~is_ink
    paper = float(np.median(grey[is_paper])) if is_paper.any() else 0.0
    contrast = grey.astype(np.float32) - np.float32(paper)
    if float(np.average(contrast, weights=mask)) < 0:
        contrast = -contrast
    strongest = float(np.percentile(contrast[is_ink], MASKED.strongest))
    if strongest <= 0:
        return np.zeros_like(grey)
    share = (contrast / strongest - MASKED.least) / (1 - 2 * MASKED.least)
    return np.asarray(np.where(is_near & (mask > 0), 255 * np.clip(share, 0, 1), 0), np.uint8)
