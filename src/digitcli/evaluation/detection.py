"""How well marks are found: average precision, counts, false digits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.models.classifier import Floats
from digitcli.recognition.detections import Detections, overlaps
from digitcli.synthesis.pages.patches import CLEAR, DOUBTFUL

SURE = 0.3  # evidence from which a digit counts: how likely one is there, times how surely which
OVERLAP = 0.5  # intersection over union from which a mark is found (Everingham et al., 2010)
ON_DOUBTFUL = 0.2  # with a doubtful mark, from which what is found there counts neither way


@dataclass(frozen=True, eq=False)
class Score:
    """How the digits of one page were found.

    Attributes:
        scores: evidence of the digits that were found, but for those on doubtful marks.
        hits: whether each of them is a digit, its class right, its box overlapping, and not found already.
        digits: on the page.
        sure: found digits that count.
        false: of these, those without a digit of their own: on something else, beside it, or found twice.
    """

    scores: Floats
    hits: NDArray[np.bool_]
    digits: int
    sure: int
    false: int

    @classmethod
    def of(cls, found: Detections, marks: Floats) -> "Score":
        """Compare what was found with marks (M, 6); see `pages.patches.Examples`."""
        found = found.select(found.kinds < CLASSES)
        found = found.select(np.argsort(-found.evidence, kind="stable"))
        is_digit, state = marks[:, 4] < CLASSES, marks[:, 5]
        wanted, doubtful = marks[(state == CLEAR) & is_digit], marks[(state == DOUBTFUL) & is_digit]
        shares = overlaps(found.boxes, wanted[:, :4])
        beside = overlaps(found.boxes, doubtful[:, :4])
        taken = np.zeros(len(wanted), bool)
        scores, hits, false = [], [], 0
        for place, score in enumerate(found.evidence):
            near = shares[place] * ~taken
            best = int(near.argmax()) if len(near) else -1
            if best >= 0 and near[best] >= OVERLAP:
                taken[best] = True
                scores.append(score)
                hits.append(wanted[best, 4] == found.kinds[place])
                continue
            if len(doubtful) and beside[place].max() > ON_DOUBTFUL:
                continue
            scores.append(score)
            hits.append(False)
            false += score >= SURE
        sure = int(np.sum(np.array(scores) >= SURE))
        return cls(np.array(scores, np.float32), np.array(hits, bool), len(wanted), sure, int(false))


@dataclass(frozen=True)
class DetectionResult:
    """Figures over pages.

    Attributes:
        pages: how many.
        digits: on all of them.
        average_precision: of digits, all points (Everingham et al., 2010, as of 2010); 0..1.
        counts_exact: share of the pages with as many digits found as there are.
        false_digits: found without a digit of their own, a page.
    """

    pages: int
    digits: int
    average_precision: float
    counts_exact: float
    false_digits: float

    def as_json(self) -> dict[str, float]:
        """Return the figures by name."""
        return {
            "n": self.pages,
            "average_precision": self.average_precision,
            "counts_exact": self.counts_exact,
            "false_digits_a_page": self.false_digits,
        }


def measure(scores: Sequence[Score]) -> DetectionResult:
    """Return the figures of pages together; where there is no digit and none found, a precision of 1."""
    certainty = np.concatenate([score.scores for score in scores])
    hits = np.concatenate([score.hits for score in scores])[np.argsort(-certainty, kind="stable")]
    digits = sum(score.digits for score in scores)
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    # the best precision at this recall or a higher one
    best = np.maximum.accumulate(precision[::-1])[::-1]
    average = float(best[hits].sum() / digits) if digits else float(not len(hits))
    return DetectionResult(
        len(scores),
        digits,
        average,
        float(np.mean([score.sure == score.digits for score in scores])),
        float(np.mean([score.false for score in scores])),
    )
