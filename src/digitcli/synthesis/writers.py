"""The packaged pen strokes of twenty writers, written again: a little differently, and with other pens."""

import numpy as np

from digitcli.datasets import Digits, pen_strokes
from digitcli.datasets.pen_strokes import PenStrokes
from digitcli.preprocessing.mnist_form import Images
from digitcli.synthesis.drawing import as_form, collect
from digitcli.synthesis.pens import draw
from digitcli.synthesis.writing_styles import WritingStyle, vary

# How far a writer's digits are varied: less than schools' forms, which nobody writes as they are. By eye.
LIKE_A_WRITER = WritingStyle(
    bend=0.03, aspect=0.15, slant=0.13, turn=0.07, stretch=0.15, shift=0.015, hooks=0.02, rounding=0.25
)


def written_by_writers(count: int, seed: int) -> Digits:
    """Draw the packaged pen strokes, each as often as any other; the same seed draws the same.

    Returns:
        `count` images in MNIST form.
    """
    random = np.random.default_rng([seed, 3])
    data = pen_strokes.load()
    places = np.resize(random.permutation(len(data)), count)
    images = collect(count, lambda number: as_form(write_again(data, int(places[number]), random), random))
    return Digits(images, data.labels[places])


def write_again(data: PenStrokes, place: int, random: np.random.Generator) -> Images:
    """Draw one of the packaged digits, varied, on a canvas (128, 128) uint8."""
    points = np.concatenate(data.strokes[place])
    low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1.0)
    in_box = [(stroke - low) / extent for stroke in data.strokes[place]]
    return draw(vary(in_box, random, LIKE_A_WRITER), random, timed=True)
