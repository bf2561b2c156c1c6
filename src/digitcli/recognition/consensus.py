"""Which of two readings of a page stands: that of the rules, or that of the detector.

Rules follow every stroke of clean writing, cut digits that touch and know what slashes, brackets and ticks
look like beside digits; a detector tells digits from all that is none, on any paper. The rules' reading
stands where the detector sees its digits, too: rules that find a digit where the detector sees none have
taken something else for one, a line, a letter, a crease. One number measures that, the consensus.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.models.classifier import Floats
from digitcli.recognition.detections import overlaps


@dataclass(frozen=True)
class ConsensusParameters:
    """When two readings agree.

    Attributes:
        least: consensus, 0..1, from which the rules' reading stands; on the development photographs and
            generated pages anything from 0.8 to 0.9 does.
        same: intersection over union from which two boxes are of the same digit; rules take a sign beside
            a digit into its box.
        broad: width of a box, to its height, at least; a 1 drawn with a thin pen has next to none, and boxes
            around it would never be the same.
    """

    least: float = 0.8
    same: float = 0.3
    broad: float = 0.35


CONSENSUS = ConsensusParameters()


def consensus(
    confidences: Floats, boxes: Floats, candidates: Floats, found: Floats, *, is_flat: bool
) -> float:
    """Return how far a detector agrees with the rules, 0..1; 0 where rules find no digit.

    The geometric mean of the confidences, times the share of the rules' digits that are among the detector's
    candidates, times the share of the detector's digits that the rules have found. The last one does not
    count where the paper is flat, as on a screen: there, rules miss no digit, and what else the detector
    finds is most often a slash or a bracket that looks like a 1.

    Args:
        confidences: (N,), of the digits that rules find.
        boxes: (N, 4), theirs, x, y, width, height in pixels.
        candidates: (M, 4), of marks that may be digits to the detector.
        found: (K, 4), of its digits.
        is_flat: whether the paper has one colour.
    """
    if not len(boxes):
        return 0.0
    sure = float(np.exp(np.log(np.maximum(confidences, 1e-3)).mean()))
    return sure * _shared(boxes, candidates) * (1.0 if is_flat else _shared(found, boxes))


def standing(boxes: Floats, candidates: Floats) -> NDArray[np.bool_]:
    """Tell which of the digits (N, 4) of a page on which rules and detector agree are to stand.

    What the detector does not take for a possible digit is none, unless it touches another one: of digits
    that touch, a detector may see one alone.

    Args:
        boxes: of the rules' digits.
        candidates: (M, 4), of the detector's.
    """
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    shared = np.minimum(high[:, np.newaxis], high) - np.maximum(low[:, np.newaxis], low)
    meets = (shared >= 0).all(axis=2)
    np.fill_diagonal(meets, val=False)
    return np.asarray(_seen(_overlaps(boxes, candidates)) | meets.any(axis=1))


def as_seen(boxes: Floats, candidates: Floats) -> Floats:
    """Return the candidates (N, 4) that are of the same digits as boxes (N, 4); where none is, the box.

    Rules may join a minus or a point with the digit beside it; the detector's box is of the digit alone.
    """
    if not len(candidates):
        return boxes
    shares = _overlaps(boxes, candidates)
    return np.where(_seen(shares)[:, np.newaxis], candidates[shares.argmax(axis=1)], boxes)


def _shared(boxes: Floats, others: Floats) -> float:
    """Return the share of boxes that are of the same digit as one of the others; 1 where there are none."""
    return float(_seen(_overlaps(boxes, others)).mean()) if len(boxes) else 1.0


def _seen(shares: Floats) -> NDArray[np.bool_]:
    """Tell which of N boxes are of the same digit as one of M others, by their `_overlaps`."""
    return np.asarray(shares.max(axis=1, initial=0) >= CONSENSUS.same)


def _overlaps(boxes: Floats, others: Floats) -> Floats:
    """Return the intersections over unions (N, M) of boxes (N, 4) with others (M, 4), narrow ones widened."""
    return overlaps(_broad(boxes), _broad(others))


def _broad(boxes: Floats) -> Floats:
    """Return boxes (N, 4), the narrow ones widened about their middle."""
    missing = np.maximum(CONSENSUS.broad * boxes[:, 3] - boxes[:, 2], 0)
    none = np.zeros_like(missing)
    return np.asarray(boxes + np.stack([-missing / 2, none, missing, none], axis=1), np.float32)
