"""Strokes drawn with pens of many widths, whose lines may get thinner the faster they move."""

from dataclasses import dataclass

import numpy as np

from digitcli.datasets.strokes import Points, draw_stroke
from digitcli.preprocessing.mnist_form import Images
from digitcli.synthesis.writing_styles import Strokes


@dataclass(frozen=True)
class PenParameters:
    """Pens and their speed; by eye. Lengths are pixels of the canvas.

    Attributes:
        canvas: height and width.
        box: the longer side of what is drawn on it.
        smallest: length of a drawing's longer side, in its own units; a dot is enlarged as if it had this.
        widths: of pens, from the thinnest to the thickest; their logarithms are drawn evenly.
        timed_share: of the drawings with timed points in which the pen's width depends on its speed.
        effect: the power of the speed by which a line then gets thinner, at most.
        factors: on a pen's width, least and most.
        window: points over which speeds are averaged.
    """

    canvas: int = 128
    box: int = 90
    smallest: float = 1e-6
    widths: tuple[float, float] = (4, 20)
    timed_share: float = 0.5
    effect: float = 0.5
    factors: tuple[float, float] = (0.55, 1.4)
    window: int = 5


PENS = PenParameters()


def draw(strokes: Strokes, random: np.random.Generator, *, timed: bool = False) -> Images:
    """Draw strokes of any scale in the middle of a canvas.

    Args:
        strokes: each (P, 2), x and y.
        random: where chance comes from.
        timed: the points of a stroke are equally far apart in time, so that they tell the pen's speed.

    Returns:
        (128, 128) uint8, bright on black.
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = PENS.box / max(float(np.max(high - low)), PENS.smallest)
    canvas = np.zeros((PENS.canvas, PENS.canvas), np.uint8)
    width = float(np.exp(random.uniform(*np.log(PENS.widths))))
    is_uneven = timed and random.random() < PENS.timed_share
    effect = random.uniform(0, PENS.effect) if is_uneven else 0.0
    for stroke in strokes:
        placed = (stroke - (low + high) / 2) * scale + PENS.canvas / 2
        if effect and len(placed) > 1:
            _draw_at_speed(canvas, placed, width, effect)
        else:
            draw_stroke(canvas, placed, round(width))
    return canvas


def _draw_at_speed(canvas: Images, points: Points, width: float, effect: float) -> None:
    """Draw a stroke (P, 2) of timed points: the faster, the thinner."""
    ways = np.hypot(*np.diff(points, axis=0).T)  # (P - 1,)
    window = np.full(PENS.window, 1 / PENS.window)
    speeds = np.convolve(np.pad(ways, PENS.window // 2, mode="edge"), window, "valid")
    speeds = np.maximum(speeds, PENS.smallest)
    factors = np.clip((speeds / np.median(speeds)) ** -effect, *PENS.factors)
    for place, factor in enumerate(factors):
        draw_stroke(canvas, points[place : place + 2], max(1, round(width * float(factor))))
