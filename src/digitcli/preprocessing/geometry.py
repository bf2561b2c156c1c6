"""Geometry that every stage shares: bounding boxes, and images at another size."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # (H, W)
Box = tuple[int, int, int, int]  # x and y of the left upper corner, width, height; in pixels


def bounding_box(foreground: Grey, threshold: int) -> Box:
    """Return the smallest box around the pixels of `foreground` (H, W) uint8 that exceed `threshold`."""
    _, marked = cv2.threshold(foreground, threshold, 1, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(np.asarray(marked, np.uint8))
    return x, y, width, height


def within(boxes: NDArray[np.float32], areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which boxes (N, 4) x, y, width, height have their middle in one of some areas (M, 4): (N,)."""
    middles = (boxes[:, :2] + boxes[:, 2:] / 2)[:, np.newaxis]
    is_in = np.all((middles >= areas[:, :2]) & (middles <= areas[:, :2] + areas[:, 2:]), axis=2)
    return np.asarray(np.any(is_in, axis=1))


def scaled_size(image: NDArray[Any], scale: float) -> tuple[int, int]:
    """Return width and height, at least 1 pixel each, of an image (H, W, ...) scaled by `scale`."""
    height, width = image.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(image: Grey, scale: float) -> Grey:
    """Return an image (H, W) or (H, W, 3) uint8 scaled by `scale`, its aspect ratio kept.

    A smaller image averages what falls into each pixel, which is the antialiasing of the original; a
    larger one is interpolated linearly. The image itself comes back where its size stays the same.
    """
    size = scaled_size(image, scale)
    if size == image.shape[1::-1]:
        return image
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def resize_to(image: Grey, longer_side: int) -> Grey:
    """Return an image, as `resize` takes it, whose longer side is `longer_side` pixels."""
    return resize(image, longer_side / max(image.shape[:2]))


def downscale_to(image: Grey, longer_side: int) -> Grey:
    """Return an image as `resize_to` does, or as it is where its longer side is no longer than that."""
    return image if max(image.shape[:2]) <= longer_side else resize_to(image, longer_side)
