"""From a detector's outputs to marks with boxes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.detector import BOX, BOX_UNIT, DIGIT, LEVELS, PRESENCE, SYMBOL
from digitcli.config.marks import LETTER, SYMBOLS
from digitcli.config.mnist import CLASSES
from digitcli.models.classifier import Floats
from digitcli.models.detector import level_name


@dataclass(frozen=True)
class DecodingParameters:
    """How marks are told from a network's outputs; on generated pages, none of them matters much.

    Attributes:
        least_score: of a mark that is looked at.
        overlap: intersection over union from which the less likely of two marks goes.
        inside: share of the smaller one's box inside the other's from which it goes.
        most: marks of which one may cover another; the likeliest count.
        agreement: power of the scores by which those that go count for the digit of the one that stays.
    """

    least_score: float = 0.1
    overlap: float = 0.4
    inside: float = 0.7
    agreement: float = 2.0
    most: int = 2_000


DECODING = DecodingParameters()


@dataclass(frozen=True, eq=False)
class Detections:
    """Marks that were found, the likeliest first.

    Attributes:
        boxes: (N, 4) float32, x, y, width, height, in pixels.
        scores: (N,) float32, 0..1.
        kinds: (N,) int, classes of `config.marks`; of what is neither digit nor symbol, `LETTER`.
        presence: (N, 3) float32, 0..1, how likely a digit, a symbol, another mark is there; the largest is
            the score.
        digits: (N, 10) float32, how likely each digit is, given that it is one.
        symbols: (N, 6) float32, how likely each symbol is, given that it is one.
    """

    boxes: Floats
    scores: Floats
    kinds: NDArray[np.int64]
    presence: Floats
    digits: Floats
    symbols: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Detections":
        """Return some of them, in the order of `which`."""
        return Detections(*(getattr(self, each.name)[which] for each in fields(self)))

    def scaled(self, factor: float) -> "Detections":
        """Return them as on a picture that is so many times as large."""
        return replace(self, boxes=self.boxes * np.float32(factor))

    def moved(self, right: float, down: float) -> "Detections":
        """Return them so many pixels farther to the right and down."""
        return replace(self, boxes=self.boxes + np.array([right, down, 0, 0], np.float32))

    @property
    def evidence(self) -> Floats:
        """How much speaks for a digit, (N,) float32, 0..1: how likely one is there, and how surely which."""
        return np.asarray(self.presence[:, 0] * self.digits.max(axis=1), np.float32)

    @classmethod
    def none(cls) -> "Detections":
        """Return no marks."""
        digits, symbols = np.empty((0, CLASSES), np.float32), np.empty((0, len(SYMBOLS)), np.float32)
        boxes, scores, presence = (np.empty(shape, np.float32) for shape in ((0, 4), 0, (0, 3)))
        return cls(boxes, scores, np.empty(0, np.int64), presence, digits, symbols)


def join(parts: list[Detections]) -> Detections:
    """Return several together, the likeliest first."""
    joined = Detections(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Detections))
    )
    return joined.select(np.argsort(-joined.scores, kind="stable"))


def decode(
    outputs: Mapping[str, Floats], place: int = 0, least_score: float = DECODING.least_score
) -> Detections:
    """Return the marks of one image of a batch, before suppression.

    Args:
        outputs: of the network, by name; see `models.detector_network`.
        place: of the image.
        least_score: below which nothing is returned.
    """
    return join([_of_level(outputs[level_name(stride)][place], stride, least_score) for stride in LEVELS])


def _of_level(cells: Floats, stride: int, least_score: float) -> Detections:
    presence = np.ascontiguousarray(cells[..., PRESENCE])
    likeliest = presence.max(axis=-1)
    peaks = (likeliest >= cv2.dilate(likeliest, np.ones((3, 3), np.uint8))) & (
        likeliest >= _logit(least_score)
    )
    rows, columns = np.nonzero(peaks)
    told = cells[rows, columns]
    groups = told[:, PRESENCE].argmax(axis=1)
    digits, symbols = _softmax(told[:, DIGIT]), _softmax(told[:, SYMBOL])
    kinds = np.select(
        [groups == 0, groups == 1], [digits.argmax(axis=1), CLASSES + symbols.argmax(axis=1)], LETTER
    )
    box = told[:, BOX]
    size = np.exp(np.clip(box[:, 2:], -6, 6)) * (stride * BOX_UNIT)
    middle = (np.stack([columns, rows], axis=1) + 0.5 + box[:, :2]) * stride
    likely = np.asarray(1 / (1 + np.exp(-told[:, PRESENCE])), np.float32)
    boxes = np.concatenate([middle - size / 2, size], axis=1)
    return Detections(boxes.astype(np.float32), likely.max(axis=1), kinds, likely, digits, symbols)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def shared_areas(boxes: Floats, others: Floats) -> Floats:
    """Return how many pixels boxes (N, 4) share with others (M, 4): (N, M)."""
    low = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
    high = np.minimum(boxes[:, np.newaxis, :2] + boxes[:, np.newaxis, 2:], others[:, :2] + others[:, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=-1))


def overlaps(boxes: Floats, others: Floats) -> Floats:
    """Return the intersection over union of boxes (N, 4) with others (M, 4): (N, M)."""
    shared = shared_areas(boxes, others)
    areas, other_areas = (np.prod(each[:, 2:], axis=1) for each in (boxes, others))
    return np.asarray(shared / np.maximum(areas[:, np.newaxis] + other_areas - shared, 1e-6), np.float32)


def suppress(found: Detections) -> Detections:
    """Return detections, the likeliest first, without those that a likelier one covers."""
    kept, weights = grouped(found)
    # what the same mark looked like at other scales, and in the cells beside its centre, counts as well
    digits = np.asarray(weights @ found.digits[: weights.shape[1]], np.float32)
    merged = found.select(kept)
    kinds = np.where(merged.kinds < CLASSES, digits.argmax(axis=1), merged.kinds)
    return replace(merged, kinds=kinds, digits=digits)


def grouped(found: Detections) -> tuple[NDArray[np.int64], Floats]:
    """Tell which detections, the likeliest first, stay, and which others are of the same mark.

    Returns:
        Places (K,) of those that no likelier one covers; and (K, N), by how much each detection counts for
        the mark of each of them; rows sum to 1. Of more than `DECODING.most` the first are looked at.
    """
    found = found.select(np.arange(min(len(found), DECODING.most)))
    areas = np.prod(found.boxes[:, 2:], axis=1)
    shared = shared_areas(found.boxes, found.boxes)
    is_same = shared > DECODING.overlap * (areas[:, np.newaxis] + areas - shared)
    is_covered = is_same | (shared > DECODING.inside * np.minimum(areas[:, np.newaxis], areas))
    stays = np.ones(len(found), bool)
    for place in range(len(found)):
        if stays[place]:
            stays[place + 1 :] &= ~is_covered[place, place + 1 :]
    kept = np.flatnonzero(stays)
    weights = is_same[kept] * found.scores**DECODING.agreement
    return kept, np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), np.float32)
