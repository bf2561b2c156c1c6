"""Reading order."""

import numpy as np

from digitcli.recognition.lines import in_lines


def boxes_at(*middles: tuple[float, float], width: float = 12, height: float = 20) -> np.ndarray:
    """Return boxes (N, 4) around middles."""
    return np.array([(x - width / 2, y - height / 2, width, height) for x, y in middles], np.float32)


def test_nothing() -> None:
    assert in_lines(np.empty((0, 4), np.float32)) == []


def test_two_lines_in_any_order() -> None:
    boxes = boxes_at((50, 62), (10, 20), (30, 20), (10, 60), (30, 61), (50, 22))
    assert in_lines(boxes) == [[1, 2, 5], [3, 4, 0]]


def test_lines_that_go_down_by_25_degrees() -> None:
    slope = np.tan(np.radians(25))
    boxes = boxes_at(*((x, y + slope * x) for y in (20, 56) for x in range(10, 250, 18)))
    assert in_lines(boxes) == [list(range(14)), list(range(14, 28))]


def test_lines_that_go_up_by_25_degrees() -> None:
    slope = -np.tan(np.radians(25))
    boxes = boxes_at(*((x, y + slope * x) for y in (220, 256) for x in range(10, 250, 18)))
    assert in_lines(boxes) == [list(range(14)), list(range(14, 28))]


def test_each_line_of_a_photograph_has_a_direction_of_its_own() -> None:
    boxes = boxes_at(
        *(
            (x, y + slope * x)
            for y, slope in ((20, -0.15), (60, 0.0), (100, 0.15))
            for x in range(40, 400, 20)
        )
    )
    assert in_lines(boxes) == [list(range(18)), list(range(18, 36)), list(range(36, 54))]


def test_a_wide_gap_begins_another_line() -> None:
    boxes = boxes_at((10, 20), (24, 20), (90, 20), (104, 20))
    assert in_lines(boxes) == [[0, 1], [2, 3]]


def test_rows_of_a_table_whose_cells_are_written_high_and_low() -> None:
    places = [(x, y + (9 if (x // 60 + y) % 2 else -9)) for y in (30, 91, 152) for x in range(30, 330, 60)]
    boxes = boxes_at(*places, height=26)
    assert [place for line in in_lines(boxes) for place in line] == list(range(15))


def test_columns_whose_lines_are_not_on_a_level_come_one_after_the_other() -> None:
    left = [(x, y) for y in (20, 62, 104, 146) for x in (10, 26, 42)]
    right = [(x, y) for y in (41, 83, 125) for x in (150, 166)]
    assert [place for line in in_lines(boxes_at(*right, *left)) for place in line] == [
        *range(6, 18),
        *range(6),
    ]


def test_columns_of_a_table_are_read_row_by_row() -> None:
    boxes = boxes_at(*((x, y) for y in (20, 62, 104) for x in (10, 26, 160, 176)))
    assert in_lines(boxes) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
