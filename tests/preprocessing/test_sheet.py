"""A sheet of paper on a desk: found where there is one, and only there."""

import cv2
import numpy as np
import pytest
from conftest import REPOSITORY

from digitcli import Recognizer
from digitcli.preprocessing.foreground import extract_foreground
from digitcli.preprocessing.sheet import find_sheet, spread
from digitcli.recognition.pretrained import PRETRAINED_MODEL

HEIGHT, WIDTH = 480, 640
WOOD, GREY = (30, 50, 76), (115, 128, 140)
CORNERS = {
    "within": [(120, 60), (540, 90), (520, 420), (100, 390)],
    "three sides": [(-50, 60), (500, 80), (490, 420), (-50, 410)],
    "a corner": [(100, 90), (700, 110), (700, 550), (80, 550)],
}


def noisy(picture: np.ndarray, *, noise: float = 6) -> np.ndarray:
    random = np.random.default_rng(0)
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8)
    return np.clip(blurred + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def on_desk(corners: list[tuple[int, int]], desk: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A sheet with a stroke on it, and which pixels are the sheet's."""
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(sheet, np.array(corners, np.int32), 1)
    picture = np.where(sheet[..., np.newaxis] > 0, 225, np.array(desk)).astype(np.float32)
    cv2.line(picture, (240, 150), (260, 300), (60, 30, 30), 9)
    return noisy(picture), sheet > 0


@pytest.mark.parametrize("desk", [WOOD, GREY], ids=["wood", "grey"])
@pytest.mark.parametrize("corners", CORNERS.values(), ids=CORNERS.keys())
def test_a_sheet_is_found_to_its_rim(corners: list[tuple[int, int]], desk: tuple[int, ...]) -> None:
    picture, sheet = on_desk(corners, desk)
    found = find_sheet(picture)
    assert found is not None
    assert not (found & ~sheet).any()
    assert found.sum() > 0.9 * sheet.sum()
    assert np.ptp(spread(picture, found)[~found].astype(int), axis=0).max() < 80  # no desk is left


@pytest.mark.parametrize("desk", [WOOD, (10, 10, 10)], ids=["wood", "black"])
@pytest.mark.parametrize("noise", [0.5, 6])
def test_only_what_is_on_the_sheet_is_ink(desk: tuple[int, ...], noise: float) -> None:
    picture, _ = on_desk(CORNERS["within"], desk)
    ink = extract_foreground(noisy(picture, noise=noise)) >= 128
    rows, columns = np.nonzero(ink)
    assert 140 < rows.min() < rows.max() < 310
    assert 230 < columns.min() < columns.max() < 270


def test_paper_alone_and_shadows_are_no_sheet() -> None:
    page = np.full((HEIGHT, WIDTH, 3), 215, np.float32)
    cv2.line(page, (240, 150), (260, 300), (60, 30, 30), 9)
    assert find_sheet(noisy(page)) is None
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for softness in (1, 8):
        for angle in (0.0, 0.6, 1.2):
            reach = (x - WIDTH / 2) * np.cos(angle) + (y - HEIGHT / 2) * np.sin(angle)
            light = 1 - 0.5 / (1 + np.exp(-np.clip(reach / softness, -50, 50)))
            assert find_sheet(noisy(page * light[..., np.newaxis])) is None, (softness, angle)
    assert find_sheet(noisy(page * (1 - 0.6 * x / WIDTH)[..., np.newaxis])) is None


@pytest.mark.parametrize("thickness", [40, 90])
def test_a_large_digit_in_chalk_is_read_and_not_taken_for_a_sheet(thickness: int) -> None:
    board = np.full((HEIGHT, WIDTH), 60, np.float32)
    cv2.line(board, (330, 80), (310, 400), 220, thickness)
    ink = extract_foreground(noisy(board))
    assert ink[240, 320] == 255
    assert not ink[:, :200].any()


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (2, 700), (257, 3)])
def test_narrow_pictures_hold_no_sheet(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    assert find_sheet(random.integers(0, 255, (*size, 3)).astype(np.uint8)) is None


def test_a_page_on_a_desk_is_read_as_the_page() -> None:
    page = cv2.imread(str(REPOSITORY / "docs" / "images" / "note.jpg"))
    height, width = page.shape[:2]
    desk = np.zeros((height + 260, width + 300, 3))
    desk[:] = WOOD
    desk[120 : 120 + height, 170 : 170 + width] = page
    turn = cv2.getRotationMatrix2D((desk.shape[1] / 2, desk.shape[0] / 2), -4, 1)
    seen = noisy(cv2.warpAffine(desk, turn, desk.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), noise=4)
    reader = Recognizer.load(PRETRAINED_MODEL)
    assert reader.read(seen).text == reader.read(page).text
