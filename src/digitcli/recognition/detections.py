"""From a detector's outputs to marks with boxes."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.detector import BOX, BOX_UNIT, DIGIT, LEVELS, PRESENCE, SYMBOL
from digitcli.config.marks import LETTER
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
        digits: (N, 10) float32, how likely each digit is, given that it is one.
    """

    boxes: Floats
    scores: Floats
    kinds: NDArray[np.int64]
    digits: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Detections":
        """Return some of them, in the order of `which`."""
        return Detections(self.boxes[which], self.scores[which], self.kinds[which], self.digits[which])


def join(parts: list[Detections]) -> Detections:
    """Return several together, the likeliest first."""
    joined = Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.digits for part in parts]),
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
    digits = _softmax(told[:, DIGIT])
    kinds = np.select(
        [groups == 0, groups == 1], [digits.argmax(axis=1), CLASSES + told[:, SYMBOL].argmax(axis=1)], LETTER
    )
    box = told[:, BOX]
    size = np.exp(np.clip(box[:, 2:], -6, 6)) * (stride * BOX_UNIT)
    middle = (np.stack([columns, rows], axis=1) + 0.5 + box[:, :2]) * stride
    scores = 1 / (1 + np.exp(-told[:, PRESENCE].max(axis=1)))
    boxes = np.concatenate([middle - size / 2, size], axis=1)
    return Detections(boxes.astype(np.float32), scores.astype(np.float32), kinds, digits)


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


def suppress(found: Detections) -> Detections:
    """Return detections, the likeliest first, without those that a likelier one covers."""
    if not len(found):
        return found
    found = found.select(np.arange(min(len(found), DECODING.most)))
    areas = np.prod(found.boxes[:, 2:], axis=1)
    shared = shared_areas(found.boxes, found.boxes)
    union = areas[:, np.newaxis] + areas - shared
    is_same = shared > DECODING.overlap * union
    is_covered = is_same | (shared > DECODING.inside * np.minimum(areas[:, np.newaxis], areas))
    kept = np.ones(len(found), bool)
    for place in range(len(found)):
        if kept[place]:
            kept[place + 1 :] &= ~is_covered[place, place + 1 :]
    # what the same mark looked like at other scales, and in the cells beside its centre, counts as well
    weights = is_same * found.scores**DECODING.agreement
    digits = (weights @ found.digits) / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    kinds = np.where(found.kinds < CLASSES, digits.argmax(axis=1), found.kinds)
    merged = Detections(found.boxes, found.scores, kinds, digits.astype(np.float32))
    return merged.select(np.flatnonzero(kept))
