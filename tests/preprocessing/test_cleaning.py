import numpy as np
import pytest

from digitcli.datasets.strokes import draw_stroke
from digitcli.preprocessing.cleaning import clean

THREE = np.array([[110, 70], [180, 70], [140, 130], [185, 160], [150, 200], [105, 185]], float)


def three() -> np.ndarray:
    canvas = np.zeros((280, 280), np.uint8)
    draw_stroke(canvas, THREE, 12)
    return canvas


def agreement(found: np.ndarray) -> float:
    true = three() >= 128
    return float(((found >= 128) & true).sum() / ((found >= 128) | true).sum())


def test_a_lone_digit_stays_what_it_is() -> None:
    ink = three()
    assert clean(ink) is ink


@pytest.mark.parametrize("strength", [90, 255])
@pytest.mark.parametrize("grid", [False, True], ids=["ruled", "grid"])
def test_ruled_lines_go_and_what_crosses_them_stays(strength: int, grid: bool) -> None:
    ink = three()
    for place in range(15, 280, 32):
        line = ink[place : place + 2]
        np.maximum(line, strength, out=line)
        if grid:
            line = ink[:, place : place + 2]
            np.maximum(line, strength, out=line)
    assert agreement(clean(ink)) > 0.9


def test_a_slanted_line_goes() -> None:
    ink = three()
    draw_stroke(ink, np.array([[0, 128], [280, 134]], float), 3)
    assert agreement(clean(ink)) > 0.9


def test_remnants_at_the_border_and_specks_go() -> None:
    ink = three()
    ink[:, :6] = 255
    ink[270:, 40:] = 255
    for y, x in ((30, 30), (60, 240), (240, 60)):
        ink[y : y + 5, x : x + 5] = 255
    assert agreement(clean(ink)) > 0.99
    assert clean(ink, specks=False)[32, 32] == 255


def test_a_one_from_border_to_border_is_no_line() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[:, 49:52] = 255
    assert (clean(ink) == ink).all()
