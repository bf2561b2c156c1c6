"""Numbers written with pen strokes on a sheet that lies turned, for the generated photographs of `scenes`."""

from dataclasses import dataclass

import numpy as np
from surfaces import Box, Mask, Random, Size

from digitcli.datasets.strokes import draw_stroke

Drawings = dict[int, list[dict]]  # of one writer: digit -> drawings, each {"label", "strokes", "writer"}

SHORTEST = 150  # pixels, of a picture's longer side


@dataclass(frozen=True)
class Writing:
    """Lines of digits; lengths are in heights of a digit.

    Attributes:
        text: what they say, a line a row.
        digits: of each digit its strokes, each (P, 2), x and y.
        pen: the pen's width.
    """

    text: str
    digits: list[list[np.ndarray]]
    pen: float

    @property
    def box(self) -> Box:
        """Of the ink."""
        points = np.concatenate([stroke for digit in self.digits for stroke in digit])
        return grown((*points.min(axis=0), *points.max(axis=0)), self.pen / 2)

    def times(self, scale: float) -> "Writing":
        digits = [[stroke * scale for stroke in digit] for digit in self.digits]
        return Writing(self.text, digits, max(2, round(self.pen * scale)))


class View:
    """A camera's view of a sheet that lies turned: pixels and their coordinates on the sheet."""

    def __init__(self, box: Box, degrees: float, margins: np.ndarray) -> None:
        """See all of `box`, on the sheet, with margins left, above, right and below, in pixels."""
        cos, sin = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
        self._turn = np.array([[cos, sin], [-sin, cos]])  # (x, y) of the sheet @ it = (x, y) of the picture
        corners = np.array([(x, y) for x in box[::2] for y in box[1::2]]) @ self._turn
        low, high = corners.min(axis=0) - margins[:2], corners.max(axis=0) + margins[2:]
        more = max(0, SHORTEST - max(high - low)) / 2
        self._low = low - more
        width, height = np.ceil(high + more - self._low).astype(int)
        self.size: Size = (int(height), int(width))
        x = np.arange(width, dtype=np.float32)[np.newaxis] + np.float32(self._low[0])
        y = np.arange(height, dtype=np.float32)[:, np.newaxis] + np.float32(self._low[1])
        self.u, self.v = x * cos + y * sin, y * cos - x * sin  # (H, W) each, on the sheet

    def ink(self, writing: Writing) -> Mask:
        written = np.zeros(self.size, np.uint8)
        for stroke in (stroke for digit in writing.digits for stroke in digit):
            draw_stroke(written, stroke @ self._turn - self._low, int(writing.pen))
        return written / np.float32(255)


def written(
    drawings: Drawings,
    random: Random,
    counts: list[int],
    *,
    pen: float,
    cell: tuple[float, float] | None = None,
) -> Writing:
    """Write a line for each count, as one writer does; with `cell`, each digit in a cell that large."""
    spacing, leading, indent = random.uniform(0.15, 0.5), random.uniform(1.5, 2.1), random.uniform(0, 0.8)
    digits, lines, every = [], [], [drawing for digit in drawings for drawing in drawings[digit]]
    for row, count in enumerate(counts):
        x, text = random.uniform(0, indent), ""
        for column, place in enumerate(random.integers(len(every), size=count)):
            strokes = [np.array(stroke, float) for stroke in every[int(place)]["strokes"]]
            points = np.concatenate(strokes)
            low, extent = points.min(axis=0), np.ptp(points, axis=0)
            scale = random.uniform(0.85, 1.1) / max(extent[1], extent[0] / (2 if cell is None else 1), 1.0)
            middle = np.array([x + extent[0] * scale / 2, row * leading + random.normal(0, 0.05)])
            if cell is not None:
                middle = (np.array([column, row]) + 0.5 + random.normal(0, 0.03, 2)) * cell
            digits.append([(stroke - low - extent / 2) * scale + middle for stroke in strokes])
            text += str(every[int(place)]["label"])
            x += extent[0] * scale + pen + max(0.08, random.normal(spacing, 0.06))
        lines.append(text)
    return Writing("\n".join(lines), digits, pen)


def smooth(writing: Writing) -> Writing:
    """Round the corners between a stroke's points, which show where a digit is large."""

    def cut(stroke: np.ndarray) -> np.ndarray:
        quarters = stroke[:-1, np.newaxis] + np.diff(stroke, axis=0)[:, np.newaxis] * [[0.25], [0.75]]
        return np.concatenate([stroke[:1], quarters.reshape(-1, 2), stroke[-1:]])

    digits = [[cut(cut(cut(stroke))) for stroke in digit] for digit in writing.digits]
    return Writing(writing.text, digits, writing.pen)


def grown(box: Box, by: float) -> Box:
    left, top, right, bottom = (float(value) for value in box)
    return left - by, top - by, right + by, bottom + by
