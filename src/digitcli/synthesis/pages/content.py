"""What stands on generated pages: numbers, sums, forms, ruled sheets, words, drawings."""

from collections.abc import Callable

import cv2
import numpy as np

from digitcli.config import marks as kinds
from digitcli.synthesis.pages.cells import cells
from digitcli.synthesis.pages.marks import BOX
from digitcli.synthesis.pages.scene import CONTENT, Scene, write_lines
from digitcli.synthesis.pages.tables import table
from digitcli.synthesis.pages.texts import number, with_signs, word
from digitcli.synthesis.pages.writing import Hand, Line
from digitcli.synthesis.writing_styles import curve, turning


def numbers(scene: Scene) -> None:
    """Numbers in lines, apart or touching; or single digits here and there."""
    random = scene.random
    hand = scene.pen()
    spacing = hand.height * random.uniform(*CONTENT.spacing)
    digits = 1 if random.random() < 0.2 else 10
    write_lines(scene, lambda: number(random, digits), hand, scene.starts(spacing))
    if random.random() < 0.15:
        decorate(scene)


def sums(scene: Scene) -> None:
    """Numbers with signs: amounts, dates, times, sums."""
    random = scene.random
    hand = scene.pen()
    spacing = hand.height * random.uniform(*CONTENT.spacing)
    write_lines(
        scene,
        lambda: with_signs(random) if random.random() < 0.85 else number(random, 6),
        hand,
        scene.starts(spacing),
    )
    if random.random() < 0.25:
        underline(scene, hand)


def printed(scene: Scene) -> None:
    """Printed numbers, with printed words before them or without."""
    random = scene.random
    hand = scene.pen(printed=True)
    for start in scene.starts(hand.height * random.uniform(1.4, 2.4)):
        line = Line(scene.sheet, hand, start, random)
        while line.x < scene.sheet.width:
            if random.random() < 0.35:
                line.write_word(word(random) + " ")
            line.write(with_signs(random) if random.random() < 0.3 else number(random), 0.0)
            line.x += hand.height * random.uniform(0.4, 2.5)


def letters(scene: Scene, numbers_share: float | None = None) -> None:
    """Words, by hand or printed, among which there may be numbers by the same hand or another."""
    random = scene.random
    hand = scene.pen(printed=random.random() < 0.4)
    other = scene.pen() if random.random() < 0.5 else hand
    if numbers_share is None:
        numbers_share = random.choice([0.0, 0.0, 0.15, 0.4])
    gap = scene.gap()
    is_print = hand.face is not None
    joined = not is_print and random.random() < 0.4
    scrawled = random.uniform(0, 0.7) if not is_print and random.random() < 0.25 else 0.0
    for start in scene.starts(hand.height * random.uniform(1.1 if is_print else 1.5, 2.6)):
        line = Line(scene.sheet, hand, start, random)
        while line.x < scene.sheet.width:
            if random.random() < numbers_share:
                along = line.x + 0.3 * hand.height
                figures = Line(scene.sheet, other, start + scene.along() * along, random)
                figures.write(with_signs(random) if random.random() < 0.3 else number(random, 6), gap)
                line.x = along + figures.x
            elif random.random() < scrawled:
                line.write_scrawl(int(random.integers(2, 9)))
            else:
                line.write_word(word(random), joined=joined)
            line.x += hand.height * random.uniform(0.3, 0.9)


def ruled(scene: Scene) -> None:
    """Numbers on ruled or squared paper, with a margin or without."""
    random, sheet = scene.random, scene.sheet
    scene.direction = random.normal(0, 0.08)
    layer, width = scene.press(), min(scene.ruling(), 2.5)
    hand = scene.pen()
    spacing = hand.height * random.uniform(*CONTENT.spacing)
    along = scene.along()
    across = np.array([-along[1], along[0]])
    is_squared = random.random() < 0.35
    distance = spacing / random.integers(2, 6) if is_squared else spacing
    middle = np.array([sheet.width, sheet.height]) / 2
    reach = float(np.hypot(*middle)) + spacing
    starts = scene.starts(spacing)
    offset = (starts[0] - middle) @ across + hand.height * random.uniform(-0.1, 0.3)
    for place in np.arange(-reach + (offset + reach) % distance, reach, distance):
        sheet.draw_path(
            layer,
            np.stack([middle + across * place - along * reach, middle + across * place + along * reach]),
            width,
        )
        if is_squared:
            sheet.draw_path(
                layer,
                np.stack([middle + along * place - across * reach, middle + along * place + across * reach]),
                width,
            )
    if random.random() < 0.3:
        x = random.uniform(0, 0.3) * sheet.width
        sheet.draw_path(
            scene.press(),
            np.stack([np.array([x, 0.0]), np.array([x, 0.0]) + across * 2 * reach]),
            width * 1.3,
        )
    write_lines(scene, lambda: number(random) if random.random() < 0.8 else with_signs(random), hand, starts)


