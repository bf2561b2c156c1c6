"""The page reader with the networks that ship with digitcli."""

from functools import cache

import cv2
import numpy as np
import pytest

from digitcli import models
from digitcli.datasets import load_split
from digitcli.models.detector import load_detector
from digitcli.recognition import tta
from digitcli.recognition.page_reader import PageReader
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR, PRETRAINED_MODEL

WANTED = ["31415", "92653", "58979"]


@cache
def reader(*, is_pretrained: bool = True) -> PageReader:
    return PageReader(
        load_detector(PRETRAINED_DETECTOR), models.load(PRETRAINED_MODEL), is_pretrained=is_pretrained
    )


@cache
def page() -> np.ndarray:
    """Return dark digits of MNIST's test set on bright paper, in three lines, (400, 420, 3)."""
    test = load_split("sample").test
    paper = np.full((400, 420, 3), 235, np.uint8)
    for row, line in enumerate(WANTED):
        for place, digit in enumerate(line):
            image = test.images[np.flatnonzero(test.labels == int(digit))[row]]
            large = cv2.resize(image, (56, 56), interpolation=cv2.INTER_CUBIC)
            y, x = 50 + 110 * row, 40 + 62 * place
            paper[y : y + 56, x : x + 56] -= (large * 0.8).astype(np.uint8)[..., np.newaxis]
    return paper


def test_a_page_is_read_line_by_line() -> None:
    assert reader().text(page()).splitlines() == WANTED


def test_grey_and_inverted_pages_say_the_same() -> None:
    grey = cv2.cvtColor(page(), cv2.COLOR_BGR2GRAY)
    assert reader().text(grey).splitlines() == WANTED
    assert reader().text(255 - grey).splitlines() == WANTED


def test_each_digit_has_a_box_a_line_and_the_form_that_was_read() -> None:
    digits = reader().read(page())
    assert [digit.line for digit in digits] == [0] * 5 + [1] * 5 + [2] * 5
    for digit, place in zip(digits, range(5), strict=False):
        x, y, width, height = digit.box
        assert 40 + 62 * place - 4 < x < x + width < 40 + 62 * place + 60
        assert 46 < y < y + height < 110
        assert digit.form.shape == (28, 28)
        assert digit.form.max() == 255
        assert digit.probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert digit.probability > 0.5


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_page_that_lies_on_its_side_is_turned_and_boxes_are_turned_back(turn: int) -> None:
    upright = reader().read(page())
    turned = np.ascontiguousarray(np.rot90(page(), turn))
    digits = reader().read(turned)
    assert [int(digit.probabilities.argmax()) for digit in digits] == [
        int(digit.probabilities.argmax()) for digit in upright
    ]
    height, width = page().shape[:2]
    for digit, before in zip(digits, upright, strict=True):
        x, y, across, down = before.box
        if turn == 2:
            expected = (width - x - across, height - y - down, across, down)
        else:
            expected = (
                (y, width - x - across, down, across) if turn == 1 else (height - y - down, x, down, across)
            )
        assert np.abs(digit.box - expected).max() < 4


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_small_digits_in_a_corner_of_a_large_page_tell_how_it_lies(turn: int) -> None:
    large = np.full((1500, 2000, 3), 235, np.uint8)
    height, width = page().shape[0] // 2, page().shape[1] // 2
    large[-height:, -width:] = cv2.resize(page(), (width, height), interpolation=cv2.INTER_AREA)
    turned = np.ascontiguousarray(np.rot90(large, turn))
    assert reader().text(turned) == reader().text(large)
    assert reader().find(turned).turn == 4 - turn


def test_another_classifier_reads_by_itself() -> None:
    digits = reader(is_pretrained=False).read(page())
    forms = np.stack([digit.form for digit in digits])
    own = tta.predict(models.load(PRETRAINED_MODEL), forms)
    np.testing.assert_allclose(np.stack([digit.probabilities for digit in digits]), own, atol=1e-5)


def test_an_empty_page_gives_nothing() -> None:
    assert reader().read(np.full((200, 300, 3), 200, np.uint8)) == []
    assert reader().read(np.zeros((5, 7), np.uint8)) == []


def test_the_same_page_gives_the_same_reading() -> None:
    first, again = (reader().read(page()) for _ in range(2))
    for digit, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(digit.box, other.box)
        np.testing.assert_array_equal(digit.probabilities, other.probabilities)
