import json
from pathlib import Path

import cv2
import numpy as np
import pens
import pytest
from conftest import Command

from digitcli import Recognizer
from digitcli.datasets.strokes import draw_stroke
from digitcli.recognition.pretrained import PRETRAINED_MODEL

PEN = 8
SYMBOLS = {  # in a box that is as high as digits are
    "/": [(0.4, -0.2), (0.0, 1.2)],
    "\\": [(0.0, -0.2), (0.4, 1.2)],
    "|": [(0.0, -0.25), (0.02, 1.25)],
    "(": [(0.25, -0.2), (0.06, 0.15), (0.0, 0.5), (0.06, 0.85), (0.25, 1.2)],
    ")": [(0.0, -0.2), (0.19, 0.15), (0.25, 0.5), (0.19, 0.85), (0.0, 1.2)],
    "v": [(0.0, 0.6), (0.2, 1.0), (0.75, 0.0)],
    "V": [(0.0, 0.45), (0.22, 1.0), (0.5, 0.4), (0.8, -0.2)],
}


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL, detector="none")


def written(text: str, *, height: float = 100.0, ones: float = 1.0, low: float = 0.0) -> np.ndarray:
    """Write digits and symbols, black on white; ones are `ones` as high, and stand lower by a share of it."""
    canvas = np.zeros((int(3 * height), int(height * (1 + 1.3 * len(text)))), np.uint8)
    x = height / 2
    for character in text:
        if character.isdigit():
            high = height * (ones if character == "1" else 1.0)
            down = height * (1 + (low if character == "1" else 0.0))
            strokes = pens.strokes(int(character), left=x, top=down + height - high, height=high)
        else:
            strokes = [[(x + a * height, height + b * height) for a, b in SYMBOLS[character]]]
        points = [np.array(stroke) for stroke in strokes]
        for stroke in points:
            draw_stroke(canvas, stroke, PEN)
        x = max(float(stroke[:, 0].max()) for stroke in points) + 0.35 * height
    return 255 - canvas


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("31/12/2024", "31122024"),
        ("3/4", "34"),
        ("1/2", "12"),
        ("1)", "1"),
        ("2)345", "2345"),
        ("(1)", "1"),
        ("(030)8514", "0308514"),
        ("25|36", "2536"),
        ("25\\36", "2536"),
        ("704v", "704"),
        ("704V", "704"),
        ("v", ""),
    ],
)
def test_slashes_brackets_bars_and_ticks_are_no_digits(reader: Recognizer, text: str, digits: str) -> None:
    assert [reader.read(written(text, height=height)).text for height in (60.0, 100.0)] == [digits] * 2


@pytest.mark.parametrize("text", ["1", "11", "111", "101", "7141", "2112", "110001"])
@pytest.mark.parametrize(("ones", "low"), [(1.0, 0.0), (1.3, 0.0), (1.1, 0.0), (1.3, 0.25), (0.8, 0.0)])
def test_ones_stay_however_tall_or_low(reader: Recognizer, text: str, ones: float, low: float) -> None:
    assert reader.read(written(text, ones=ones, low=low)).text == text


def test_a_tick_much_taller_than_the_ones_beside_it(reader: Recognizer) -> None:
    canvas = np.zeros((400, 600), np.uint8)
    for left in (180, 220):
        draw_stroke(canvas, np.array([(left, 150.0), (left, 210.0)]), PEN)
    draw_stroke(canvas, np.array(SYMBOLS["v"]) * 220 + [250, 70], PEN)
    assert reader.read(255 - canvas).text == "11"


@pytest.mark.parametrize("bowl", [(16, 13), (18, 12), (20, 11)])
def test_a_six_with_a_small_bowl_is_no_tick(reader: Recognizer, bowl: tuple[int, int]) -> None:
    canvas = np.hstack([255 - written("25"), np.zeros((300, 160), np.uint8)])
    cv2.line(canvas, (415, 105), (368, 180), 255, 15, cv2.LINE_AA)
    cv2.line(canvas, (368, 180), (342, 182), 255, 15, cv2.LINE_AA)
    cv2.ellipse(canvas, (374, 190), bowl, 0, 0, 360, 255, 15, cv2.LINE_AA)
    assert reader.read(255 - canvas).text == "256"


@pytest.mark.parametrize("width", [24, 28, 32])
@pytest.mark.parametrize("flag", [(-45, 62), (-50, 70), (-40, 70)])
def test_a_one_whose_flag_is_one_with_its_stem_is_no_tick(
    reader: Recognizer, width: int, flag: tuple[int, int]
) -> None:
    canvas = np.hstack([255 - written("25"), np.zeros((300, 160), np.uint8)])
    cv2.line(canvas, (410, 110), (390, 190), 255, width, cv2.LINE_AA)
    cv2.line(canvas, (410, 110), (410 + flag[0], 100 + flag[1]), 255, width, cv2.LINE_AA)
    found = reader.read(255 - canvas)
    assert len(found.digits) == 3  # what it is, is for the network to say


def test_predict_leaves_them_out(digitcli: Command, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "date.png"), written("24/12"))
    outcome = digitcli("predict", "--json", str(tmp_path / "date.png"))
    assert outcome.status == 0
    assert json.loads(outcome.stdout)["text"] == "2412"
