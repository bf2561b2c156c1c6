"""A sheet that is being filled: its pens, inks and lines of writing."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitcli.synthesis.pages.marks import Library
from digitcli.synthesis.pages.paper import noise
from digitcli.synthesis.pages.sheet import Sheet
from digitcli.synthesis.pages.writing import Hand, Line, take_up

Point = NDArray[np.float64]


@dataclass(frozen=True)
class ContentParameters:
    """How pages are filled; by eye. Lengths are heights of a digit; pairs are the least and the most.

    Attributes:
        pen: half width of pens; their logarithms are drawn evenly.
        least_pen: in pixels.
        pencil: how often a pen is a pencil, or faint.
        faint: opacity of those.
        gaps: usual gaps between digits, and how often: touching, apart, wide.
        gap_shares: how often each.
        level: standard deviation of the direction of lines, in radians.
        turned, turn: how often lines go far off the level, and up to how many radians.
        wave: height of waves of a baseline, at most.
        spacing: of lines.
        ruling: width of lines, in pixels; the logarithm is drawn evenly.
        uneven: standard deviation of a stroke's half width, in half widths.
        fading: how much fainter ink is where a pen is pressed least.
    """

    pen: tuple[float, float] = (0.018, 0.1)
    least_pen: float = 0.45
    pencil: float = 0.25
    faint: tuple[float, float] = (0.2, 0.65)
    gaps: tuple[tuple[float, float], ...] = ((-0.08, 0.04), (0.06, 0.35), (0.4, 1.6))
    gap_shares: tuple[float, float, float] = (0.25, 0.55, 0.2)
    level: float = 0.05
    turned: float = 0.15
    turn: float = 0.55
    wave: float = 0.12
    spacing: tuple[float, float] = (1.25, 2.6)
    ruling: tuple[float, float] = (0.7, 5.5)
    uneven: tuple[float, float] = (0, 0.35)
    fading: tuple[float, float] = (0, 0.4)


CONTENT = ContentParameters()


@dataclass(eq=False)
class Scene:
    """A sheet that is being filled.

    Attributes:
        sheet, library: to write on, and to write with.
        height: of digits, in pixels.
        is_dark: whether the paper is.
        random: where chance comes from.
        direction: of lines of writing, in radians.
    """

    sheet: Sheet
    library: Library
    height: float
    is_dark: bool
    random: np.random.Generator
    direction: float = field(init=False)

    def __post_init__(self) -> None:
        is_turned = self.random.random() < CONTENT.turned
        turn = self.random.uniform(-CONTENT.turn, CONTENT.turn)
        self.direction = turn if is_turned else self.random.normal(0, CONTENT.level)

    def ink(self) -> tuple[float, float, float]:
        """Return the colour of an ink that can be seen on the paper."""
        random = self.random
        choice = random.random()
        if self.is_dark:
            return (
                tuple(random.uniform(150, 255, 3)) if choice < 0.3 else (float(random.uniform(160, 255)),) * 3
            )
        if choice < 0.45:
            return (float(random.uniform(0, 70)),) * 3
        low, high = random.uniform(10, 90), random.uniform(80, 170)
        if choice < 0.8:
            return (high, low + 15, low)  # blue
        return (low, low, high) if choice < 0.93 else (low, high * 0.8, low)  # red, green

    def pen(self, height: float | None = None, *, printed: bool = False) -> Hand:
        """Take up another pen, or a press, for digits of a height in pixels."""
        random = self.random
        height = self.height * np.exp(random.normal(0, 0.06)) if height is None else height
        half = max(CONTENT.least_pen, height * float(np.exp(random.uniform(*np.log(CONTENT.pen)))))
        is_faint = random.random() < CONTENT.pencil
        opacity = random.uniform(*CONTENT.faint) if is_faint else random.uniform(0.75, 1)
        grain = random.uniform(0, 0.45) if is_faint else random.uniform(0, 0.1)
        layer = self._layer(self.ink(), opacity, height, grain=grain, half=0.0 if printed else half)
        return take_up(self.library, layer, height, half, random, direction=self.direction, printed=printed)

    def press(self) -> int:
        """Add a layer for printed lines, and return its number."""
        colour = self.ink() if self.random.random() < 0.6 else (float(self.random.uniform(0, 150)),) * 3
        return self._layer(colour, self.random.uniform(0.25, 1), self.height)

    def _layer(
        self,
        colour: tuple[float, float, float],
        opacity: float,
        height: float,
        *,
        grain: float = 0.0,
        half: float = 0.0,
    ) -> int:
        """Add a layer of ink that is not the same everywhere, for strokes of half a width."""
        random, sheet = self.random, self.sheet
        return sheet.add_layer(
            colour,
            opacity,
            grain=grain,
            pressure=noise(sheet.height, sheet.width, max(2.0, height * random.uniform(0.15, 0.6)), random),
            uneven=half * random.uniform(*CONTENT.uneven),
            fading=random.uniform(*CONTENT.fading),
        )

    def gap(self) -> float:
        """Return a usual gap between digits, in heights."""
        place = int(self.random.choice(len(CONTENT.gaps), p=CONTENT.gap_shares))
        return float(self.random.uniform(*CONTENT.gaps[place]))

    def along(self) -> Point:
        """Return the unit vector in which lines go."""
        return np.array([np.cos(self.direction), np.sin(self.direction)])

    def ruling(self) -> float:
        """Return the width of printed lines, in pixels."""
        return float(np.exp(self.random.uniform(*np.log(CONTENT.ruling))))

    def starts(self, spacing: float, indent: float = 0.0) -> list[Point]:
        """Return the points at which lines of writing begin, from above to below."""
        random, sheet = self.random, self.sheet
        along = self.along()
        across = np.array([-along[1], along[0]])
        first = np.array(
            [random.uniform(-0.6, 1.2) * self.height + indent, random.uniform(0.5, 1.6) * self.height]
        )
        # so that turned lines fill the sheet, too
        reach = sheet.width * abs(np.sin(self.direction))
        first -= np.array([0.0, reach if self.direction > 0 else 0.0])
        count = max(1, int((sheet.height + 2 * reach) / spacing))
        starts = [first + across * spacing * k for k in range(count)]
        return [start for start in starts if -sheet.height < start[1] < sheet.height + reach + self.height]


def write_lines(
    scene: Scene, text: Callable[[], str], hand: Hand, starts: list[Point], fill: float = 0.85
) -> None:
    """Fill lines from their starts with texts, each some way after the last."""
    random, sheet = scene.random, scene.sheet
    gap = scene.gap()
    wave = random.uniform(0, CONTENT.wave) if random.random() < 0.4 else 0.0
    is_dense = random.random() < 0.6
    for start in starts:
        if random.random() > fill:
            continue
        line = Line(sheet, hand, start, random, wave)
        while line.x < sheet.width:
            line.x += hand.height * random.uniform(0, 1.2)
            line.write(text(), gap)
            line.x += hand.height * random.uniform(1.2, 3)
            if not is_dense and random.random() < 0.6:
                break
