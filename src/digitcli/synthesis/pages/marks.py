"""Marks for generated pages, each as a distance field, so that it can be drawn at any size with any pen.

A field tells for every point how far it is from the ink: below 0 inside. Of what a pen wrote, it is the
distance from the line that the pen's tip went, and the pen's half width is what is subtracted; of an outline,
such as an image of MNIST or a printed character, it is the signed distance from its edge. One threshold then
gives any pen, and nothing is blurred twice (signed distance fields: Green, "Improved Alpha-Tested
Magnification", 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.datasets import Digits, pen_strokes
from digitcli.datasets.pen_strokes import PenStrokes
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images, foreground_box
from digitcli.synthesis.glyphs import DIGITS, Form
from digitcli.synthesis.pages import fonts
from digitcli.synthesis.symbols import SYMBOL_FORMS
from digitcli.synthesis.writers import LIKE_A_WRITER
from digitcli.synthesis.writing_styles import CALM, FREE, Strokes, alike, vary, write

if TYPE_CHECKING:
    from cv2.typing import MatLike

FIELD_SIDE = 56  # pixels, height and width of a field
BOX = 40  # pixels, the longer side of a mark in its field
STEPS = 8  # of a field's values to a pixel
ZERO = 80  # the value at the ink's edge, so that 10 pixels inside and 21 outside can be told
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PUNCTUATION = ".,-/+=:%()?!&€$"

# what stands beside digits, as pen strokes in a box of 1 by 1
SIGN_FORMS: Final[dict[str, Form]] = {
    "-": (((0.0, 0.5), (1.0, 0.5)),),
    "/": (((0.62, 0.0), (0.38, 1.0)),),
    "+": (((0.5, 0.0), (0.5, 1.0)), ((0.0, 0.5), (1.0, 0.5))),
    "=": (((0.0, 0.3), (1.0, 0.3)), ((0.0, 0.7), (1.0, 0.7))),
    ":": (((0.5, 0.0), (0.52, 0.02)), ((0.5, 1.0), (0.52, 0.98))),
    ",": (((0.6, 0.0), (0.6, 0.4), (0.3, 1.0)),),
    "(": (((0.65, 0.0), (0.35, 0.3), (0.35, 0.7), (0.65, 1.0)),),
    ")": (((0.35, 0.0), (0.65, 0.3), (0.65, 0.7), (0.35, 1.0)),),
    "[": (((0.7, 0.0), (0.35, 0.0), (0.35, 0.0), (0.35, 1.0), (0.35, 1.0), (0.7, 1.0)),),
    "]": (((0.3, 0.0), (0.65, 0.0), (0.65, 0.0), (0.65, 1.0), (0.65, 1.0), (0.3, 1.0)),),
    "|": (((0.5, 0.0), (0.51, 1.0)),),
    "x": (((0.0, 0.0), (1.0, 1.0)), ((1.0, 0.0), (0.0, 1.0))),
    "✓": (((0.0, 0.6), (0.35, 1.0), (0.35, 1.0), (1.0, 0.0)),),
    "%": (
        ((0.9, 0.0), (0.1, 1.0)),
        ((0.2, 0.05), (0.05, 0.2), (0.2, 0.35), (0.35, 0.2), (0.2, 0.05)),
        ((0.8, 0.65), (0.65, 0.8), (0.8, 0.95), (0.95, 0.8), (0.8, 0.65)),
    ),
}  # fmt: skip
# of `SYMBOL_FORMS`, plus, times, equals and a dash are among the signs above
_AMONG_SIGNS = (4, 5, 6, 7)
OTHERS: Final = tuple(form for place, form in enumerate(SYMBOL_FORMS) if place not in _AMONG_SIGNS)

Field = NDArray[np.uint8]  # (FIELD_SIDE, FIELD_SIDE)
Shares = NDArray[np.float32]

_FINE = 2  # fields are computed at so many times their size
_EM = 96  # pixels at which characters are drawn


@dataclass(frozen=True)
class Mark:
    """A mark that can be drawn.

    Attributes:
        field: (56, 56) uint8, distances from the ink in eighths of a pixel, `ZERO` at its edge.
        width, height: of the ink in the field, in its pixels; the longer one is `BOX`.
        half_width: of the strokes of an outline, in the field's pixels; 0 for a line without width.
        is_line: whether the field is that of a line without width.
    """

    field: Field
    width: float
    height: float
    half_width: float
    is_line: bool


@dataclass(frozen=True)
class Character:
    """A mark and its place in a line of text; lengths are shares of an em, y points down from the base."""

    mark: Mark
    left: float
    top: float
    width: float
    height: float
    advance: float


Typeface = dict[str, Character]


@dataclass(frozen=True, eq=False)
class Library:
    """All marks of generated pages.

    Attributes:
        hands: of each hand, marks of each digit; no digit is without one.
        faces: printed characters, digits among them, by typeface.
        scripts: letters as people write them, by typeface; their digits are hands.
        signs: marks of each sign that stands beside digits, by its character.
        others: marks that are no digits.
    """

    hands: tuple[tuple[tuple[Mark, ...], ...], ...]
    faces: tuple[Typeface, ...]
    scripts: tuple[Typeface, ...]
    signs: dict[str, tuple[Mark, ...]]
    others: tuple[Mark, ...]


@dataclass(frozen=True)
class LibraryParameters:
    """How many marks a library has, for each digit; every pen stroke and image is taken at most so often.

    Attributes:
        of_writer: of each writer.
        of_school: in the forms of many schools, of each of `schools` hands.
        of_mnist: images of MNIST, for each of `sets` hands.
        schools, sets: how many such hands.
        thinned: one set in so many shows lines without width.
        of_sign: of each sign, and of each other mark.
    """

    of_writer: int = 25
    of_school: int = 8
    of_mnist: int = 15
    schools: int = 24
    sets: int = 48
    thinned: int = 4
    of_sign: int = 10


LIBRARY = LibraryParameters()


def sized(share: float) -> LibraryParameters:
    """Return a share of the usual numbers, each at least one."""
    usual = {
        name: getattr(LIBRARY, name) for name in ("of_writer", "of_school", "of_mnist", "schools", "sets")
    }
    return replace(LIBRARY, **{name: max(1, round(count * share**0.5)) for name, count in usual.items()})


def build(
    images: Digits,
    seed: int,
    sizes: LibraryParameters = LIBRARY,
    *,
    held_out: bool = False,
    writers: PenStrokes | None = None,
) -> Library:
    """Build the marks; the same seed builds the same.

    Args:
        images: MNIST's, to be used as outlines and as lines.
        seed: where chance comes from.
        sizes: how many.
        held_out: for validation: the fonts that are held out, and none of the packaged writers.
        writers: whose digits are written again; by default the packaged ones, for validation none.
    """
    if writers is None and not held_out:
        writers = pen_strokes.load()
    random = np.random.default_rng([seed, 10, int(held_out)])
    hands = [_school(sizes.of_school, random) for _ in range(sizes.schools)]
    if writers is not None:
        hands += _writers(writers, sizes.of_writer, random)
    hands += _image_hands(images, sizes, random)
    chosen = [font for font in fonts.FONTS if font.is_held_out == held_out]
    scripts = [_typeface(font) for font in chosen if font.is_handwriting]
    hands += [tuple((script[str(digit)].mark,) for digit in range(CLASSES)) for script in scripts]
    return Library(
        hands=tuple(hands),
        faces=tuple(_typeface(font) for font in chosen if not font.is_handwriting),
        scripts=tuple(scripts),
        signs={sign: _written(form, sizes.of_sign, random) for sign, form in SIGN_FORMS.items()},
        others=tuple(mark for form in OTHERS for mark in _written(form, sizes.of_sign, random)),
    )


def _written(form: Form, count: int, random: np.random.Generator) -> tuple[Mark, ...]:
    return tuple(from_strokes(write(form, random, CALM)) for _ in range(count))


def _school(count: int, random: np.random.Generator) -> tuple[tuple[Mark, ...], ...]:
    """Write digits in one form each, as one person does."""
    digits = []
    for digit in range(CLASSES):
        forms = DIGITS[digit]
        place = int(random.integers(len(forms)))
        others = alike(forms)[place]
        digits.append(tuple(from_strokes(write(forms[place], random, FREE, others)) for _ in range(count)))
    return tuple(digits)


def _writers(data: PenStrokes, count: int, random: np.random.Generator) -> list[tuple[tuple[Mark, ...], ...]]:
    """Write writers' digits again."""
    hands = []
    for writer in np.unique(data.writers):
        digits = []
        for digit in range(CLASSES):
            own = np.flatnonzero((data.writers == writer) & (data.labels == digit))
            places = np.resize(random.permutation(own), count)
            digits.append(
                tuple(from_strokes(vary(_in_box(data.strokes[k]), random, LIKE_A_WRITER)) for k in places)
            )
        hands.append(tuple(digits))
    return hands


