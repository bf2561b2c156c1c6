"""Generated photographs of the kinds that people take and that `photographs` and `around` do not show.

Readers of digits are measured on them; nothing is trained on them, and no threshold comes from them. Digits
are pen strokes of people, all by one writer on most pictures; some kinds show no digit at all. Each composer
makes one photograph, (H, W, 3) uint8, blue first, and its text: the digits in reading order, lines separated
by a newline. All chance comes from the generator that is passed.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from photographs import BALLPOINT, PENCIL, RED, Picture, page, photograph, shaded, turned
from surfaces import (
    ENGRAVINGS,
    TEXTURES,
    Colour,
    Mask,
    Random,
    Size,
    blank,
    coin,
    colour_about,
    desk,
    edge_shadow,
    inside_of,
    lighted,
    mixed,
    noise,
    one_of,
    paper_on,
    parallels,
    pen_lying,
    rotated,
    ruled,
    toned,
)
from writing import SHORTEST, Drawings, View, Writing, grown, smooth, written

Writers = list[Drawings]
Composed = tuple[np.ndarray, str]
Compose = Callable[[Writers, Random], Composed]

LONGEST = 1600  # pixels, of a picture's longer side
HEIGHTS = (24, 110)  # pixels of digits
QUALITIES = (40, 93)  # of JPEG; the upper one is left out
PENS = (BALLPOINT, (0.5, 0.2, 0.1), (0.12, 0.12, 0.12), RED, (0.25, 0.4, 0.12), (0.42, 0.15, 0.35))
PAPERS = ((0.93, 0.92, 0.88), (0.94, 0.94, 0.94), (0.8, 0.9, 0.94), (0.9, 0.86, 0.82), (0.8, 0.82, 0.84))
LEAD = tuple(0.75 * np.array(PENCIL))  # darker than in `photographs`: some strokes are thinner here
NOTES = ((0.45, 0.9, 0.97), (0.74, 0.6, 0.97), (0.55, 0.9, 0.7), (0.92, 0.82, 0.55), (0.36, 0.66, 0.98))
BOARDS = ((0.22, 0.32, 0.18), (0.17, 0.19, 0.17), (0.3, 0.26, 0.24))
LINE_COLOURS = (
    (0.95, 0.82, 0.7),
    (0.8, 0.62, 0.45),
    (0.65, 0.65, 0.65),
    (0.38, 0.36, 0.35),
    (0.6, 0.75, 0.6),
)  # shares of the paper's
LEAST_CONTRAST = 0.4  # of pen and paper in luminance, so that a person reads the digits without doubt


def inked(sheet: Picture, ink: Mask, colour: Colour, random: Random, *, crumbling: float = 0.1) -> Picture:
    """Lay ink on a sheet; the grain of pencil and chalk lets more of the sheet through."""
    grain = 1 - crumbling * np.abs(noise(ink.shape, random, 1.5))
    return mixed(sheet, colour, 0.92 * ink * np.clip(grain, 0, 1))


def camera(picture: Picture, random: Random, *, fine: float = 8, shadow: float = 0.15) -> np.ndarray:
    """Photograph a scene; the blur leaves strokes of `fine` pixels sharp enough to be read."""
    if random.random() < shadow:
        picture = shaded(picture, random, random.uniform(2, 40))
    tint = random.uniform(0.88, 1.04) * np.exp(random.normal(0, 0.03, 3))
    scale = LONGEST / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    blur = random.uniform(0.35, min(1.6, 0.5 + fine / 7))
    return photograph(
        picture.astype(np.float32) * tint.astype(np.float32), int(random.integers(*QUALITIES)), blur
    )


def beside_desk(writers: Writers, random: Random) -> Composed:
    text, sheet, pen = _sheet(writers, random, lines=3)
    margins = np.zeros(4)
    margins[int(random.integers(4))] = random.uniform(0.12, 0.35)
    return camera(_laid(sheet, random, margins, 3), random, fine=pen), text


def in_pencil(writers: Writers, random: Random) -> Composed:
    height, colour = _height(random), colour_about(LEAD, random, 0.05)
    pen = max(2, round(height * random.uniform(0.03, 0.06)))
    look = {"lines": int(random.integers(1, 4)), "height": height, "pen": pen, "stroke_colour": colour}
    text, sheet, _ = _sheet(writers, random, **look)
    sides = random.permutation(4) < random.integers(1, 5)
    return camera(_laid(sheet, random, random.uniform(0.08, 0.25, 4) * sides, 4), random, fine=pen), text


def turned_page(writers: Writers, random: Random) -> Composed:
    height, degrees = _height(random), random.uniform(8, 25) * random.choice([-1, 1])
    pen = max(random.uniform(0.04, 0.12), 2 / height)
    writing = written(one_of(writers, random), random, _counts(random, 2, 6, 4), pen=pen).times(height)
    paper = colour_about(one_of(PAPERS, random), random)
    is_on_desk, room = random.random() < 0.5, random.uniform(0.5, 1.5) * height
    sheet_box = grown(writing.box, room)
    around = random.uniform(0, 0.12, 4) * (sheet_box[2] - sheet_box[0]) if is_on_desk else np.full(4, room)
    view = View(sheet_box if is_on_desk else writing.box, degrees, around)
    sheet = ruled(view.u, view.v, paper, height * random.uniform(0.7, 1.6), random)
    sheet = inked(sheet, view.ink(writing), _pen_for(paper, random), random)
    if is_on_desk:
        inside = inside_of(sheet_box, view.u, view.v)
        sheet = paper_on(desk(view.size, random), sheet, inside, random)
    return camera(lighted(sheet, random), random, fine=writing.pen), writing.text


def on_a_side(writers: Writers, random: Random) -> Composed:
    text, sheet, pen = _sheet(writers, random, lines=int(random.integers(1, 5)))
    margins = random.uniform(0.06, 0.2, 4) * (random.random(4) < 0.4)
    upright = camera(_laid(sheet, random, margins, 4), random, fine=pen)
    return np.ascontiguousarray(np.rot90(upright, int(random.choice([1, 3])))), text


def over_grid(writers: Writers, random: Random, *, width: int) -> Composed:
    """Write over a grid; its lines are at most as strong as the pen and no digit lies along one."""
    columns = random.uniform(30, 90)
    rows = columns if random.random() < 0.6 else random.uniform(30, 90)
    cell, least = None, max(HEIGHTS[0], 9 * width)
    if random.random() < 0.35 and min(columns, rows) > 1.5 * least:
        height = random.uniform(0.58, 0.7) * (min(columns, rows) - width)
        cell = (columns / height, rows / height)
    else:
        height = _height(random, low=least)
    pen = max(random.uniform(0.05, 0.12), (width + 1) / height, 2 / height)
    counts = _counts(random, 2, 6, 4)
    writing = written(one_of(writers, random), random, counts, pen=pen, cell=cell).times(height)
    paper = colour_about(one_of(PAPERS, random), random)
    colour = _pen_for(paper, random)
    lines = paper * np.array(one_of(LINE_COLOURS, random))
    strongest = 0.85 * (_luminance(paper) - _luminance(colour)) / (_luminance(paper) - _luminance(lines))
    lines = paper + (lines - paper) * min(1.0, strongest)
    degrees, around = random.uniform(-15, 15), height * random.uniform(0.2, 1, 4)
    view = View(grown(writing.box, 0.5 * height), degrees, around)
    phases = (0.0, 0.0) if cell else _free_phases(writing, (columns, rows), width, random)
    uprights, levels = parallels(view.u, columns, width, phases[0]), parallels(view.v, rows, width, phases[1])
    sheet = mixed(blank(view.size, paper, random), tuple(lines), np.maximum(uprights, levels))
    seen = lighted(inked(sheet, view.ink(writing), colour, random), random)
    return camera(seen, random, fine=min(writing.pen, 1.5 * width)), writing.text


def coloured_note(writers: Writers, random: Random) -> Composed:
    height = _height(random)
    counts = _counts(random, 1, 5, 3)
    pen = max(random.uniform(0.035, 0.13), 2.2 / height)
    writing = written(one_of(writers, random), random, counts, pen=pen).times(height)
    left, top, right, bottom = grown(writing.box, random.uniform(0.3, 0.8) * height)
    side = max(right - left, bottom - top)  # notes are square, or nearly so
    spare = (side * random.uniform(0.95, 1.05) - (bottom - top)) * random.uniform(0, 1)
    note = (left, top - max(0, spare), left + side, max(bottom, top - spare + side))
    colour = colour_about(one_of(NOTES, random), random, 0.02)
    degrees, where = random.normal(0, 5), random.choice(["filling", "desk", "sheet"])
    if where == "filling":
        view = View(note, degrees, np.full(4, -0.02 * side))
        under = blank(view.size, colour, random)
        inside = np.ones(view.size, np.float32)
    else:
        view = View(note, degrees, side * random.uniform(0.05, 0.45, 4))
        under = desk(view.size, random)
        if where == "sheet":
            under = ruled(view.u, view.v, PAPERS[1], height, random)
        inside = inside_of(note, view.u, view.v)
    sheet = blank(view.size, colour, random) * (1 - 0.12 * (view.v / side) ** 2)[..., np.newaxis]
    sheet = inked(sheet, view.ink(writing), _pen_for(colour, random), random)
    seen = lighted(paper_on(under, sheet, inside, random), random)
    return camera(seen, random, fine=writing.pen), writing.text


def on_engraving(writers: Writers, random: Random) -> Composed:
    count, pen = int(random.integers(3, 9)), random.uniform(0.05, 0.13)
    writing = written(one_of(writers, random), random, [count], pen=pen)
    margins = random.uniform(0, 0.15, 4)
    left, top, right, bottom = writing.box
    tall = bottom - top + margins[1] + margins[3]
    low = max(40, SHORTEST * tall / (right - left))  # a short number is written large
    scale = random.uniform(min(low, 159), 160) / tall
    writing = writing.times(scale)
    view = View(writing.box, 0, scale * margins)
    paper = colour_about(random.uniform(0.82, 0.96, 3), random, 0.02)
    sheet = blank(view.size, paper, random)
    for _ in range(int(random.integers(1, 4))):
        pattern = one_of(ENGRAVINGS, random)(view.size, random)
        sheet = mixed(sheet, tuple(random.uniform(0.45, 0.9, 3)), random.uniform(0.45, 0.95) * pattern)
    seen = inked(sheet, view.ink(writing), _pen_for(tuple(sheet.mean(axis=(0, 1))), random), random)
    return camera(lighted(seen, random), random, fine=writing.pen / 2, shadow=0), writing.text


def one_digit(writers: Writers, random: Random) -> Composed:
    size = np.array([random.uniform(200, 1200), 1.0])
    size[1] = size[0] * random.choice([1, 0.75, 0.5625])
    size = random.permutation(size)  # width, height
    writing = written(one_of(writers, random), random, [1], pen=np.exp(random.uniform(*np.log([0.02, 0.17]))))
    left, top, right, bottom = writing.box
    extent = np.array([right - left, bottom - top])
    scale = random.uniform(0.6, 0.95) * float((size / extent).min())
    writing = smooth(writing.times(scale))
    free = size - extent * scale
    before = free * random.uniform(0.15, 0.85, 2)
    view = View(writing.box, 0, np.concatenate([before, free - before]))
    kind = random.choice(["plain", "tinted", "ruled", "board"])
    if kind == "board":
        board = colour_about(one_of(BOARDS, random), random, 0.02)
        smeared = 1 + 0.12 * noise(view.size, random, 60, 140) + 0.06 * noise(view.size, random, 3)
        seen = inked(toned(board, smeared), view.ink(writing), (0.86, 0.88, 0.87), random, crumbling=0.35)
    else:
        paper = one_of(PAPERS, random) if kind != "tinted" else random.uniform(0.72, 0.95, 3)
        paper = colour_about(tuple(paper), random)
        if kind == "ruled":
            sheet = ruled(view.u, view.v, paper, random.uniform(0.2, 0.9) * scale, random, least=1)
        else:
            sheet = blank(view.size, paper, random)
        seen = inked(sheet, view.ink(writing), _pen_for(paper, random), random)
    return camera(lighted(seen, random), random, fine=writing.pen), writing.text


def texture(_: Writers, random: Random) -> Composed:
    surface = one_of(TEXTURES, random)
    return camera(lighted(surface(_size(random), random), random), random), ""


def empty_desk(_: Writers, random: Random) -> Composed:
    size = _size(random)
    height, width = size
    picture = desk(size, random)
    for _ in range(int(random.choice([1, 1, 2, 2, 3]))):
        u, v = rotated(size, random.normal(0, 18))
        left, top = random.uniform(-0.55, 0.2, 2) * (width, height)
        right, bottom = (left, top) + random.uniform(0.4, 1.2, 2) * (width, height)
        inside = inside_of((left, top, right, bottom), u, v)
        x, y, wide, tall = cv2.boundingRect((cv2.blur(inside, (61, 61)) > 0).astype(np.uint8))  # and shadow
        near = slice(y, y + tall), slice(x, x + wide)
        paper = colour_about(one_of(PAPERS, random), random)
        sheet = ruled(u[near], v[near], paper, random.uniform(18, 80), random)
        picture[near] = paper_on(picture[near], sheet, inside[near], random)
    for _ in range(int(random.integers(0, 4))):
        one_of((pen_lying, coin), random)(picture, random)
    return camera(lighted(picture, random), random, shadow=0.5), ""


def _counts(random: Random, low: int, high: int, lines: int) -> list[int]:
    return [int(count) for count in random.integers(low, high + 1, int(random.integers(1, lines + 1)))]


def _height(random: Random, *, low: float = HEIGHTS[0]) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(HEIGHTS[1]))))


def _size(random: Random) -> Size:
    longer = random.uniform(300, 850)
    height, width = random.permutation([longer, longer * random.uniform(0.55, 1)]).astype(int)
    return int(height), int(width)


def _luminance(colour: Colour | np.ndarray) -> float:
    return float(np.dot(colour, (0.11, 0.59, 0.3)))


def _pen_for(paper: Colour, random: Random) -> Colour:
    dark = [pen for pen in PENS if _luminance(paper) - _luminance(pen) >= LEAST_CONTRAST]
    return colour_about(one_of(dark, random), random, 0.02)


def _sheet(writers: Writers, random: Random, **look: object) -> tuple[str, Picture, float]:
    """Write a page as `photographs` does, with a look of its own; return text, sheet and the pen's width."""
    every = [[drawing for digit in drawings for drawing in drawings[digit]] for drawings in writers]
    height = float(look.get("height", _height(random)))
    paper = colour_about(one_of(PAPERS, random), random, 0.02)
    drawn = {
        "height": height,
        "pen": max(2, round(height * random.uniform(0.04, 0.12))),
        "stroke_colour": _pen_for(paper, random),
        "paper": paper,
        "rules": int(random.choice([0, 0, 1])) * max(14, int(height * random.uniform(0.7, 1.6))),
        "is_grid": random.random() < 0.3,
    } | look
    drawn["is_grid"] = drawn["is_grid"] and drawn["rules"] > 0
    texts, sheet = page([one_of(every, random)], random, **drawn)
    return "\n".join(texts), sheet.astype(np.float32), drawn["pen"]


