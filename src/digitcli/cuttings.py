"""What cuts through touching digits leave: digits with a neighbour's rest, halves, pairs.

The network that scores the ways of cutting a number must have seen what cuts leave, the right ones
and the wrong ones; MNIST has only digits that stood alone.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.cleaning import HALF, above
from digitcli.datasets import Digits
from digitcli.errors import InputError
from digitcli.preprocessing import IMAGE_SIZE, Images, box, normalise
from digitcli.segmentation import Piece, cut, find_lines, join

_HEIGHT = 80  # pixels of a digit that is written beside others
_CLOSER = 3  # pixels by which digits are moved together until they touch
_DEEPEST = 0.4  # of the height: digits that only touch when moved further are left alone
_TRIES = 20  # for each digit wanted, before the images are given up
_MATCH = 0.8  # intersection over union of a right cut with the digit as it was

_LEFT_IS_NONE, _RIGHT_IS_NONE = (0, 2, 4, 5, 8), (0, 2, 5)  # digits of which a half looks like none
_LEAST_PIECE, _NARROWEST_PIECE = 25, 6  # pixels written, pixels wide


def touching(count: int, seed: int, source: Digits) -> Digits:
    """Write digits of `source` so that they touch, cut them apart, and return `count` that came out well.

    The cuts are those of `segmentation.cut`, the best of them for each digit. The same seed gives
    the same.
    """
    random = np.random.default_rng([seed, 2])
    images: list[Images] = []
    labels: list[int] = []
    tries = 0
    while len(images) < count:
        tries += 1
        if tries > _TRIES * count:
            raise InputError("the training images hold no digits that can be made to touch")
        places = random.integers(len(source), size=int(random.integers(2, 4)))
        number = _written_together([source.images[int(place)] for place in places], random)
        if number is None:
            continue
        for ink, place in zip(_cut_apart(*number), places, strict=True):
            form = None if ink is None else normalise(ink)
            if form is not None:
                images.append(form)
                labels.append(int(source.labels[place]))
    return Digits(np.stack(images[:count]), np.array(labels[:count], np.uint8))


def _written_together(
    digits: list[Images], random: np.random.Generator
) -> tuple[Images, list[NDArray[np.bool_]]] | None:
    """Write digits side by side until each touches the one before.

    Returns:
        The ink (H, W) uint8 and, for each digit, which pixels (H, W) it alone would have written.
    """
    marks = []
    for digit in digits:
        place = box(digit)
        if place is None:
            return None
        x, y, width, height = place
        scale = _HEIGHT * random.uniform(0.85, 1.1) / max(height, width / 2)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        part = digit[y : y + height, x : x + width]
        marks.append(np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    canvas = np.zeros((2 * _HEIGHT, sum(mark.shape[1] for mark in marks) + 2 * _HEIGHT), np.uint8)
    alone: list[NDArray[np.bool_]] = []
    x = _CLOSER
    for mark in marks:
        height, width = mark.shape
        y = int(np.clip(_HEIGHT - height / 2 + random.normal(0, 5), 1, 2 * _HEIGHT - height - 1))
        written = above(mark, HALF - 1) > 0
        if alone:
            for _ in range(int(_DEEPEST * _HEIGHT / _CLOSER)):
                if (written & (canvas[y : y + height, x : x + width] >= HALF)).any():
                    break
                x = max(0, x - _CLOSER)
            else:
                return None
        part = canvas[y : y + height, x : x + width]
        np.maximum(part, mark, out=part)
        own = np.zeros(canvas.shape, bool)
        own[y : y + height, x : x + width] = written
        alone.append(own)
        x += width + 2
    return canvas, alone


def _cut_apart(ink: Images, alone: list[NDArray[np.bool_]]) -> list[Images | None]:
    """Return, for each digit, the ink of the pieces that make it up best, or None where none do well."""
    pieces = [piece for line in find_lines(ink) for mark in line for piece in cut(mark)]
    pieces.sort(key=lambda piece: piece.middle)
    areas = [int(np.count_nonzero(piece.ink >= HALF)) for piece in pieces]
    found: list[Images | None] = []
    for own in alone:
        best, chosen = _MATCH, None
        shared = [int(np.count_nonzero(_of(piece, own) & (piece.ink >= HALF))) for piece in pieces]
        total = int(own.sum())
        for first in range(len(pieces)):
            for last in range(first + 1, len(pieces) + 1):
                common = sum(shared[first:last])
                match = common / (total + sum(areas[first:last]) - common)
                if match > best:
                    best, chosen = match, (first, last)
        found.append(join(pieces[slice(*chosen)]).ink if chosen else None)
    return found


def _of(piece: Piece, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return pixels[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]


def half(random: np.random.Generator, source: Digits) -> Images | None:
    """The left or the right of a digit, as a wrong cut leaves it."""
    place = int(random.integers(len(source)))
    left = random.random() < 0.5
    if int(source.labels[place]) not in (_LEFT_IS_NONE if left else _RIGHT_IS_NONE):
        return None
    at = int(random.integers(11, 17))
    half = source.images[place][:, :at] if left else source.images[place][:, at:]
    _, columns = np.nonzero(half > HALF)
    if len(columns) < _LEAST_PIECE or np.ptp(columns) < _NARROWEST_PIECE:  # upright and narrow: a 1
        return None
    return normalise(half)


def pair(random: np.random.Generator, source: Digits) -> Images | None:
    """Two digits side by side, as a cut left out leaves them."""
    one, other = (source.images[int(place)] for place in random.integers(len(source), size=2))
    if not (one.any() and other.any()):
        return None
    gap = int(random.integers(-4, 4))
    left, right = _narrow(one), _narrow(other)
    canvas = np.zeros((IMAGE_SIZE + 8, left.shape[1] + right.shape[1] + 8), np.uint8)
    top = int(random.integers(0, 8))
    canvas[4 : 4 + IMAGE_SIZE, : left.shape[1]] = left
    x = max(0, left.shape[1] + gap)
    part = canvas[top : top + IMAGE_SIZE, x : x + right.shape[1]]
    np.maximum(part, right, out=part)
    return normalise(canvas)


def _narrow(image: Images) -> Images:
    columns = np.flatnonzero(image.max(axis=0))
    return image[:, columns[0] : columns[-1] + 1]