def _image_hands(
    images: Digits, sizes: LibraryParameters, random: np.random.Generator
) -> list[tuple[tuple[Mark, ...], ...]]:
    """Take images of digits as outlines, and some sets of them as lines."""
    by_digit = [np.flatnonzero(images.labels == digit) for digit in range(CLASSES)]
    missing = [str(digit) for digit, own in enumerate(by_digit) if not len(own)]
    if missing:
        raise DataError(
            f"found no image of {', '.join(missing)}; expected some of every digit, to be drawn onto pages"
        )
    hands = []
    for number in range(sizes.sets):
        digits = []
        for own in by_digit:
            chosen = images.images[random.choice(own, sizes.of_mnist, replace=len(own) < sizes.of_mnist)]
            outlines = [_enlarged(image) for image in chosen]
            is_thinned = number % sizes.thinned == 0
            digits.append(tuple(from_lines(outlines) if is_thinned else map(from_outline, outlines)))
        hands.append(tuple(digits))
    return hands


def _in_box(strokes: tuple[NDArray[np.float64], ...]) -> Strokes:
    points = np.concatenate(strokes)
    extent = max(float(np.ptp(points, axis=0).max()), 1.0)
    return [(stroke - points.min(axis=0)) / extent for stroke in strokes]


def from_strokes(strokes: Strokes) -> Mark:
    """Return strokes, each (P, 2), as a line without width."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum(high - low, 1e-6)
    scale = BOX * _FINE / float(extent.max())
    paper = np.full((FIELD_SIDE * _FINE, FIELD_SIDE * _FINE), 255, np.uint8)
    middle = FIELD_SIDE * _FINE / 2 - 0.5
    placed = [np.rint(((each - (low + high) / 2) * scale + middle) * 16).astype(np.int32) for each in strokes]
    cv2.polylines(paper, [each[:, np.newaxis] for each in placed], False, 0, 1, cv2.LINE_8, 4)
    width, height = extent * scale / _FINE
    return Mark(_quantized(cv2.distanceTransform(paper, cv2.DIST_L2, 5)), width, height, 0.0, True)


def from_outline(image: Images) -> Mark:
    """Return what is bright in an image (112, 112) uint8 as an outline; see `_enlarged`."""
    ink = (image >= 128).astype(np.uint8)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    ridge = (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8))) & (inside > 0)
    half_width = float(np.median(inside[ridge])) / _FINE if ridge.any() else 0.5
    _, _, width, height = foreground_box(image) or (0, 0, 1, 1)
    # the edge lies between the outermost pixel of the ink and the one beside it
    field = _quantized(outside - inside + np.where(ink, 0.5, -0.5).astype(np.float32))
    return Mark(field, width / _FINE, height / _FINE, half_width, False)


def from_lines(images: Sequence[Images]) -> list[Mark]:
    """Return what is bright in images (112, 112) uint8, thinned, as lines without width; see `_enlarged`."""
    small = [cv2.resize(image, (FIELD_SIDE, FIELD_SIDE), interpolation=cv2.INTER_AREA) for image in images]
    marks = []
    for skeleton in thin(np.stack(small)):
        distance = cv2.distanceTransform(np.where(skeleton, 0, 1).astype(np.uint8), cv2.DIST_L2, 5)
        _, _, width, height = foreground_box(np.where(skeleton, 255, 0).astype(np.uint8)) or (0, 0, 1, 1)
        smooth = cv2.GaussianBlur(distance, (0, 0), 0.7)  # a skeleton goes in steps of a pixel
        marks.append(Mark(_as_field(smooth), width, height, 0.0, True))
    return marks


def _enlarged(image: Images) -> Images:
    """Enlarge the digit in an image (28, 28) uint8 to `BOX` in a field at `_FINE` times its size."""
    x, y, width, height = foreground_box(image) or (0, 0, *image.shape[::-1])
    scale = BOX * _FINE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    part = cv2.resize(image[y : y + height, x : x + width], size, interpolation=cv2.INTER_CUBIC)
    canvas = np.zeros((FIELD_SIDE * _FINE, FIELD_SIDE * _FINE), np.uint8)
    left, top = ((FIELD_SIDE * _FINE - side) // 2 for side in size)
    canvas[top : top + size[1], left : left + size[0]] = part
    return canvas


def _quantized(distance: "MatLike") -> Field:
    """Return distances in pixels at `_FINE` times a field's size as a field."""
    return _as_field(cv2.resize(distance, (FIELD_SIDE, FIELD_SIDE), interpolation=cv2.INTER_AREA) / _FINE)


