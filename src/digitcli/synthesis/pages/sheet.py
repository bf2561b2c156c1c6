"""A sheet that is written on: layers of ink, and a label for every mark."""

import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.synthesis.pages.marks import BOX, FIELD_SIDE, STEPS, ZERO, Mark

Shares = NDArray[np.float32]  # (H, W), 0..1
Matrix = NDArray[np.float64]  # (2, 2), pixels of the sheet for each pixel of a field

LEAST_OUTLINE = 0.45  # of an outline's half width that is left where the pen is thinner
LEAST_INK = 0.4  # share of a pixel from which it belongs to a mark's box
TABLED = 1.2  # pixels for each pixel of a field, up to which eighths of a pixel are fine enough
_DEPTHS = ZERO - np.arange(256, dtype=np.float32)


@dataclass(eq=False)
class Layer:
    """Ink of one pen or press.

    Attributes:
        ink: (H, W) float32, the share of each pixel that is covered.
        colour: blue, green, red, 0..255.
        opacity: 0..1, what the ink hides of the paper.
        grain: 0..1, how much the paper's grain shows in it, as with a pencil.
        pressure: (H, W) float32, smooth noise of deviation about 1: how hard the pen was pressed.
        uneven: by how many pixels that widens strokes on either side.
        fading: 0..1, how much fainter ink is where it was not.
        digit_ink: (H, W) float32, the share of each pixel that its digits cover; None where it has no digit.
    """

    ink: Shares
    colour: tuple[float, float, float]
    opacity: float = 1.0
    grain: float = 0.0
    pressure: Shares | None = None
    uneven: float = 0.0
    fading: float = 0.0
    digit_ink: Shares | None = None


@dataclass(frozen=True)
class Label:
    """Where a mark is.

    Attributes:
        kind: its class; see `config.marks`.
        box: x, y, width, height of its ink, in pixels, as far as it is on the sheet.
        visible: 0..1, the share of its box that is on the sheet.
        size: the longer side of its whole box, in pixels.
        layer: number of the layer that it is on.
    """

    kind: int
    box: tuple[float, float, float, float]
    visible: float
    size: float
    layer: int


