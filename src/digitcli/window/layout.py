"""Where everything is in a window of any size."""

from dataclasses import dataclass

from digitcli.canvas.canvas import SIDE
from digitcli.window.painting import Rect

USUAL = (1000, 640)  # pixels, width and height of a window on a screen of the usual kind
LEAST = (360, 300)  # pixels; smaller windows show the upper left part of this


@dataclass(frozen=True)
class Layout:
    """Rectangles of a window's parts, in pixels.

    Attributes:
        size: width and height of the window.
        unit: pixels to what would be one in a window of the usual size; of margins and letters.
        margin: between the parts, in pixels.
        canvas: a square.
        reading: the digits in large type.
        view: what the network sees.
        bars: the ten probabilities.
        kept: the history of readings.
        model: mode and model.
        foot: a line of words at the bottom.
    """

    size: tuple[int, int]
    unit: float
    margin: int
    canvas: Rect
    reading: Rect
    view: Rect
    bars: Rect
    kept: Rect
    model: Rect
    foot: Rect

    @property
    def letters(self) -> float:
        """Size of the small type, in pixels: large enough to be read in any window."""
        return max(12.0, 15 * self.unit)

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the canvas, in its units, a pixel of the window is."""
        left, top, side, _ = self.canvas
        return (x - left) * SIDE / side, (y - top) * SIDE / side

    def from_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return which pixel of the window a place on the canvas is."""
        left, top, side, _ = self.canvas
        return left + x * side / SIDE, top + y * side / SIDE


def arrange(width: int, height: int) -> Layout:
    """Lay a window out: the canvas at left and the rest beside it, or below it where that is higher."""
    width, height = max(width, LEAST[0]), max(height, LEAST[1])
    is_tall = height > 1.15 * width
    unit = min(width / 640, height / 960) if is_tall else min(width / USUAL[0], height / USUAL[1])
    unit = min(max(unit, 0.4), 8.0)
    margin = round(max(8.0, 24 * unit))
    foot_height = round(max(24.0, 40 * unit))
    foot = (margin, height - foot_height, width - 2 * margin, foot_height)
    inner = height - foot_height - margin  # down to the foot
    if is_tall:
        side = min(width - 2 * margin, round(0.6 * inner))
        canvas = ((width - side) // 2, margin, side, side)
        top = margin + side + margin
        panel = (margin, top, width - 2 * margin, inner + margin - top - margin // 2)
        parts = _beside(panel, unit, margin)
    else:
        side = min(inner, round(0.65 * (width - 3 * margin)))
        canvas = (margin, margin, side, side)
        left = margin + side + margin
        panel = (left, margin, width - left - margin, inner)
        parts = _stacked(panel, unit, margin)
    return Layout((width, height), unit, margin, canvas, *parts, foot)


def _stacked(panel: Rect, unit: float, margin: int) -> tuple[Rect, Rect, Rect, Rect, Rect]:
    """Reading and view side by side at the top, then the bars, then two lines."""
    x, y, width, height = panel
    line = round(max(12.0, 15 * unit) * 1.7)
    top = round(min(0.36 * height, 0.62 * width))
    view_side = min(round(0.4 * width), top)
    reading = (x, y, width - view_side - margin // 2, top)
    view = (x + width - view_side, y, view_side, view_side)
    model = (x, y + height - line, width, line)
    kept = (x, model[1] - line, width, line)
    bars_top = y + top + margin // 2
    bars = (x, bars_top, width, kept[1] - bars_top - margin // 3)
    return reading, view, bars, kept, model


def _beside(panel: Rect, unit: float, margin: int) -> tuple[Rect, Rect, Rect, Rect, Rect]:
    """Reading above view at the left with two lines below, the bars at the right."""
    x, y, width, height = panel
    line = round(max(12.0, 15 * unit) * 1.7)
    left = round(0.5 * (width - margin))
    upper = height - 2 * line - margin // 3
    view_side = min(round(0.45 * left), upper)
    reading = (x, y, left - view_side - margin // 2, upper)
    view = (x + left - view_side, y, view_side, view_side)
    bars = (x + left + margin, y, width - left - margin, upper)
    kept = (x, y + upper + margin // 3, width, line)
    model = (x, kept[1] + line, width, line)
    return reading, view, bars, kept, model
