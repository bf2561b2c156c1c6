"""Pictures of one digit as people crop them, which `to_mnist_form` then has to make the best of.

Cropped to the edge or off-centre, with remains of a neighbour or of a cell's line, small and enlarged again,
faint, noisy, blurred, compressed, or of black and white alone; dark on bright or bright on dark.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import Digits, pen_strokes
from digitcli.preprocessing.cleaning import HALF
from digitcli.preprocessing.mnist_form import Images, digit_foreground, foreground_box, normalize
from digitcli.synthesis.drawing import collect
from digitcli.synthesis.glyphs import DIGITS
from digitcli.synthesis.pens import draw
from digitcli.synthesis.writers import write_again
from digitcli.synthesis.writing_styles import FREE, write

FORMS = [(digit, form) for digit, forms in DIGITS.items() for form in forms]

Shares = NDArray[np.float32]  # (H, W), 0..1


@dataclass(frozen=True)
class CropParameters:
    """How often and how far a crop is worse than a scan at full size; by eye.

    Lengths are shares of the digit's longer side, where nothing else is said. Pairs are the least and the
    most.

    Attributes:
        sides: pixels of the digit's longer side; their logarithms are drawn evenly.
        tight: how often a side has next to no margin.
        tight_margin, margin: between which a margin lies.
        remains: how often a neighbour reaches into the picture, or a cell's line does.
        reach: of a neighbour.
        gap: to a neighbour or a line.
        line: width of a cell's line.
        bilevel: how often only black and white are left.
        contrast: between paper and ink, as a share of all grey levels.
        faint: how often the contrast is drawn from the lower third of that.
        noise: standard deviation in grey levels, at most.
        blurred, blur: how often, and the standard deviation in pixels.
        compressed, quality: how often, and JPEG's quality.
        enlarged, enlargement: how often, and by what factor.
        least_found: share of the digit that must be found in the picture, else another is tried.
        most_added: share of what is found that may be something else.
    """

    sides: tuple[float, float] = (12, 100)
    tight: float = 0.6
    tight_margin: float = 0.03
    margin: float = 0.35
    remains: float = 0.08
    reach: tuple[float, float] = (0.03, 0.14)
    gap: tuple[float, float] = (0.03, 0.12)
    line: tuple[float, float] = (0.015, 0.06)
    bilevel: float = 0.12
    contrast: tuple[float, float] = (0.15, 1.0)
    faint: float = 0.25
    noise: float = 8.0
    blurred: float = 0.5
    blur: tuple[float, float] = (0.4, 1.1)
    compressed: float = 0.4
    quality: tuple[int, int] = (30, 95)
    enlarged: float = 0.3
    enlargement: tuple[float, float] = (1.5, 4)
    least_found: float = 0.75
    most_added: float = 0.35


CROPS = CropParameters()


def crops(count: int, seed: int, source: Digits) -> Digits:
    """Crop digits that are written in three ways; the same seed crops the same.

    Args:
        count: how many.
        seed: where chance comes from.
        source: a third of the digits are from here, a third are written by the packaged writers, a third in
            the forms of many schools.
    """
    random = np.random.default_rng([seed, 4])
    strokes = pen_strokes.load()
    labels = np.zeros(count, np.uint8)

    def written(number: int) -> Images:
        way = number % 3
        if way == 0:
            place = int(random.integers(len(source)))
            labels[number], image = source.labels[place], source.images[place]
            return np.asarray(cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
        if way == 1:
            place = int(random.integers(len(strokes)))
            labels[number] = strokes.labels[place]
            return write_again(strokes, place, random)
        labels[number], form = FORMS[int(random.integers(len(FORMS)))]
        return draw(write(form, random, FREE), random)

    neighbour = written(0) if count else np.zeros((1, 1), np.uint8)

    def draw_one(number: int) -> Images | None:
        nonlocal neighbour
        digit = written(number)
        form, neighbour = crop(digit, neighbour, random), digit
        return form

    return Digits(collect(count, draw_one), labels)


def crop(written: Images, neighbour: Images, random: np.random.Generator) -> Images | None:
    """Crop a digit as people do, and return what preprocessing makes of it.

    Args:
        written: (H, W) uint8, the digit's foreground.
        neighbour: (H, W) uint8, another's.
        random: where chance comes from.

    Returns:
        (28, 28) uint8 in MNIST form, or None where the digit is lost in this picture.
    """
    composed = _compose(written, neighbour, random)
    if composed is None:
        return None
    foreground, is_digit = composed
    picture = _photograph(foreground, random)
    found = digit_foreground(picture, single=True)
    if found.shape != is_digit.shape:
        is_digit = _resized(is_digit, found.shape, cv2.INTER_LINEAR)
    return normalize(found) if _is_found(found, is_digit) else None


def _compose(written: Images, neighbour: Images, random: np.random.Generator) -> tuple[Shares, Shares] | None:
    """Return how much ink each pixel of a crop has, 0..1, and how much of it is the digit's own."""
    side = float(np.exp(random.uniform(*np.log(CROPS.sides))))
    digit = _at_size(written, side)
    if digit is None:
        return None
    margins = [
        round(side * random.uniform(0, CROPS.tight_margin if random.random() < CROPS.tight else CROPS.margin))
        for _ in range(4)
    ]
    lines = [0, 0, 0, 0]  # pixels of a line or a neighbour: above, below, left, right
    intruder: Images | None = None
    place = int(random.integers(4))
    if random.random() < CROPS.remains:
        margins[place] += max(1, round(side * random.uniform(*CROPS.gap)))
        share = CROPS.reach if place > 1 else CROPS.line
        lines[place] = max(1, round(side * random.uniform(*share)))
        margins[place] += lines[place]
        intruder = _at_size(neighbour, side * random.uniform(0.9, 1.1)) if place > 1 else None
        if place > 1 and random.random() < 0.5:  # a cell's line rather than a neighbour
            intruder, lines[place] = None, max(1, round(side * random.uniform(*CROPS.line)))
    above, below, left, right = margins
    own = np.asarray(np.pad(digit, ((above, below), (left, right))) / 255, np.float32)
    ink = own.copy()
    if width := lines[place]:
        strip: tuple[slice, slice] = (
            (slice(width), slice(None)),
            (slice(-width, None), slice(None)),
            (slice(None), slice(width)),
            (slice(None), slice(-width, None)),
        )[place]
        if intruder is None:
            ink[strip] = 1.0
        else:
            part = intruder[:, -width:] if place == 2 else intruder[:, :width]
            height = min(len(part), len(ink))
            first = int(random.integers(len(ink) - height + 1))
            ink[strip][first : first + height] = part[:height, : ink[strip].shape[1]] / np.float32(255)
    return ink, own


