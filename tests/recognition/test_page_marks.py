from itertools import islice

import numpy as np
import pytest

from digitcli.config import marks as kinds
from digitcli.datasets import NO_DIGIT, load_split
from digitcli.models.detector import Detector, load_detector
from digitcli.recognition.page_marks import UNCERTAIN, labelled, page_marks, pages
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR
from digitcli.synthesis.pages import Page, marks
from digitcli.synthesis.pages.marks import Library
from digitcli.synthesis.pages.sheet import Label


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(PRETRAINED_DETECTOR)


@pytest.fixture(scope="module")
def library() -> Library:
    return marks.build(load_split("sample").train, 0, marks.sized(0.02))


def page(*labels: Label) -> Page:
    return Page("numbers", np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8), labels, ())


def label(x: float, y: float, width: float, height: float, kind: int) -> Label:
    return Label(kind, (x, y, width, height), 1.0, max(width, height), 0)


def test_the_likeliest_mark_on_a_digit_is_the_digit() -> None:
    boxes = np.array(
        [[10, 10, 20, 30], [11, 10, 20, 30], [10, 10, 20, 15], [60, 10, 20, 30], [60, 60, 9, 9]], np.float32
    )
    evidence = np.array([0.5, 0.9, 0.8, 0.7, 0.6], np.float32)
    found = page(label(10, 10, 20, 30, 3), label(60, 10, 20, 30, kinds.LETTER))
    is_digit, which = labelled(found, boxes, evidence)
    assert is_digit.tolist() == [UNCERTAIN, 1, UNCERTAIN, 0, 0]
    assert which.tolist() == [-1, 3, -1, -1, -1]


def test_a_mark_on_what_may_not_be_seen_is_uncertain() -> None:
    hidden = Page("numbers", *[page().image, page().digit_ink], (), (label(10, 10, 20, 30, 3),))
    is_digit, _ = labelled(hidden, np.array([[10, 10, 20, 30]], np.float32), np.ones(1, np.float32))
    assert is_digit.tolist() == [UNCERTAIN]


def test_pages_are_of_all_kinds_and_the_same_from_the_same_seed(library: Library) -> None:
    drawn, again = (list(islice(pages(library, [3], 200), 25)) for _ in range(2))
    assert len({each.kind for each in drawn}) > 5
    assert max(each.image.shape[0] for each in drawn if each.kind != "large") <= 200
    assert all(
        np.array_equal(one.image, other.image) for one, other in zip(drawn[:5], again[:5], strict=True)
    )


def test_digits_and_other_marks_are_cut_out(detector: Detector) -> None:
    few = load_split("sample").train
    cut = page_marks(150, 1, few, detector)
    assert cut.images.shape == (150, 28, 28)
    assert cut.images.any(axis=(1, 2)).all()
    assert len(set(cut.labels.tolist()) - {NO_DIGIT}) == 10
    assert 0.15 < np.mean(cut.labels == NO_DIGIT) < 0.6
    straight = [
        np.linalg.eigvalsh(np.cov(np.nonzero(form >= 128))) for form in cut.images[cut.labels == NO_DIGIT]
    ]
    assert all(across > 0.05 * along for across, along in straight), "a straight mark could be a 1"
    again = page_marks(40, 1, few, detector)
    assert np.array_equal(again.images, cut.images[:40])
