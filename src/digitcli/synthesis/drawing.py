"""Generated images: digits in the forms of many schools, and marks that are no digits.

MNIST was written by Americans, and it has nothing but digits. What it lacks is drawn from
`glyphs.py` and from OpenCV's Hershey letters, distorted at random, and brought into MNIST form like
anybody's drawing. Marks that are no digits are trained towards "no idea", all ten probabilities
alike (outlier exposure, Hendrycks, Mazeika and Dietterich, 2019).
"""

from collections.abc import Callable

import cv2
import numpy as np

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.datasets import NO_DIGIT, Digits
from digitcli.datasets.strokes import draw_stroke
from digitcli.preprocessing.foreground import FOREGROUND
from digitcli.preprocessing.mnist_form import Images, normalize
from digitcli.synthesis.glyphs import DIGITS
from digitcli.synthesis.symbols import SYMBOLS
from digitcli.synthesis.writing_styles import CALM, FREE, Strokes, alike, curve, write

# draws an image in MNIST form, from random numbers and the digits of a source; None asks for another try
Generator = Callable[[np.random.Generator, Digits], Images | None]

_SHARES = (0.2, 0.12, 0.16, 0.52)  # of letters, symbols, scribbles and miscut digits among the non-digits
_CANVAS = 128  # pixels
_BOX = 90  # pixels, the longer side of a form in it
_SMALL_SHARE, _SMALL_CANVAS = 0.2, (24, 46)  # of what is drawn; pixels in place of `_CANVAS`
_BLUR = 0.9  # pixels, the standard deviation of a camera's and of the strokes' own
# Letters that some writing styles make look like a digit (O, l, Z, S, b, g, q, ...) are left out.
_LETTERS = "AEFHKMNPRTUVWXadefhkmnprtuvwx"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)


def digits(count: int, seed: int) -> Digits:
    """Draw `count` digits, balanced by form; the same seed draws the same."""
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


def non_digits(count: int, seed: int, source: Digits, miscut: Generator) -> Digits:
    """Draw `count` marks that are no digits: letters, symbols, scribbles, and digits cut wrongly.

    Args:
        count: how many.
        seed: the same seed draws the same.
        source: digits, to be cut.
        miscut: makes a mark of digits that were cut in wrong places.
    """
    random = np.random.default_rng([seed, 1])
    generators = (_letter, _symbol, _scribble, miscut)

    def draw(_: int) -> Images | None:
        return generators[int(random.choice(len(generators), p=_SHARES))](random, source)

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


def _picture(strokes: Strokes, random: np.random.Generator) -> Images | None:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _BOX / max(float(np.max(high - low)), 1e-6)
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    width = int(random.integers(8, 20))
    for stroke in strokes:
        draw_stroke(canvas, (stroke - (low + high) / 2) * scale + _CANVAS / 2, width)
    return normalize(_small(canvas, random) if random.random() < _SMALL_SHARE else canvas)


def _small(canvas: Images, random: np.random.Generator) -> Images:
    """Show a picture as a camera sees small writing: few pixels, narrow loops filled."""
    side = int(random.integers(*_SMALL_CANVAS))
    seen = cv2.GaussianBlur(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), (0, 0), _BLUR)
    return np.asarray(
        np.clip((seen - 255.0 * FOREGROUND.faint) / (FOREGROUND.full - FOREGROUND.faint), 0, 255), np.uint8
    )


def _letter(random: np.random.Generator, _: Digits) -> Images | None:
    text = "".join(random.choice(list(_LETTERS), size=1 if random.random() < 0.8 else 2))
    canvas = np.zeros((2 * _CANVAS, 2 * _CANVAS), np.uint8)
    font = _FONTS[int(random.integers(len(_FONTS)))]
    cv2.putText(canvas, text, (60, 160), font, 3.0, 255, int(random.integers(5, 16)), cv2.LINE_AA)
    return normalize(_warped(canvas, random))


def _symbol(random: np.random.Generator, _: Digits) -> Images | None:
    return _picture(write(SYMBOLS[int(random.integers(len(SYMBOLS)))], random, CALM), random)


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
