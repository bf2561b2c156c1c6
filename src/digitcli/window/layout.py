"""The layout of the window, at any size."""

from dataclasses import dataclass

from digitcli.canvas.canvas import SIDE
from digitcli.window.painting import Rect

DEFAULT_SIZE = (1000, 640)  # pixels, width and height of a window on a full HD screen
MIN_SIZE = (360, 300)  # pixels; smaller windows show the upper left part of this


@dataclass(frozen=True)
class LayoutParameters:
    """How a window is divided.

    Lengths are in units of the layout (`Layout.unit`), with a least one in pixels where a small window
    would make them too small.

    Attributes:
        tall_ratio: height to width from which the parts are below the canvas rather than beside it.
        tall_size: width and height in pixels of a tall window in which a unit is one pixel.
        min_unit, max_unit: in pixels.
        margin, min_margin: between the parts; the second in pixels.
        status_bar, min_status_bar: height; the second in pixels.
        type_size, min_type_size: of the small type; the second in pixels, the smallest that reads well.
        line_height: of a line of small type, in sizes of it.
        wide_canvas, tall_canvas: the canvas's largest share of the width or, in a tall window, the height.
        reading_height, reading_by_width: height of the reading beside the canvas, as a share of the panel's
            height; at most the second as a share of its width.
        forms_wide, forms_tall: side of the square of forms, as a share of the panel's width or, in a tall
            window, of the width of its left half.
    """

    tall_ratio: float = 1.15
    tall_size: tuple[int, int] = (640, 960)
    min_unit: float = 0.4
    max_unit: float = 8.0
    margin: float = 24.0
    min_margin: float = 8.0
    status_bar: float = 40.0
    min_status_bar: float = 24.0
    type_size: float = 15.0
    min_type_size: float = 12.0
    line_height: float = 1.7
    wide_canvas: float = 0.65
    tall_canvas: float = 0.6
    reading_height: float = 0.36
    reading_by_width: float = 0.62
    forms_wide: float = 0.4
    forms_tall: float = 0.45


LAYOUT = LayoutParameters()


@dataclass(frozen=True)
class Layout:
    """Rectangles of a window's parts, in pixels.

    Attributes:
        size: width and height of the window.
        unit: pixels to what would be one in a window of the default size; of margins and letters.
        margin: between the parts, in pixels.
        canvas: a square.
        reading: the digits in large type.
        forms: the 28x28 images that the network sees, in a square.
        bars: the ten probabilities.
        kept: the history of readings.
        model: mode and model.
        status_bar: a line of words at the bottom.
    """

    size: tuple[int, int]
    unit: float
    margin: int
    canvas: Rect
    reading: Rect
    forms: Rect
    bars: Rect
    kept: Rect
    model: Rect
    status_bar: Rect

    @property
    def type_size(self) -> float:
        """Of the small type, in pixels: large enough to be read in any window."""
        return _type_size(self.unit)

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the canvas, in its units, a pixel of the window is."""
        left, top, side, _ = self.canvas
        return (x - left) * SIDE / side, (y - top) * SIDE / side

    def from_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return which pixel of the window a place on the canvas is."""
        left, top, side, _ = self.canvas
        return left + x * side / SIDE, top + y * side / SIDE


def arrange(width: int, height: int) -> Layout:
    """Lay a window out: the canvas at left and the rest beside it, or below it in a tall window."""
    width, height = max(width, MIN_SIZE[0]), max(height, MIN_SIZE[1])
    is_tall = height > LAYOUT.tall_ratio * width
    unit_width, unit_height = LAYOUT.tall_size if is_tall else DEFAULT_SIZE
    unit = min(max(min(width / unit_width, height / unit_height), LAYOUT.min_unit), LAYOUT.max_unit)
    margin = round(max(LAYOUT.min_margin, LAYOUT.margin * unit))
    status_height = round(max(LAYOUT.min_status_bar, LAYOUT.status_bar * unit))
    status_bar = (margin, height - status_height, width - 2 * margin, status_height)
    inner = height - status_height - margin  # down to the status bar
    if is_tall:
        side = min(width - 2 * margin, round(LAYOUT.tall_canvas * inner))
        canvas = ((width - side) // 2, margin, side, side)
        top = margin + side + margin
        panel = (margin, top, width - 2 * margin, inner + margin - top - margin // 2)
        parts = _beside(panel, unit, margin)
    else:
        side = min(inner, round(LAYOUT.wide_canvas * (width - 3 * margin)))
        canvas = (margin, margin, side, side)
        left = margin + side + margin
        panel = (left, margin, width - left - margin, inner)
        parts = _stacked(panel, unit, margin)
    return Layout((width, height), unit, margin, canvas, *parts, status_bar)


def _type_size(unit: float) -> float:
    return max(LAYOUT.min_type_size, LAYOUT.type_size * unit)


def _stacked(panel: Rect, unit: float, margin: int) -> tuple[Rect, Rect, Rect, Rect, Rect]:
    """Reading and forms side by side at the top, then the bars, then two lines."""
    x, y, width, height = panel
    line = round(_type_size(unit) * LAYOUT.line_height)
    top = round(min(LAYOUT.reading_height * height, LAYOUT.reading_by_width * width))
    forms_side = min(round(LAYOUT.forms_wide * width), top)
    reading = (x, y, width - forms_side - margin // 2, top)
    forms = (x + width - forms_side, y, forms_side, forms_side)
    model = (x, y + height - line, width, line)
    kept = (x, model[1] - line, width, line)
    bars_top = y + top + margin // 2
    bars = (x, bars_top, width, kept[1] - bars_top - margin // 3)
    return reading, forms, bars, kept, model


def _beside(panel: Rect, unit: float, margin: int) -> tuple[Rect, Rect, Rect, Rect, Rect]:
    """Reading and forms in the left half with two lines below, the bars at the right."""
    x, y, width, height = panel
    line = round(_type_size(unit) * LAYOUT.line_height)
    left = round((width - margin) / 2)
    upper = height - 2 * line - margin // 3
    forms_side = min(round(LAYOUT.forms_tall * left), upper)
    reading = (x, y, left - forms_side - margin // 2, upper)
    forms = (x + left - forms_side, y, forms_side, forms_side)
    bars = (x + left + margin, y, width - left - margin, upper)
    kept = (x, y + upper + margin // 3, width, line)
    model = (x, kept[1] + line, width, line)
    return reading, forms, bars, kept, model
