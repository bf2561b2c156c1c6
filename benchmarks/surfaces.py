"""Surfaces and patterns that the generated photographs of `scenes` show: desks, walls, engraved paper.

A surface is a function of a size and a generator and returns a picture, blue first, about 0..1. A pattern
returns how far it covers each pixel, 0..1.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np

Random = np.random.Generator
Size = tuple[int, int]  # height and width
Picture = np.ndarray  # (H, W, 3) float32, 0..1, blue first
Mask = np.ndarray  # (H, W) float32, 0..1
Colour = tuple[float, ...]  # blue, green, red, 0..1
Box = tuple[float, float, float, float]  # left, top, right, bottom
Surface = Callable[[Size, Random], Picture]
Value = TypeVar("Value")

METALS = ((0.6, 0.62, 0.63), (0.3, 0.52, 0.65), (0.25, 0.4, 0.6))
CLOTHS = (
    (0.35, 0.2, 0.13),
    (0.7, 0.78, 0.82),
    (0.5, 0.5, 0.5),
    (0.2, 0.15, 0.45),
    (0.28, 0.38, 0.2),
    (0.88, 0.9, 0.9),
)
RULES = (0.86, 0.72, 0.6)
WOODS = ((0.12, 0.2, 0.3), (0.2, 0.34, 0.5), (0.35, 0.55, 0.72), (0.1, 0.16, 0.35), (0.5, 0.68, 0.8))
BRICKS = ((0.25, 0.32, 0.62), (0.3, 0.42, 0.66), (0.55, 0.62, 0.68), (0.22, 0.24, 0.42))


def noise(size: Size, random: Random, scale: float, along: float | None = None) -> np.ndarray:
    """Return smooth noise with grains `scale` pixels high and `along` wide, (H, W) float32 about 0."""
    rows, columns = (int(side / grain) + 3 for side, grain in zip(size, (scale, along or scale), strict=True))
    coarse = random.standard_normal((rows, columns), dtype=np.float32)
    # one grain more than the picture needs, so that its edge does not lie on the grains' lattice
    shape = (int(columns * (along or scale)) + 1, int(rows * scale) + 1)
    fine = cv2.resize(coarse, shape, interpolation=cv2.INTER_LINEAR if scale < 3 else cv2.INTER_CUBIC)
    return fine[int(scale) :, int(along or scale) :][: size[0], : size[1]]


def rotated(size: Size, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each pixel's coordinates along axes that are turned, from the middle, two (H, W) float32."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) - np.float32(np.array(size) / 2).reshape(2, 1, 1)
    cos, sin = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
    return x * cos + y * sin, y * cos - x * sin


def parallels(across: np.ndarray, spacing: float, width: float, phase: float = 0.0) -> Mask:
    """Return lines `width` pixels wide where `across`, in pixels, is a multiple of the spacing."""
    away = np.abs((across - phase + spacing / 2) % spacing - spacing / 2)
    return np.clip(width / 2 + 0.5 - away, 0, 1)


def mixed(one: Picture, other: Colour, share: Mask) -> Picture:
    return one + (np.array(other, np.float32) - one) * share[..., np.newaxis]


def toned(colour: Colour, tone: np.ndarray) -> Picture:
    """Give a colour the brightness `tone`, (H, W) about 1."""
    return np.array(colour, np.float32) * tone[..., np.newaxis].astype(np.float32)


def one_of(values: Sequence[Value], random: Random) -> Value:
    return values[int(random.integers(len(values)))]


def colour_about(base: Colour, random: Random, spread: float = 0.04) -> Colour:
    return tuple(
        np.clip(np.array(base) + random.normal(0, spread) + random.normal(0, spread / 3, 3), 0.02, 1)
    )


def plain(size: Size, random: Random) -> Picture:
    grey = float(random.choice([0.1, 0.2, 0.45, 0.6, 0.8]))
    tone = (
        1 + 0.015 * noise(size, random, 9) + 0.05 * noise(size, random, 120) + 0.02 * noise(size, random, 1)
    )
    return toned(colour_about((grey, grey, grey), random, 0.06), tone)


def wood(size: Size, random: Random) -> Picture:
    u, v = rotated(size, float(random.choice([0, 90])) + random.normal(0, 4))
    stretch = (3.0, 160.0) if abs(u[0, -1]) > abs(v[0, -1]) else (160.0, 3.0)
    rings = np.sin((v + 25 * noise(size, random, 200)) / random.uniform(3, 14)) * random.uniform(0.02, 0.1)
    tone = 1 + rings + 0.07 * noise(size, random, *stretch) + 0.05 * noise(size, random, 150)
    if random.random() < 0.4:
        tone *= 1 - 0.6 * parallels(v, random.uniform(90, 260), random.uniform(2, 4), random.uniform(0, 90))
    return toned(colour_about(one_of(WOODS, random), random), tone)


def cloth(size: Size, random: Random) -> Picture:
    u, v = rotated(size, random.uniform(-40, 40))
    thread = random.uniform(0.6, 1.3)
    tone = 1 + 0.14 * np.sin(u * thread) * np.sin(v * thread) + 0.08 * noise(size, random, 2)
    tone += 0.05 * noise(size, random, 140)
    picture = toned(colour_about(one_of(CLOTHS, random), random), tone)
    if random.random() < 0.35:  # checked
        spacing, other = random.uniform(60, 140), one_of(CLOTHS, random)
        for across in (u, v):
            picture = mixed(picture, other, 0.45 * parallels(across, spacing, 0.35 * spacing))
    return picture


def brick(size: Size, random: Random) -> Picture:
    u, v = rotated(size, random.normal(0, 4))
    tall, joint = random.uniform(35, 90), random.uniform(4, 9)
    long = tall * random.uniform(2.2, 3.2)
    row = np.floor(v / tall).astype(int)
    shifted = u + (row % 2) * long / 2
    tones = random.normal(1, 0.12, (61, 61))[row % 61, np.floor(shifted / long).astype(int) % 61]
    tone = tones + 0.06 * noise(size, random, 2) + 0.06 * noise(size, random, 9)
    picture = toned(colour_about(one_of(BRICKS, random), random), tone)
    mortar = np.maximum(parallels(v, tall, joint), parallels(shifted, long, joint))
    return mixed(picture, colour_about((0.62, 0.66, 0.68), random, 0.08), mortar)


def grass(size: Size, random: Random) -> Picture:
    picture = toned((0.1, 0.25, 0.15), 1 + 0.3 * noise(size, random, 12))
    count = int(size[0] * size[1] / 60)
    starts = random.uniform(0, 1, (count, 2)) * (size[1], size[0] * 1.1)
    leans = random.normal(0, [9, 4], (count, 2)) - (0, random.uniform(18, 40))
    bright = random.uniform(0.5, 1.3, count)
    for start, lean, share in zip(starts, leans, bright, strict=True):
        ends = [tuple(int(value) for value in end) for end in (start, start + lean)]
        cv2.line(picture, *ends, (0.14 * share, 0.5 * share, 0.36 * share), 2, cv2.LINE_AA)
    return picture


def concrete(size: Size, random: Random) -> Picture:
    tone = 1 + sum(0.04 * noise(size, random, scale) for scale in (1, 3, 12, 50, 180))
    tone -= 0.35 * np.clip(noise(size, random, 4) - 1.6, 0, 1)
    grey = random.uniform(0.4, 0.75)
    return toned(colour_about((grey, grey, grey), random, 0.03), tone)


def striped(size: Size, random: Random) -> Picture:
    u, _ = rotated(size, random.uniform(-90, 90))
    spacing = random.uniform(12, 120)
    picture = toned(tuple(random.uniform(0.1, 0.95, 3)), 1 + 0.03 * noise(size, random, 1))
    share = parallels(u, spacing, spacing * random.uniform(0.2, 0.7))
    return mixed(picture, tuple(random.uniform(0.1, 0.95, 3)), share)


def sky(size: Size, random: Random) -> Picture:
    down = np.linspace(0, 1, size[0], dtype=np.float32)[:, np.newaxis, np.newaxis]
    top, low = (
        ((0.85, 0.55, 0.3), (0.95, 0.85, 0.75))
        if random.random() < 0.6
        else ((0.5, 0.3, 0.3), (0.4, 0.6, 0.95))
    )
    picture = np.array(top, np.float32) * (1 - down) + np.array(low, np.float32) * down
    cloud = sum(noise(size, random, scale, 2 * scale) * scale / 160 for scale in (160, 70, 30, 12))
    picture = np.broadcast_to(picture, (*size, 3))
    return mixed(picture, (0.95, 0.95, 0.95), np.clip(random.uniform(-0.4, 0.6) + 0.5 * cloud, 0, 0.9))


def foil(size: Size, random: Random) -> Picture:
    """Return crumpled foil: facets, large ones and small ones."""
    tone = np.ones(size, np.float32)
    for count, contrast in ((30, 0.2), (300, 0.14)):
        bare = np.full(size, 255, np.uint8)
        bare[random.integers(size[0], size=count), random.integers(size[1], size=count)] = 0
        away, facet = cv2.distanceTransformWithLabels(bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        tone += contrast * random.standard_normal(count + 1, dtype=np.float32)[facet]
        tone += 0.3 * (0.3 - away / away.max())
    return toned(colour_about((0.62, 0.63, 0.63), random, 0.05), cv2.GaussianBlur(tone, (0, 0), 1.5))


def halftoned(size: Size, random: Random) -> Picture:
    pitch = random.uniform(6, 16)
    share = dots(size, random, pitch, np.clip(0.5 + 0.35 * noise(size, random, 150), 0.1, 0.9))
    picture = toned(colour_about((0.9, 0.92, 0.93), random), 1 + 0.02 * noise(size, random, 1))
    return mixed(picture, tuple(random.uniform(0.05, 0.6, 3)), 0.9 * share)


def skin(size: Size, random: Random) -> Picture:
    base = ((0.6, 0.68, 0.88), (0.42, 0.52, 0.75), (0.2, 0.28, 0.45))[int(random.integers(3))]
    creases = np.clip(1 - 6 * np.abs(noise(size, random, 7, 10)), 0, 1)
    tone = 1 - 0.07 * creases + 0.02 * noise(size, random, 2) + 0.06 * noise(size, random, 130)
    return toned(colour_about(base, random), tone)


def dots(size: Size, random: Random, pitch: float, filled: np.ndarray | float) -> Mask:
    """Return a screen of dots; `filled` is how far they fill their cells, 0..1."""
    u, v = (axis % pitch - pitch / 2 for axis in rotated(size, random.uniform(0, 90)))
    return np.clip(np.sqrt(filled) * pitch * 0.56 - np.hypot(u, v) + 0.5, 0, 1)


def guilloche(size: Size, random: Random) -> Mask:
    """Return bundles of waves that cross, as on banknotes and cheques."""
    u, v = rotated(size, random.uniform(-30, 30))
    covered = np.zeros(size, np.float32)
    for _ in range(int(random.integers(1, 4))):
        swing, length = random.uniform(3, 14), random.uniform(25, 120)
        wave = v + swing * np.sin(u * 2 * np.pi / length + random.uniform(0, 6))
        covered = np.maximum(covered, parallels(wave, random.uniform(6, 16), random.uniform(0.6, 1.4)))
    return covered


def rosette(size: Size, random: Random) -> Mask:
    """Return a flower of lines about one or two points, as a turning lathe engraves it."""
    covered = np.zeros(size, np.float32)
    for _ in range(int(random.integers(1, 3))):
        u, v = rotated(size, 0)
        u, v = u - random.uniform(-0.5, 0.5) * size[1], v - random.uniform(-0.5, 0.5) * size[0]
        radius, angle = np.hypot(u, v), np.arctan2(v, u)
        petals, swing = int(random.integers(5, 14)), random.uniform(3, 12)
        for phase in (0, np.pi):
            wave = radius + swing * np.sin(petals * angle + phase)
            covered = np.maximum(covered, parallels(wave, random.uniform(7, 14), random.uniform(0.6, 1.3)))
    return covered


def fine_lines(size: Size, random: Random) -> Mask:
    u, v = rotated(size, random.uniform(-90, 90))
    spacing, width = random.uniform(3.5, 9), random.uniform(0.6, 1.3)
    covered = parallels(v, spacing, width)
    return np.maximum(covered, parallels(u, spacing, width)) if random.random() < 0.4 else covered


def screen(size: Size, random: Random) -> Mask:
    return dots(size, random, random.uniform(4, 8), random.uniform(0.15, 0.5))


DESKS: tuple[Surface, ...] = (wood, wood, plain, plain, cloth)
TEXTURES: tuple[Surface, ...] = (
    wood, brick, cloth, grass, concrete, striped, sky, foil, halftoned, skin
)  # fmt: skip
ENGRAVINGS = (guilloche, guilloche, rosette, fine_lines, screen)


def blank(size: Size, colour: Colour, random: Random) -> Picture:
    return toned(colour, 1 + 0.008 * noise(size, random, 90) + 0.01 * noise(size, random, 2))


def desk(size: Size, random: Random) -> Picture:
    """Return a desk; a large picture shows the grain of the same wood larger."""
    zoom = 1 if max(size) < 600 else 2
    small = one_of(DESKS, random)((size[0] // zoom + 1, size[1] // zoom + 1), random)
    return cv2.resize(small, None, fx=zoom, fy=zoom)[: size[0], : size[1]]


def ruled(
    u: np.ndarray, v: np.ndarray, paper: Colour, spacing: float, random: Random, *, least: int = 0
) -> Picture:
    """Return paper that is blank, ruled or squared: with lines in none, one or both directions."""
    sheet, width = blank(u.shape, paper, random), random.uniform(1, 2.5)
    rules = [parallels(across, spacing, width) for across in (v, u)[: int(random.integers(least, 3))]]
    return mixed(sheet, RULES, np.maximum.reduce(rules)) if rules else sheet


def lighted(picture: Picture, random: Random) -> Picture:
    """Let light fall from somewhere, evenly or not, and give the sensor its noise."""
    level, near = random.uniform(0.5, 0.85), random.uniform(0.88, 1.04)
    fall = [
        np.exp(-1.5 * (np.linspace(0, 1, side, dtype=np.float32) - np.float32(random.uniform(0, 1))) ** 2)
        for side in picture.shape[:2]
    ]
    light = level + np.float32(near - level) * np.outer(*fall)
    grain = random.uniform(0.01, 0.07) * random.standard_normal(light.shape, dtype=np.float32)
    return (picture + cv2.GaussianBlur(grain, (0, 0), 1.1)[..., np.newaxis]) * light[..., np.newaxis]


def inside_of(box: Box, u: np.ndarray, v: np.ndarray) -> Mask:
    left, top, right, bottom = box
    depth = np.minimum(np.minimum(u - left, right - u), np.minimum(v - top, bottom - v))
    return np.clip(depth + 0.5, 0, 1)


def paper_on(desk: Picture, sheet: Picture, inside: Mask, random: Random) -> Picture:
    """Lay a sheet on a desk, with the shadow of its edge."""
    bare = edge_shadow(inside, random) * (1 - inside)
    return sheet * inside[..., np.newaxis] + desk * bare[..., np.newaxis]


def edge_shadow(inside: Mask, random: Random) -> Mask:
    """Return how much light a sheet leaves to the desk that it lies on."""
    aside = np.float32([[1, 0, random.uniform(-6, 6)], [0, 1, random.uniform(0, 7)]])
    softness = (int(random.integers(5, 22)),) * 2
    return 1 - 0.55 * cv2.blur(cv2.warpAffine(inside, aside, inside.shape[::-1]), softness)


def pen_lying(picture: Picture, random: Random) -> None:
    """Lay a pen on a desk, in place: a barrel with a shine, a tip, a cap of another colour."""
    long = random.uniform(0.3, 0.5) * min(picture.shape[:2])
    thick = random.uniform(0.07, 0.11) * long / 2
    patch, u, v = _patch(picture, random, long / 2 + 12)
    half = thick * np.clip((long / 2 - u) / (3 * thick), 0, 1)  # it ends in a tip
    inside = np.clip(half - np.abs(v) + 0.5, 0, 1) * (np.abs(u) < long / 2)
    body = toned(tuple(random.uniform(0.05, 0.8, 3)), 0.75 + 0.5 * np.exp(-(((v / thick) + 0.3) ** 2) * 8))
    cap = (u < -0.15 * long).astype(np.float32)
    patch[:] = paper_on(patch, mixed(body, tuple(random.uniform(0.05, 0.5, 3)), 0.8 * cap), inside, random)


def coin(picture: Picture, random: Random) -> None:
    """Lay a coin on a desk, in place: a disc of metal with a rim and a worn relief."""
    radius = random.uniform(0.035, 0.08) * min(picture.shape[:2])
    patch, u, v = _patch(picture, random, radius + 12)
    away = np.hypot(u, v)
    rim = np.clip(1 - np.abs(away - 0.9 * radius) / (0.08 * radius), 0, 1)
    tone = 0.95 + 0.05 * noise(u.shape, random, radius / 3) + 0.2 * rim + 0.25 * u / radius
    metal = toned(colour_about(one_of(METALS, random), random, 0.02), tone)
    patch[:] = paper_on(patch, metal, np.clip(radius - away + 0.5, 0, 1), random)


def _patch(picture: Picture, random: Random, reach: float) -> tuple[Picture, np.ndarray, np.ndarray]:
    """Return a square somewhere inside a picture, and coordinates from its middle, turned at random."""
    side = min(int(2 * reach), *picture.shape[:2])
    top, left = (int(random.integers(whole - side + 1)) for whole in picture.shape[:2])
    return picture[top : top + side, left : left + side], *rotated((side, side), random.uniform(-180, 180))
