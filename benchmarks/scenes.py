"""Photographs of several kinds on which readers are measured; nothing is ever trained on them.

Each kind makes one photograph from the pen strokes of one writer or several: the picture, and its digits in
reading order.
"""

from collections.abc import Callable

import cv2
import numpy as np
import photographs
from forms import Compose, Writers
from photographs import Picture, Random

from digitcli.datasets.strokes import draw_stroke

DESKS = (
    photographs.WOOD,
    photographs.GREY,
    photographs.LIGHT_WOOD,
    (0.12, 0.12, 0.13),
    (0.8, 0.82, 0.84),
    (0.45, 0.25, 0.2),
    (0.2, 0.4, 0.25),
)
INKS = (photographs.BALLPOINT, (0.1, 0.1, 0.1), (0.5, 0.2, 0.15), photographs.RED, (0.15, 0.35, 0.1))
NOTES = ((0.45, 0.92, 0.97), (0.75, 0.65, 0.97), (0.6, 0.9, 0.7), (0.93, 0.8, 0.6), (0.4, 0.7, 0.98))


def _one_of(choices: tuple, random: Random) -> tuple[float, ...]:
    return choices[int(random.integers(len(choices)))]


def _flat(writers: Writers) -> list[list[dict]]:
    return [[drawing for of_digit in writer.values() for drawing in of_digit] for writer in writers]


def _page(writers: Writers, random: Random, **options: object) -> tuple[list[str], Picture]:
    height = random.uniform(30, 90)
    chosen = {
        "height": height,
        "pen": max(2, round(height * random.uniform(0.05, 0.11))),
        "stroke_colour": _one_of(INKS, random),
        "paper": tuple(random.uniform(0.85, 0.97) * random.uniform(0.94, 1, 3)),
        **options,
    }
    return photographs.page(_flat(writers), random, **chosen)


def _photo(picture: Picture, random: Random) -> np.ndarray:
    longer = max(picture.shape[:2])
    if longer > 1500:
        picture = cv2.resize(picture, None, fx=1500 / longer, fy=1500 / longer, interpolation=cv2.INTER_AREA)
    return photographs.photograph(picture, int(random.integers(45, 93)), random.uniform(0.5, 0.9))


