"""Paths: which candidate digits of a line belong together.

Every way of joining neighbouring pieces into digits is a path through the line; the network scores
each candidate digit once, and dynamic programming finds the best path (LeCun et al., "Gradient-based
learning applied to document recognition", 1998, there called a segmentation graph).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Box
from digitcli.recognition.rules.segmentation import Line

# confidence from which what is cut from a mark is digits
_SURE = 0.7
_SURE_AMONG_DIGITS = 0.45  # of a mark that is not alone in its line
_MARGIN = 2.0  # by which a path may cost more than the best one and become the best at a second look


@dataclass(frozen=True)
class Candidate:
    """Neighbouring pieces of a line that may be one digit.

    Attributes:
        first, last: the pieces of the line, from the first to before the last.
        box: of all of them, in pixels of the page.
        cost: what speaks against their being one digit, apart from how it looks.
        marks: how many whole marks, or parts of one, are joined.
    """

    first: int
    last: int
    box: Box
    cost: float
    marks: int = 1


def best_path(candidates: Sequence[Candidate], probabilities: NDArray[np.float32]) -> list[int]:
    """Return which candidates, from left to right, cover their line and are likely together.

    Args:
        candidates: of the line.
        probabilities: (N, 10), theirs.
    """
    end = _end(candidates)
    _, chosen = _best(
        [(each.first, each.last) for each in candidates], _worth(candidates, probabilities), end
    )
    path: list[int] = []
    place = end
    while place > 0 and (best := chosen[place]) is not None:
        path.append(best)
        place = candidates[best].first
    return path[::-1]


def affects_reading(
    line: Line, candidates: Sequence[Candidate], probabilities: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Tell which candidates (N,) are whole marks, or on a path that is not much worse than the best one."""
    end = _end(candidates)
    worth = _worth(candidates, probabilities)
    before, _ = _best([(each.first, each.last) for each in candidates], worth, end)
    after, _ = _best([(end - each.last, end - each.first) for each in candidates], worth, end)
    starts = [not piece.is_cut_off for piece in line] + [True]

    def is_near(each: Candidate, value: float) -> bool:
        return before[each.first] + value + after[end - each.last] >= before[end] - _MARGIN

    def is_whole(each: Candidate) -> bool:
        return starts[each.first] and starts[each.last] and not any(starts[each.first + 1 : each.last])

    found = [is_near(each, value) or is_whole(each) for each, value in zip(candidates, worth, strict=True)]
    return np.array(found, bool)


def _end(candidates: Sequence[Candidate]) -> int:
    return max((candidate.last for candidate in candidates), default=0)


def _worth(candidates: Sequence[Candidate], probabilities: NDArray[np.float32]) -> list[float]:
    return [
        candidate.marks * math.log(max(float(likely), 1e-6)) - candidate.cost
        for candidate, likely in zip(candidates, probabilities.max(axis=1), strict=True)
    ]


def _best(steps: list[tuple[int, int]], worth: list[float], end: int) -> tuple[list[float], list[int | None]]:
    """Return what the best path to before each piece is worth, and the last step on it."""
    score = [0.0] + [-math.inf] * end
    chosen: list[int | None] = [None] * (end + 1)
    for number in sorted(range(len(steps)), key=lambda n: steps[n]):
        first, last = steps[number]
        found = score[first] + worth[number]
        if found > score[last]:
            score[last], chosen[last] = found, number
    return score, chosen


def without_vain_cuts(
    path: list[int], line: Line, candidates: Sequence[Candidate], probabilities: NDArray[np.float32]
) -> list[int]:
    """Take marks for one again of which the cuts have not made digits beyond doubt.

    Else a letter would be cut until its pieces look like digits. Where other digits stand in the line, that
    is less likely, and the pieces may be less sure.
    """
    groups: list[list[int]] = []  # of candidates that cuts have parted
    for number in path:
        if groups and line[candidates[number].first].is_cut_off:
            groups[-1].append(number)
        else:
            groups.append([number])
    whole = {(candidate.first, candidate.last): number for number, candidate in enumerate(candidates)}
    kept: list[int] = []
    for group in groups:
        ends = candidates[group[0]].first, candidates[group[-1]].last
        needed = _SURE_AMONG_DIGITS if len(group) < len(path) else _SURE
        if ends in whole and min(float(probabilities[number].max()) for number in group) < needed:
            kept.append(whole[ends])
        else:
            kept += group
    return kept
