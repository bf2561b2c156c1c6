"""How likely a mark is a digit, and which: its features, its neighbours and the classifier together.

Logistic regressions and the powers of a product of experts (Hinton, 2002), fitted on generated validation
pages by ``benchmarks/fit_scoring.py``. The first regression tells which marks are worth a closer look; the
second decides with the neighbours on the line and, where the pretrained classifier reads, with what it says.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from digitcli.models.classifier import Floats, Probabilities
from digitcli.recognition.detections import Detections, shared_areas
from digitcli.recognition.marks import FEATURES, Marks, log_odds
from digitcli.recognition.pretrained import PRETRAINED_MODEL

SCORING_FILE: Final = PRETRAINED_MODEL.with_name("scoring.json")
IN_CONTEXT: Final = (
    "first",
    "neighbours",
    "between",
    "beside letters",
    "covered",
    "covered squared",
    "narrow",
    "narrow neighbours",
)
CLASSIFIED: Final = ("surest", "surest together", "agreement")
_LEAST = 1e-4  # of a probability whose logarithm is taken
_LEAST_DETECTED = 1e-2  # likewise, of the detector's


@dataclass(frozen=True)
class NeighbourParameters:
    """Which marks are neighbours on a line; lengths are heights of the taller one.

    Attributes:
        least_height: of the lower one.
        lower: by how much the middles of the two are apart, at most.
        gap: between them, at most.
        narrow: width of a narrow mark, such as a 1 or a stroke, to its height, at most.
    """

    least_height: float = 0.45
    lower: float = 0.45
    gap: float = 1.6
    narrow: float = 0.45


NEIGHBOURS = NeighbourParameters()


@dataclass(frozen=True, eq=False)
class LogisticRegression:
    """Probabilities from a weighted sum.

    Attributes:
        weights: (F,) float32, of the features.
        bias: added to their sum.
    """

    weights: Floats
    bias: float

    def predict(self, features: Floats) -> Floats:
        """Return probabilities (N,) for features (N, F)."""
        return np.asarray(1 / (1 + np.exp(-(features @ self.weights + self.bias))), np.float32)


@dataclass(frozen=True, eq=False)
class Scoring:
    """Fitted weights.

    Attributes:
        first: from the `FEATURES` of a mark.
        alone: from the features `IN_CONTEXT`.
        together: from these and the `CLASSIFIED` ones.
        classifier, detector: powers of their probabilities in the product.
    """

    first: LogisticRegression
    alone: LogisticRegression
    together: LogisticRegression
    classifier: float
    detector: float

    def fused(self, classified: Probabilities, detected: Floats) -> Probabilities:
        """Return the digits' probabilities (N, 10) from the classifier's and the detector's."""
        summed = self.classifier * np.log(classified + _LEAST) + self.detector * np.log(
            detected + _LEAST_DETECTED
        )
        powers = np.exp(summed - summed.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def candidates(self, marks: Marks) -> Floats:
        """Return how likely each mark (N,) is a digit, by its features alone."""
        return self.first.predict(marks.features)

    def decided(
        self, found: Detections, first: Floats, classified: Probabilities | None, fused: Probabilities
    ) -> Floats:
        """Return how likely each mark (N,) is a digit.

        Args:
            found: the marks.
            first: (N,), as `candidates` gives them.
            classified: (N, 10), by the pretrained classifier; None where another one reads.
            fused: (N, 10), both together.
        """
        features = in_context(found, first)
        if classified is None:
            return self.alone.predict(features)
        return self.together.predict(np.concatenate([features, of_classes(found, classified, fused)], axis=1))


@cache
def load_scoring(path: Path = SCORING_FILE) -> Scoring:
    """Load fitted weights."""
    values = json.loads(path.read_text(encoding="utf-8"))

    def regression(name: str, *features: str) -> LogisticRegression:
        weights = values[name]
        return LogisticRegression(
            np.array([weights[feature] for feature in features], np.float32), float(weights["bias"])
        )

    return Scoring(
        regression("first", *FEATURES),
        regression("alone", *IN_CONTEXT),
        regression("together", *IN_CONTEXT, *CLASSIFIED),
        float(values["fusion"]["classifier"]),
        float(values["fusion"]["detector"]),
    )


def of_classes(found: Detections, classified: Probabilities, fused: Probabilities) -> Floats:
    """Return the features `CLASSIFIED` (N, 3) of marks."""
    detected = found.digits.argmax(axis=1)
    agreement = classified[np.arange(len(found)), detected]
    columns = (log_odds(classified.max(axis=1)), log_odds(fused.max(axis=1)), np.log(agreement + _LEAST))
    return np.stack(columns, axis=1).astype(np.float32)


def in_context(found: Detections, first: Floats) -> Floats:
    """Return the features `IN_CONTEXT` (N, 8) of marks that are digits with probabilities `first` (N,)."""
    boxes, heights = found.boxes, found.boxes[:, 3]
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    taller = np.maximum(heights[:, np.newaxis], heights)
    is_beside = (np.minimum(heights[:, np.newaxis], heights) > NEIGHBOURS.least_height * taller) & (
        np.abs(middles[:, np.newaxis, 1] - middles[:, 1]) < NEIGHBOURS.lower * taller
    )
    left, right = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    gaps = np.maximum(np.maximum(left - right[:, np.newaxis], left[:, np.newaxis] - right), 0) / taller
    nearness = np.exp(-gaps) * (is_beside & (gaps < NEIGHBOURS.gap))
    np.fill_diagonal(nearness, 0)
    digits, others = nearness * first, nearness * (found.presence[:, 2] * (1 - first))
    is_before = middles[:, 0] < middles[:, np.newaxis, 0]
    before, after = (np.where(side, digits, 0).max(axis=1, initial=0) for side in (is_before, ~is_before))
    areas = np.prod(boxes[:, 2:], axis=1)
    inside = shared_areas(boxes, boxes) / np.maximum(np.minimum(areas[:, np.newaxis], areas), 1e-6)
    np.fill_diagonal(inside, 0)
    covered = np.where(first > first[:, np.newaxis], inside * first, 0).max(axis=1, initial=0)
    is_narrow = (boxes[:, 2] < NEIGHBOURS.narrow * heights).astype(np.float32)
    columns = (
        log_odds(first),
        before + after,
        before * after,
        others.max(axis=1, initial=0),
        covered,
        covered**2,
        is_narrow,
        is_narrow * (before + after),
    )
    return np.stack(columns, axis=1).astype(np.float32)
