"""How well marks are found: average precision, counts and false digits of known findings."""

import numpy as np
import pytest

from digitcli.evaluation.detection import Score, measure
from digitcli.recognition.detections import Detections, suppress

MARKS = np.array([(10, 10, 20, 30, 4, 1), (60, 10, 20, 30, 7, 1), (100, 10, 20, 30, 1, 2)], np.float32)


def found(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    """Return detections of (x, y, width, height, score, digit), the likeliest first."""
    boxes = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    digits = np.full((len(rows), 10), 0.01, np.float32)
    for place, row in enumerate(rows):
        digits[place, row[5]] = 0.91
    kinds = np.array([row[5] for row in rows], np.int64)
    scores = np.array([row[4] for row in rows], np.float32)
    presence = np.stack([scores, 0 * scores, 0 * scores], axis=1)
    return Detections(boxes, scores, kinds, presence, digits, np.full((len(rows), 6), 1 / 6, np.float32))


def test_all_right() -> None:
    score = Score.of(found((10, 10, 20, 30, 0.9, 4), (61, 11, 20, 30, 0.8, 7)), MARKS)
    result = measure([score])
    assert (result.average_precision, result.counts_exact, result.false_digits) == (1.0, 1.0, 0.0)


def test_what_is_doubtful_is_neither_right_nor_false() -> None:
    score = Score.of(found((10, 10, 20, 30, 0.9, 4), (100, 10, 20, 30, 0.8, 1)), MARKS)
    assert len(score.scores) == 1
    assert score.false == 0


def test_a_wrong_digit_and_a_false_one_cost_precision() -> None:
    rows = ((10, 10, 20, 30, 0.9, 4), (60, 10, 20, 30, 0.8, 1), (200, 10, 20, 30, 0.7, 0))
    result = measure([Score.of(found(*rows), MARKS)])
    assert result.average_precision == pytest.approx(0.5)
    assert result.false_digits == 1
    assert result.counts_exact == 0


def test_a_digit_found_twice_counts_once() -> None:
    result = measure([Score.of(found((10, 10, 20, 30, 0.9, 4), (11, 10, 20, 30, 0.8, 4)), MARKS)])
    assert result.average_precision == pytest.approx(0.5)
    assert result.false_digits == 1


def test_precision_is_over_all_pages_together() -> None:
    """A sure mistake on one page costs the less sure digits of another."""
    one = Score.of(found((200, 10, 20, 30, 0.99, 0)), MARKS[:0])
    other = Score.of(found((10, 10, 20, 30, 0.9, 4), (60, 10, 20, 30, 0.8, 7)), MARKS)
    result = measure([one, other])
    assert result.average_precision == pytest.approx(2 / 3)
    assert result.counts_exact == 0.5


def test_pages_without_digits() -> None:
    assert measure([Score.of(found(), MARKS[:0])]).average_precision == 1.0
    assert measure([Score.of(found((0, 0, 9, 9, 0.9, 1)), MARKS[:0])]).average_precision == 0.0


def test_of_marks_at_one_place_the_likeliest_stays_and_the_others_have_a_say() -> None:
    same = found((10, 10, 20, 30, 0.9, 4), (11, 10, 20, 30, 0.85, 9), (10, 11, 20, 30, 0.85, 9))
    kept = suppress(same)
    assert len(kept) == 1
    assert kept.kinds.tolist() == [9]
    assert kept.scores[0] == np.float32(0.9)
    apart = suppress(found((10, 10, 20, 30, 0.9, 4), (40, 10, 20, 30, 0.8, 9)))
    assert apart.kinds.tolist() == [4, 9]
    inside = suppress(found((10, 10, 60, 90, 0.9, 8), (20, 20, 20, 30, 0.8, 0)))
    assert inside.kinds.tolist() == [8]
