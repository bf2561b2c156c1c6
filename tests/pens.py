"""Digits as pen strokes, for tests that draw: the forms of `synthesis`, drawn as a person would."""

import itertools

import numpy as np

from digitcli.synthesis.glyphs import DIGITS
from digitcli.synthesis.writing_styles import curve

SINGLE = {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0}  # which form of each digit


def strokes(
    digit: int, *, left: float = 0.0, top: float = 0.0, height: float = 100.0, step: float = 4.0
) -> list[list[tuple[float, float]]]:
    """Return a digit's strokes with a point every `step`, the left upper corner at (left, top)."""
    form = [curve(np.asarray(stroke, float)) for stroke in DIGITS[digit][SINGLE[digit]]]
    points = np.concatenate(form)
    low, scale = points.min(axis=0), height / np.ptp(points[:, 1])
    drawn = []
    for stroke in form:
        corners = (stroke - low) * scale + [left, top]
        line = [corners[:1]]
        for start, end in itertools.pairwise(corners):
            count = max(1, round(float(np.hypot(*(end - start))) / step))
            line.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, np.newaxis])
        drawn.append([(round(float(x), 2), round(float(y), 2)) for x, y in np.concatenate(line)])
    return drawn
