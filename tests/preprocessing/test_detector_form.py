"""What a detector takes: grey values, and how far colours are from the paper's."""

import cv2
import numpy as np
import pytest

from digitcli.preprocessing.detector_form import detector_form


def coloured_page(paper: tuple[int, int, int], ink: tuple[int, int, int]) -> np.ndarray:
    page = np.full((80, 120, 3), paper, np.uint8)
    page[20:60, 40:48] = ink
    return page


def test_grey_pictures_have_no_colour() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)
    found, chroma = detector_form(grey)
    assert np.array_equal(found, grey)
    assert chroma.shape == (20, 30)
    assert not chroma.any()
    _, chroma = detector_form(np.repeat(grey[..., np.newaxis], 3, axis=2))
    assert not chroma.any()


@pytest.mark.parametrize("paper", [(255, 255, 255), (150, 200, 210), (40, 60, 50)])
def test_coloured_ink_is_told_from_paper_of_any_colour(paper: tuple[int, int, int]) -> None:
    red = tuple(int(value) for value in np.clip(np.add(paper, (-30, -30, 40)), 0, 255))
    page = coloured_page(paper, red)
    grey, chroma = detector_form(page)
    assert np.array_equal(grey, cv2.cvtColor(page, cv2.COLOR_BGR2GRAY))
    assert chroma.shape == (40, 60)
    assert chroma[10:30, 20:24].min() >= 30
    assert chroma[:, 30:].max() == 0


def test_ink_in_the_colour_of_the_paper_is_seen_by_its_grey_values_alone() -> None:
    grey, chroma = detector_form(coloured_page((200, 220, 230), (100, 120, 130)))
    assert int(grey.max()) - int(grey.min()) == 100
    assert not chroma.any()
