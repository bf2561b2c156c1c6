"""Fifteen image corruptions, each from hardly visible to severe.

Kinds and the five severities of each follow the idea of Hendrycks and Dietterich, "Benchmarking Neural
Network Robustness to Common Corruptions and Perturbations" (2019), and of Mu and Gilmer, "MNIST-C"
(2019); amounts are chosen by eye, so that people still read most digits at severity 5.

What is random is drawn once an image, whatever the severity: a stronger corruption is more of the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.preprocessing.mnist_form import Images

SEVERITIES = (1, 2, 3, 4, 5)

_MIDDLE = (IMAGE_SIZE - 1) / 2
_ROWS, _COLUMNS = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE].astype(np.float64)  # (28, 28) each

Values = NDArray[np.floating[Any]]  # (N,) or (N, 28, 28)
Change = Callable[[Images, Values, np.random.Generator], Values]


@dataclass(frozen=True)
class MarkParameters:
    """Marks on a picture and gaps in strokes, chosen by eye as the severities are.

    Attributes:
        stroke: grey value from which on a pixel lies inside a stroke.
        gap, dot: pixels, the radius of a gap in a stroke and of a dot.
        most: dots or lines in a picture.
        middle: pixels between which the middle of what covers a digit lies.
    """

    stroke: int = 200
    gap: float = 2.0
    dot: float = 0.8
    most: int = 15
    middle: tuple[float, float] = (8, 20)


_MARKS = MarkParameters()


@dataclass(frozen=True)
class Corruption:
    """A kind of corruption.

    Attributes:
        name: in one word or two.
        unit: of its amount, in words.
        amounts: at severities 1 to 5.
        change: takes images (N, 28, 28), an amount for each (N,) and a source of chance; gives grey
            values (N, 28, 28), not yet rounded or limited to 0..255.
    """

    name: str
    unit: str
    amounts: tuple[float, float, float, float, float]
    change: Change

    def amount(self, severity: float) -> float:
        """Return the amount at any severity from 0 to 5: 0 at 0, and evenly between whole severities."""
        return float(np.interp(severity, (0, *SEVERITIES), (0.0, *self.amounts)))


def corrupt(images: Images, corruption: Corruption, severity: float | Values, seed: int = 0) -> Images:
    """Return corrupted copies (N, 28, 28) of `images` (N, 28, 28), both uint8, strokes bright.

    Args:
        images: in MNIST form.
        corruption: one of `CORRUPTIONS`.
        severity: 0..5, one for all or one for each image (N,); 0 changes nothing.
        seed: the same seed corrupts the same images alike.
    """
    severities = np.broadcast_to(np.asarray(severity, np.float64), len(images))
    amounts = np.interp(severities, (0, *SEVERITIES), (0.0, *corruption.amounts))
    random = np.random.default_rng([seed, *corruption.name.encode()])
    changed = np.clip(np.rint(corruption.change(images, amounts, random)), 0, 255).astype(np.uint8)
    return np.where(_each(severities) > 0, changed, images)


def _each(values: Values) -> Values:
    """Return one value an image (N,) so that it meets all of its pixels: (N, 1, 1)."""
    return values[:, np.newaxis, np.newaxis]


def _noise(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    return images + _each(amounts) * random.standard_normal(images.shape)


def _blur(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    blurred = [
        cv2.GaussianBlur(image, (0, 0), max(float(amount), 0.01))
        for image, amount in zip(images, amounts, strict=True)
    ]
    return _stack(blurred)


def _brightness(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    return images + _each(amounts)


def _contrast(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    return images * (1 - _each(amounts))


def _scale(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    factors = (1 + amounts) ** _signs(images, random)
    return _warped(images, [np.diag([factor, factor]) for factor in factors])


def _shift(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    angles = random.uniform(0, 2 * np.pi, len(images))
    moves = amounts[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (N, 2)
    return _warped(images, [np.eye(2)] * len(images), moves)


def _rotation(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    angles = np.radians(amounts) * _signs(images, random)
    turns = [[[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] for angle in angles]
    return _warped(images, [np.array(turn) for turn in turns])


def _shear(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    slants = amounts * _signs(images, random)
    return _warped(images, [np.array([[1, slant], [0, 1]]) for slant in slants])


def _thin(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    return _rims_moved(images, amounts, cv2.erode)


def _thick(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    return _rims_moved(images, amounts, cv2.dilate)


def _broken(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    ranks = random.random((len(images), IMAGE_SIZE**2)) + (
        images.reshape(len(images), IMAGE_SIZE**2) >= _MARKS.stroke
    )
    remaining = images.astype(np.float64)
    for number, places in enumerate(np.argsort(-ranks)[:, : _most(amounts)].T):  # (N,) the nth gap of each
        rows, columns = np.divmod(places, IMAGE_SIZE)
        remaining *= 1 - _fading_in(amounts, number) * _discs(rows, columns, _MARKS.gap)
    return remaining


def _dots(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    places = random.uniform(0, IMAGE_SIZE, (len(images), 2, _MARKS.most))
    marked = images.astype(np.float64)
    for number in range(_most(amounts)):
        rows, columns = places[..., number].T
        marked = np.maximum(marked, 255 * _fading_in(amounts, number) * _discs(rows, columns, _MARKS.dot))
    return marked


def _lines(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    places = random.uniform(*_MARKS.middle, (len(images), 2, _MARKS.most))
    angles = random.uniform(0, np.pi, (len(images), _MARKS.most))
    marked = images.astype(np.float64)
    for number in range(_most(amounts)):
        rows, columns = places[..., number].T
        across, down = _each(np.sin(angles[:, number])), _each(np.cos(angles[:, number]))
        distances = np.abs((_COLUMNS - _each(columns)) * across - (_ROWS - _each(rows)) * down)
        marked = np.maximum(marked, 255 * _fading_in(amounts, number) * np.clip(1 - distances, 0, 1))
    return marked


def _occlusion(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    rows, columns = random.uniform(*_MARKS.middle, (len(images), 2)).T
    reach = _each(amounts / 2 + 0.5)
    down = np.clip(reach - np.abs(_ROWS - _each(rows)), 0, 1)
    across = np.clip(reach - np.abs(_COLUMNS - _each(columns)), 0, 1)
    return np.asarray(images * (1 - down * across * np.minimum(_each(amounts), 1)))


def _jpeg(images: Images, amounts: Values, random: np.random.Generator) -> Values:
    files = (
        cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, round(100 - amount)])[1]
        for image, amount in zip(images, amounts, strict=True)
    )
    return _stack([cv2.imdecode(file, cv2.IMREAD_GRAYSCALE) for file in files])


def _stack(images: list[Any]) -> Values:
    return np.stack(images) if images else np.zeros((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def _signs(images: Images, random: np.random.Generator) -> Values:
    """Draw one way or the other for each image: (N,) of -1 and 1."""
    return random.choice([-1.0, 1.0], len(images))


def _warped(images: Images, maps: list[NDArray[Any]], moves: Values | None = None) -> Values:
    """Send each image's pixels through its linear map (2, 2) about the middle, and then by its move."""
    middle = np.array([_MIDDLE, _MIDDLE])
    if moves is None:
        moves = np.zeros((len(images), 2))
    warped = [
        cv2.warpAffine(image, np.column_stack([each, middle - each @ middle + move]), image.shape)
        for image, each, move in zip(images, maps, moves, strict=True)
    ]
    return _stack(warped)


