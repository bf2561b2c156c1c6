"""What lies under the writing: tinted and textured paper, engraved patterns, desks beside it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[
    np.float32
]  # (3, H, W), blue, green, red, 0..255; planes, since NumPy is slow with three values
Shares = NDArray[np.float32]  # (H, W)


@dataclass(frozen=True)
class PaperParameters:
    """What papers are like; by eye. Pairs are the least and the most.

    Attributes:
        grey: of paper, before light falls on it.
        cast: how far its channels differ from grey.
        tinted, tint: how often it is coloured, and how far they differ then.
        dark, dark_grey: how often it is a blackboard or a dark screen.
        grain: standard deviation of its texture, in grey levels.
        clouds: standard deviation of its slow variation.
        creased, crease: how often it was folded, and the crease's contrast in grey levels.
        fibres: between which the textures' size lies, in pixels.
        pattern: how often something is engraved on it.
        pattern_contrast: in grey levels.
        pattern_period: of its lines, in pixels.
    """

    grey: tuple[float, float] = (165, 255)
    cast: float = 4
    tinted: float = 0.12
    tint: float = 24
    dark: float = 0.05
    dark_grey: tuple[float, float] = (15, 75)
    grain: tuple[float, float] = (0, 7)
    clouds: tuple[float, float] = (0, 5)
    creased: float = 0.12
    crease: tuple[float, float] = (4, 22)
    fibres: tuple[float, float] = (1.2, 8)
    pattern: float = 0.05
    pattern_contrast: tuple[float, float] = (8, 70)
    pattern_period: tuple[float, float] = (4, 14)


PAPER = PaperParameters()


def noise(height: int, width: int, size: float, random: np.random.Generator) -> Shares:
    """Return smooth noise (height, width) float32 of deviation about 1, whose spots have `size` pixels."""
    rows, columns = (max(2, int(side / size) + 2) for side in (height, width))
    spots = random.standard_normal((rows, columns), np.float32)
    if size <= 1:
        return spots[:height, :width]
    return np.asarray(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def draw_paper(
    height: int, width: int, random: np.random.Generator, *, patterned: bool = False
) -> tuple[Colours, Shares, float]:
    """Draw paper.

    Args:
        height: in pixels.
        width: in pixels.
        random: where chance comes from.
        patterned: something is engraved on it for certain.

    Returns:
        The paper, its grain, of deviation 1, and the standard deviation of its grey levels.
    """
    is_dark = random.random() < PAPER.dark
    grey = random.uniform(*(PAPER.dark_grey if is_dark else PAPER.grey))
    colour = np.full(3, grey)
    is_tinted = random.random() < PAPER.tinted
    colour += random.normal(0, PAPER.tint if is_tinted else PAPER.cast, 3)
    deviation = random.uniform(*PAPER.grain) * random.random()
    grain = noise(height, width, random.uniform(*PAPER.fibres), random)
    texture = grain * np.float32(deviation)
    clouds = random.uniform(*PAPER.clouds)
    texture += noise(height, width, max(height, width) / random.uniform(2, 6), random) * np.float32(clouds)
    if patterned or random.random() < PAPER.pattern:
        contrast = random.uniform(*PAPER.pattern_contrast) * (1 if is_dark else -1)
        texture += engraved(height, width, random) * np.float32(contrast)
        deviation += 0.3 * abs(contrast)
    if random.random() < PAPER.creased:
        texture += _creases(height, width, random)
    paper = np.stack([texture + value for value in np.clip(colour, 4, 255).astype(np.float32)])
    return np.asarray(paper, np.float32), grain, float(np.hypot(deviation, clouds))


def _creases(height: int, width: int, random: np.random.Generator) -> Shares:
    """Return the light and the shadow (H, W), in grey levels, on both sides of one to three folds."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    total = np.zeros((height, width), np.float32)
    bend = noise(height, width, max(height, width) / 3, random) * np.float32(random.uniform(0, 4))
    for _ in range(int(random.integers(1, 4))):
        angle = random.uniform(0, np.pi)
        place = random.uniform(0.1, 0.9, 2) * [width, height]
        across = (
            (x - place[0]) * np.float32(np.cos(angle)) + (y - place[1]) * np.float32(np.sin(angle)) + bend
        )
        wide = np.float32(random.uniform(1.0, 6.0))
        total += (
            np.float32(random.uniform(*PAPER.crease)) * np.tanh(across / wide) / np.cosh(across / (3 * wide))
        )
    return total


def engraved(height: int, width: int, random: np.random.Generator) -> Shares:
    """Return lines as on cheques (H, W), 0..1: one or two families of waves, or dots."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ink = np.zeros((height, width), np.float32)
    for _ in range(int(random.integers(1, 3))):
        period = random.uniform(*PAPER.pattern_period)
        angle, second = random.uniform(0, np.pi, 2)
        along = x * np.cos(angle) + y * np.sin(angle)
        across = x * np.cos(second) + y * np.sin(second)
        bend = period * random.uniform(0, 4) * np.sin(across / (period * random.uniform(1.5, 8)))
        wave = np.sin((along + bend) * np.float32(2 * np.pi / period))
        sharp = random.uniform(1, 4)
        lines = np.clip(wave * sharp - sharp + 1.5, 0, 1)
        if random.random() < 0.2:
            lines = lines * np.clip(np.sin(across * np.float32(2 * np.pi / period)) * 2, 0, 1)
        np.maximum(ink, lines, out=ink)
    return ink


def draw_desk(height: int, width: int, random: np.random.Generator) -> Colours:
    """Draw what a sheet lies on: wood, cloth, a plain table."""
    colour = random.uniform(15, 200, 3) * 0.3 + random.uniform(15, 200) * 0.7
    stretch = random.uniform(1, 30)
    rows = noise(height, max(2, int(width / stretch)), random.uniform(1.5, 8), random)
    texture = cv2.resize(rows, (width, height), interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.5:
        texture = np.ascontiguousarray(
            cv2.resize(np.ascontiguousarray(texture.T), (width, height), interpolation=cv2.INTER_LINEAR)
        )
    strength = np.float32(random.uniform(1, 22))
    fine = noise(height, width, 1.3, random) * np.float32(random.uniform(0, 6))
    wood = texture * strength + fine
    return np.stack([wood + value for value in colour.astype(np.float32)])
