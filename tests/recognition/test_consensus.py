"""Which of two readings stands: the consensus itself, and pages on which either is the better one."""

import cv2
import numpy as np
import pytest
from handwriting import page

from digitcli import Recognizer
from digitcli.datasets import Digits, load_split
from digitcli.recognition.consensus import CONSENSUS, consensus, standing
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.rules import pages
from digitcli.synthesis.pages import draw_page, marks

ROW = np.array([[10, 10, 20, 30], [40, 10, 20, 30], [70, 10, 20, 30], [100, 10, 20, 30]], np.float32)
SURE = np.full(4, 0.99, np.float32)
NONE = np.empty((0, 4), np.float32)


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL, detector="pretrained")


@pytest.fixture(scope="module")
def rules() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL, detector="none")


@pytest.mark.parametrize("is_flat", [True, False])
def test_the_same_digits_are_a_consensus(*, is_flat: bool) -> None:
    nearly = ROW + np.array([1, -2, 2, 1], np.float32)
    assert consensus(SURE, ROW, nearly, nearly, is_flat=is_flat) == pytest.approx(0.99, abs=1e-3)


@pytest.mark.parametrize("is_flat", [True, False])
def test_digits_that_the_detector_does_not_see_are_none(*, is_flat: bool) -> None:
    assert consensus(SURE, ROW, ROW[:2], ROW[:2], is_flat=is_flat) < CONSENSUS.least
    assert consensus(SURE, ROW, NONE, NONE, is_flat=is_flat) == 0


def test_digits_that_rules_do_not_find_count_on_uneven_paper_alone() -> None:
    assert consensus(SURE[:2], ROW[:2], ROW, ROW, is_flat=False) < CONSENSUS.least
    assert consensus(SURE[:2], ROW[:2], ROW, ROW, is_flat=True) > CONSENSUS.least


def test_a_thin_1_is_the_same_digit_as_the_broad_box_around_it() -> None:
    thin = np.array([[33, 75, 11, 107]], np.float32)
    around = np.array([[20, 71, 36, 110]], np.float32)
    assert consensus(SURE[:1], thin, around, around, is_flat=False) > CONSENSUS.least


def test_unsure_digits_are_no_consensus() -> None:
    unsure = np.full(4, 0.6, np.float32)
    assert consensus(unsure, ROW, ROW, ROW, is_flat=True) < CONSENSUS.least
    assert consensus(SURE[:0], NONE, ROW, ROW, is_flat=True) == 0


def test_a_digit_that_the_detector_does_not_see_stands_where_it_touches_another() -> None:
    apart, touching = ROW.copy(), ROW.copy()
    touching[1, 0] = 28
    assert standing(apart, ROW[[0, 2, 3]]).tolist() == [True, False, True, True]
    assert standing(touching, ROW[[0, 2, 3]]).tolist() == [True] * 4
    assert standing(NONE, ROW).tolist() == []


def test_rules_cut_touching_digits_on_clean_paper(reader: Recognizer, rules: Recognizer, few: Digits) -> None:
    drawn = [page([text], few, gap=-3, seed=seed) for seed, text in enumerate(["305", "927", "581", "264"])]
    assert [each.text for each in reader.read_many(drawn)] == [each.text for each in rules.read_many(drawn)]


def test_the_detector_reads_what_rules_cannot(reader: Recognizer, rules: Recognizer) -> None:
    """On generated pages of cells, letters and numbers, it finds more digits and invents fewer."""
    validation = load_split("mnist").validation
    library = marks.build(validation, 0, marks.sized(0.01), held_out=True)
    right, wrong = np.zeros(2, int), np.zeros(2, int)
    for number in range(9):
        random = np.random.default_rng([7, number])
        kind = ("cells", "letters", "numbers")[number % 3]
        drawn = draw_page(library, kind, 160, 240, random, 28.0)
        boxes = np.array([label.box for label in drawn.digits], np.float32).reshape(-1, 4)
        for place, each in enumerate((reader, rules)):
            found = [digit for digit in each.read(drawn.image).digits if digit.digit is not None]
            hits = 0
            for digit in found:
                x, y, width, height = digit.box
                middle = np.array([x + width / 2, y + height / 2])
                inside = ((middle > boxes[:, :2]) & (middle < boxes[:, :2] + boxes[:, 2:])).all(axis=1)
                hits += bool(inside.any())
            right[place] += hits
            wrong[place] += len(found) - hits
    assert right[0] > 1.2 * right[1]
    assert wrong[0] < 0.5 * wrong[1]


def test_marks_are_not_cut_where_rules_and_detector_disagree_on_the_others(
    reader: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cutting words until they look like digits costs most of all, and would be of no use."""
    library = marks.build(load_split("mnist").validation, 0, marks.sized(0.01), held_out=True)
    image = draw_page(library, "letters", 400, 500, np.random.default_rng(4), 26.0).image
    expected = reader.read(image)

    def refuse(_: object) -> None:
        raise AssertionError("a mark is cut")

    monkeypatch.setattr(pages, "cut", refuse)
    assert reader.read(image).text == expected.text


def test_marks_are_cut_where_rules_and_detector_agree_on_the_others(reader: Recognizer, few: Digits) -> None:
    apart, touching = page(["31415", "92653"], few, seed=1), page(["58", "27"], few, gap=-3, seed=3)
    width = max(apart.shape[1], touching.shape[1])
    both = np.full((apart.shape[0] + touching.shape[0], width), 255, np.uint8)
    both[: apart.shape[0], : apart.shape[1]] = apart
    both[apart.shape[0] :, : touching.shape[1]] = touching
    assert reader.read(both).text == "31415\n92653\n58\n27"


def test_boxes_of_digits_that_are_cut_off_end_at_the_edge(reader: Recognizer) -> None:
    library = marks.build(load_split("mnist").validation, 0, marks.sized(0.01), held_out=True)
    for number in range(12):
        image = draw_page(library, "tight", 40, 90, np.random.default_rng([8, number])).image
        reading = reader.read(image)
        for x, y, width, height in (each.box for each in (*reading.digits, *reading.symbols)):
            assert 0 <= x < x + width <= 90
            assert 0 <= y < y + height <= 40


def test_signs_stand_beside_the_digits_that_rules_read(reader: Recognizer, few: Digits) -> None:
    (reading,) = reader.read_many([page(["-42.5"], few, seed=3)])
    assert reading.text == "425"
    assert reading.lines_with_symbols == ["-42.5"]


def test_a_page_on_its_side_is_read_by_the_detector(reader: Recognizer, few: Digits) -> None:
    upright = page(["31415", "92653", "58979"], few, seed=1)
    assert reader.read(np.ascontiguousarray(cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE))).text == (
        reader.read(upright).text
    )
