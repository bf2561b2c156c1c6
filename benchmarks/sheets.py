"""Sheets on which newer kinds of measured pages are written: pen, print and rules in layers of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import photographs
from letters import LETTERS
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from digitcli.datasets.strokes import draw_stroke
from digitcli.synthesis.writing_styles import curve

Drawings = dict[int, list[dict]]  # of one writer, by digit
Strokes = list[np.ndarray]  # each (P, 2), in heights of a digit

FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral", "cmr10", "cmtt10")
_WORDS = """
    amount budget chapter delivery engine flour garden harbour invoice journal kitchen letter market number
    orange paper quarter river sugar ticket umbrella valley window yellow zebra and but for from not the this
    with Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Klara Leon Mia Nora Oskar Paula Rosa Simon Tom
    Vera Wilma please remember bring before after lunch train street house plan notes total
"""
WORDS = tuple(_WORDS.split())


@dataclass(frozen=True)
class Colours:
    """Blue first, 0..1."""

    paper: tuple[float, ...]
    pen: tuple[float, ...]
    rules: tuple[float, ...]
    print: tuple[float, ...]


class Sheet:
    """A sheet that one writer fills; lengths are in heights of its digits, x to the right and y down."""

    def __init__(
        self,
        drawings: Drawings,
        random: np.random.Generator,
        *,
        size: tuple[float, float],
        most: int = 1500,
    ) -> None:
        """Take a sheet of a width and height; its longer side has at most `most` pixels."""
        self.random = random
        self._drawings = drawings
        self.unit = min(random.uniform(28, 100), most / max(size))  # pixels
        self.pen = max(2, round(self.unit * random.uniform(0.04, 0.12)))  # pixels
        self._font = FONTS[int(random.integers(len(FONTS)))]
        width, height = (round(side * self.unit) for side in size)
        self.written, self.ruled, self.printed = (np.zeros((height, width), np.uint8) for _ in range(3))

    def digits(self, count: int) -> str:
        return "".join(map(str, self.random.integers(0, 10, count)))

    def digit(self, digit: int, *, size: float = 1.0) -> Strokes:
        """Return one of the writer's digits, its left upper corner at (0, 0), about `size` high."""
        of_digit = self._drawings[digit]
        strokes = of_digit[int(self.random.integers(len(of_digit)))]["strokes"]
        points = np.concatenate([np.array(stroke, float) for stroke in strokes])
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = size * self.random.uniform(0.9, 1.08) / max(extent[1], extent[0] / 2, 1.0)
        down = (size - extent[1] * scale) / 2
        return [(np.array(stroke, float) - low) * scale + [0, down] for stroke in strokes]

    def draw(self, strokes: Strokes, x: float, y: float, *, thin: float = 1.0) -> float:
        """Draw strokes with their left upper corner at (x, y); return how wide they are."""
        pen = max(1, round(thin * self.pen))
        for stroke in strokes:
            draw_stroke(self.written, (stroke + np.array([x, y])) * self.unit, pen)
        return float(np.ptp(np.concatenate(strokes)[:, 0])) + pen / self.unit

    def write(self, text: str, x: float, y: float, *, size: float = 1.0, slope: float = 0.0) -> float:
        """Write digits in a line from (x, y) on; return where they end."""
        begin, spacing = x, self.random.uniform(0.12, 0.32)
        for digit in text:
            down = y + slope * (x - begin) + self.random.normal(0, 0.03)
            gap = max(0.08, self.random.normal(spacing, 0.05))
            x += self.draw(self.digit(int(digit), size=size), x, down) + gap
        return x

    def put(self, digit: int, x: float, y: float, *, size: float = 0.8, room: float = 1.0) -> None:
        """Write a digit about the middle (x, y) of a cell that is `room` wide."""
        strokes = self.digit(digit, size=size)
        extent = np.ptp(np.concatenate(strokes), axis=0)
        fit = min(1.0, 0.85 * room / extent[0]) if extent[0] else 1.0
        strokes = [stroke * fit for stroke in strokes]
        shift = self.random.normal(0, 0.04, 2) - [extent[0] * fit / 2, size * fit / 2]
        self.draw(strokes, x + shift[0], y + shift[1])

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: int) -> None:
        """Print a line of a width in pixels."""
        ends = [(round(x * self.unit), round(y * self.unit)) for x, y in ((x0, y0), (x1, y1))]
        cv2.line(self.ruled, *ends, 255, width, cv2.LINE_AA)

    def lattice(self, columns: Sequence[float], rows: Sequence[float], width: int) -> None:
        """Print a table's lines at these places."""
        for y in rows:
            self.rule(columns[0], y, columns[-1], y, width)
        for x in columns:
            self.rule(x, rows[0], x, rows[-1], width)

    def word(self, text: str, x: float, y: float, *, size: float = 1.0, by_hand: bool) -> float:
        """Put a word, with capitals of about `size` above its base line at (x, y); return where it ends."""
        if by_hand:
            return self._by_hand(text.lower(), x, y - size, size)
        mask = self._in_print(text, size)
        left, top = round(x * self.unit), round((y - 1.6 * size) * self.unit)
        part = self.printed[max(0, top) : top + mask.shape[0], left : left + mask.shape[1]]
        mask = mask[max(0, -top) :, :][: part.shape[0], : part.shape[1]]
        np.maximum(part, mask, out=part)
        return x + mask.shape[1] / self.unit

    def _in_print(self, text: str, size: float) -> np.ndarray:
        font = FontProperties(family=self._font)
        outlines = TextPath((0, 0), text, size=1.35 * size * self.unit, prop=font).to_polygons()
        height = round(2.4 * size * self.unit)
        polygons = [
            np.rint((outline * [1, -1] + [2, 1.6 * size * self.unit]) * 16).astype(np.int32)
            for outline in outlines
        ]
        width = max((int(polygon[:, 0].max()) // 16 + 3 for polygon in polygons), default=1)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, polygons, 255, cv2.LINE_AA, 4)
        return mask

    def _by_hand(self, text: str, x: float, y: float, size: float) -> float:
        """Write letters, each a little otherwise; their spacing is the writer's."""
        slant, wide = self.random.normal(-0.12, 0.1), np.exp(self.random.normal(0, 0.12))
        for letter in text:
            strokes = []
            for stroke in LETTERS[letter]:
                points = np.array(stroke) + self.random.normal(0, 0.018, (len(stroke), 2))
                points[:, 0] = points[:, 0] * wide + slant * (points[:, 1] - 1)
                strokes.append(curve(points) * size * 1.15)
            left = min(float(stroke[:, 0].min()) for stroke in strokes)
            placed = [stroke - [left, 0] for stroke in strokes]
            width = self.draw(placed, x, y + self.random.normal(0, 0.02), thin=min(1.0, size))
            x += width + max(0.02, self.random.normal(0.07, 0.03)) * size
        return x

    def picture(self, *, turn: float = 3.0) -> np.ndarray:
        """Return the sheet as a picture, (H, W, 3) uint8: half of them clean, half photographed."""
        colours = self._colours()
        sheet = np.empty((*self.written.shape, 3), np.float32)
        sheet[:] = colours.paper
        for layer, colour in (
            (self.ruled, colours.rules),
            (self.printed, colours.print),
            (self.written, colours.pen),
        ):
            share = (layer / np.float32(255))[..., np.newaxis]
            sheet = sheet * (1 - share) + np.array(colour, np.float32) * share
        if self.random.random() < 0.5:
            return np.clip(255 * sheet, 0, 255).astype(np.uint8)
        sheet = photographs.turned(photographs.lit(sheet, self.random), self.random, turn)
        if self.random.random() < 0.3 and self.unit > 45:
            sheet = cv2.resize(sheet, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        quality, blur = int(self.random.integers(45, 93)), self.random.uniform(0.4, 1.0)
        return photographs.photograph(sheet, quality, blur)

    def _colours(self) -> Colours:
        random = self.random
        paper = tuple(random.uniform(0.86, 1.0) * random.uniform(0.92, 1, 3))
        pens = (
            (0.1, 0.08, 0.08),
            photographs.BALLPOINT,
            (0.45, 0.2, 0.12),
            (0.2, 0.15, 0.7),
            (0.42, 0.42, 0.42),
        )
        pen = pens[int(random.integers(len(pens)))]
        rules = ((0.1, 0.1, 0.1), (0.45, 0.45, 0.45), photographs.RULES, (0.55, 0.75, 0.5), (0.6, 0.6, 0.9))
        return Colours(paper, pen, rules[int(random.integers(len(rules)))], (0.12, 0.1, 0.1))
