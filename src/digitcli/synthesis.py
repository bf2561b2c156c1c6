"""Images made by the program: digits in the forms of many schools, and marks that are no digits.

MNIST was written by Americans, and it has nothing but digits. What it lacks is drawn from
`glyphs.py` and from OpenCV's Hershey letters, distorted at random, and brought into MNIST form like
anybody's drawing. Marks that are no digits are trained towards "no idea", all ten probabilities
alike (outlier exposure, Hendrycks, Mazeika and Dietterich, 2019).
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config import Synthesis
from digitcli.cuttings import half, pair, touching
from digitcli.datasets import NO_DIGIT, Digits, concatenate
from digitcli.glyphs import DIGITS, Form
from digitcli.preprocessing import CLASSES, IMAGE_SIZE, Images, normalise
from digitcli.signs import SIGNS
from digitcli.strokes import draw_stroke

_CANVAS = 128  # pixels
_BOX = 90  # pixels, the longer side of a form in it
_SAMPLES = 8  # points between two points of a form
_ENDS = 0.08  # how much longer or shorter a stroke may be at either end; a share of the box
_BENDS = np.array([(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)])  # half waves over the box, in x and y
_BEND = 0.045  # what each of them moves, standard deviation
# Letters of which some hands make a digit (O, l, Z, S, b, g, q, ...) are left out.
_LETTERS = "AEFHKMNPRTUVWXadefhkmnprtuvwx"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)


def digits(count: int, seed: int) -> Digits:
    """Draw `count` digits, as many of each form; the same seed draws the same."""
    forms = [(digit, form) for digit in range(CLASSES) for form in DIGITS[digit]]
    random = np.random.default_rng([seed, 0])
    images = _images(count, lambda place: _drawn(forms[place % len(forms)][1], random))
    labels = [forms[place % len(forms)][0] for place in range(count)]
    return Digits(images, np.array(labels, np.uint8))


def others(count: int, seed: int, source: Digits) -> Digits:
    """Draw `count` marks that are no digits, some of them of pieces of the digits of `source`."""
    random = np.random.default_rng([seed, 1])

    def draw(_: int) -> Images | None:
        return _MAKERS[int(random.choice(len(_MAKERS), p=_SHARES))](random, source)

    return Digits(_images(count, draw), np.full(count, NO_DIGIT, np.uint8))


def _images(count: int, draw: Callable[[int], Images | None]) -> Images:
    """Collect what `draw` draws for each place, asked again where it draws nothing."""
    images = np.zeros((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for place in range(count):
        drawn = None
        while drawn is None:
            drawn = draw(place)
        images[place] = drawn
    return images


def with_synthesis(train: Digits, synthesis: Synthesis, seed: int) -> Digits:
    """Return the training images with those drawn in addition, which come last."""
    parts = [train]
    if synthesis.digits:
        parts.append(digits(synthesis.digits, seed))
    if synthesis.touching:
        parts.append(touching(synthesis.touching, seed, concatenate(parts)))
    if synthesis.others:
        parts.append(others(synthesis.others, seed, train))
    return concatenate(parts)


def _drawn(form: Form, random: np.random.Generator) -> Images | None:
    """Draw a form in a hand of its own."""
    wobble = random.uniform(0.01, 0.03)
    strokes = [curve(np.array(stroke) + random.normal(0, wobble, (len(stroke), 2))) for stroke in form]
    bend = random.normal(0, _BEND, (len(_BENDS), 2))
    strokes = [_bent(_with_other_ends(stroke, random), bend) for stroke in strokes]
    aspect = np.exp(random.normal(-0.35, 0.2))  # width to height
    slant, turn = random.normal(-0.1, 0.15), random.normal(0, 0.08)
    shape = np.array([[aspect, 0.0], [slant, 1.0]])
    shape = shape @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return _picture([stroke @ shape for stroke in strokes], random)


def _with_other_ends(stroke: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Leave out a little of a stroke (P, 2) at its ends, or go on a little in its direction."""
    if len(stroke) < 2 * _SAMPLES:
        return stroke
    for _ in range(2):
        more = random.uniform(-_ENDS, _ENDS)
        if more < 0:
            stroke = stroke[: len(stroke) - round(-more * len(stroke))]
        else:
            ahead = stroke[-1] - stroke[-4]
            stroke = np.concatenate([stroke, [stroke[-1] + ahead * more / max(np.hypot(*ahead), 1e-6)]])
        stroke = stroke[::-1]
    return stroke


def _bent(stroke: NDArray[np.float64], bend: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch here and press together there: a smooth field over the box, the same for all strokes."""
    waves = np.cos(np.pi * stroke[:, np.newaxis] * _BENDS).prod(axis=2)  # (P, B)
    return np.asarray(stroke + waves @ bend)


def _picture(strokes: list[NDArray[np.float64]], random: np.random.Generator) -> Images | None:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _BOX / max(float(np.max(high - low)), 1e-6)
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    width = int(random.integers(8, 20))
    for stroke in strokes:
        draw_stroke(canvas, (stroke - (low + high) / 2) * scale + _CANVAS / 2, width)
    return normalise(canvas)


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample a Catmull-Rom spline through `points` (P, 2); twice the same point is a corner."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, _SAMPLES, endpoint=False)[:, np.newaxis]
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    pieces = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(before, start, end, after, strict=True)
    ]
    return np.concatenate([*pieces, points[-1:]])


def _letter(random: np.random.Generator, _: Digits) -> Images | None:
    text = "".join(random.choice(list(_LETTERS), size=1 if random.random() < 0.8 else 2))
    canvas = np.zeros((2 * _CANVAS, 2 * _CANVAS), np.uint8)
    font = _FONTS[int(random.integers(len(_FONTS)))]
    cv2.putText(canvas, text, (60, 160), font, 3.0, 255, int(random.integers(5, 16)), cv2.LINE_AA)
    return normalise(_warped(canvas, random))


def _sign(random: np.random.Generator, _: Digits) -> Images | None:
    return _drawn(SIGNS[int(random.integers(len(SIGNS)))], random)


def _scribble(random: np.random.Generator, _: Digits) -> Images | None:
    """A line to and fro, or several."""
    strokes = []
    for _stroke in range(int(random.integers(1, 4))):
        points = random.uniform(0, 1, (int(random.integers(6, 16)), 2))
        strokes.append(curve(points))
    return _picture(strokes, random)


def _warped(canvas: Images, random: np.random.Generator) -> Images:
    """Turn, shear and stretch a picture about its middle."""
    turn, shear = random.normal(0, 0.15), random.normal(0, 0.2)
    stretch = np.diag(np.exp(random.normal(0, 0.2, 2)))
    shape = stretch @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = shape @ np.array([[1.0, shear], [0.0, 1.0]])
    middle = np.array(canvas.shape[::-1]) / 2
    matrix = np.c_[shape, middle - shape @ middle]
    return np.asarray(cv2.warpAffine(canvas, matrix, canvas.shape[::-1]), np.uint8)


_MAKERS = (_letter, _sign, _scribble, half, pair)
_SHARES = (0.25, 0.15, 0.2, 0.15, 0.25)
