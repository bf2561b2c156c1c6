import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitcli.datasets.strokes import draw_stroke
from digitcli.preprocessing.foreground import extract_foreground

HEIGHT, WIDTH = 240, 320
SEVEN = np.array([[110, 60], [200, 60], [140, 190]], float)


def seven() -> np.ndarray:
    """A 7, (240, 320) float, 0 paper, 1 ink."""
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    draw_stroke(canvas, SEVEN, 14)
    return canvas / 255


def agreement(ink: np.ndarray) -> float:
    """Intersection over union of what is written and what is found."""
    found, true = ink >= 128, seven() >= 0.5
    return float((found & true).sum() / (found | true).sum())


def in_colours(paper: tuple[int, ...], pen: tuple[int, ...]) -> np.ndarray:
    share = seven()[..., np.newaxis]
    return np.rint(np.array(paper) * (1 - share) + np.array(pen) * share).astype(np.uint8)


@pytest.mark.parametrize(
    ("paper", "pen"),
    [((255, 255, 255), (0, 0, 0)), ((0, 0, 0), (255, 255, 255)), ((250, 250, 210), (40, 40, 160)),
     ((90, 150, 90), (200, 60, 60)), ((200, 200, 200), (235, 120, 235))],
)  # fmt: skip
def test_colours_do_not_matter(paper: tuple[int, ...], pen: tuple[int, ...]) -> None:
    assert agreement(extract_foreground(in_colours(paper, pen))) > 0.95


def test_opacity_is_ink_where_colours_are_all_the_same() -> None:
    opacity = np.rint(seven() * 255).astype(np.uint8)
    for level in (0, 255):
        colours = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
        assert agreement(extract_foreground(np.dstack([colours, opacity]))) > 0.95


def test_an_opaque_card_is_paper_not_ink() -> None:
    card = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    card[20:220, 60:260] = 255
    card[..., :3] = np.rint(card[..., :3] * (1 - seven())[..., np.newaxis])
    assert agreement(extract_foreground(card)) > 0.9


def test_sixteen_bits_with_opacity() -> None:
    black = np.zeros((HEIGHT, WIDTH, 4), np.uint16)
    black[..., 3] = np.rint(seven() * 65535)
    assert agreement(extract_foreground(black)) > 0.95


@pytest.mark.parametrize("most", [4095, 65535])
def test_sixteen_bits(most: int) -> None:
    assert agreement(extract_foreground(np.rint((1 - seven()) * most).astype(np.uint16))) > 0.95


def photograph(ink: float, paper: float, *, noise: float = 0.02) -> np.ndarray:
    """The 7 on paper with a grain, lit from the left upper corner, a little out of focus."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    light = 1.0 - 0.45 * (x / WIDTH + y / HEIGHT) / 2
    page = (paper + random.normal(0, noise, (HEIGHT, WIDTH))) * (1 - seven()) + ink * seven()
    blurred = cv2.GaussianBlur((page * light).astype(np.float32), (0, 0), 1.0)
    return np.clip(blurred * 255, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("ink", "paper"), [(0.2, 0.9), (0.55, 0.9), (0.9, 0.15)], ids=["pen", "pencil", "chalk"]
)
def test_photographs(ink: float, paper: float) -> None:
    assert agreement(extract_foreground(photograph(ink, paper))) > 0.8


def test_a_shadow_is_no_ink() -> None:
    page = photograph(0.2, 0.9).astype(float)
    page[:, 220:] *= 0.6
    assert agreement(extract_foreground(cv2.GaussianBlur(page, (0, 0), 3).astype(np.uint8))) > 0.75


def test_blank_paper_holds_no_ink() -> None:
    blank = photograph(0.9, 0.9, noise=0.03)
    assert not extract_foreground(blank).any()
    assert not extract_foreground(np.full((50, 60, 3), 200, np.uint8)).any()
    for level, noise in ((30, 6), (60, 8), (200, 6)):
        random = np.random.default_rng(0)
        assert not extract_foreground(
            np.clip(random.normal(level, noise, (240, 320)), 0, 255).astype(np.uint8)
        ).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_small_size(dtype: type) -> None:
    sizes = [(height, width) for height in range(1, 7) for width in range(1, 7)]
    for size in sizes:
        for shape in (size, (*size, 3), (*size, 4)):
            assert extract_foreground(np.zeros(shape, dtype)).shape == size


@settings(max_examples=60)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
            lambda size: st.sampled_from([size, (*size, 3), (*size, 4)])
        ),
    )
)
def test_any_pixels_give_ink_of_the_same_size(image: np.ndarray) -> None:
    ink = extract_foreground(image)
    assert ink.shape == image.shape[:2]
    assert ink.dtype == np.uint8