def tight(scene: Scene) -> None:
    """A number that fills the picture, as cropped from a form or a cheque."""
    random, sheet = scene.random, scene.sheet
    scene.direction = random.normal(0, 0.04)
    height = sheet.height * random.uniform(0.55, 1.0)
    hand = scene.pen(height)
    if random.random() < 0.5:
        layer, width = scene.press(), min(scene.ruling(), 3.0)
        y = sheet.height * random.uniform(0.75, 1.0)
        ends = np.array([[0.0, y], [sheet.width, y + random.normal(0, 3)]])
        sheet.draw_path(layer, ends, width)
        if random.random() < 0.3:
            x = sheet.width * random.uniform(0, 0.1)
            sheet.draw_path(layer, np.array([[x, 0.0], [x + random.normal(0, 3), sheet.height]]), width)
    start = np.array(
        [random.uniform(-0.15, 0.3) * height, (sheet.height + height) / 2 + random.normal(0, 0.06) * height]
    )
    line = Line(sheet, hand, start, random, random.uniform(0, CONTENT.wave))
    line.write(number(random) if random.random() < 0.7 else with_signs(random), scene.gap() * 0.6)


def large(scene: Scene) -> None:
    """One digit that fills the picture, or nearly."""
    random, sheet = scene.random, scene.sheet
    scene.direction = random.normal(0, 0.08)
    height = min(sheet.height, sheet.width) * random.uniform(0.5, 1.0)
    hand = scene.pen(height, printed=random.random() < 0.08)
    x = (sheet.width - 0.65 * height) / 2 + random.normal(0, 0.08) * height
    y = (sheet.height + height) / 2 + random.normal(0, 0.04) * height
    Line(sheet, hand, np.array([x, y]), random).write(str(random.integers(10)), 0)


def close_up(scene: Scene) -> None:
    """Strokes of a digit that is much larger than the picture: no digit is to be found in it."""
    random, sheet = scene.random, scene.sheet
    height = max(sheet.height, sheet.width) * random.uniform(1.6, 5)
    hand = scene.pen(height)
    start = np.array([random.uniform(-0.6, 0.4) * height, sheet.height + random.uniform(0, 0.8) * height])
    Line(sheet, hand, start, random).write(str(random.integers(10)), 0)


def clutter(scene: Scene) -> None:
    """No digit: scribbles, drawings, lines, marks, empty cells, or nothing at all."""
    random, sheet = scene.random, scene.sheet
    for _ in range(int(random.integers(0, 4))):
        decorate(scene)
    if random.random() < 0.5:
        hand = scene.pen()
        for _ in range(int(random.integers(1, 7))):
            others = scene.library.others
            mark = others[int(random.integers(len(others)))]
            size = scene.height * random.uniform(0.5, 2)
            shape = np.eye(2) * size / BOX
            middle = random.uniform(0, [sheet.width, sheet.height])
            sheet.stamp(hand.layer, mark, shape, middle, hand.pen, kinds.OTHER)
    if random.random() < 0.15:
        scene.height *= 0.6
        letters(scene, 0.0)


def things(scene: Scene) -> None:
    """No paper at all; what is there is drawn under the writing. Words may stand on it, as on a label."""
    if scene.random.random() < 0.15:
        scene.height *= 0.6
        letters(scene, 0.0)


def decorate(scene: Scene) -> None:
    """Add something that is no mark: a scribble, long lines, a shape, shading, a blot."""
    random, sheet = scene.random, scene.sheet
    hand = scene.pen()
    side = np.array([sheet.width, sheet.height])
    choice = random.random()
    if choice < 0.35:  # a scribble
        middle, extent = random.uniform(0, side), scene.height * random.uniform(0.6, 4)
        points = middle + random.uniform(-1, 1, (int(random.integers(5, 18)), 2)) * extent
        sheet.draw_path(hand.layer, curve(points), 2 * hand.pen)
    elif choice < 0.6:  # long lines
        for _ in range(int(random.integers(1, 5))):
            points = random.uniform(-0.2, 1.2, (int(random.integers(2, 4)), 2)) * side
            sheet.draw_path(hand.layer, curve(points), 2 * hand.pen)
    elif choice < 0.8:  # shading
        middle, extent = random.uniform(0, side), scene.height * random.uniform(0.5, 2)
        turns = np.arange(int(random.integers(6, 20)))
        points = np.stack([(turns % 2 - 0.5) * 2 * extent, (turns / len(turns) - 0.5) * 2 * extent], axis=1)
        turned = points @ turning(random.uniform(0, np.pi))
        sheet.draw_path(hand.layer, middle + turned, 2 * hand.pen)
    else:  # a shape that is filled
        middle, extent = random.uniform(0, side), scene.height * random.uniform(0.1, 1.5)
        angles = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(3, 9))))
        points = middle + extent * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        part = np.zeros((sheet.height, sheet.width), np.uint8)
        cv2.fillPoly(part, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        ink = sheet.layers[hand.layer].ink
        np.maximum(ink, part.astype(np.float32) / 255, out=ink)


def underline(scene: Scene, hand: Hand) -> None:
    """Draw a line by hand across the sheet."""
    random, sheet = scene.random, scene.sheet
    y = random.uniform(0.2, 1) * sheet.height
    x = np.sort(random.uniform(-0.1, 1.1, 2)) * sheet.width
    points = np.array([[x[0], y], [x.mean(), y + random.normal(0, 2)], [x[1], y + random.normal(0, 5)]])
    sheet.draw_path(hand.layer, curve(points), 2 * hand.pen)


KINDS: dict[str, Callable[[Scene], None]] = {
    "numbers": numbers,
    "signs": sums,
    "cells": cells,
    "table": table,
    "ruled": ruled,
    "tight": tight,
    "large": large,
    "close-up": close_up,
    "printed": printed,
    "letters": letters,
    "no digits": clutter,
    "things": things,
}