def _laid(sheet: Picture, random: Random, margins: np.ndarray, degrees: float) -> Picture:
    """Lay a sheet on a desk that is seen above, left, below and right of it, in shares of its width."""
    above, left, below, right = (int(margin * sheet.shape[1]) for margin in margins)
    bare = desk((sheet.shape[0] + above + below, sheet.shape[1] + left + right), random)
    inside = np.pad(np.ones(sheet.shape[:2], np.float32), ((above, below), (left, right)))
    bare *= edge_shadow(inside, random)[..., np.newaxis]
    bare[above : above + sheet.shape[0], left : left + sheet.shape[1]] = sheet
    picture = turned(bare, random, degrees)
    wedge = int(np.sin(np.radians(degrees)) * max(picture.shape[:2]) / 2)  # what a turn leaves empty
    return picture[wedge:-wedge, wedge:-wedge]


def _free_phases(
    writing: Writing, spacings: tuple[float, float], width: float, random: Random
) -> tuple[float, float]:
    """Shift a grid so that no digit, a one above all, is hidden along one of its lines."""

    def hidden(axis: int, phase: float) -> float:
        reach, spacing = (width + writing.pen) / 2, spacings[axis]
        across = [np.concatenate(digit)[:, axis] - phase + spacing / 2 for digit in writing.digits]
        return max(float((np.abs(at % spacing - spacing / 2) < reach).mean()) for at in across)

    phases = [random.uniform(0, spacing, 24) for spacing in spacings]
    free = [min(phases[axis], key=partial(hidden, axis)) for axis in (0, 1)]
    return float(free[0]), float(free[1])


KINDS: dict[str, Compose] = {
    "a desk at any one side": beside_desk,
    "pencil, desk in view": in_pencil,
    "turned by up to 25 degrees": turned_page,
    "lying on a side": on_a_side,
    "grids of 1 px lines": partial(over_grid, width=1),
    "grids of 2 px lines": partial(over_grid, width=2),
    "grids of 3 px lines": partial(over_grid, width=3),
    "grids of 5 px lines": partial(over_grid, width=5),
    "a coloured note": coloured_note,
    "tight crops on engraved patterns": on_engraving,
    "one digit that fills the photo": one_digit,
    "textures": texture,
    "empty desks": empty_desk,
}
