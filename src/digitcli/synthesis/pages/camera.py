"""From a sheet to a picture: light and shadow, lens, sensor, scanner and file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitcli.preprocessing.mnist_form import Images
from digitcli.synthesis.pages.paper import Colours, Shares, noise

if TYPE_CHECKING:
    from cv2.typing import MatLike


@dataclass(frozen=True)
class CameraParameters:
    """How pictures differ from what is on the sheet; by eye. Pairs are the least and the most.

    Attributes:
        photographed: how often a sheet is photographed rather than scanned or drawn on a screen.
        fall: of light from one side to the other, at most, as a share.
        exposure: of the whole picture.
        shadowed, shadow, edge: how often a shadow falls, what light it leaves, and its edge's width in
            pixels.
        colour_cast: standard deviation of the light's colour.
        coarse, coarseness: how often a picture has fewer pixels and is enlarged, and by what factor.
        blurred, blur: how often, and the standard deviation in pixels.
        defocused, defocus: how often, and the standard deviation in heights of a digit.
        uneven: standard deviation of slow changes of the light, as a share.
        noise, coarse_noise: standard deviation in grey levels, and how often it is blurred as a camera's is.
        grain: between which that blur's standard deviations lie, in pixels; drawn evenly by logarithm.
        sharpened, sharpening: how often a camera sharpens, and by what share of what blur takes away.
        compressed, quality: how often, and JPEG's quality.
        grey: how often colours are lost.
        bilevel: how often only black and white are left of a scan.
        level: what divides them, from the paper's grey to the ink's.
        inverted: how often bright and dark are exchanged.
    """

    photographed: float = 0.65
    fall: float = 0.55
    exposure: tuple[float, float] = (0.35, 1.05)
    shadowed: float = 0.3
    shadow: tuple[float, float] = (0.35, 0.9)
    edge: tuple[float, float] = (1, 60)
    colour_cast: float = 0.05
    coarse: float = 0.25
    coarseness: tuple[float, float] = (1.2, 2.6)
    blurred: float = 0.55
    blur: tuple[float, float] = (0.4, 1.8)
    defocused: float = 0.12
    defocus: tuple[float, float] = (0.03, 0.12)
    uneven: float = 0.05
    noise: tuple[float, float] = (0, 9)
    coarse_noise: float = 0.6
    grain: tuple[float, float] = (0.3, 2.5)
    sharpened: float = 0.3
    sharpening: tuple[float, float] = (0.3, 1.5)
    compressed: float = 0.5
    quality: tuple[int, int] = (25, 95)
    grey: float = 0.25
    bilevel: float = 0.06
    level: tuple[float, float] = (0.2, 0.6)
    inverted: float = 0.05


CAMERA = CameraParameters()


def light(sheet: Colours, random: np.random.Generator) -> Colours:
    """Let light and shadow fall on a sheet (3, H, W), 0..255."""
    _, height, width = sheet.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    towards = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    fall = random.uniform(0, CAMERA.fall)
    lit = np.asarray(1 - fall * (0.5 + 0.35 * towards), np.float32)
    slow = noise(height, width, max(height, width) / random.uniform(1, 4), random)
    lit += slow * np.float32(random.uniform(0, CAMERA.uneven))
    if random.random() < CAMERA.shadowed:
        lit *= _shadow(height, width, random)
    dark, bright = CAMERA.exposure
    exposure = bright - (bright - dark) * random.random() ** 2  # few pictures are dark
    colour = np.exp(random.normal(0, CAMERA.colour_cast, 3)) * exposure
    return np.stack(
        [plane * lit * value for plane, value in zip(sheet, colour.astype(np.float32), strict=True)]
    )


def _shadow(height: int, width: int, random: np.random.Generator) -> Shares:
    """Return the light (H, W) that is left beside a straight or bent edge: a hand's, a head's, a lamp's."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    place = random.uniform(-0.35, 0.35) * max(height, width)
    distance = (
        (x - width / 2) * np.float32(np.cos(angle)) + (y - height / 2) * np.float32(np.sin(angle)) - place
    )
    if random.random() < 0.5:
        distance += noise(height, width, max(height, width) / 3, random) * np.float32(
            0.1 * max(height, width)
        )
    left = random.uniform(*CAMERA.shadow)
    share = np.clip(distance / np.float32(random.uniform(*CAMERA.edge)) + 0.5, 0, 1)
    return np.asarray(left + (1 - left) * share, np.float32)


def take(sheet: Colours, random: np.random.Generator, digit_height: float) -> Images:
    """Take a picture (H, W, 3) uint8 of a sheet (3, H, W), 0..255, of the same size.

    Args:
        sheet: what is photographed.
        random: where chance comes from.
        digit_height: of its digits, in pixels.
    """
    _, height, width = sheet.shape
    planes = light(sheet, random) if random.random() < CAMERA.photographed else sheet
    seen: MatLike = cv2.merge(list(planes))
    if random.random() < CAMERA.blurred:
        seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(*CAMERA.blur) * random.random() + 0.2)
    if random.random() < CAMERA.defocused:
        seen = cv2.GaussianBlur(seen, (0, 0), max(0.3, random.uniform(*CAMERA.defocus) * digit_height))
    is_coarse = random.random() < CAMERA.coarse
    if is_coarse:
        factor = random.uniform(*CAMERA.coarseness)
        small = (max(8, round(width / factor)), max(8, round(height / factor)))
        seen = cv2.resize(seen, small, interpolation=cv2.INTER_AREA)
    deviation = random.uniform(*CAMERA.noise) * random.random()
    grain = random.standard_normal(seen.shape[:2], np.float32) * np.float32(deviation)
    if random.random() < CAMERA.coarse_noise:
        sigma = float(np.exp(random.uniform(*np.log(CAMERA.grain))))
        grain = cv2.GaussianBlur(grain, (0, 0), sigma) * np.float32(1 + 2 * sigma)
    picture: MatLike = cv2.add(seen, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U)
    if random.random() < CAMERA.sharpened:
        amount = random.uniform(*CAMERA.sharpening)
        soft = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.7, 1.6))
        picture = cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)
    if random.random() < CAMERA.grey:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if random.random() < CAMERA.bilevel / CAMERA.grey:
            darkest, paper, brightest = np.percentile(picture, (1, 50, 99))
            ink = darkest if paper - darkest > brightest - paper else brightest
            level = paper + (ink - paper) * random.uniform(*CAMERA.level)
            picture = np.where(picture > level, 255, 0).astype(np.uint8)
    if random.random() < CAMERA.compressed:
        _, file = cv2.imencode(
            ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*CAMERA.quality))]
        )
        picture = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))
    if is_coarse:
        how = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)[int(random.integers(3))]
        picture = cv2.resize(picture, (width, height), interpolation=how)
    if random.random() < CAMERA.inverted:
        picture = cv2.bitwise_not(picture)
    return np.asarray(picture, np.uint8)
