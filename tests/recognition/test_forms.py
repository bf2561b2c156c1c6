"""Forms: digits cut out by a detector's foreground."""

import cv2
import numpy as np

from digitcli.preprocessing import to_mnist_form
from digitcli.recognition.detections import Detections
from digitcli.recognition.finder import View
from digitcli.recognition.forms import cut_out

NONE = np.empty((0, 4), np.float32)
BOX = np.array([40, 30, 36, 60], np.float32)


def seven(ink: int, paper: int, *, frame: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return a page with a 7 in `BOX`, and what a detector would call its ink; a frame is none."""
    page, mask = np.full((120, 120), paper, np.uint8), np.zeros((120, 120), np.uint8)
    stroke = np.array([(43, 33), (73, 33), (52, 87)], np.int32)
    for picture, value in ((page, ink), (mask, 255)):
        cv2.polylines(picture, [stroke], False, value, 6, cv2.LINE_AA)
    if frame:
        cv2.rectangle(page, (34, 22), (82, 96), ink, 2)
    return page, mask


def seen(mask: np.ndarray, scale: float = 1.0) -> View:
    small = cv2.resize(mask, None, fx=scale / 2, fy=scale / 2, interpolation=cv2.INTER_AREA)
    return View(scale, Detections.none(), small)


def likeness(form: np.ndarray | None, other: np.ndarray | None) -> float:
    """Return the correlation of two forms, up to a pixel to either side."""
    assert form is not None
    assert other is not None
    soft = [cv2.GaussianBlur(np.pad(each, 1).astype(np.float32), (0, 0), 1) for each in (form, other)]
    found = cv2.matchTemplate(soft[0], soft[1][1:-1, 1:-1].copy(), cv2.TM_CCOEFF_NORMED)
    return float(found.max())


def test_the_form_is_the_one_that_a_clean_page_gives() -> None:
    page, mask = seven(40, 220)
    assert likeness(cut_out(page, [seen(mask)], BOX, NONE), to_mnist_form(page)) > 0.98


def test_a_frame_is_not_in_it() -> None:
    page, mask = seven(40, 220, frame=True)
    assert likeness(cut_out(page, [seen(mask)], BOX, NONE), to_mnist_form(seven(40, 220)[0])) > 0.98


def test_bright_ink_on_dark_paper_gives_the_same() -> None:
    page, mask = seven(230, 20)
    dark, _ = seven(20, 230)
    assert likeness(cut_out(page, [seen(mask)], BOX, NONE), cut_out(dark, [seen(mask)], BOX, NONE)) > 0.98


def test_the_view_in_which_the_digit_is_of_the_best_size_is_taken() -> None:
    page, mask = seven(40, 220)
    blank = View(0.125, Detections.none(), np.zeros((8, 8), np.uint8))
    assert likeness(cut_out(page, [blank, seen(mask)], BOX, NONE), to_mnist_form(page)) > 0.98


def test_ink_of_the_digit_beside_it_is_left_out() -> None:
    page, mask = seven(40, 220)
    cv2.line(page, (84, 30), (84, 90), 40, 6)
    cv2.line(mask, (84, 30), (84, 90), 255, 6)
    beside = np.array([[79, 28, 10, 64]], np.float32)
    form = cut_out(page, [seen(mask)], BOX, beside)
    assert likeness(form, cut_out(*_alone(), BOX, NONE)) > 0.98


def _alone() -> tuple[np.ndarray, list[View]]:
    page, mask = seven(40, 220)
    return page, [seen(mask)]


def test_without_ink_there_is_none() -> None:
    page, mask = seven(40, 220)
    assert cut_out(page, [seen(0 * mask)], BOX, NONE) is None


def test_a_box_outside_the_page_gives_none() -> None:
    page, mask = seven(40, 220)
    assert cut_out(page, [seen(mask)], np.array([300, 300, 10, 20], np.float32), NONE) is None