def _at_size(written: Images, side: float) -> Images | None:
    """Return a digit's foreground, cropped to its edge, with a longer side of about that many pixels."""
    place = foreground_box(written)
    if place is None:
        return None
    x, y, width, height = place
    scale = side / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = written[y : y + height, x : x + width]
    return np.asarray(cv2.resize(part, size, interpolation=interpolation), np.uint8)


def _photograph(ink: Shares, random: np.random.Generator) -> Images:
    """Return ink, 0..1, as a grey picture (H, W) uint8: on paper, through a lens, in a file."""
    low, high = CROPS.contrast
    third = low + (high - low) / 3
    contrast = random.uniform(low, third) if random.random() < CROPS.faint else random.uniform(third, high)
    if random.random() < CROPS.bilevel:
        ink, contrast = (ink > 0.5).astype(np.float32), 1.0
    seen = ink
    if random.random() < CROPS.blurred:
        blur = random.uniform(*CROPS.blur)
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur, borderType=cv2.BORDER_REPLICATE), np.float32)
    if random.random() < CROPS.enlarged:
        factor = random.uniform(*CROPS.enlargement)
        how = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)[int(random.integers(3))]
        height, width = seen.shape
        seen = _resized(seen, (round(height * factor), round(width * factor)), how)
    paper = random.uniform(0, 1 - contrast)
    noise = random.normal(0, random.uniform(0, CROPS.noise) * contrast, seen.shape)
    picture = np.clip(255 * (paper + contrast * seen) + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.5:
        picture = np.asarray(cv2.bitwise_not(picture), np.uint8)
    if random.random() < CROPS.compressed:
        quality = int(random.integers(*CROPS.quality))
        _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
    return picture


def _resized(ink: Shares, shape: tuple[int, ...], interpolation: int) -> Shares:
    return np.asarray(cv2.resize(ink, shape[::-1], interpolation=interpolation), np.float32)


def _is_found(found: Images, own: Shares) -> bool:
    """Tell whether the digit, and little else, is what was found in a picture."""
    wanted, marked = own > 0.5, found >= HALF
    near = cv2.dilate(wanted.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    close = cv2.dilate(marked.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not wanted.any() or not marked.any():
        return False
    return bool(np.mean(close[wanted]) >= CROPS.least_found and np.mean(~near[marked]) <= CROPS.most_added)