@dataclass(eq=False)
class Sheet:
    """A sheet of `height` x `width` pixels, with layers from the lowest to the uppermost.

    Attributes:
        labels: of all marks.
        most: marks; further ones are not drawn.
    """

    height: int
    width: int
    layers: list[Layer] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    most: int = 1_000_000

    def add_layer(self, colour: tuple[float, float, float], opacity: float = 1.0, **looks: Any) -> int:
        """Begin a layer over the others, and return its number; `looks` are as `Layer`'s."""
        self.layers.append(Layer(np.zeros((self.height, self.width), np.float32), colour, opacity, **looks))
        return len(self.layers) - 1

    def stamp(
        self,
        layer: int,
        mark: Mark,
        shape: Matrix,
        centre: NDArray[np.float64],
        half_width: float,
        kind: int,
    ) -> None:
        """Draw a mark.

        Args:
            layer: where.
            mark: what.
            shape: pixels of the sheet for each pixel of the mark's field.
            centre: x and y of the middle of the mark's box.
            half_width: of the pen, in pixels.
            kind: class of the mark.
        """
        if len(self.labels) >= self.most:
            return
        # plain numbers: there are thousands of marks a second, and NumPy is slow with four numbers
        (a, b), (c, d) = shape.tolist()
        x, y = centre.tolist()
        scale = math.sqrt(abs(a * d - b * c))
        own = mark.half_width * scale
        edge = half_width if mark.is_line else max(half_width, LEAST_OUTLINE * own) - own
        edge = min(edge, (FIELD_SIDE - BOX) / 2 * scale)  # beyond a field's edge nothing can be told
        half_x = (abs(a) * mark.width + abs(b) * mark.height) / 2 + max(edge, 0.0)
        half_y = (abs(c) * mark.width + abs(d) * mark.height) / 2 + max(edge, 0.0)
        x0, y0 = max(0, math.floor(x - half_x) - 1), max(0, math.floor(y - half_y) - 1)
        x1 = min(self.width, math.ceil(x + half_x) + 2)
        y1 = min(self.height, math.ceil(y + half_y) + 2)
        if x0 >= x1 or y0 >= y1:
            return
        middle = (FIELD_SIDE - 1) / 2
        matrix = np.array([[a, b, x - (a + b) * middle - x0], [c, d, y - (c + d) * middle - y0]])
        place = (slice(y0, y1), slice(x0, x1))
        on = self.layers[layer]
        wider = 0.0 if on.pressure is None or not on.uneven else on.pressure[place] * np.float32(on.uneven)
        ink = self._inked(mark, matrix, (x1 - x0, y1 - y0), scale, edge + wider)
        layer_ink = on.ink[place]
        np.maximum(layer_ink, ink, out=layer_ink)
        if kind < CLASSES:
            if on.digit_ink is None:
                on.digit_ink = np.zeros_like(on.ink)
            np.maximum(on.digit_ink[place], ink, out=on.digit_ink[place])
        is_ink = ink > LEAST_INK
        rows, columns = (np.flatnonzero(np.asarray(is_ink.any(axis=axis))) for axis in (1, 0))
        if not len(rows):
            return
        left, right, top, bottom = int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])
        box = (float(x0 + left), float(y0 + top), float(right - left + 1), float(bottom - top + 1))
        inside_x = min(x + half_x, self.width) - max(x - half_x, 0.0)
        inside_y = min(y + half_y, self.height) - max(y - half_y, 0.0)
        visible = max(inside_x, 0.0) * max(inside_y, 0.0) / max(4 * half_x * half_y, 1e-6)
        self.labels.append(Label(kind, box, min(1.0, visible), 2 * max(half_x, half_y), layer))

    @staticmethod
    def _inked(
        mark: Mark,
        matrix: NDArray[np.float64],
        size: tuple[int, int],
        scale: float,
        edge: float | NDArray[np.float32],
    ) -> Shares:
        """Return the share of each pixel that a mark covers, of (height, width) `size` reversed."""
        # fields are whole numbers: enlarged, they are interpolated as decimal ones, else a table is enough
        is_small = scale <= TABLED
        field = mark.field if is_small else mark.field.astype(np.float32)
        seen = np.asarray(
            cv2.warpAffine(field, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=255)
        )
        step = np.float32(scale / STEPS)
        depth = (_DEPTHS * step)[seen.astype(np.intp)] if is_small else (ZERO - seen) * step
        return np.asarray(np.clip(depth + np.asarray(edge + 0.5, np.float32), 0, 1), np.float32)

    def draw_path(self, layer: int, points: NDArray[np.float64], width: float) -> None:
        """Draw a line through points (P, 2), x and y, with a pen of `width` pixels; it gets no label."""
        low = np.floor(points.min(axis=0) - width - 2).astype(int)
        high = np.ceil(points.max(axis=0) + width + 2).astype(int)
        x0, y0 = np.maximum(low, 0)
        x1, y1 = np.minimum(high, [self.width, self.height])
        if x0 >= x1 or y0 >= y1:
            return
        part = np.zeros((y1 - y0, x1 - x0), np.uint8)
        placed = np.rint((points - [x0, y0]) * 16).astype(np.int32)
        # OpenCV's thinnest anti-aliased line has a pixel; thinner ones are fainter
        cv2.polylines(
            part,
            [placed[:, np.newaxis]],
            False,
            round(255 * min(1.0, width)),
            max(1, round(width)),
            cv2.LINE_AA,
            4,
        )
        ink = self.layers[layer].ink[y0:y1, x0:x1]
        np.maximum(ink, part.astype(np.float32) / 255, out=ink)
