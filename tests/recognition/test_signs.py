"""Signs beside digits."""

import numpy as np
import pytest

from digitcli.recognition.reading import Symbol, with_symbols
from digitcli.recognition.signs import distinct, placed

DIGITS = np.array([[10, 10, 14, 20], [40, 10, 14, 20], [10, 60, 14, 20], [40, 60, 14, 20]], np.float32)
LINES = [[0, 1], [2, 3]]


def test_a_sign_is_of_the_line_whose_digits_are_beside_it() -> None:
    signs = np.array(
        [[30, 27, 3, 3], [2, 68, 5, 3], [60, 8, 8, 24], [200, 15, 5, 5], [30, 43, 3, 3]], np.float32
    )
    assert placed(signs, DIGITS, LINES) == [(0, 1), (1, 0), (0, 2), (None, 0), (None, 0)]


def test_boxes_near_each_other_are_of_the_same_sign() -> None:
    boxes = np.array(
        [[46, 53, 27, 11], [43, 58, 24, 14], [211, 88, 5, 6], [208, 78, 11, 9], [225, 88, 5, 6]], np.float32
    )
    none = np.empty((0, 4), np.float32)
    assert distinct(boxes, none).tolist() == [0, 2, 4]
    assert distinct(boxes[:0], none).tolist() == []


def test_a_point_that_was_seen_twice_is_one() -> None:
    points = np.array([[212, 85, 4, 6], [213, 95, 3, 2], [240, 85, 4, 6]], np.float32)
    digits = np.array([[139, 27, 56, 62], [250, 30, 69, 62]], np.float32)
    assert distinct(points, digits).tolist() == [0, 2]


def test_signs_on_a_page_without_digits() -> None:
    assert placed(np.ones((2, 4), np.float32), np.empty((0, 4), np.float32), []) == [(None, 0)] * 2


@pytest.mark.parametrize(
    ("digits", "signs", "text"),
    [
        ("125", [("decimal", 2)], "12.5"),
        ("42", [("minus", 0)], "-42"),
        ("1205", [("slash", 2)], "12/05"),
        ("1205", [("minus", 2)], "12-05"),
        ("12", [("decimal", 0), ("slash", 2), ("plus", 1)], "12"),
        ("", [("minus", 0)], ""),
    ],
)
def test_a_minus_stands_before_a_digit_and_others_between_two(
    digits: str, signs: list[tuple[str, int]], text: str
) -> None:
    symbols = [Symbol(name, 1.0, (0, 0, 1, 1), 0, place) for name, place in signs]
    assert with_symbols(digits, symbols) == text
