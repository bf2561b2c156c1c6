import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitcli.datasets import Digits
from digitcli.preprocessing import DIGIT_SIZE, IMAGE_SIZE, network_input, to_mnist_form


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


@pytest.mark.parametrize("scale", [2, 3, 6, 8])
def test_size_hardly_matters(few: Digits, scale: int) -> None:
    def distance(one: np.ndarray, other: np.ndarray) -> float:
        """Mean difference in grey levels, a rounding of the place by one pixel forgiven."""
        shifted = [np.roll(one, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        return min(float(np.abs(other - each.astype(int)).mean()) for each in shifted)

    found = [distance(to_mnist_form(drawn(image, scale, (20, 30))), image) for image in few.images[:50]]
    assert np.median(found) < 9
    assert max(found) < 15


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
    assert np.count_nonzero(result.any(axis=0)) == 1
