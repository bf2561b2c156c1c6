"""Signs beside digits: which line each belongs to, and after how many of its digits it stands."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.models.classifier import Floats


@dataclass(frozen=True)
class SignParameters:
    """What stands beside a digit; lengths are the digit's height.

    Attributes:
        above, below: by how much the middle of a sign may be above its digit's upper edge and below its lower
            one.
        gap: between the two, at most.
        same: between the middles of two boxes, in longer sides of the larger one, up to which they are of the
            same sign.
        near: likewise, in usual heights of the digits; a point is small, and its box may lie beside it.
    """

    above: float = 0.1
    below: float = 0.3
    gap: float = 1.2
    same: float = 0.8
    near: float = 0.25


SIGNS = SignParameters()


def distinct(boxes: Floats, digits: Floats) -> NDArray[np.int64]:
    """Return the places of one box for each sign.

    Args:
        boxes: (N, 4), of signs, the likeliest first.
        digits: (M, 4), of the digits of their page.
    """
    kept: list[int] = []
    near = SIGNS.near * float(np.median(digits[:, 3])) if len(digits) else 0.0
    middles, longer = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1, initial=0)
    for place in range(len(boxes)):
        apart = np.abs(middles[kept] - middles[place]).max(axis=1, initial=0)
        reach = np.maximum(SIGNS.same * np.maximum(longer[kept], longer[place]), near)
        if not (apart < reach).any():
            kept.append(place)
    return np.array(kept, np.int64)


def placed(signs: Floats, digits: Floats, lines: list[list[int]]) -> list[tuple[int | None, int]]:
    """Return for each sign the number of its line, None where it is beside none, and the digits before it.

    Args:
        signs: (N, 4), x, y, width, height.
        digits: (M, 4).
        lines: places of the digits, line by line.
    """
    if not len(digits):
        return [(None, 0)] * len(signs)
    of_line = np.empty(len(digits), int)
    for number, line in enumerate(lines):
        of_line[line] = number
    found: list[tuple[int | None, int]] = []
    heights = digits[:, 3]
    for x, y, width, height in signs:
        gaps = np.maximum(np.maximum(digits[:, 0] - (x + width), x - (digits[:, 0] + digits[:, 2])), 0)
        above = digits[:, 1] - (y + height / 2)
        below = -above - heights
        is_beside = (above < SIGNS.above * heights) & (below < SIGNS.below * heights)
        away = np.where(is_beside & (gaps < SIGNS.gap * heights), gaps / heights, np.inf)
        nearest = int(away.argmin())
        if not np.isfinite(away[nearest]):
            found.append((None, 0))
            continue
        line = lines[of_line[nearest]]
        middles = digits[line, 0] + digits[line, 2] / 2
        found.append((int(of_line[nearest]), int(np.count_nonzero(middles < x + width / 2))))
    return found
