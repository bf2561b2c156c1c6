"""Generated images: digits in the forms of many schools, and marks that are no digits.

MNIST was written by Americans, and it has nothing but digits. What it lacks is drawn from
`glyphs.py` and from OpenCV's Hershey letters, distorted at random, and brought into MNIST form like
anybody's drawing. Marks that are no digits are trained towards "no idea", all ten probabilities
alike (outlier exposure, Hendrycks, Mazeika and Dietterich, 2019).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.datasets import NO_DIGIT, Digits
from digitcli.preprocessing.foreground import FOREGROUND
from digitcli.preprocessing.mnist_form import Images, normalize
from digitcli.synthesis.glyphs import DIGITS
from digitcli.synthesis.pens import draw as draw_with_pen
from digitcli.synthesis.symbols import SYMBOL_FORMS
from digitcli.synthesis.writing_styles import CALM, FREE, alike, curve, write

# draws an image in MNIST form, from random numbers and the digits of a source; None asks for another try
Generator = Callable[[np.random.Generator, Digits], Images | None]

# Letters that some writing styles make look like a digit (O, l, Z, S, b, g, q, ...) are left out.
_LETTERS = "AEFHKMNPRTUVWXadefhkmnprtuvwx"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)


@dataclass(frozen=True)
class DrawingParameters:
    """What generated images show, and how large; chosen by eye where nothing else is said.

    Lengths are pixels of the canvas on which an image is drawn before it is brought into MNIST form. Whole
    numbers are drawn between the first, inclusive, and the second, exclusive.

    Attributes:
        shares: of letters, symbols, scribbles and digits cut wrongly among the non-digits. That half of them
            are cut wrongly was judged by pages of 23 writers, as was `small_share` by lines of small digits
            in photographs (docs/experiments.md, "Wrong cuts and small writing").
        small_share: of the forms that are shown as small writing.
        small_canvas: height and width in place of a pen's canvas there; a form has 17 to 32 pixels then.
        small_blur: standard deviation of the Gaussian there, a camera's blur with the strokes' own.
        letter_canvas: height and width of the canvas for letters.
        letter_place: x and y where the foot of the first letter begins.
        letter_scale: of the letters, in multiples of a Hershey font's own size.
        letter_pen: width.
        single_letter_share: how often one letter is drawn rather than two.
        scribble_strokes: how many.
        scribble_points: how many of a stroke, anywhere in the box.
        turn: of letters, in radians, standard deviation.
        shear: of letters, x for each y, standard deviation.
        stretch: of letters, of the logarithm of each side's factor, standard deviation.
    """

    shares: tuple[float, float, float, float] = (0.2, 0.12, 0.16, 0.52)
    small_share: float = 0.2
    small_canvas: tuple[int, int] = (24, 46)
    small_blur: float = 0.9
    letter_canvas: int = 256
    letter_place: tuple[int, int] = (60, 160)
    letter_scale: float = 3.0
    letter_pen: tuple[int, int] = (5, 16)
    single_letter_share: float = 0.8
    scribble_strokes: tuple[int, int] = (1, 4)
    scribble_points: tuple[int, int] = (6, 16)
    turn: float = 0.15
    shear: float = 0.2
    stretch: float = 0.2


DRAWING = DrawingParameters()


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
        return as_form(draw_with_pen(write(form, random, FREE, others), random), random)

    images = collect(count, draw)
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
    generators = (*NON_DIGITS.values(), miscut)

    def draw(_: int) -> Images | None:
        return generators[int(random.choice(len(generators), p=DRAWING.shares))](random, source)

    return Digits(collect(count, draw), np.full(count, NO_DIGIT, np.uint8))


def collect(count: int, draw: Callable[[int], Images | None]) -> Images:
    """Collect what `draw` draws for each place, asked again where it draws nothing."""
    images = np.zeros((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for place in range(count):
        drawn = None
        while drawn is None:
            drawn = draw(place)
        images[place] = drawn
    return images


def as_form(canvas: Images, random: np.random.Generator) -> Images | None:
    """Bring a drawing (H, W) uint8 into MNIST form, some as small writing; None where nothing is left."""
    return normalize(_small(canvas, random) if random.random() < DRAWING.small_share else canvas)


def _small(canvas: Images, random: np.random.Generator) -> Images:
    """Show a picture as a camera sees small writing: few pixels, narrow loops filled."""
    side = int(random.integers(*DRAWING.small_canvas))
    seen = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(seen, (0, 0), DRAWING.small_blur)
    return np.asarray(
        np.clip((seen - 255.0 * FOREGROUND.faint) / (FOREGROUND.full - FOREGROUND.faint), 0, 255), np.uint8
    )


def _letter(random: np.random.Generator, _: Digits) -> Images | None:
    count = 1 if random.random() < DRAWING.single_letter_share else 2
    text = "".join(random.choice(list(_LETTERS), size=count))
    canvas = np.zeros((DRAWING.letter_canvas, DRAWING.letter_canvas), np.uint8)
    font = _FONTS[int(random.integers(len(_FONTS)))]
    width = int(random.integers(*DRAWING.letter_pen))
    cv2.putText(canvas, text, DRAWING.letter_place, font, DRAWING.letter_scale, 255, width, cv2.LINE_AA)
    return normalize(_warped(canvas, random))


def _symbol(random: np.random.Generator, _: Digits) -> Images | None:
    strokes = write(SYMBOL_FORMS[int(random.integers(len(SYMBOL_FORMS)))], random, CALM)
    return as_form(draw_with_pen(strokes, random), random)


def _scribble(random: np.random.Generator, _: Digits) -> Images | None:
    """A line to and fro, or several."""
    strokes = []
    for _stroke in range(int(random.integers(*DRAWING.scribble_strokes))):
        points = random.uniform(0, 1, (int(random.integers(*DRAWING.scribble_points)), 2))
        strokes.append(curve(points))
    return as_form(draw_with_pen(strokes, random), random)


def _warped(canvas: Images, random: np.random.Generator) -> Images:
    """Turn, shear and stretch a picture about its middle."""
    turn, shear = random.normal(0, DRAWING.turn), random.normal(0, DRAWING.shear)
    stretch = np.diag(np.exp(random.normal(0, DRAWING.stretch, 2)))
    shape = stretch @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = shape @ np.array([[1.0, shear], [0.0, 1.0]])
    middle = np.array(canvas.shape[::-1]) / 2
    matrix = np.c_[shape, middle - shape @ middle]
    return np.asarray(cv2.warpAffine(canvas, matrix, canvas.shape[::-1]), np.uint8)


NON_DIGITS: Final[dict[str, Generator]] = {"letters": _letter, "signs": _symbol, "scribbles": _scribble}
"""The kinds of marks that are no digits, but for digits cut wrongly."""