def _turned(picture: Picture, degrees: float, blank: int) -> Picture:
    """Turn a picture about its middle and keep all of it; a rim of `blank` pixels goes on around it."""
    height, width = picture.shape[:2]
    reach = round(0.5 * max(height, width))
    for _ in range(-(-reach // blank)):
        picture = cv2.copyMakeBorder(picture, blank, blank, blank, blank, cv2.BORDER_REFLECT_101)
    middle = (picture.shape[1] / 2, picture.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (round(width * cos + height * sin), round(width * sin + height * cos))
    matrix[:, 2] += np.array(size) / 2 - middle
    return cv2.warpAffine(picture, matrix, size)


def _margins(random: Random, sides: list[int], low: float, high: float) -> list[float]:
    return [random.uniform(low, high) if side in sides else 0.0 for side in range(4)]


def desk_at_one_side(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    texts, sheet = _page(writers, random)
    margins = _margins(random, [int(random.integers(4))], 0.08, 0.35)
    scene = photographs.on_desk(sheet, random, _one_of(DESKS, random), margins, 2)
    return _photo(scene, random), "\n".join(texts)


def pencil_and_desk(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    grey = random.uniform(0.38, 0.62)
    height = random.uniform(36, 90)
    pen = max(2, round(height * random.uniform(0.04, 0.07)))
    texts, sheet = _page(writers, random, stroke_colour=(grey, grey, grey), pen=pen, height=height)
    sides = sorted(random.permutation(4)[: int(random.integers(1, 5))].tolist())
    scene = photographs.on_desk(sheet, random, _one_of(DESKS, random), _margins(random, sides, 0.05, 0.3), 4)
    return _photo(scene, random), "\n".join(texts)


def turned_page(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    height = random.uniform(30, 90)
    texts, sheet = _page(writers, random, height=height)
    blank = round(0.9 * height)
    if random.random() < 0.5:
        margin = random.uniform(0.08, 0.25)
        sheet = photographs.on_desk(sheet, random, _one_of(DESKS, random), [margin] * 4, 0)
        blank = int(margin / (1 + 2 * margin) * sheet.shape[1]) - 2
    degrees = random.uniform(8, 25) * random.choice([-1, 1])
    return _photo(_turned(sheet, degrees, blank), random), "\n".join(texts)


def on_its_side(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    texts, sheet = _page(writers, random)
    if random.random() < 0.5:
        margins = _margins(random, [0, 1, 2, 3], 0.03, 0.2)
        sheet = photographs.on_desk(sheet, random, _one_of(DESKS, random), margins, 3)
    turn = cv2.ROTATE_90_CLOCKWISE if random.random() < 0.5 else cv2.ROTATE_90_COUNTERCLOCKWISE
    return _photo(cv2.rotate(sheet, turn), random), "\n".join(texts)


def _grid(width: int) -> Compose:
    def compose(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
        height = random.uniform(45, 100)
        pen = max(3, round(0.09 * height))
        texts, sheet = _page(writers, random, height=height, pen=pen)
        degrees, blank = random.uniform(-15, 15), round(0.9 * height)
        apart, colour = random.uniform(30, 90), random.uniform(0.55, 0.85, 3).astype(np.float32)
        sheet = _turned(sheet, degrees, blank)
        side = 2 * max(sheet.shape[:2])
        lines = np.zeros((side, side), np.uint8)
        for place in np.arange(random.uniform(0, apart), side, apart).astype(int):
            cv2.line(lines, (int(place), 0), (int(place), side), 255, width)
            cv2.line(lines, (0, int(place)), (side, int(place)), 255, width)
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
        lines = cv2.warpAffine(lines, matrix, (side, side))
        top, left = ((side - length) // 2 for length in sheet.shape[:2])
        lines = lines[top : top + sheet.shape[0], left : left + sheet.shape[1]]
        share = (lines / np.float32(255))[..., np.newaxis]
        return _photo(sheet * (1 - share * (1 - colour)), random), "\n".join(texts)

    return compose


def coloured_note(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    colour = _one_of(NOTES, random)
    texts, sheet = _page(writers, random, paper=colour, lines=int(random.integers(1, 4)))
    if random.random() < 0.6:
        under = _one_of((*DESKS, (0.93, 0.93, 0.93)), random)
        sheet = photographs.on_desk(sheet, random, under, _margins(random, [0, 1, 2, 3], 0.05, 0.5), 8)
    return _photo(sheet, random), "\n".join(texts)


def engraved_crop(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    """An amount as it is cut out of a cheque."""
    height = random.uniform(34, 100)
    texts, sheet = _page(
        writers, random, lines=1, height=height, pen=max(2, round(random.uniform(0.05, 0.1) * height)),
        paper=(1.0, 1.0, 1.0), stroke_colour=_one_of(INKS[:3], random),
    )  # fmt: skip
    marks = cv2.boundingRect((sheet.min(axis=2) < 0.6).astype(np.uint8))
    margins = random.uniform(0, 0.15, 4) * height
    left, top = max(0, int(marks[0] - margins[0])), max(0, int(marks[1] - margins[1]))
    right, bottom = int(marks[0] + marks[2] + margins[2]) + 1, int(marks[1] + marks[3] + margins[3]) + 1
    crop = sheet[top:bottom, left:right]
    pattern = _engraving(*crop.shape[:2], random)
    paper, lines = random.uniform(0.85, 1, 3), random.uniform(0.05, 0.45, 3)
    crop = crop * paper * (1 - lines * pattern[..., np.newaxis])
    return _photo(crop.astype(np.float32), random), texts[0]


def _engraving(height: int, width: int, random: Random) -> np.ndarray:
    """Fine printed lines, (H, W) 0..1: waves, rosettes, halftone dots."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period, turn = random.uniform(4, 9), random.uniform(0, np.pi)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    way = int(random.integers(4))
    if way == 0:
        wave = across + random.uniform(2, 8) * np.sin(along / random.uniform(8, 20))
        phase = 2 * np.pi * wave / period
    elif way == 1:
        radius = np.hypot(x - random.uniform(0, width), y - random.uniform(0, height))
        petals = 6 * np.sin(12 * np.arctan2(y - height / 2, x - width / 2))
        phase = 2 * np.pi * (radius + petals) / period
    elif way == 2:
        dots = np.cos(2 * np.pi * along / period) * np.cos(2 * np.pi * across / period)
        return np.clip(2 * dots, 0, 1)
    else:
        two = np.cos(2 * np.pi * across / period) + np.cos(
            2 * np.pi * (along + 4 * np.sin(across / 11)) / period
        )
        return np.clip(two - 0.4, 0, 1)
    return np.clip(2 * np.cos(phase) - 0.8, 0, 1)


def one_large_digit(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
    writer = writers[int(random.integers(len(writers)))]
    digit = int(random.integers(10))
    strokes = [np.array(s, float) for s in writer[digit][int(random.integers(len(writer[digit])))]["strokes"]]
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    size = np.array([random.uniform(0.75, 1), random.uniform(0.75, 1)]) * random.uniform(250, 1200)
    pen = round(float(min(size)) * np.exp(random.uniform(np.log(0.015), np.log(0.1))))
    room = size * random.uniform(0.6, 0.95) - pen
    scale = float(np.min(room / np.maximum(extent, 1.0)))
    shift = (size - extent * scale) / 2 + random.uniform(-0.5, 0.5, 2) * 0.1 * (size - extent * scale - pen)
    mask = np.zeros((round(size[1]), round(size[0])), np.uint8)
    for stroke in strokes:
        draw_stroke(mask, (stroke - low) * scale + shift, max(2, pen))
    is_chalk = random.random() < 0.2
    paper = (0.2, 0.25, 0.18) if is_chalk else tuple(random.uniform(0.8, 0.97) * random.uniform(0.85, 1, 3))
    sheet = np.empty((*mask.shape, 3), np.float32)
    sheet[:] = paper
    if not is_chalk and random.random() < 0.3:
        for y in range(int(random.integers(20, 60)), mask.shape[0], int(random.integers(40, 90))):
            cv2.line(sheet, (0, y), (mask.shape[1], y), photographs.RULES, 2)
    share = 0.92 * (mask / np.float32(255))[..., np.newaxis]
    ink = np.array((0.85, 0.87, 0.86) if is_chalk else _one_of(INKS, random), np.float32)
    sheet = photographs.lit(sheet * (1 - share) + ink * share, random)
    return _photo(photographs.turned(sheet, random, 4), random), str(digit)


def texture(_: Writers, random: Random) -> tuple[np.ndarray, str]:
    height, width = (int(side) for side in random.integers(300, 1200, 2))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    make = TEXTURES[int(random.integers(len(TEXTURES)))]
    grey = make(x, y, random)
    grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1e-6)
    dark, bright = (
        random.uniform(0.05, 0.5) * random.uniform(0.7, 1, 3),
        random.uniform(0.55, 1) * np.ones(3),
    )
    picture = dark + (bright - dark) * grey[..., np.newaxis]
    return _photo(photographs.lit(picture.astype(np.float32), random), random), ""


def _noise(shape: tuple[int, ...], random: Random, sigma: tuple[float, float]) -> np.ndarray:
    noise = random.normal(0, 1, shape).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1])


def _wood(x: np.ndarray, y: np.ndarray, random: Random) -> np.ndarray:
    rings = y / random.uniform(5, 20) + 12 * _noise(x.shape, random, (60, 12)) * 12
    return np.sin(rings) + 4 * _noise(x.shape, random, (20, 0.8))


def _bricks(x: np.ndarray, y: np.ndarray, random: Random) -> np.ndarray:
    high, joint = random.uniform(30, 90), random.uniform(3, 8)
    row = y // high
    across = (x + (row % 2) * high) % (2 * high)
    return 1.0 * ((y % high > joint) & (across > joint)) + _noise(x.shape, random, (2, 2))


def _cloth(x: np.ndarray, y: np.ndarray, random: Random) -> np.ndarray:
    period = random.uniform(3, 12)
    return np.sin(x / period) * np.sin(y / period) + _noise(x.shape, random, (1, 1))


def _grass(x: np.ndarray, _: np.ndarray, random: Random) -> np.ndarray:
    return _noise(x.shape, random, (1.2, random.uniform(4, 12)))


def _concrete(x: np.ndarray, _: np.ndarray, random: Random) -> np.ndarray:
    return 8 * _noise(x.shape, random, (25, 25)) + _noise(x.shape, random, (1.5, 1.5))


def _stripes(x: np.ndarray, y: np.ndarray, random: Random) -> np.ndarray:
    turn = random.uniform(0, np.pi)
    return 1.0 * (np.sin((x * np.cos(turn) + y * np.sin(turn)) / random.uniform(4, 25)) > 0)


def _sky(x: np.ndarray, y: np.ndarray, random: Random) -> np.ndarray:
    return y / y.max() + 6 * _noise(x.shape, random, (40, 25))


def _pebbles(x: np.ndarray, _: np.ndarray, random: Random) -> np.ndarray:
    return np.abs(_noise(x.shape, random, (random.uniform(6, 20),) * 2))


TEXTURES = (_wood, _bricks, _cloth, _grass, _concrete, _stripes, _sky, _pebbles)


def empty_desk(_: Writers, random: Random) -> tuple[np.ndarray, str]:
    height, width = (int(side) for side in random.integers(350, 900, 2))
    sheet = np.empty((height, width, 3), np.float32)
    sheet[:] = tuple(random.uniform(0.85, 0.97) * random.uniform(0.94, 1, 3))
    rules = int(random.choice([0, 30, 45, 60]))
    if rules:
        for y in range(rules, height, rules):
            cv2.line(sheet, (0, y), (width, y), photographs.RULES, int(random.integers(1, 3)))
        if random.random() < 0.5:
            for x in range(rules, width, rules):
                cv2.line(sheet, (x, 0), (x, height), photographs.RULES, int(random.integers(1, 3)))
    scene = photographs.lit(sheet, random)
    if random.random() < 0.7:
        sides = random.permutation(4)[: int(random.integers(1, 5))].tolist()
        scene = photographs.on_desk(
            scene, random, _one_of(DESKS, random), _margins(random, sides, 0.1, 0.6), 10
        )
    if random.random() < 0.4:
        scene = photographs.shaded(scene, random, random.uniform(1, 15)).astype(np.float32)
    for _thing in range(int(random.integers(0, 4))):
        _lay(scene, random)
    return _photo(scene, random), ""


def _lay(scene: Picture, random: Random) -> None:
    """Put a pen or a coin somewhere."""
    height, width = scene.shape[:2]
    x, y = int(random.integers(width)), int(random.integers(height))
    colour = tuple(random.uniform(0.1, 0.7, 3))
    if random.random() < 0.5:
        reach, turn = random.uniform(0.2, 0.5) * width, random.uniform(0, 2 * np.pi)
        end = (int(x + reach * np.cos(turn)), int(y + reach * np.sin(turn)))
        thick = int(random.integers(12, 26))
        cv2.line(scene, (x, y), end, colour, thick, cv2.LINE_AA)
        cv2.line(scene, (x, y), end, tuple(1.2 * part for part in colour), thick // 3, cv2.LINE_AA)
    else:
        radius = int(random.integers(20, 60))
        cv2.circle(scene, (x, y), radius, (0.4, 0.55, 0.65), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(scene, (x, y), int(0.85 * radius), (0.5, 0.65, 0.75), 2, cv2.LINE_AA)


KINDS: dict[str, Callable[[Writers, Random], tuple[np.ndarray, str]]] = {
    "a desk at any one side": desk_at_one_side,
    "pencil, desk in view": pencil_and_desk,
    "turned by up to 25 degrees": turned_page,
    "lying on a side": on_its_side,
    **{f"a grid of {width} px lines": _grid(width) for width in (1, 2, 3, 5)},
    "a coloured note": coloured_note,
    "tight crops on engraved patterns": engraved_crop,
    "one digit that fills the photo": one_large_digit,
    "textures": texture,
    "empty desks": empty_desk,
}
