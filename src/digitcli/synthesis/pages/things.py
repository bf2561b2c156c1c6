"""What cameras see beside paper: textures as of grass, cloth and stone, and round and angular things."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitcli.synthesis.pages.paper import Colours, Shares, noise
from digitcli.synthesis.writing_styles import turning


@dataclass(frozen=True)
class ThingParameters:
    """How such pictures look; by eye. Pairs are the least and the most.

    Attributes:
        octaves: sizes of a texture's spots, in pixels, each twice the last.
        steepness: how much weaker finer spots are, as a power of their size.
        contrast: of a texture, in grey levels.
        things: how many there are, at most.
        size: of things, as shares of the shorter side; their logarithms are drawn evenly.
        ordered: how often they lie in rows.
        heaped: how often they cover the picture, as leaves cover the ground (Lee, Mumford and Huang, 2001).
        leaves: how many there are then.
        heaped_size: of those, from which small ones are the more frequent, the cube of their size.
        long: how often a thing is long and narrow, and its width to its length.
        embossed: how often a thing has a relief, as a coin has, lit from a side.
        soft, softness: how often its edge is soft, as a shadow's, and how soft, as a share of its size.
        grassy: how often narrow things of one size cover the picture, as blades of grass do.
        blades: how many.
    """

    octaves: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64)
    steepness: tuple[float, float] = (-0.2, 1.0)
    contrast: tuple[float, float] = (6, 60)
    things: int = 24
    size: tuple[float, float] = (0.04, 0.5)
    ordered: float = 0.4
    heaped: float = 0.4
    leaves: tuple[int, int] = (40, 160)
    heaped_size: tuple[float, float] = (0.04, 0.6)
    long: float = 0.3
    narrow: tuple[float, float] = (0.04, 0.3)
    embossed: float = 0.35
    soft: float = 0.2
    softness: tuple[float, float] = (0.05, 0.5)
    grassy: float = 0.12
    blades: tuple[int, int] = (150, 500)


THINGS = ThingParameters()


def draw_things(picture: Colours, random: np.random.Generator) -> None:
    """Draw a texture over a picture (3, H, W), and things upon it, in place."""
    _, height, width = picture.shape
    if random.random() < 0.75:
        contrast = random.uniform(*THINGS.contrast)
        texture = _texture(height, width, random)
        for plane, value in zip(picture, contrast * (1 + random.normal(0, 0.2, 3)), strict=True):
            plane += texture * np.float32(value)
    if random.random() < 0.25:
        return
    if random.random() < THINGS.grassy:
        _cover_with_blades(picture, random)
        return
    count = int(random.integers(1, THINGS.things + 1))
    low, high = np.log(np.array(THINGS.size) * min(height, width))
    size = float(np.exp(random.uniform(low, high)))
    if random.random() < THINGS.heaped:
        _heap(picture, random)
        return
    sides = int(random.choice([0, 0, 0, 3, 4, 4, 5, 6]))  # 0 is round
    is_ordered = random.random() < THINGS.ordered
    step = 2 * size * random.uniform(1.05, 2)
    columns = max(1, int(width / step))
    for number in range(count):
        if is_ordered:
            middle = np.array([number % columns + 0.5, number // columns + 0.5]) * step + random.normal(
                0, 0.05 * size, 2
            )
        else:
            middle = random.uniform(0, [width, height])
        own = size * float(np.exp(random.normal(0, 0.1 if is_ordered else 0.5)))
        _draw_thing(picture, middle, own, sides, random)


def _heap(picture: Colours, random: np.random.Generator) -> None:
    """Draw things of all sizes over each other, small ones the more frequent, in place."""
    _, height, width = picture.shape
    low, high = (share * min(height, width) for share in THINGS.heaped_size)
    for _ in range(int(random.integers(*THINGS.leaves))):
        # the inverse of the cumulative distribution of a density that falls with the cube
        size = float((low**-2 - random.random() * (low**-2 - high**-2)) ** -0.5)
        sides = int(random.choice([0, 3, 4, 4, 5]))
        _draw_thing(picture, random.uniform(0, [width, height]), size, sides, random)


def _cover_with_blades(picture: Colours, random: np.random.Generator) -> None:
    """Draw bent narrow strokes of many greys over each other, in place."""
    _, height, width = picture.shape
    drawn = picture.transpose(1, 2, 0).copy()
    length, level = random.uniform(8, 60), random.uniform(30, 200)
    contrast, usual = random.uniform(10, 60), random.uniform(0, np.pi)
    spread = random.choice([0.2, 0.6, 3])
    for _ in range(int(random.integers(*THINGS.blades))):
        start = random.uniform(0, [width, height])
        angle = usual + random.normal(0, spread)
        bend = random.normal(0, 0.5)
        steps = np.linspace(0, length * random.uniform(0.4, 1.4), 5)[:, np.newaxis]
        turning = angle + bend * steps / length
        points = start + steps * np.hstack([np.cos(turning), np.sin(turning)])
        grey = level + random.normal(0, contrast)
        colour = [float(value) for value in grey + random.normal(0, 8, 3)]
        placed = np.rint(points * 16).astype(np.int32)[:, np.newaxis]
        cv2.polylines(drawn, [placed], False, colour, int(random.integers(1, 5)), cv2.LINE_AA, 4)
    picture[:] = drawn.transpose(2, 0, 1)


def _draw_thing(
    picture: Colours, middle: np.ndarray, size: float, sides: int, random: np.random.Generator
) -> None:
    """Draw one, with light from a side, a texture of its own and perhaps an edge."""
    _, height, width = picture.shape
    x0, y0 = (max(0, int(value - 1.5 * size)) for value in middle)
    x1, y1 = min(width, int(middle[0] + 1.5 * size) + 1), min(height, int(middle[1] + 1.5 * size) + 1)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return
    angles = np.arange(sides or 40) * (2 * np.pi / (sides or 40)) + random.uniform(0, np.pi)
    reach = size * (1 + 0.25 * random.standard_normal(len(angles)) if sides else 1)
    flat = random.uniform(*THINGS.narrow) if random.random() < THINGS.long else random.uniform(0.5, 1)
    outline = np.stack([np.cos(angles), np.sin(angles) * flat], axis=1) * np.reshape(reach, (-1, 1))
    outline = outline @ turning(random.uniform(0, np.pi))
    placed = np.rint((outline + middle - [x0, y0]) * 16).astype(np.int32)
    share = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(share, [placed], 255, cv2.LINE_AA, 4)
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    lit = ((x - middle[0]) * np.cos(angle) + (y - middle[1]) * np.sin(angle)) / size
    shade = lit * random.uniform(0, 50) - np.hypot(x - middle[0], y - middle[1]) / size * random.uniform(
        -30, 60
    )
    texture = _texture(y1 - y0, x1 - x0, random)
    if random.random() < THINGS.embossed:
        relief = cv2.GaussianBlur(texture, (0, 0), max(0.6, size * random.uniform(0.02, 0.1)))
        slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) * np.cos(angle) + cv2.Sobel(
            relief, cv2.CV_32F, 0, 1
        ) * np.sin(angle)
        texture = slope / max(float(slope.std()), 1e-3)
    shade += texture * random.uniform(0, 35)
    colour = random.uniform(0, 255) + random.normal(0, 25, 3)
    if random.random() < THINGS.soft:
        share = cv2.GaussianBlur(share, (0, 0), max(0.5, size * random.uniform(*THINGS.softness)))
    covered, shade = share.astype(np.float32) / 255, shade.astype(np.float32)
    parts = picture[:, y0:y1, x0:x1]
    for part, value in zip(parts, colour.astype(np.float32), strict=True):
        part += covered * (value + shade - part)
    if random.random() < 0.4:
        edge = np.zeros_like(share)
        cv2.polylines(edge, [placed], True, 255, int(random.integers(1, 4)), cv2.LINE_AA, 4)
        parts += (edge.astype(np.float32) / 255) * (np.float32(random.uniform(0, 255)) - parts)


def _texture(height: int, width: int, random: np.random.Generator) -> Shares:
    """Return noise of many sizes (height, width), of deviation about 1, at times stretched or with edges."""
    power = random.uniform(*THINGS.steepness)
    total = np.zeros((height, width), np.float32)
    stretch = float(np.exp(random.uniform(0, 1.5))) if random.random() < 0.4 else 1.0
    for size in THINGS.octaves:
        if size > max(height, width) or random.random() < 0.25:
            continue
        spots = noise(height, max(2, round(width / stretch)), size, random)
        total += cv2.resize(spots, (width, height)) * np.float32(size**power)
    total /= max(float(total.std()), 1e-3)
    if random.random() < 0.25:
        total = np.tanh(total * np.float32(random.uniform(1, 6)))
    return np.asarray(np.ascontiguousarray(total[::-1]) if random.random() < 0.5 else total, np.float32)