def _rims_moved(images: Images, amounts: Values, step: Callable[..., Any]) -> Values:
    """Move strokes' rims by `amounts` pixels, whole `step` by whole step and a blend of two between."""
    shapes = (cv2.MORPH_CROSS, cv2.MORPH_RECT)  # in turn they come near a disc
    moved = images.astype(np.float64)
    whole = images
    for number in range(_most(amounts)):
        pen = cv2.getStructuringElement(shapes[number % 2], (3, 3))
        # outside of the picture is paper
        further = _stack([step(image, pen, borderType=cv2.BORDER_CONSTANT, borderValue=0) for image in whole])
        moved += _fading_in(amounts, number) * (further - whole.astype(np.float64))
        whole = further.astype(np.uint8)
    return moved


def _most(amounts: Values) -> int:
    return int(np.ceil(amounts.max(initial=0)))


def _fading_in(amounts: Values, number: int) -> Values:
    """How much of mark `number`, counted from 0, is there: it grows while the amount passes it."""
    return _each(np.clip(amounts - number, 0, 1))


def _discs(rows: Values, columns: Values, radius: float) -> Values:
    """Draw one disc an image: the share of each pixel that it covers, about, (N, 28, 28)."""
    distances = np.hypot(_ROWS - _each(rows), _COLUMNS - _each(columns))
    return np.asarray(np.clip(radius + 0.5 - distances, 0, 1))


CORRUPTIONS = (
    Corruption("noise", "grey levels, standard deviation", (15, 30, 50, 70, 90), _noise),
    Corruption("blur", "pixels, standard deviation", (0.5, 0.8, 1.1, 1.5, 2), _blur),
    Corruption("brightness", "grey levels added", (20, 45, 75, 110, 150), _brightness),
    Corruption("contrast", "share taken away", (0.2, 0.4, 0.6, 0.75, 0.85), _contrast),
    Corruption("scale", "share larger or smaller", (0.08, 0.16, 0.24, 0.32, 0.4), _scale),
    Corruption("shift", "pixels", (1, 2, 3, 4, 5), _shift),
    Corruption("rotation", "degrees", (6, 12, 20, 30, 40), _rotation),
    Corruption("shear", "share of the height", (0.1, 0.2, 0.35, 0.5, 0.7), _shear),
    Corruption("thin", "pixels on each side", (0.2, 0.4, 0.6, 0.75, 0.9), _thin),
    Corruption("thick", "pixels on each side", (0.3, 0.6, 0.9, 1.2, 1.6), _thick),
    Corruption("broken strokes", "gaps of 4 pixels", (0.5, 1, 2, 3, 4), _broken),
    Corruption("dots", "dots of 2 pixels", (1, 3, 6, 10, 15), _dots),
    Corruption("lines", "lines of 1 pixel", (0.4, 0.8, 1.5, 2.2, 3), _lines),
    Corruption("occlusion", "pixels, side of a square", (3, 5, 7, 9, 11), _occlusion),
    Corruption("JPEG", "quality lost, of 100", (40, 65, 80, 90, 95), _jpeg),
)
