"""What cuts through touching digits leave: digits with a neighbour's rest, parts, several in one.

The network that scores the ways of cutting a number must have seen what cuts leave, the right ones
and the wrong ones; MNIST has only digits that stood alone.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import Digits
from digitcli.errors import InputError
from digitcli.preprocessing.cleaning import HALF, above
from digitcli.preprocessing.mnist_form import Images
from digitcli.preprocessing.mnist_form import foreground_box as box
from digitcli.preprocessing.mnist_form import normalize as normalise
from digitcli.recognition.rules.cuts import cut
from digitcli.recognition.rules.segmentation import Segment, find_lines, join

_HEIGHT = 80  # pixels of a digit that is written beside others
_CLOSER = 3  # pixels by which digits are moved together until they touch
_DEEPEST = 0.4  # of the height: digits that only touch when moved further are left alone
_TRIES = 20  # for each digit wanted, before the images are given up
_MATCH = 0.8  # intersection over union of a right cut with the digit as it was
_MISMATCH = 0.5  # the same of a wrong one with each of the digits, at most
_LOWEST_PART = 0.4  # height of a wrong one; lower ones cost enough for that
_MISCUTS = 4  # of one number, at most
_STRAIGHT = 0.32  # spread of ink across to that along; straighter parts could be a 1


def touching(count: int, seed: int, source: Digits) -> Digits:
    """Write digits of `source` so that they touch, cut them apart, and return `count` that came out well.

    The cuts are those of `cuts.cut`, the best of them for each digit. The same seed gives
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
        number = _written_together(source.images[places], random)
        if number is None:
            continue
        for ink, place in zip(_cut_apart(*number), places, strict=True):
            form = None if ink is None else normalise(ink)
            if form is not None:
                images.append(form)
                labels.append(int(source.labels[place]))
    return Digits(np.stack(images[:count]), np.array(labels[:count], np.uint8))


def _written_together(
    digits: Images, random: np.random.Generator
) -> tuple[Images, list[NDArray[np.bool_]]] | None:
    """Write digits (N, 28, 28) side by side until each touches the one before.

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
    pieces = _pieces(ink)
    best: list[tuple[float, slice | None]] = [(_MATCH, None)] * len(alone)
    for way, matches, _ in _joins(pieces, alone):
        for place, match in enumerate(matches):
            if match > best[place][0]:
                best[place] = (float(match), way)
    return [None if way is None else join(pieces[way]).ink for _, way in best]


def _pieces(ink: Images) -> list[Segment]:
    pieces = [piece for line in find_lines(ink) for mark in line for piece in cut(mark)]
    return sorted(pieces, key=lambda piece: piece.middle)


def _joins(
    pieces: list[Segment], alone: list[NDArray[np.bool_]]
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Give each way of joining neighbouring pieces.

    Beside it its intersection over union with each digit, and how much of each digit it has.
    """
    totals = np.array([np.count_nonzero(own) for own in alone])
    counts = np.zeros((len(pieces), 1 + len(alone)))  # pixels of each piece, and of each digit in it
    new = counts.copy()  # the same without what the piece before has, too: what the cut between them crosses
    written = np.zeros(alone[0].shape, bool)
    for number, piece in enumerate(pieces):
        ink, before = piece.ink >= HALF, _of(piece, written)
        for found, part in ((counts, ink), (new, ink & ~before)):
            found[number] = [
                np.count_nonzero(part),
                *(np.count_nonzero(_of(piece, own) & part) for own in alone),
            ]
        before |= ink
    for first in range(len(pieces)):
        for last in range(first + 1, len(pieces) + 1):
            area, *common = counts[first] + new[first + 1 : last].sum(axis=0)
            either = totals + area - common
            yield slice(first, last), common / either, common / totals


def miscut(random: np.random.Generator, source: Digits) -> Images | None:
    """What a wrong way of joining the pieces of cut digits leaves: a part, or more than one digit."""
    return next(iter(_miscuts(random, source, 1)), None)


class Miscuts:
    """Gives what `miscut` gives, some of each number that is written: cutting one takes longest."""

    def __init__(self) -> None:
        self._left: list[Images] = []

    def __call__(self, random: np.random.Generator, source: Digits) -> Images | None:
        """Return the next one; None asks for another try."""
        if not self._left:
            self._left = _miscuts(random, source, _MISCUTS)
        return self._left.pop() if self._left else None


def _miscuts(random: np.random.Generator, source: Digits, most: int) -> list[Images]:
    """Write a number, and return what some wrong ways of joining its pieces leave, at most so many."""
    places = random.integers(len(source), size=int(random.integers(1, 4)))
    number = _written_together(source.images[places], random)
    if number is None:
        return []
    ink, alone = number
    pieces = _pieces(ink)
    wrong = [
        way
        for way, matches, parts in _joins(pieces, alone)
        if matches.max() < _MISMATCH or np.count_nonzero(parts > _MATCH) > 1
    ]
    found: list[Images] = []
    for place in random.permutation(len(wrong))[:most]:
        joined = join(pieces[wrong[place]])
        if joined.height < _LOWEST_PART * _HEIGHT or _is_straight(joined.ink):
            continue
        form = normalise(joined.ink)
        if form is not None:
            found.append(form)
    return found


def _is_straight(ink: Images) -> bool:
    spreads = np.linalg.eigvalsh(np.cov(np.nonzero(ink >= HALF)))  # variances, ascending
    return bool(spreads[0] < _STRAIGHT**2 * spreads[1])


def _of(piece: Segment, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return pixels[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]
