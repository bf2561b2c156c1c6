"""Forms, tables and other written pages on which readers are measured; nothing is ever trained on them.

Each kind composes one page from the pen strokes of one writer: the picture, and its digits in reading order.
"""

from collections.abc import Callable

import cv2
import numpy as np
from sheets import WORDS, Drawings, Sheet

Writers = list[Drawings]
Compose = Callable[[Writers, np.random.Generator], tuple[np.ndarray, str]]


def _writer(writers: Writers, random: np.random.Generator) -> Drawings:
    return writers[int(random.integers(len(writers)))]


def combs(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    numbers, width = int(random.integers(1, 3)), random.uniform(0.95, 1.6)
    counts = random.integers(3, 11, numbers)
    sheet = Sheet(_writer(writers, random), random, size=(width * max(counts) + 2.4, 2.4 * numbers + 0.9))
    line, tooth, over = int(random.integers(1, 5)), random.uniform(0.05, 1.3), random.uniform(0, 0.4)
    texts = []
    for row, count in enumerate(counts):
        base, text = 1.9 + 2.4 * row, sheet.digits(count)
        for place, digit in enumerate(text):
            sheet.put(int(digit), 1.1 + width * (place + 0.5), base - 0.62, size=0.9, room=width)
        left, right = 1.1, 1.1 + width * count
        is_open = random.random() < 0.15  # teeth without a base line
        if not is_open:
            sheet.rule(left - over, base, right + over, base, line)
        for place in range(count + 1):
            sheet.rule(left + width * place, base - tooth, left + width * place, base, line)
        texts.append(text)
    return sheet.picture(), "\n".join(texts)


def boxes(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    count, width, height = int(random.integers(3, 11)), random.uniform(1.05, 1.5), random.uniform(1.2, 1.7)
    gap = 0.0 if random.random() < 0.3 else random.uniform(0.04, 0.5)
    sheet = Sheet(_writer(writers, random), random, size=((width + gap) * count + 2, height + 1.8))
    line, text = int(random.integers(1, 5)), sheet.digits(count)
    is_round = random.random() < 0.2
    for place, digit in enumerate(text):
        left, right = 1 + (width + gap) * place, 1 + (width + gap) * place + width
        sheet.put(int(digit), (left + right) / 2, 0.9 + height / 2, size=0.88, room=width)
        if is_round:
            corners = [round(value * sheet.unit) for value in (left, 0.9, right, 0.9 + height)]
            _round_box(sheet.ruled, corners, round(0.2 * sheet.unit), line)
        else:
            sheet.lattice([left, right], [0.9, 0.9 + height], line)
    return sheet.picture(), text


def _round_box(layer: np.ndarray, corners: list[int], radius: int, line: int) -> None:
    left, top, right, bottom = corners
    inner = (left + radius, top + radius, right - radius, bottom - radius)
    for x, y, start in ((0, 1, 180), (2, 1, 270), (2, 3, 0), (0, 3, 90)):
        cv2.ellipse(
            layer, (inner[x], inner[y]), (radius, radius), 0, start, start + 90, 255, line, cv2.LINE_AA
        )
    for ends in (
        ((inner[0], top), (inner[2], top)),
        ((inner[0], bottom), (inner[2], bottom)),
        ((left, inner[1]), (left, inner[3])),
        ((right, inner[1]), (right, inner[3])),
    ):
        cv2.line(layer, *ends, 255, line, cv2.LINE_AA)


def row_of_eight(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    width, height = random.uniform(1.0, 1.4), random.uniform(1.15, 1.5)
    margins = random.uniform(-0.02, 0.12, 4)
    size = (8 * width + margins[0] + margins[1], height + margins[2] + margins[3])
    sheet = Sheet(_writer(writers, random), random, size=size, most=900)
    line, text = int(random.integers(1, 4)), sheet.digits(8)
    for place, digit in enumerate(text):
        middle = margins[0] + width * (place + 0.5)
        sheet.put(int(digit), middle, margins[2] + height / 2, size=0.82, room=width)
    columns = [margins[0] + width * place for place in range(9)]
    sheet.lattice(columns, [margins[2], margins[2] + height], line)
    return sheet.picture(turn=0.5), text


def sudoku(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    cell, around = random.uniform(1.3, 1.7), random.uniform(0.2, 1.2)
    sheet = Sheet(_writer(writers, random), random, size=(9 * cell + 2 * around,) * 2, most=1000)
    digits, order = random.permutation(9) + 1, [random.permutation(9) for _ in range(2)]
    filled = random.permutation(81)[: int(random.integers(17, 61))]
    rows = ["" for _ in range(9)]
    for place in sorted(filled.tolist()):
        row, column = divmod(place, 9)
        digit = int(digits[(3 * (order[0][row] % 3) + order[0][row] // 3 + order[1][column]) % 9])
        sheet.put(digit, around + cell * (column + 0.5), around + cell * (row + 0.5), size=0.85, room=cell)
        rows[row] += str(digit)
    places = [around + cell * place for place in range(10)]
    thin = int(random.integers(1, 3))
    sheet.lattice(places, places, thin)
    sheet.lattice(places[::3], places[::3], thin + int(random.integers(1, 4)))
    return sheet.picture(), "\n".join(filter(None, rows))


def two_columns(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    counts = random.integers(3, 7, 2)
    sheet = Sheet(_writer(writers, random), random, size=(14, 2.1 * max(counts) + 1.8))
    texts = []
    for column, count in enumerate(counts):
        step = 2.1 * max(counts) / count if random.random() < 0.5 else random.uniform(1.6, 2.1)
        first = random.uniform(0.5, 1.1) + 0.55 * column
        for row in range(count):
            text = sheet.digits(int(random.integers(2, 5)))
            sheet.write(text, 0.7 + 8.6 * column + random.uniform(0, 0.3), first + step * row, size=0.9)
            texts.append(text)
    return sheet.picture(), "\n".join(texts)


def marks_table(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    rows, columns = int(random.integers(4, 9)), int(random.integers(2, 5))
    most = int(random.integers(1, 4))
    height, width, names = random.uniform(1.5, 1.9), 1.1 + 0.95 * most + random.uniform(0, 0.6), 4.9
    sheet = Sheet(
        _writer(writers, random), random, size=(names + width * columns + 1.2, height * (rows + 1) + 1.2)
    )
    by_hand = bool(random.random() < 0.5)
    texts = []
    for row in range(rows + 1):
        base = 0.6 + height * row + 0.72 * height
        for column in range(columns + 1):
            left = 0.6 + (names + width * (column - 1) if column else 0.0)
            if row == 0 or column == 0:
                word = WORDS[int(random.integers(len(WORDS)))][: 9 if column == 0 else 4]
                sheet.word(word, left + 0.2, base, size=0.45, by_hand=by_hand)
                continue
            text = sheet.digits(int(random.integers(1, most + 1)))
            sheet.write(text, left + 0.35, base - 0.72, size=0.78)
            texts.append(text if column == 1 else texts.pop() + text)
    places = [0.6, *(0.6 + names + width * column for column in range(columns + 1))]
    sheet.lattice(places, [0.6 + height * row for row in range(rows + 2)], int(random.integers(1, 4)))
    return sheet.picture(), "\n".join(texts)


def short_slashes(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    count = int(random.integers(1, 5))
    sheet = Sheet(_writer(writers, random), random, size=(13.5, 2 * count + 1))
    texts = []
    for row in range(count):
        lengths = [(2, 2, 4), (1, 1, 2), (2, 1, 4), (1, 2, 2)][int(random.integers(4))]
        parts = [sheet.digits(length) for length in lengths]
        x, y = 0.7, 0.7 + 2 * row
        for number, part in enumerate(parts):
            if number:
                high = random.uniform(0.85, 1.0)
                lean = random.uniform(0.25, 0.5)
                slash = np.array([[lean, 0.0], [0.0, high]]) + random.normal(0, 0.02, (2, 2))
                x += 0.05 + sheet.draw([slash], x, y + (1 - high) / 2) + random.uniform(0.12, 0.3)
            x = sheet.write(part, x, y)
        texts.append("".join(parts))
    return sheet.picture(), "\n".join(texts)


def slashed_zeros(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    count = int(random.integers(2, 6))
    sheet = Sheet(_writer(writers, random), random, size=(10.5, 1.9 * count + 1))
    texts = []
    for row in range(count):
        digits = list(sheet.digits(int(random.integers(4, 7))))
        digits[int(random.integers(len(digits)))] = "0"
        x, y = 0.7, 0.6 + 1.9 * row
        for digit in digits:
            strokes = sheet.digit(int(digit))
            if digit == "0":
                points = np.concatenate(strokes)
                middle, half = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0) / 2
                reach = half * random.uniform(0.65, 1.2)
                strokes = [*strokes, np.array([middle + reach * [-1, 1], middle + reach * [1, -1]])]
                left = min(0.0, float(strokes[-1][:, 0].min()))
                strokes = [stroke - [left, 0] for stroke in strokes]
            x += sheet.draw(strokes, x, y) + random.uniform(0.15, 0.35)
        texts.append("".join(digits))
    return sheet.picture(), "\n".join(texts)


def letters_and_numbers(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    return _page_of_words(writers, random, numbers=5)


def letters_alone(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    return _page_of_words(writers, random, numbers=0)


def _page_of_words(writers: Writers, random: np.random.Generator, numbers: int) -> tuple[np.ndarray, str]:
    lines, width = int(random.integers(4, 9)), 20.0
    sheet = Sheet(_writer(writers, random), random, size=(width, 2 * lines + 0.8))
    by_hand, size = bool(random.random() < 0.6), random.uniform(0.7, 0.95)
    per_line = 3
    chosen = set(random.permutation(per_line * lines)[:numbers].tolist())
    texts = []
    for line in range(lines):
        x, in_line = 0.6, ""
        for word in range(per_line):
            if line * per_line + word in chosen:
                text = sheet.digits(int(random.integers(2, 6)))
                x = sheet.write(text, x, 0.75 + 2 * line, size=0.85)
                in_line += text
            else:
                text = WORDS[int(random.integers(len(WORDS)))]
                x = sheet.word(text, x, 1.6 + 2 * line, size=size, by_hand=by_hand)
            x += random.uniform(0.5, 0.8)
        texts.append(in_line)
    return sheet.picture(), "\n".join(filter(None, texts))


def drawings(writers: Writers, random: np.random.Generator) -> tuple[np.ndarray, str]:
    sheet = Sheet(_writer(writers, random), random, size=(10, 8))
    for place in random.permutation(12)[: int(random.integers(3, 8))]:
        row, column = divmod(int(place), 4)
        shape = SHAPES[int(random.integers(len(SHAPES)))]
        size = random.uniform(1.2, 2.0) * np.exp(random.normal(0, 0.15, 2))
        at = np.array([0.4 + 2.4 * column, 0.4 + 2.5 * row])
        for stroke in shape(random):
            bent = stroke * size + random.normal(0, 0.015, stroke.shape)
            sheet.draw([bent], *at)
    return sheet.picture(), ""


def _circle(x: float, y: float, radius: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def _house(_: np.random.Generator) -> list[np.ndarray]:
    walls = np.array([[0.1, 1], [0.1, 0.45], [0.5, 0.05], [0.9, 0.45], [0.9, 1], [0.1, 1]])
    return [
        walls,
        np.array([[0.1, 0.45], [0.9, 0.45]]),
        np.array([[0.4, 1], [0.4, 0.7], [0.6, 0.7], [0.6, 1]]),
    ]


def _face(_: np.random.Generator) -> list[np.ndarray]:
    smile = np.array([[0.3, 0.65], [0.4, 0.75], [0.6, 0.75], [0.7, 0.65]])
    return [_circle(0.5, 0.5, 0.48), _circle(0.33, 0.4, 0.05), _circle(0.67, 0.4, 0.05), smile]


def _arrow(random: np.random.Generator) -> list[np.ndarray]:
    turn = random.uniform(0, 2 * np.pi)
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    lines = [np.array([[-0.5, 0], [0.5, 0]]), np.array([[0.25, -0.2], [0.5, 0], [0.25, 0.2]])]
    return [line @ turning + 0.5 for line in lines]


def _tree(random: np.random.Generator) -> list[np.ndarray]:
    angles = np.linspace(0, 2 * np.pi, 30)
    radius = 0.3 + 0.05 * np.sin(7 * angles)
    crown = np.stack([0.5 + radius * np.cos(angles), 0.35 + radius * np.sin(angles)], axis=1)
    return [crown, np.array([[0.45, 0.64], [0.42, 1]]), np.array([[0.55, 0.64], [0.6, 1]])]


def _star(_: np.random.Generator) -> list[np.ndarray]:
    angles = np.pi * (0.5 + 0.8 * np.arange(6))
    return [np.stack([0.5 + 0.5 * np.cos(angles), 0.5 - 0.5 * np.sin(angles)], axis=1)]


def _graph(random: np.random.Generator) -> list[np.ndarray]:
    x = np.linspace(0.05, 0.95, 30)
    curve = 0.5 + 0.3 * np.sin(x * random.uniform(5, 12) + random.uniform(0, 6))
    return [np.array([[0.05, 0], [0.05, 0.95], [1, 0.95]]), np.stack([x, curve], axis=1)]


def _spiral(_: np.random.Generator) -> list[np.ndarray]:
    angles = np.linspace(0, 8 * np.pi, 120)
    return [np.stack([0.5 + 0.02 * angles * np.cos(angles), 0.5 + 0.02 * angles * np.sin(angles)], axis=1)]


def _hatching(random: np.random.Generator) -> list[np.ndarray]:
    lean = random.uniform(0.2, 0.5)
    return [np.array([[x + lean, 0.1], [x, 0.9]]) for x in np.linspace(0, 0.7, 7)]


def _scribble(random: np.random.Generator) -> list[np.ndarray]:
    y = np.linspace(0.2, 0.8, 24)
    return [np.stack([0.5 + 0.45 * (-1) ** np.arange(24) * random.uniform(0.7, 1, 24), y], axis=1)]


def _circuit(_: np.random.Generator) -> list[np.ndarray]:
    zigzag = np.array(
        [[0, 0.5], [0.2, 0.5], [0.25, 0.35], [0.35, 0.65], [0.45, 0.35], [0.55, 0.65], [0.6, 0.5]]
    )
    return [zigzag, np.array([[0.6, 0.5], [0.8, 0.5]]), _circle(0.9, 0.5, 0.1)]


SHAPES = (_house, _face, _arrow, _tree, _star, _graph, _spiral, _hatching, _scribble, _circuit)

KINDS: dict[str, Compose] = {
    "combs of any kind": combs,
    "boxes of any kind": boxes,
    "a form row of 8 cells": row_of_eight,
    "a sudoku": sudoku,
    "two columns": two_columns,
    "a marks table": marks_table,
    "dates with short slashes": short_slashes,
    "slashed zeros": slashed_zeros,
    "letters and five numbers": letters_and_numbers,
    "letters alone": letters_alone,
    "drawings": drawings,
}
