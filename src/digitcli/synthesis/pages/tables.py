"""Tables whose columns hold words or numbers, with rulings or without, by hand or printed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.synthesis.pages.scene import Scene
from digitcli.synthesis.pages.texts import number, with_signs, word
from digitcli.synthesis.pages.writing import Hand, Line, Point
from digitcli.synthesis.writing_styles import turning


@dataclass(frozen=True)
class TableParameters:
    """How tables look; by eye. Lengths are heights of a digit; pairs are the least and the most.

    Attributes:
        row: height of rows.
        words, numbers: widths of columns with words, and with numbers.
        worded: how often a column holds words; the first one, and further ones.
        headed: how often the first row holds words in every column.
        signed: how often numbers have signs.
        blank: how often a cell is empty.
        small: height of words, to that of digits.
        letter: usual width of a letter, in heights of the words.
        rulings: how often a table has lines between rows and columns, between rows alone, none.
    """

    row: tuple[float, float] = (1.3, 2.4)
    words: tuple[float, float] = (2.5, 7)
    numbers: tuple[float, float] = (1.5, 5)
    worded: tuple[float, float] = (0.7, 0.2)
    headed: float = 0.6
    signed: float = 0.12
    blank: float = 0.12
    small: tuple[float, float] = (0.6, 1.1)
    letter: float = 0.8
    rulings: tuple[float, float, float] = (0.65, 0.2, 0.15)


TABLE = TableParameters()


def table(scene: Scene) -> None:
    """A table of words and numbers; the sheet shows a part of it."""
    random, sheet = scene.random, scene.sheet
    scene.direction = random.normal(0, 0.04)
    turned = turning(-scene.direction)
    hand = scene.pen(printed=random.random() < 0.2)
    small = hand.height * random.uniform(*TABLE.small)
    other = scene.pen(small, printed=random.random() < 0.5)
    row = hand.height * random.uniform(*TABLE.row)
    is_worded, widths = _columns(scene, hand.height)
    sides = np.concatenate([[0.0], np.cumsum(widths)])
    is_headed = random.random() < TABLE.headed
    # the whole table, or one of its inner parts
    origin = random.uniform(-0.2, 0.6, 2) * [hand.height, row] - (random.random(2) < 0.5) * random.uniform(
        0, 0.5, 2
    ) * [sides[-1], sheet.height]
    rows = int(np.ceil((sheet.height - origin[1]) / row)) + 1
    if random.random() < 0.4:
        rows = int(random.integers(2, max(3, rows + 1)))

    def at(x: float, y: float) -> Point:
        return np.asarray(origin + turned @ np.array([x, y]))

    _rule(scene, at, sides, rows, row)
    joined = other.face is None and random.random() < 0.3
    for line in range(rows):
        for column, left in enumerate(sides[:-1]):
            if random.random() < TABLE.blank:
                continue
            low = (line + 1) * row - (row - hand.height) / 2 * random.uniform(0.5, 1.5)
            start = at(left + hand.height * random.uniform(0.15, 0.5), low)
            if is_worded[column] or (is_headed and line == 0):
                _write_words(Line(sheet, other, start, random), other, widths[column], random, joined=joined)
            else:
                text = with_signs(random) if random.random() < TABLE.signed else number(random, 4)
                Line(sheet, hand, start, random).write(text, random.uniform(0.03, 0.3))


def _columns(scene: Scene, height: float) -> tuple[list[bool], list[float]]:
    """Return which columns hold words, and their widths in pixels; they fill the sheet."""
    random = scene.random
    is_worded: list[bool] = []
    widths: list[float] = []
    while sum(widths) < 1.6 * scene.sheet.width and len(widths) < 12:
        is_worded.append(bool(random.random() < TABLE.worded[bool(widths)]))
        widths.append(height * random.uniform(*(TABLE.words if is_worded[-1] else TABLE.numbers)))
    if random.random() < 0.4:
        count = int(random.integers(1, len(widths) + 1))
        return is_worded[:count], widths[:count]
    return is_worded, widths


def _rule(
    scene: Scene, at: Callable[[float, float], Point], sides: NDArray[np.float64], rows: int, row: float
) -> None:
    """Draw the lines between rows and columns, as far as there are any."""
    random = scene.random
    kind = int(random.choice(len(TABLE.rulings), p=TABLE.rulings))
    if kind == 2:
        return
    layer, width = scene.press(), scene.ruling()
    for line in range(rows + 1):
        scene.sheet.draw_path(layer, np.stack([at(0, line * row), at(sides[-1], line * row)]), width)
    if kind == 0:
        for side in sides:
            scene.sheet.draw_path(layer, np.stack([at(side, 0), at(side, rows * row)]), width)


def _write_words(line: Line, hand: Hand, room: float, random: np.random.Generator, *, joined: bool) -> None:
    """Write words as far as they fit into a cell, at least a letter."""
    while True:
        most = int((room - line.x) / (TABLE.letter * hand.height))
        line.write_word(word(random, max(1, min(8, most))), joined=joined)
        line.x += 0.3 * hand.height
        if line.x > 0.7 * room:
            return
