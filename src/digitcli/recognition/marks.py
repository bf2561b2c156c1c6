"""Marks on a page: what a detector saw at several sizes, gathered into one mark each, and measured."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from digitcli.config.marks import PLUS
from digitcli.config.mnist import CLASSES
from digitcli.models.classifier import Floats
from digitcli.recognition.detections import Detections, grouped, join
from digitcli.recognition.finder import View

# what is measured of a mark; see `_measured`
FEATURES: Final = (
    "digit",
    "other",
    "sureness",
    "support",
    "foreground",
    "size",
    "size squared",
    "aspect",
    "seen size",
    "plus",
    "zero",
    "one",
)
_LEAST = 1e-4  # of a share whose logarithm is taken
_SEEN = (11, 220)  # pixels, least and most, of the longer side of marks that a detector sees
_BRIGHTEST = 0.2  # share of a box whose foreground is measured


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks of a page, each found once.

    Attributes:
        found: N marks, boxes in pixels of the picture; `digits` and `symbols` are what all views say of each.
        features: (N, `FEATURES`) float32.
    """

    found: Detections
    features: Floats

    def __len__(self) -> int:
        return len(self.found)

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Marks":
        """Return some of them, in the order of `which`."""
        return Marks(self.found.select(which), self.features[which])


def gather(views: list[View]) -> Marks:
    """Return the marks that are seen in the views of a picture."""
    seen = join([view.marks for view in views])
    of_view = np.concatenate([np.full(len(view.marks), place) for place, view in enumerate(views)])
    of_view = of_view[np.argsort(-np.concatenate([view.marks.scores for view in views]), kind="stable")]
    # a digit that is surely which one goes before letters and signs that are as likely
    rank = np.maximum(
        seen.presence[:, 0] * np.sqrt(seen.digits.max(axis=1, initial=0)),
        0.9 * seen.presence[:, 1:].max(axis=1, initial=0),
    )
    order = np.argsort(-rank, kind="stable")
    seen, of_view = seen.select(order), of_view[order]
    kept, weights = grouped(seen)
    seen, of_view = seen.select(np.arange(weights.shape[1])), of_view[: weights.shape[1]]
    found = replace(
        seen.select(kept),
        presence=weights @ seen.presence,
        digits=weights @ seen.digits,
        symbols=weights @ seen.symbols,
    )
    support = _support(views, of_view, weights > 0, seen.evidence, found.boxes)
    scales = np.array([view.scale for view in views], np.float32)[of_view[kept]]
    foreground = np.array(
        [_brightest(views[view], box) for view, box in zip(of_view[kept], found.boxes, strict=True)],
        np.float32,
    )
    return Marks(found, _measured(found, support, foreground, scales))


def _support(
    views: list[View], of_view: NDArray[np.int64], is_same: NDArray[np.bool_], evidence: Floats, boxes: Floats
) -> Floats:
    """Return the mean evidence (K,) for each mark over the views in which it is large and small enough."""
    total, count = np.zeros(len(boxes), np.float32), np.zeros(len(boxes), np.float32)
    for place, view in enumerate(views):
        size = boxes[:, 2:].max(axis=1, initial=0) * view.scale
        is_seen = (size > _SEEN[0]) & (size < _SEEN[1])
        own = of_view == place
        total += is_seen * np.where(is_same[:, own], evidence[own], 0).max(axis=1, initial=0)
        count += is_seen
    return np.asarray(total / np.maximum(count, 1), np.float32)


def _brightest(view: View, box: Floats) -> float:
    """Return the mean foreground, 0..1, of the brightest pixels of a box."""
    half = view.scale / 2
    left, top = (max(0, int(np.floor(value * half))) for value in box[:2])
    right, below = (
        int(np.ceil((start + extent) * half)) for start, extent in zip(box[:2], box[2:], strict=True)
    )
    part = view.foreground[top:below, left:right].ravel()
    if not part.size:
        return 0.0
    count = max(1, int(_BRIGHTEST * part.size))
    return float(np.partition(part, -count)[-count:].mean()) / 255


def _measured(found: Detections, support: Floats, foreground: Floats, scales: Floats) -> Floats:
    """Return the `FEATURES` (N, F) of marks; shares as log odds, lengths as logarithms."""
    if not len(found):
        return np.empty((0, len(FEATURES)), np.float32)
    sizes = found.boxes[:, 2:].max(axis=1)
    relative = np.log(sizes / _usual(sizes, found.evidence))
    columns = (
        log_odds(found.presence[:, 0]),
        log_odds(found.presence[:, 2]),
        np.log(found.digits.max(axis=1) + _LEAST),
        log_odds(support),
        log_odds(foreground),
        relative,
        relative**2,
        np.log(found.boxes[:, 2] / found.boxes[:, 3]),
        np.log(sizes * scales),
        found.presence[:, 1] * found.symbols[:, PLUS - CLASSES],
        found.digits[:, 0],
        found.digits[:, 1],
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _usual(sizes: Floats, evidence: Floats) -> float:
    """Return the median size, weighted by the evidence where there is some."""
    weights = np.where(evidence > 0.3, evidence, 0) + 1e-6 * evidence
    order = np.argsort(sizes)
    totals = np.cumsum(weights[order])
    return float(sizes[order][np.searchsorted(totals, totals[-1] / 2)])


def log_odds(shares: Floats) -> Floats:
    """Return log(p / (1 - p)), bounded."""
    return np.asarray(np.log((shares + _LEAST) / (1 - shares + _LEAST)), np.float32)
