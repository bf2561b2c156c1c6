"""Generated pages that readers of digits are measured on: forms, tables, grids, pages of words, drawings.

    python benchmarks/forms.py --source digits.jsonl --held-out --keep pictures

Nothing is trained on these pages, and no threshold is tuned on them. Each page is written by one writer of a
file of pen strokes. About half of the pages are clean, as from a scanner or a screen; the others are
photographed: light from one side, grain, blur, JPEG, often few pixels. The command draws six pages of each
kind, to be looked at.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pens
from sheets import Drawings, Look, Random, Sheet
from sketches import SKETCHES, arrow

Writers = list[Drawings]
Compose = Callable[[Writers, Random], tuple[np.ndarray, str]]

# fmt: off
WORDS = (
    "and", "the", "with", "from", "about", "please", "water", "garden", "number", "total", "paid", "street",
    "house", "Monday", "morning", "letter", "never", "school", "weather", "yellow", "window", "kitchen",
    "train", "ticket", "between", "answer", "because", "quick", "jumps", "lazy", "dog", "river", "market",
    "bread", "butter", "coffee", "invoice", "signed", "amount", "received", "customer", "delivery", "project",
    "summer", "thanks", "regards",
)
NAMES = (
    "Anna", "Ben", "Chris", "Dana", "Emma", "Frank", "Greta", "Hans", "Jan", "Karim", "Maria", "Nadia",
    "Peter", "Rosa", "Tanja", "Umar", "Vera", "Yusuf",
)
SUBJECTS = (
    "Maths", "Art", "Music", "Sport", "English", "Physics", "Test", "Final", "Mark", "Points", "Term",
    "Total",
)
# fmt: on


def combs(sheet: Sheet) -> None:
    random = sheet.random
    pitch, tooth = random.uniform(0.95, 1.6), float(np.exp(random.uniform(np.log(0.05), np.log(1.35))))
    width, reach = int(random.integers(1, 5)), random.choice([0.0, random.uniform(0.1, 0.8)])
    for row in range(int(random.integers(1, 3))):
        text = sheet.digits(3, 10)
        before, after = random.integers(0, 3, 2) * (random.random() < 0.3)
        base, places = row * random.uniform(1.9, 3.0), int(before + len(text) + after)
        sheet.rule([(-reach, base), (places * pitch + reach, base)], width)
        for place in range(places + 1):
            sheet.rule([(place * pitch, base - tooth), (place * pitch, base)], width)
        for place, digit in enumerate(text, int(before)):
            sheet.in_cell(digit, place * pitch + 0.05, base - 1.15 - sheet.pen, pitch - 0.1, 1.1, aside=0.7)
        sheet.lines.append(text)


def _box(sheet: Sheet, x: float, y: float, width: float, height: float, *, corner: float, line: int) -> None:
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    points = np.array([x, y]) + np.array([width, height]) * (signs + 1) / 2
    if corner:
        angles = np.radians(180 + np.arange(0, 91, 15) + 90 * np.arange(4)[:, np.newaxis])  # (4, 7)
        arcs = corner * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        rounded = (arcs + (points - corner * signs)[:4, np.newaxis]).reshape(-1, 2)
        points = np.concatenate([rounded, rounded[:1]])
    sheet.rule(points, line)


def boxes(sheet: Sheet) -> None:
    random = sheet.random
    width, height = random.uniform(1.0, 1.7), random.uniform(1.15, 1.8)
    gap = random.choice([0.0, random.uniform(0.04, 0.5) * width])
    corner = random.uniform(0.1, 0.3) if gap and random.random() < 0.4 else 0.0
    line = int(random.integers(1, 6))
    # where digits cross a side of their boxes, all cross the same: neighbours do not meet
    drift = random.normal(0, 0.09, 2) * (random.random() < 0.4)
    is_shaded = random.random() < 0.2
    for row in range(int(random.integers(1, 3))):
        text, y = sheet.digits(3, 10), row * (height + random.uniform(0.6, 1.5))
        for place, digit in enumerate(text):
            x = place * (width + gap)
            if is_shaded:
                sheet.shade(np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]))
            _box(sheet, x, y, width, height, corner=corner, line=line)
            sheet.in_cell(digit, x + 0.05, y + 0.05, width - 0.1, height - 0.1, aside=0.8, drift=drift)
        sheet.lines.append(text)


def form_row(sheet: Sheet) -> None:
    random = sheet.random
    width, height = random.uniform(1.0, 1.6), random.uniform(1.15, 1.7)
    gap, line = random.choice([0.0, 0.0, random.uniform(0.05, 0.3)]), int(random.integers(1, 6))
    text = sheet.digits(8, 8)
    for place, digit in enumerate(text):
        x = place * (width + gap)
        _box(sheet, x, 0, width, height, corner=0.0, line=line)
        sheet.in_cell(digit, x + 0.05, 0.05, width - 0.1, height - 0.1, aside=0.8)
    sheet.lines.append(text)


def sudoku(sheet: Sheet) -> None:
    random, cell = sheet.random, sheet.random.uniform(1.3, 1.9)
    thin = int(random.integers(1, 3))
    thick = thin + int(random.integers(2, 5))
    for line in range(10):
        for ends in ([(0, line), (9, line)], [(line, 0), (line, 9)]):
            sheet.rule(np.array(ends) * cell, thin if line % 3 else thick)
    ways = [
        np.concatenate([3 * band + random.permutation(3) for band in random.permutation(3)]) for _ in "rc"
    ]
    row, column = np.meshgrid(*ways, indexing="ij")
    solution = random.permutation(9)[(3 * (row % 3) + row // 3 + column) % 9] + 1
    filled = np.zeros(81, bool)
    filled[random.permutation(81)[: int(random.integers(17, 61))]] = True
    for y in range(9):
        columns = [x for x in range(9) if filled[9 * y + x]]
        for x in columns:
            left, top, inner = x * cell + 0.1, y * cell + 0.1, cell - 0.2
            sheet.in_cell(str(solution[y, x]), left, top, inner, inner, aside=0.7)
        sheet.lines.append("".join(str(solution[y, x]) for x in columns))


def two_columns(sheet: Sheet) -> None:
    random, x = sheet.random, 0.0
    pitch, start = random.uniform(1.7, 2.4), 0.0
    for _ in range(2):
        ends = []
        for row in range(int(random.integers(3, 7))):
            sheet.lines.append(sheet.digits(2, 4))
            ends.append(sheet.number(sheet.lines[-1], x + random.uniform(0, 0.4), start + row * pitch))
        x = max(ends) + random.uniform(4, 7)
        start = pitch * random.uniform(0.4, 0.6)


def marks_table(sheet: Sheet) -> None:
    random, rows, columns = sheet.random, int(sheet.random.integers(4, 9)), int(sheet.random.integers(2, 5))
    height, marks = random.uniform(1.5, 2.1), [""] * rows
    levels = height * np.arange(rows + 2)
    ends = [sheet.word("Name", 0.3, 0.5, size=0.8)]
    for level, name in zip(levels[1:-1], random.permutation(NAMES)[:rows], strict=True):
        ends.append(sheet.word(str(name), 0.3, level + (height - 0.7) / 2))
    sides = [0.0, max(ends) + 0.4]
    for header in random.permutation(SUBJECTS)[:columns]:
        left = sides[-1] + 0.3
        ends = [sheet.word(str(header), left, 0.5, size=0.8)]
        for row in range(rows):
            mark = str(random.integers(0, 10 ** random.integers(1, 4)))
            top = levels[row + 1] + (height - 1) / 2 + random.normal(0, 0.03)
            ends.append(sheet.number(mark, left + random.uniform(0, 0.3), top))
            marks[row] += mark
        sides.append(max(ends) + random.uniform(0.1, 0.4))
    sheet.lines += marks
    edges = [[(0.0, level), (sides[-1], level)] for level in levels]
    if random.random() < 0.7:
        edges += [[(side, 0.0), (side, levels[-1])] for side in sides]
    line, is_drawn = int(random.integers(1, 4)), random.random() < 0.3
    for edge in edges:
        if is_drawn:
            sheet.by_hand(edge)
        else:
            sheet.rule(edge, line)


def short_slashes(sheet: Sheet) -> None:
    random, size, pitch = sheet.random, sheet.random.uniform(0.82, 1.02), sheet.random.uniform(1.7, 2.3)
    for row in range(int(random.integers(1, 5))):
        day, month, year = random.integers(1, 29), random.integers(1, 13), random.integers(1950, 2040)
        date = f"{day:02}/{month:02}/{year}" if random.random() < 0.5 else f"{day}/{month}/{year % 100:02}"
        sheet.number(date, random.uniform(0, 1.5), row * pitch, slash=size)
        sheet.lines.append(date.replace("/", ""))


def slashed_zeros(sheet: Sheet) -> None:
    random, pitch = sheet.random, sheet.random.uniform(1.7, 2.4)
    sheet.pen = min(sheet.pen, 0.08)  # a wider one fills the halves of a zero
    for row in range(int(random.integers(2, 6))):
        digits = list(sheet.digits(4, 6))
        for place in random.permutation(len(digits))[: int(random.integers(1, 3))]:
            digits[place] = "0"
        sheet.lines.append("".join(digits))
        sheet.number(sheet.lines[-1], random.uniform(0, 1.2), row * pitch, strike_zeros=True)


def words_and_numbers(sheet: Sheet, numbers: int = 5) -> None:
    random, wide, pitch = sheet.random, sheet.random.uniform(11, 22), sheet.random.uniform(1.8, 2.4)
    tokens = [str(word) for word in random.choice(WORDS, int(random.integers(9, 26)))]
    tokens += [sheet.digits(2, 5) for _ in range(numbers)]
    x, y, line = 0.0, 0.0, ""
    for place in random.permutation(len(tokens)):
        token = tokens[place]
        if x > wide - (0.8 * len(token) if token.isdigit() else 0.4 * len(token)):
            sheet.lines.append(line)
            x, y, line = 0.0, y + pitch, ""
        if token.isdigit():
            x, line = sheet.number(token, x, y), line + token
        else:
            x = sheet.word(token, x, y + 0.15)
        x += random.uniform(0.6, 0.9)
    sheet.lines.append(line)


def words(sheet: Sheet) -> None:
    words_and_numbers(sheet, numbers=0)


def drawings(sheet: Sheet) -> None:
    random, cell = sheet.random, sheet.random.uniform(4, 8)
    columns, rows = (int(count) for count in random.integers(1, 4, 2))
    subjects = random.permutation(len(SKETCHES))[: columns * rows]
    for place, subject in enumerate(subjects):
        size, turn = cell * random.uniform(0.45, 0.7), random.normal(0, 0.1)
        if SKETCHES[subject] is arrow:
            turn = random.uniform(0, 2 * np.pi)
        shape = size * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        shape = np.diag(random.uniform(0.8, 1.1, 2) * [random.choice([-1, 1]), 1]) @ shape
        middle = cell * (np.array([place % columns, place // columns]) + random.uniform(-0.07, 0.07, 2))
        for line in SKETCHES[subject](random):
            sheet.by_hand((np.array(line, float) - 0.5) @ shape + middle)


def _on(draw: Callable[[Sheet], None], look: Look) -> Compose:
    def compose(writers: Writers, random: Random) -> tuple[np.ndarray, str]:
        sheet = Sheet(writers[int(random.integers(len(writers)))], random)
        draw(sheet)
        return sheet.seen(look)

    return compose


KINDS: dict[str, Compose] = {
    "combs": _on(combs, Look()),
    "boxes": _on(boxes, Look()),
    "a form row of 8 cells": _on(form_row, Look(margins=(-0.1, 0.14), turn=1.5)),
    "a sudoku": _on(sudoku, Look(heights=(24, 54), margins=(0.2, 1.5))),
    "two columns": _on(two_columns, Look(heights=(24, 90))),
    "a marks table": _on(marks_table, Look(heights=(24, 54))),
    "slashes as short as the digits": _on(short_slashes, Look()),
    "slashed zeros": _on(slashed_zeros, Look()),
    "letters and five numbers": _on(words_and_numbers, Look(heights=(24, 60))),
    "letters alone": _on(words, Look(heights=(24, 60))),
    "drawings": _on(drawings, Look(heights=(24, 70), margins=(0.5, 2.0))),
}


def _contact_sheet(pages: list[np.ndarray]) -> np.ndarray:
    """Return six pages in two rows, each fitted into a field of 600 by 450 pixels."""
    sheet = np.full((2 * 460, 3 * 610, 3), 128, np.uint8)
    for place, page in enumerate(pages):
        scale = min(600 / page.shape[1], 450 / page.shape[0], 2.0)
        small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y = place % 3 * 610, place // 3 * 460
        field = sheet[y : y + small.shape[0], x : x + small.shape[1]]
        field[:] = small if small.ndim == 3 else small[..., np.newaxis]
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="pen strokes with a writer")
    parser.add_argument("--held-out", action="store_true", help="every fourth writer alone")
    parser.add_argument("--keep", type=Path, required=True, help="a folder for six pages of each kind")
    options = parser.parse_args()
    by_writer: dict[str, Drawings] = defaultdict(lambda: defaultdict(list))
    for drawing in pens.read(options.source, held_out=options.held_out):
        by_writer[drawing["writer"]][drawing["label"]].append(drawing)
    writers = list(by_writer.values())
    options.keep.mkdir(parents=True, exist_ok=True)
    for kind, (name, compose) in enumerate(KINDS.items()):
        pages = [compose(writers, np.random.default_rng([kind, page]))[0] for page in range(6)]
        cv2.imwrite(str(options.keep / f"{name}.png"), _contact_sheet(pages))


if __name__ == "__main__":
    main()
