"""The one way from any pixels to what a detector takes: grey values, and how far colours are from paper."""

import cv2
import numpy as np

from digitcli.preprocessing.mnist_form import Images

_SAMPLED = 4  # every fourth pixel of each side tells the paper's colour


def detector_form(image: Images) -> tuple[Images, Images]:
    """Return grey and chroma of an image.

    Args:
        image: (H, W) or (H, W, 3) uint8, blue, green, red; H and W even.

    Returns:
        Grey values (H, W) uint8; and (H/2, W/2) uint8, how far colours are from the paper's, in grey levels:
        blue minus green and red minus green, from their medians.
    """
    height, width = image.shape[:2]
    if image.ndim == 2:
        return image, np.zeros((height // 2, width // 2), np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    colours = small[..., ::2] - small[..., 1:2]
    paper = np.median(colours[::_SAMPLED, ::_SAMPLED].reshape(-1, 2), axis=0)
    colours -= paper.astype(np.float32)
    return np.asarray(grey, np.uint8), np.asarray(
        np.minimum(np.hypot(colours[..., 0], colours[..., 1]), 255), np.uint8
    )
