"""From arrays as people keep digits to `Digits`: other sizes, types, ranges, and labels one-hot.

What is converted is noted, for the user to hear; what cannot be is refused before memory is taken for it.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.datasets.digits import MAX_IMAGES, Digits, check_count, make_digits
from digitcli.datasets.memory import aligned
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images, to_form
from digitcli.preprocessing.threads import thread_count

MAX_BYTES = MAX_IMAGES * IMAGE_SIZE**2  # of images as they are kept, as many as of MAX_IMAGES in MNIST form
_SIDES = range(8, 1025)  # pixels of an image
_CHUNK = 4096  # images converted at once
_CLOSE = 1e-3  # by which numbers may miss the end of their range

Shape = tuple[int, ...]


def check_images(where: str, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Refuse what cannot be images, from shape and dtype alone; a `DataError`."""
    picture_shape(where, shape)
    if dtype.kind not in "buif":
        raise DataError(f"{where}: found images of dtype {dtype}; expected numbers")
    if math.prod(shape) * dtype.itemsize > MAX_BYTES:
        raise DataError(
            f"{where}: found images of {math.prod(shape) * dtype.itemsize:,} bytes; at most {MAX_BYTES:,} "
            "are read"
        )


def check_labels(where: str, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Refuse what cannot be labels, from shape and dtype alone; a `DataError`."""
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] not in (1, CLASSES)):
        raise DataError(
            f"{where}: found labels of shape {shape}; expected (N,), one digit an image, or (N, {CLASSES}), "
            "one-hot"
        )
    if dtype.kind not in "buif":
        raise DataError(f"{where}: found labels of dtype {dtype}; expected whole numbers 0 to 9")
    check_count(where, "labels", shape[0])


def picture_shape(where: str, shape: Shape) -> Shape:
    """Return the shape (H, W) or (H, W, 3) of each image of an array, however it is laid out.

    (N, H, W), (N, H, W, 1), (N, 1, H, W), (N, H, W, 3) and (N, H * H) are known; a `DataError` for others.
    """
    check_count(where, "images", shape[0] if shape else 0)
    one: Shape = shape[1:]
    if len(one) == 1 and math.isqrt(one[0]) ** 2 == one[0]:
        one = (math.isqrt(one[0]),) * 2
    elif len(one) == 3 and 1 in (one[0], one[2]):
        one = one[:2] if one[2] == 1 else one[1:]
    is_known = len(one) == 2 or (len(one) == 3 and one[2] == 3)
    if not is_known or not all(side in _SIDES for side in one[:2]):
        raise DataError(
            f"{where}: found images of shape {shape}; expected (N, {IMAGE_SIZE}, {IMAGE_SIZE}), "
            f"(N, {IMAGE_SIZE**2}), or other sizes of {_SIDES[0]} to {_SIDES[-1]} pixels a side"
        )
    return one


def convert(where: str, images: NDArray[Any], labels: NDArray[Any], notes: list[str]) -> Digits:
    """Return arrays as `Digits`.

    Args:
        where: names the arrays in messages.
        images: see `picture_shape`; whole numbers 0 to 255, or decimals 0 to 1, -1 to 1 or 0 to 255; or just
            two values. Those of 28x28 are in MNIST form already.
        labels: (N,) or (N, 1) whole numbers, of any type, or (N, 10) one-hot.
        notes: what was converted is added to it.

    Raises `DataError` naming what was found and what was expected.
    """
    check_images(where, images.shape, images.dtype)
    check_labels(where, labels.shape, labels.dtype)
    if len(images) != len(labels):
        raise DataError(
            f"{where}: found {len(images):,} images but {len(labels):,} labels; expected one label an image"
        )
    return make_digits(where, as_forms(where, images, notes), _as_digits(where, labels, notes))


def as_forms(where: str, images: NDArray[Any], notes: list[str]) -> Images:
    """Return images as (N, 28, 28) uint8 in MNIST form; as `convert`."""
    one = picture_shape(where, images.shape)
    pictures = images.reshape(-1, *one)
    pixels = _as_bytes(where, pictures, notes)
    if one == (IMAGE_SIZE, IMAGE_SIZE):
        return pixels
    notes.append(f"{where}: images of {_size(one)} brought into MNIST's form, {IMAGE_SIZE}x{IMAGE_SIZE}")
    forms = aligned((len(pixels), IMAGE_SIZE, IMAGE_SIZE))

    def fill(place: int) -> None:
        forms[place] = to_form(pixels[place], single=True)

    with ThreadPoolExecutor(thread_count()) as pool:
        for _ in pool.map(fill, range(len(pixels)), chunksize=256):
            pass
    return forms


def _size(one: Shape) -> str:
    return f"{one[0]}x{one[1]}" + (" in colour" if len(one) == 3 else "")


def _as_bytes(where: str, pictures: NDArray[Any], notes: list[str]) -> Images:
    """Return pictures (N, H, W[, 3]) of any numbers as grey values 0..255, uint8."""
    low, high = _range(where, pictures)
    if pictures.dtype == np.uint8 and high > 1:
        return np.asarray(pictures, np.uint8)
    if low < -_CLOSE:
        found, scale, offset = "-1 to 1", 127.5, 1.0
        fits = low >= -1 - _CLOSE and high <= 1 + _CLOSE
    elif high <= 1 + _CLOSE:
        found, scale, offset, fits = "0 to 1", 255.0, 0.0, True
    else:
        found, scale, offset, fits = "0 to 255", 1.0, 0.0, high <= 255 + _CLOSE
    if not fits:
        raise DataError(
            f"{where}: found values from {low:g} to {high:g}; expected 0 to 255, 0 to 1, or -1 to 1"
        )
    notes.append(f"{where}: {pictures.dtype} values {found} brought to 0 to 255")
    found_bytes = aligned(pictures.shape)
    for first in range(0, len(pictures), _CHUNK):
        part = np.asarray(pictures[first : first + _CHUNK], np.float32)
        found_bytes[first : first + _CHUNK] = np.clip(np.rint((part + offset) * scale), 0, 255)
    return found_bytes


def _range(where: str, pictures: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the largest value; a `DataError` where one is no number."""
    low, high = float(pictures.min()), float(pictures.max())
    if not math.isfinite(low + high):  # NaN goes through minimum and maximum
        wrong = np.flatnonzero(~np.isfinite(pictures).reshape(len(pictures), -1).all(axis=1))
        raise DataError(
            f"{where}: found {len(wrong):,} images with values that are no numbers, the first at {wrong[0]}; "
            "expected numbers"
        )
    return low, high


def _as_digits(where: str, labels: NDArray[Any], notes: list[str]) -> NDArray[np.int64]:
    """Return labels (N,) as whole numbers."""
    if labels.ndim == 2 and labels.shape[1] == CLASSES:
        is_hot = labels > 0.5
        if not (np.isin(labels, (0, 1)).all() and (is_hot.sum(axis=1) == 1).all()):
            wrong = np.flatnonzero((is_hot.sum(axis=1) != 1) | ~np.isin(labels, (0, 1)).all(axis=1))[0]
            raise DataError(
                f"{where}: found {labels[wrong].tolist()} as label {wrong}; expected one 1 and nine 0s"
            )
        notes.append(f"{where}: one-hot labels turned into digits")
        return np.asarray(is_hot.argmax(axis=1), np.int64)
    flat = labels.reshape(-1)
    if flat.dtype.kind == "f":
        wrong = flat[~(np.isfinite(flat) & (flat == np.rint(flat)))]
        if len(wrong):
            raise DataError(f"{where}: found the label {wrong[0]:g}; expected whole numbers 0 to 9")
    if flat.min() < 0 or flat.max() >= CLASSES:
        wrong = flat[(flat < 0) | (flat >= CLASSES)]
        raise DataError(f"{where}: found the label {wrong[0]:g}; expected 0 to {CLASSES - 1}")
    return np.asarray(flat, np.int64)