def _as_field(distance: "MatLike") -> Field:
    return np.asarray(np.clip(np.rint(distance * STEPS + ZERO), 0, 255), np.uint8)


def thin(images: Images) -> NDArray[np.bool_]:
    """Thin what is bright in images (N, H, W) uint8 to lines of a pixel (Zhang and Suen, 1984)."""
    ink = np.pad(images >= 128, ((0, 0), (1, 1), (1, 1)))
    while True:
        before = ink.copy()
        for step in range(2):
            n = [_shifted(ink, dy, dx) for dy, dx in _RING]
            count = np.add.reduce([each.astype(np.uint8) for each in n])
            turns = np.add.reduce([(~n[k] & n[(k + 1) % 8]).astype(np.uint8) for k in range(8)])
            # north, east, south and west are the ring's 0, 2, 4 and 6
            if step == 0:
                is_edge = ~(n[0] & n[2] & n[4]) & ~(n[2] & n[4] & n[6])
            else:
                is_edge = ~(n[0] & n[2] & n[6]) & ~(n[0] & n[4] & n[6])
            ink &= ~((count >= 2) & (count <= 6) & (turns == 1) & is_edge)
        if np.array_equal(before, ink):
            return np.asarray(ink[:, 1:-1, 1:-1])


_RING = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from the north


def _shifted(ink: NDArray[np.bool_], dy: int, dx: int) -> NDArray[np.bool_]:
    """Return each pixel's neighbour; what comes in from the other side is the margin, which is empty."""
    return np.roll(ink, (-dy, -dx), (1, 2))


def _typeface(font: fonts.Font) -> Typeface:
    """Draw a font's digits, letters and some punctuation."""
    from PIL import Image, ImageDraw

    face = fonts.load(font, _EM)
    characters = {}
    for character in "0123456789" + LETTERS + PUNCTUATION:
        left, top, right, bottom = face.getbbox(character, anchor="ls")
        if right <= left or bottom <= top:
            continue  # the font has none
        canvas = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
        ImageDraw.Draw(canvas).text((2 - left, 2 - top), character, 255, face, anchor="ls")
        ink = np.asarray(canvas)
        if foreground_box(ink) is None:
            continue
        mark = from_outline(_enlarged(ink))
        characters[character] = Character(
            mark,
            left / _EM,
            top / _EM,
            (right - left) / _EM,
            (bottom - top) / _EM,
            face.getlength(character) / _EM,
        )
    return characters
