import json

import numpy as np
import pytest
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from pens import strokes

from digitcli.datasets.strokes import (
    MAX_POINTS,
    PICTURE_BOX,
    PICTURE_SIZE,
    Drawing,
    parse,
    pen_width,
    picture,
    placed,
)
from digitcli.errors import DataError

POINT = st.tuples(*[st.floats(-1e5, 1e5, allow_nan=False)] * 2)
STROKES = st.lists(st.lists(POINT, min_size=1, max_size=6), min_size=1, max_size=4)


@given(STROKES, st.none() | st.integers(0, 9))
def test_a_line_of_json_is_read_back(drawn: list[list[tuple[float, float]]], label: int | None) -> None:
    line = json.dumps({"strokes": drawn, "label": label, "writer": "somebody"})
    drawing = parse(line, "here")
    assert drawing == Drawing(strokes=drawn, label=label)


@given(STROKES)
def test_any_strokes_fill_the_box_in_the_middle(drawing: list[list[tuple[float, float]]]) -> None:
    ink = picture(drawing)
    assert ink.shape == (PICTURE_SIZE, PICTURE_SIZE)
    rows, columns = np.nonzero(ink)
    low, high = min(rows.min(), columns.min()), max(rows.max(), columns.max())
    margin = int(PICTURE_SIZE - PICTURE_BOX - pen_width(placed(drawing))) // 2
    assert margin - 3 <= low <= PICTURE_SIZE // 2
    assert PICTURE_SIZE // 2 <= high <= PICTURE_SIZE - margin + 3


def test_scale_and_place_do_not_matter() -> None:
    here = [[(0.0, 0.0), (40.0, 10.0), (20.0, 90.0)]]
    there = [[(1000 + 7 * x, -300 + 7 * y) for x, y in stroke] for stroke in here]
    assert np.array_equal(picture(here), picture(there))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", ["here", "JSON"]),
        ('{"label": 3}', ["here: strokes"]),
        ('{"strokes": []}', ["strokes", "found []"]),
        ('{"strokes": [[[1, 2], [3]]]}', ["strokes.0.1.1"]),
        ('{"strokes": [[[1, "a"]]]}', ["strokes.0.0.1", "found 'a'"]),
        ('{"strokes": [[[1, 1e9]]]}', ["strokes.0.0.1", "1000000"]),
        ('{"strokes": [[[1, 2]]], "label": 10}', ["label: found 10"]),
        (json.dumps({"strokes": [[[0, 0]] * (MAX_POINTS // 2 + 1)] * 2}), ["20,000 points"]),
    ],
)
def test_what_is_no_drawing_is_named(line: str, words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        parse(line, "here")
    for word in words:
        assert word in str(error.value)


def test_the_pen_suits_the_height_of_the_digits() -> None:
    alone, number = strokes(3), [stroke for place in range(5) for stroke in strokes(3, left=90 * place)]

    def share(drawing: list[list[tuple[float, float]]]) -> float:
        drawn = placed(drawing)
        return pen_width(drawn) / np.ptp(drawn[0][:, 1])

    assert share(number) == pytest.approx(share(alone))
    assert share(alone) == share([[(7 * x, 7 * y) for x, y in stroke] for stroke in alone])
    dash = [[(0.0, 0.0), (50.0, 0.0)]]
    assert pen_width(placed(dash)) >= 3
    assert picture(dash).any()


def test_files_of_strokes_are_data(digitcli: Command, tmp_path: object) -> None:
    folder = tmp_path  # an empty one, in which digitcli runs
    seven = {"label": 7, "strokes": [[[0, 0], [60, 0], [20, 100]]]}
    one = {"label": 1, "strokes": [[[0, 0], [0, 100]]]}
    (folder / "mine.jsonl").write_text(f"{json.dumps(seven)}\n\n{json.dumps(one)}\n")
    outcome = digitcli("evaluate", "--data", "mine.jsonl", "--json")
    assert outcome.status == 0, outcome.stderr
    assert (outcome.json()["n"], outcome.json()["accuracy"]) == (2, 1.0)
    (folder / "bad.jsonl").write_text(f'{json.dumps(seven)}\n{{"label": 7}}\n')
    outcome = digitcli("evaluate", "--data", "bad.jsonl")
    assert outcome.status == 3
    assert "bad.jsonl: line 2: strokes" in outcome.stderr
    (folder / "empty.jsonl").write_text("")
    assert digitcli("evaluate", "--data", "empty.jsonl").status == 3
