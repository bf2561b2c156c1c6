import numpy as np
import pytest
from evaluations import evaluation_of
from hypothesis import given
from hypothesis import strategies as st

from digitcli.datasets import Digits
from digitcli.evaluation.metrics import (
    Confusion,
    frequent_confusions,
    hardest,
    score,
    wilson_interval,
)


def test_wilson_interval_as_published() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson_interval(trials - successes, trials), abs=1e-9)


def test_scores_by_hand() -> None:
    evaluation, _ = evaluation_of(truth=[0, 0, 0, 1, 1, 2], read=[0, 0, 1, 1, 1, 0])
    assert evaluation.accuracy == pytest.approx(4 / 6)
    assert evaluation.loss == pytest.approx(-(4 * np.log(0.91) + 2 * np.log(0.01)) / 6, rel=1e-5)
    zero, one, two, three = evaluation.per_class[:4]
    assert (zero.precision, zero.recall, zero.support) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert (one.precision, one.recall, one.f1) == (pytest.approx(2 / 3), 1.0, pytest.approx(0.8))
    assert (two.precision, two.recall, two.f1) == (None, 0.0, 0.0)
    assert (three.precision, three.recall, three.f1, three.support) == (None, None, None, 0)
    assert evaluation.confusion[0, 1] == evaluation.confusion[2, 0] == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60))
def test_the_numbers_agree_with_each_other(pairs: list[tuple[int, int]]) -> None:
    evaluation, digits = evaluation_of([truth for truth, _ in pairs], [read for _, read in pairs])
    assert evaluation.confusion.sum() == len(pairs)
    assert np.trace(evaluation.confusion) == round(evaluation.accuracy * len(pairs))
    assert sum(report.support for report in evaluation.per_class) == len(pairs)
    wrong = sum(pair.count for pair in frequent_confusions(evaluation.confusion, most=100))
    assert wrong == sum(truth != read for truth, read in pairs)
    assert len(hardest(evaluation, digits, 5)) == min(5, len(pairs))


def test_confusions_come_most_frequent_first() -> None:
    evaluation, _ = evaluation_of(truth=[4, 4, 4, 7, 7, 1], read=[9, 9, 9, 2, 2, 1])
    assert frequent_confusions(evaluation.confusion) == [Confusion(4, 9, 3), Confusion(7, 2, 2)]


def test_hardest_are_sure_mistakes_then_unsure_hits() -> None:
    probabilities = np.zeros((4, 10), np.float32)
    for row, (read, confidence) in enumerate([(1, 0.6), (2, 0.7), (3, 0.9), (4, 0.8)]):
        probabilities[row] = (1 - confidence) / 9
        probabilities[row, read] = confidence
    digits = Digits(np.zeros((4, 28, 28), np.uint8), np.array([1, 2, 0, 0], np.uint8))
    evaluation = score(probabilities, digits, data="d", model="m", seconds=0.0)
    assert hardest(evaluation, digits, 4).tolist() == [2, 3, 0, 1]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    labels = np.zeros(1000, np.uint8)
    rows = np.full((1000, 10), 0.2 / 9, np.float32)
    rows[np.arange(1000), np.where(np.arange(1000) < 800, 0, 1)] = 0.8  # right in 800 of 1000 cases
    digits = Digits(np.zeros((1000, 28, 28), np.uint8), labels)
    assert score(rows, digits, data="d", model="m", seconds=0.0).calibration_error < 1e-6
    rows = np.roll(rows, 500, axis=0)
    rows[:] = np.eye(10, dtype=np.float32)[1]
    assert score(rows, digits, data="d", model="m", seconds=0.0).calibration_error == 1.0
