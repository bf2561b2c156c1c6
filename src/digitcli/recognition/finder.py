"""Finds marks on pictures of any size with a detector: the whole picture at small sizes, then details.

A detector sees marks of 12 to 200 pixels, so a picture is looked at in a pyramid of halves (Adelson et al.,
1984). The largest sizes cost most; of them, only the tiles are looked at in which something small was seen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.models.classifier import Floats
from digitcli.models.detector import FOREGROUND, MULTIPLE, Detector
from digitcli.preprocessing.detector_form import detector_form
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.detections import Detections, decode, join


@dataclass(frozen=True)
class FinderParameters:
    """At which sizes a picture is looked at; lengths are pixels.

    Attributes:
        largest, smallest: longer side of the largest and the smallest picture of the pyramid.
        tiny: longer side up to which a picture is looked at enlarged twice, too.
        whole: longer side up to which all of a picture is looked at.
        tile, overlap: sides of the tiles of larger ones, and how far each reaches into its neighbours.
        small: longer side of the marks, as seen in the next smaller picture, that are worth another look,
        likely: and how likely a digit they must be, 0..1; on generated pages more loses digits of 14 pixels.
        least_score: of a mark that is looked at.
        most: marks of a view; the likeliest count.
    """

    largest: int = 2048
    smallest: int = 64
    tiny: int = 96
    whole: int = 1024
    tile: int = 256
    overlap: int = 32
    small: int = 28
    likely: float = 0.2
    least_score: float = 0.1
    most: int = 1_000


FINDER = FinderParameters()


@dataclass(frozen=True, eq=False)
class View:
    """What a detector sees of a picture at one size.

    Attributes:
        scale: size in sizes of the picture.
        marks: before suppression, boxes in pixels of the picture.
        foreground: (H/2, W/2) uint8, how surely a pixel is a digit's ink, of 255.
    """

    scale: float
    marks: Detections
    foreground: Images


def look(detector: Detector, image: Images) -> list[View]:
    """Return what is seen of an image, the smallest view first.

    Args:
        detector: what looks.
        image: (H, W) or (H, W, 3) uint8, blue, green, red.
    """
    side = max(image.shape[:2])
    scales = [2.0] if side <= FINDER.tiny else []
    scales += [min(1.0, FINDER.largest / side)]
    while scales[-1] * side / 2 >= FINDER.smallest:
        scales.append(scales[-1] / 2)
    views: list[View] = []
    for scale in reversed(scales):
        size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = np.asarray(cv2.resize(image, size, interpolation=how) if scale != 1 else image, np.uint8)
        tiles = _tiles(seen, scale, views[-1]) if views and max(size) > FINDER.whole else None
        views.append(
            _look_at_whole(detector, seen, scale) if tiles is None else _look_at(detector, seen, scale, tiles)
        )
    return views


def look_at_all(detector: Detector, images: list[Images]) -> list[View]:
    """Return one view of each of several images, all of one size, multiples of `MULTIPLE`."""
    greys, chromas = zip(*map(detector_form, images), strict=True)
    outputs = detector.look_at(np.stack(greys), np.stack(chromas))
    return [_view(outputs, place, 1.0, image.shape) for place, image in enumerate(images)]


def _view(outputs: dict[str, Floats], place: int, scale: float, shape: tuple[int, ...]) -> View:
    """Return what a detector tells of the image at `place`, which has a shape, before padding."""
    marks = _likeliest(decode(outputs, place, FINDER.least_score)).scaled(1 / scale)
    foreground = _shares(outputs[FOREGROUND][place])[: (shape[0] + 1) // 2, : (shape[1] + 1) // 2]
    return View(scale, marks, foreground)


def _look_at_whole(detector: Detector, seen: Images, scale: float) -> View:
    height, width = seen.shape[:2]
    below, right = -height % MULTIPLE, -width % MULTIPLE
    grey, chroma = detector_form(
        np.asarray(cv2.copyMakeBorder(seen, 0, below, 0, right, cv2.BORDER_REPLICATE))
    )
    return _view(detector.look_at(grey[np.newaxis], chroma[np.newaxis]), 0, scale, seen.shape)


def _tiles(seen: Images, scale: float, coarser: View) -> NDArray[np.int64] | None:
    """Return rows and columns (N, 2) of the tiles worth a look; None where that is most of the picture."""
    rows, columns = (-(-side // FINDER.tile) for side in seen.shape[:2])
    is_small = coarser.marks.boxes[:, 2:].max(axis=1, initial=0) * coarser.scale <= FINDER.small
    is_worth = is_small & (coarser.marks.presence[:, 0] >= FINDER.likely)
    boxes = coarser.marks.boxes[is_worth] * scale
    marked = np.zeros((rows, columns), bool)
    low = np.clip((boxes[:, :2] // FINDER.tile).astype(int), 0, [columns - 1, rows - 1])
    high = np.clip(((boxes[:, :2] + boxes[:, 2:]) // FINDER.tile).astype(int), 0, [columns - 1, rows - 1])
    for (left, top), (right, bottom) in zip(low, high, strict=True):
        marked[top : bottom + 1, left : right + 1] = True
    return None if 2 * np.count_nonzero(marked) > marked.size else np.argwhere(marked)


def _look_at(detector: Detector, seen: Images, scale: float, tiles: NDArray[np.int64]) -> View:
    height, width = seen.shape[:2]
    rows, columns = (-(-side // FINDER.tile) for side in (height, width))
    around = FINDER.overlap
    below, right = rows * FINDER.tile - height + around, columns * FINDER.tile - width + around
    padded = cv2.copyMakeBorder(seen, around, below, around, right, cv2.BORDER_REPLICATE)
    grey, chroma = detector_form(np.asarray(padded, np.uint8))
    foreground = np.zeros((rows * FINDER.tile // 2, columns * FINDER.tile // 2), np.uint8)
    parts = []
    for row, column in tiles:
        y, x = row * FINDER.tile, column * FINDER.tile
        side = FINDER.tile + 2 * around
        outputs = detector.look_at(
            grey[np.newaxis, y : y + side, x : x + side],
            chroma[np.newaxis, y // 2 : (y + side) // 2, x // 2 : (x + side) // 2],
        )
        found = decode(outputs, least_score=FINDER.least_score)
        middles = found.boxes[:, :2] + found.boxes[:, 2:] / 2 - around
        is_inner = ((middles >= 0) & (middles < FINDER.tile)).all(axis=1)
        found = found.select(np.flatnonzero(is_inner))
        parts.append(found.moved(x - around, y - around))
        inner = slice(around // 2, (around + FINDER.tile) // 2)
        foreground[y // 2 : (y + FINDER.tile) // 2, x // 2 : (x + FINDER.tile) // 2] = _shares(
            outputs[FOREGROUND][0]
        )[inner, inner]
    marks = _likeliest(join(parts)) if parts else Detections.none()
    return View(scale, marks.scaled(1 / scale), foreground[: (height + 1) // 2, : (width + 1) // 2])


def _likeliest(found: Detections) -> Detections:
    return found.select(np.arange(min(len(found), FINDER.most)))


def _shares(logits: Floats) -> Images:
    return np.asarray(255 / (1 + np.exp(-logits[:, :, 0])), np.uint8)
