"""A sheet that one writer fills with digits, lines and words, and how a scanner or a camera sees it.

Everything on a sheet is kept as shapes and drawn once, when the turn and the margins are known: a turn
neither cuts nor blurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import photographs
from legibility import is_clear
from letters import LETTERS
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from digitcli.datasets.strokes import draw_stroke
from digitcli.synthesis.writing_styles import curve

Drawings = dict[int, list[dict]]  # of one writer: digit -> drawings
Random = np.random.Generator
Points = Sequence[Sequence[float]] | np.ndarray  # (P, 2) x, y

LONGEST, SHORTEST = 1500, 160  # pixels of a page's longer side
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
PRINTED = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmr10", "cmss10")
WIDEST_RULE = 0.1  # in heights of digits: small digits stay readable beside it


@dataclass(frozen=True)
class Look:
    """What pages of one kind look like."""

    heights: tuple[float, float] = (24, 110)  # of digits, in pixels
    margins: tuple[float, float] = (
        0.3,
        2.0,
    )  # around what is on the page, in heights of digits; may cut into lines
    turn: float = 4.0  # degrees at most


class Sheet:
    """A page that one writer fills, as shapes; lengths are in heights of its digits, y points down."""

    def __init__(self, drawings: Drawings, random: Random) -> None:
        self.random = random
        self.pen = random.uniform(0.05, 0.11)
        self.lines: list[str] = []
        self._drawings = drawings
        self._slant = random.normal(0, 0.08)
        self._wave = random.uniform(0, 0.06), random.uniform(0.3, 0.8), random.uniform(0, 6)
        self._strokes: list[np.ndarray] = []
        self._rules: list[tuple[np.ndarray, int]] = []
        self._shades: list[np.ndarray] = []
        self._words: list[list[np.ndarray]] = []
        self._are_words_written = random.random() < 0.5
        self._font = str(random.choice(PRINTED))
        self._word_size = random.uniform(0.75, 1.25)
        self._letter_slant = random.normal(0.12, 0.1)
        self._letter_shape = np.exp(random.normal(0, 0.08, 2))

    def digits(self, least: int, most: int) -> str:
        return "".join(map(str, self.random.integers(0, 10, int(self.random.integers(least, most + 1)))))

    def rule(self, points: Points, width: int) -> None:
        """Print a line of `width` pixels at most."""
        self._rules.append((np.asarray(points, float), width))

    def shade(self, points: np.ndarray) -> None:
        self._shades.append(points)

    def digit(self, label: int, *, size: float = 1.0, widest: float = np.inf) -> list[np.ndarray]:
        """Return strokes of about height `size` from (0, 0) to the right and down."""
        of_digit = self._drawings[label]
        for place in self.random.permutation(len(of_digit)):
            strokes = [np.array(stroke, float) for stroke in of_digit[place]["strokes"]]
            strokes = [stroke - np.outer(stroke[:, 1], [self._slant, 0]) for stroke in strokes]
            low, extent = _bounds(strokes)
            scale = size * self.random.uniform(0.88, 1.08) / max(extent[1], extent[0] / 1.3, 1.0)
            scale = min(scale, widest / max(extent[0], 1.0))
            strokes = [(stroke - low) * scale for stroke in strokes]
            if is_clear(strokes, label, self.pen):
                break
        down = (size - extent[1] * scale) * self.random.uniform(0.5, 1)
        return [stroke + np.array([0, down]) for stroke in strokes]

    def in_cell(
        self,
        label: str,
        x: float,
        y: float,
        width: float,
        height: float,
        aside: float = 1.0,
        drift: Sequence[float] = (0, 0),
    ) -> None:
        """Write a digit into a cell.

        `aside` is how far from the middle at most, 1 for all that the cell leaves free; `drift` moves it
        further, also over the cell's sides.
        """
        strokes = self.digit(int(label), size=min(1.0, height - 2 * self.pen), widest=width - 2.5 * self.pen)
        low, extent = _bounds(strokes)
        free = np.maximum(np.array([width, height]) - extent - 2.5 * self.pen, 0) / 2
        shift = free * np.clip(self.random.normal(0, 0.35, 2), -1, 1) * aside
        corner = np.array([x, y]) + (np.array([width, height]) - extent) / 2 + shift + drift
        self._strokes += [stroke - low + corner for stroke in strokes]

    def number(
        self, text: str, x: float, y: float, *, strike_zeros: bool = False, slash: float = 1.0
    ) -> float:
        """Write digits and slashes, upper left corner at (x, y); return where they end."""
        swing, often, start = self._wave
        spacing = self.random.uniform(0.15, 0.35)
        for character in text:
            strokes = [self._slash(slash)] if character == "/" else self.digit(int(character))
            if strike_zeros and character == "0":
                strokes.append(self._strike(strokes))
            low, extent = _bounds(strokes)
            place = [x - low[0], y + swing * np.sin(often * x + start)]
            self._strokes += [stroke + place for stroke in strokes]
            x += extent[0] + self.pen + max(0.1, self.random.normal(spacing, 0.06))
        return x

    def word(self, text: str, x: float, y: float, size: float = 1.0) -> float:
        """Print or write letters, their base line at about y + 0.72 `size`; return where they end."""
        size *= self._word_size
        base = y + 0.72 * size
        if self._are_words_written:
            return self._written_word(text.lower(), x, base, 0.85 * size)
        outlines = [polygon * size for polygon in _outlines(text, self._font)]
        low, extent = _bounds(outlines)
        self._words.append([polygon + np.array([x - low[0], base]) for polygon in outlines])
        return x + float(extent[0])

    def _written_word(self, text: str, x: float, base: float, height: float) -> float:
        """Write small letters, each a little otherwise, ascenders `height` above the base line."""
        for letter in text:
            strokes = [
                curve(np.array(stroke) + self.random.normal(0, 0.018, (len(stroke), 2)))
                for stroke in LETTERS[letter]
            ]
            strokes = [stroke + np.outer(1 - stroke[:, 1], [self._letter_slant, 0]) for stroke in strokes]
            strokes = [(stroke - [0, 1]) * height * self._letter_shape for stroke in strokes]
            low, extent = _bounds(strokes)
            place = np.array([x - low[0], base + self.random.normal(0, 0.02)])
            self._strokes += [stroke + place for stroke in strokes]
            x += extent[0] + self.pen + max(0.02, self.random.normal(0.07, 0.03)) * height
        return x

    def by_hand(self, line: Points) -> None:
        """Draw a line with the pen, a little wavy."""
        corners = np.asarray(line, float)
        lengths = np.hypot(*np.diff(corners, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        places = np.unique(np.concatenate([along, np.arange(0, along[-1], 0.2)]))
        knots = np.linspace(0, along[-1], max(3, int(along[-1] / 1.2)))
        points = [
            np.interp(places, along, corners[:, i])
            + np.interp(places, knots, self.random.normal(0, 0.03, len(knots)))
            for i in (0, 1)
        ]
        self._strokes.append(np.stack(points, axis=1))

    def seen(self, look: Look) -> tuple[np.ndarray, str]:
        """Return the page as a scanner or a camera sees it, and its text."""
        random = self.random
        is_photographed = random.random() < 0.5
        is_straight = not is_photographed and random.random() < 0.5
        angle = 0.0 if is_straight else np.radians(random.uniform(-look.turn, look.turn))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        every = [points @ turn for points in self._all()]
        low, extent = _bounds(every)
        sides = random.uniform(*look.margins, (2, 2))  # left and above, right and below
        if self._strokes and look.margins[0] < 0:  # never into a digit
            written, across = _bounds([stroke @ turn for stroke in self._strokes])
            room = np.stack([written - low, low + extent - written - across]) - self.pen - 0.04
            sides = np.maximum(sides, -room)
        unit = float(np.exp(random.uniform(*np.log(look.heights))))
        whole = extent + sides.sum(axis=0)
        unit = min(unit, LONGEST / whole.max())
        size = np.ceil(np.maximum(whole * unit, SHORTEST * whole / whole.max())).astype(int)
        masks = self._masks(turn, unit, sides[0] - low, size)
        return _developed(masks, unit, is_photographed, random), "\n".join(filter(None, self.lines))

    def _all(self) -> list[np.ndarray]:
        words = [polygon for polygons in self._words for polygon in polygons]
        return [*self._strokes, *(points for points, _ in self._rules), *self._shades, *words]

    def _masks(self, turn: np.ndarray, unit: float, corner: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
        """Return shades, printed and written, each (H, W) uint8."""
        shades, printed, written = (np.zeros((size[1], size[0]), np.uint8) for _ in range(3))

        def placed(points: np.ndarray) -> np.ndarray:
            return (points @ turn + corner) * unit

        for shade in self._shades:
            cv2.fillPoly(shades, [_fixed(placed(shade))], 255, cv2.LINE_AA, 4)
        for points, width in self._rules:
            draw_stroke(printed, placed(points), max(1, min(width, round(WIDEST_RULE * unit))))
        for polygons in self._words:
            fixed = [_fixed(placed(polygon)) for polygon in polygons]
            cv2.fillPoly(printed, fixed, 255, cv2.LINE_AA, 4)
        for stroke in self._strokes:
            draw_stroke(written, placed(stroke), max(2, round(self.pen * unit)))
        return [shades, printed, written]

    def _slash(self, size: float) -> np.ndarray:
        height = size * self.random.uniform(0.95, 1.02)
        lean = height * self.random.uniform(0.6, 0.85)
        bow = self.random.normal(0, 0.03)
        return np.array([[lean, 1 - height], [lean / 2 + bow, 1 - height / 2], [0, 1.0]])

    def _strike(self, zero: list[np.ndarray]) -> np.ndarray:
        low, extent = _bounds(zero)
        inset = self.random.uniform(-0.15, 0.22) * extent
        return np.array([[low[0] + inset[0], low[1] + extent[1] - inset[1]],
                         [low[0] + extent[0] - inset[0], low[1] + inset[1]]])  # fmt: skip


def _bounds(strokes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate(strokes)
    return points.min(axis=0), np.ptp(points, axis=0)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 16).astype(np.int32)


@cache
def _outlines(text: str, font: str) -> list[np.ndarray]:
    """Return the outlines of a word one em high, its base line at y = 0."""
    path = TextPath((0, 0), text, size=100, prop=FontProperties(fname=FONTS / f"{font}.ttf"))
    return [polygon * [0.01, -0.01] for polygon in path.to_polygons()]


def _developed(masks: list[np.ndarray], unit: float, is_photographed: bool, random: Random) -> np.ndarray:
    """Return (H, W) or (H, W, 3) uint8, blue first."""
    shades, printed, written = masks
    pens_used = [(0.08, 0.08, 0.08), photographs.BALLPOINT, (0.6, 0.2, 0.1), (0.2, 0.15, 0.15)]
    rules = [(0.1, 0.1, 0.1), (0.45, 0.45, 0.45), (0.75, 0.55, 0.4), (0.45, 0.6, 0.3), (0.4, 0.5, 0.85)]
    papers = [(1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.97, 0.98, 0.98)]
    if is_photographed:
        pens_used += [photographs.RED, (0.42, 0.42, 0.42), (0.2, 0.4, 0.15)]
        papers = [(0.93, 0.92, 0.88), (0.9, 0.93, 0.94), (0.72, 0.86, 0.9), (0.8, 0.84, 0.95)]
        papers.append((0.88, 0.93, 0.85))
    paper, rule, pen = (
        np.array(of[int(random.integers(len(of)))], np.float32) for of in (papers, rules, pens_used)
    )
    is_grey = not is_photographed and random.random() < 0.4
    share = np.linspace(0, 1, 256, dtype=np.float32)
    uncovered = cv2.LUT(written, 1 - share) * cv2.LUT(shades, 1 - 0.14 * share)
    planes = []
    for channel in (1,) if is_grey else (0, 1, 2):
        below = cv2.LUT(printed, paper[channel] + share * (rule[channel] - paper[channel]))
        planes.append(below * uncovered + cv2.LUT(written, pen[channel] * share))
    picture = cv2.merge(planes)
    if not is_photographed:
        return np.asarray(cv2.convertScaleAbs(picture, alpha=255))
    small = random.uniform(max(0.35, min(1, 22 / unit)), 1) if random.random() < 0.6 else 1.0
    small = max(small, min(1.0, SHORTEST / max(written.shape)))
    picture = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    picture = photographs.lit(picture, random).astype(np.float32)
    if random.random() < 0.25:
        picture = photographs.shaded(picture, random, random.uniform(2, 30))
    return photographs.photograph(
        picture, int(random.integers(35, 95)), random.uniform(0.3, min(0.9, small * unit / 45))
    )
