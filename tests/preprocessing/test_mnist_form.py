from timeit import timeit

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitcli.config.mnist import DIGIT_SIZE, IMAGE_SIZE
from digitcli.datasets import Digits
from digitcli.datasets.strokes import draw_stroke
from digitcli.preprocessing.mnist_form import network_input, to_mnist_form
from digitcli.recognition.rules.pages import prepare


def test_network_input_keeps_values(few: Digits) -> None:
    batch = network_input(few.images)
    assert batch.shape == (300, 28, 28, 1)
    assert batch.dtype == np.float32
    assert np.array_equal(batch[..., 0], few.images)


def test_mnist_form_stays_almost_as_it_is(few: Digits) -> None:
    differences = [np.abs(to_mnist_form(image).astype(int) - image).mean() for image in few.images]
    assert np.median(differences) == 0
    assert np.percentile(differences, 90) < 10  # a shift by a pixel, where rounding goes the other way


def drawn(image: np.ndarray, scale: int, corner: tuple[int, int]) -> np.ndarray:
    """Enlarge a digit and put it somewhere on a canvas."""
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    canvas = np.zeros((280, 280), np.uint8)
    y, x = corner
    canvas[y : y + len(large), x : x + len(large)] = large
    return canvas


def test_place_and_polarity_do_not_matter(few: Digits) -> None:
    for image in few.images[:20]:
        expected = to_mnist_form(drawn(image, 3, (100, 100)))
        assert np.array_equal(to_mnist_form(drawn(image, 3, (7, 190))), expected)
        assert np.array_equal(to_mnist_form(255 - drawn(image, 3, (100, 100))), expected)


def stroke_width(form: np.ndarray) -> float:
    """Mean width of the strokes of (28, 28) uint8, in pixels."""
    large = cv2.resize(form, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) > 127
    inside = cv2.distanceTransform(large.astype(np.uint8), cv2.DIST_L2, 5)
    return float(inside[large].mean())  # a quarter of the width, four times as large


@pytest.mark.parametrize("scale", [2, 3, 6, 8])
def test_size_hardly_matters(few: Digits, scale: int) -> None:
    def overlap(one: np.ndarray, other: np.ndarray) -> float:
        """Share of the thinner one's ink that the other has too, a shift by a pixel forgiven."""
        shifted = [np.roll(one, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        return max(
            float(np.minimum(each, other).sum() / min(each.sum(), other.sum(dtype=int))) for each in shifted
        )

    found = [overlap(to_mnist_form(drawn(image, scale, (20, 30))), image) for image in few.images[:50]]
    assert np.median(found) > 0.92
    assert min(found) > 0.85


@pytest.mark.parametrize("pen", [3, 8, 16, 26, 34])
def test_strokes_come_out_as_wide_as_those_of_mnist(pen: int) -> None:
    points = np.array([[60, 60], [180, 60], [90, 220]], float)
    canvas = np.zeros((280, 280), np.uint8)
    draw_stroke(canvas, points, pen)
    assert 2.8 < stroke_width(to_mnist_form(canvas)) < 4.4


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))),
    st.integers(0, 255),
)
def test_any_image_becomes_mnist_form_or_nothing(image: np.ndarray, level: int) -> None:
    image = np.pad(image, 2, constant_values=level)
    result = to_mnist_form(image)
    if result is None:
        return
    assert result.shape == (IMAGE_SIZE, IMAGE_SIZE)
    assert result.dtype == np.uint8
    assert result.max() == 255
    rows, columns = np.nonzero(result)
    assert max(np.ptp(rows), np.ptp(columns)) < DIGIT_SIZE


@pytest.mark.parametrize("level", [0, 90, 255])
def test_blank_images_hold_no_digit(level: int) -> None:
    assert to_mnist_form(np.full((50, 80), level, np.uint8)) is None


def test_thin_marks_keep_their_aspect_ratio() -> None:
    image = np.zeros((200, 200), np.uint8)
    image[20:180, 100:104] = 255
    result = to_mnist_form(image)
    assert np.count_nonzero(result.any(axis=1)) == DIGIT_SIZE
    assert np.count_nonzero(result.any(axis=0)) <= 5


@pytest.mark.parametrize("pen", [1, 2, 5])
@pytest.mark.parametrize("size", [400, 1400])
def test_thin_pens_on_large_canvases(pen: int, size: int) -> None:
    canvas = np.zeros((size + 40, size + 40), np.uint8)
    seven = np.array([[0.1, 0.05], [0.8, 0.05], [0.3, 0.95]]) * size + 20
    draw_stroke(canvas, seven, pen)
    form = to_mnist_form(canvas)
    assert 70 < np.count_nonzero(form > 128) < 150
    assert 2.6 < stroke_width(form) < 4.6


def test_next_to_nothing_is_nothing_or_a_digit() -> None:
    image = np.full((1000, 1000), 255, np.uint8)
    image[0, 0] = image[-1, -1] = 0
    assert to_mnist_form(image) is None or to_mnist_form(image).shape == (28, 28)


def test_a_page_with_one_digit_has_the_same_form(few: Digits) -> None:
    for image in few.images[:50]:
        assert np.array_equal(prepare(image, single=True).forms[0], to_mnist_form(image, single=True))


def test_a_canvas_takes_under_half_a_millisecond(few: Digits) -> None:
    canvases = [drawn(image, 5, (60, 60)) for image in few.images[:50]]
    best = min(timeit(lambda: [to_mnist_form(canvas) for canvas in canvases], number=1) for _ in range(5))
    assert best / len(canvases) < 0.002  # seconds; four times the aim, for busy machines
