"""Images made by the program: digits in the forms of many schools, and marks that are no digits.

MNIST was written by Americans, and it has nothing but digits. What it lacks is drawn from
`glyphs.py` and from OpenCV's Hershey letters, distorted at random, and brought into MNIST form like
anybody's drawing. Marks that are no digits are trained towards "no idea", all ten probabilities
alike (outlier exposure, Hendrycks, Mazeika and Dietterich, 2019).
"""

from collections.abc import Callable

import cv2
import numpy as np

from digitcli.config import Synthesis
from digitcli.cuttings import miscut, touching
from digitcli.datasets import NO_DIGIT, Digits, concatenate
from digitcli.glyphs import DIGITS
from digitcli.hands import CALM, FREE, Strokes, alike, curve, write
from digitcli.ink import FAINT, FULL
from digitcli.preprocessing import CLASSES, IMAGE_SIZE, Images, normalise
from digitcli.signs import SIGNS
from digitcli.strokes import draw_stroke

_CANVAS = 128  # pixels
_BOX = 90  # pixels, the longer side of a form in it
_SMALL_SHARE, _SMALL_CANVAS = 0.2, (24, 46)  # of what is drawn; pixels in place of `_CANVAS`
_BLUR = 0.9  # pixels, the standard deviation of a camera's and of the ink's own
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
    forms = [
        (digit, form, others)
        for digit in range(CLASSES)
        for form, others in zip(DIGITS[digit], alike(DIGITS[digit]), strict=True)
    ]
    random = np.random.default_rng([seed, 0])

    def draw(place: int) -> Images | None:
        _, form, others = forms[place % len(forms)]
        return _picture(write(form, random, FREE, others), random)

    images = _images(count, draw)
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
    written = concatenate(parts)
    if synthesis.touching:
        parts.append(touching(synthesis.touching, seed, written))
    if synthesis.others:
        parts.append(others(synthesis.others, seed, written))
    return concatenate(parts)


def _picture(strokes: Strokes, random: np.random.Generator) -> Images | None:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _BOX / max(float(np.max(high - low)), 1e-6)
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    width = int(random.integers(8, 20))
    for stroke in strokes:
        draw_stroke(canvas, (stroke - (low + high) / 2) * scale + _CANVAS / 2, width)
    return normalise(_small(canvas, random) if random.random() < _SMALL_SHARE else canvas)


def _small(canvas: Images, random: np.random.Generator) -> Images:
    """Show a picture as `ink.extract` gives small writing from a camera: few pixels, narrow loops filled."""
    side = int(random.integers(*_SMALL_CANVAS))
    seen = cv2.GaussianBlur(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), (0, 0), _BLUR)
    return np.asarray(np.clip((seen - 255.0 * FAINT) / (FULL - FAINT), 0, 255), np.uint8)


def _letter(random: np.random.Generator, _: Digits) -> Images | None:
    text = "".join(random.choice(list(_LETTERS), size=1 if random.random() < 0.8 else 2))
    canvas = np.zeros((2 * _CANVAS, 2 * _CANVAS), np.uint8)
    font = _FONTS[int(random.integers(len(_FONTS)))]
    cv2.putText(canvas, text, (60, 160), font, 3.0, 255, int(random.integers(5, 16)), cv2.LINE_AA)
    return normalise(_warped(canvas, random))


def _sign(random: np.random.Generator, _: Digits) -> Images | None:
    return _picture(write(SIGNS[int(random.integers(len(SIGNS)))], random, CALM), random)


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


_MAKERS = (_letter, _sign, _scribble, miscut)
_SHARES = (0.2, 0.12, 0.16, 0.52)
