"""How likely marks are digits."""

import json
from pathlib import Path

import numpy as np

from digitcli.recognition.detections import Detections
from digitcli.recognition.scoring import (
    CLASSIFIED,
    IN_CONTEXT,
    SCORING_FILE,
    LogisticRegression,
    in_context,
    load_scoring,
    of_classes,
)


def marks(*boxes: tuple[float, float, float, float], other: float = 0.1) -> Detections:
    count = len(boxes)
    digits = np.full((count, 10), 0.01, np.float32)
    digits[:, 7] = 0.91
    presence = np.tile(np.array([0.8, 0.1, other], np.float32), (count, 1))
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        presence.max(axis=1),
        digits.argmax(axis=1),
        presence,
        digits,
        np.full((count, 6), 1 / 6, np.float32),
    )


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[:, (*IN_CONTEXT, *CLASSIFIED).index(name)]


def test_a_regression_gives_probabilities() -> None:
    likely = LogisticRegression(np.array([2.0, -1.0], np.float32), 0.5).predict(
        np.array([[0, 0.5], [10, 0], [-10, 0]], np.float32)
    )
    np.testing.assert_allclose(likely, [0.5, 1, 0], atol=1e-6)


def test_what_stands_on_both_sides_counts() -> None:
    row = marks((0, 0, 10, 20), (14, 0, 10, 20), (28, 0, 10, 20), (400, 300, 10, 20))
    between = column(in_context(row, np.full(4, 0.9, np.float32)), "between")
    assert between[1] > 0.3
    assert between[0] == between[2] == between[3] == 0


def test_a_mark_under_a_likelier_one_is_covered() -> None:
    inside = marks((0, 0, 30, 40), (5, 5, 10, 20))
    covered = column(in_context(inside, np.array([0.9, 0.5], np.float32)), "covered")
    np.testing.assert_allclose(covered, [0, 0.9], atol=1e-6)


def test_letters_beside_a_mark_count() -> None:
    row = marks((0, 0, 10, 20), (14, 0, 10, 20), other=0.8)
    assert column(in_context(row, np.array([0.5, 0.1], np.float32)), "beside letters")[0] > 0.4


def test_classes_are_compared() -> None:
    one = marks((0, 0, 10, 20))
    agrees, differs = np.full((2, 10), 0.01, np.float32)
    agrees[7], differs[1] = 0.91, 0.91
    features = [of_classes(one, row[np.newaxis], row[np.newaxis]) for row in (agrees, differs)]
    agreement = CLASSIFIED.index("agreement")
    assert features[0][0, agreement] > features[1][0, agreement]


def test_no_marks_have_no_features() -> None:
    assert in_context(Detections.none(), np.empty(0, np.float32)).shape == (0, len(IN_CONTEXT))


def test_the_product_prefers_what_both_say() -> None:
    scoring = load_scoring()
    classified, detected = np.full((2, 1, 10), 0.02, np.float32)
    classified[0, [3, 8]] = 0.45, 0.39
    detected[0, [8, 5]] = 0.5, 0.34
    assert scoring.fused(classified, detected).argmax() == 8


def test_the_packaged_weights_are_whole() -> None:
    values = json.loads(Path(SCORING_FILE).read_text(encoding="utf-8"))
    assert set(values) == {"first", "alone", "together", "fusion"}
    assert set(values["together"]) == {*IN_CONTEXT, *CLASSIFIED, "bias"}
