"""Pictures of one digit that are cropped to its edge."""

import cv2
import numpy as np
import pytest

from digitcli.datasets import Digits
from digitcli.preprocessing.mnist_form import to_form, to_mnist_form
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

BRIGHT, DARK = 214, 46
COUNT = 150


def crops(few: Digits, *, cut_off: bool = False) -> list[np.ndarray]:
    """How much of each pixel is written, 0..1, of digits cropped to their edge; sides of 60 to 120 pixels."""
    found = []
    for number, image in enumerate(few.images[:COUNT]):
        x, y, width, height = cv2.boundingRect((image > 60).astype(np.uint8))
        scale = (60 + 60 * number / COUNT) / max(width, height)
        crop = image[y : y + height, x : x + width]
        large = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) / 255
        found.append(large[:, : -max(1, large.shape[1] // 20)] if cut_off else large)
    return found


def on_paper(written: np.ndarray, paper: np.ndarray | int, pen: int) -> np.ndarray:
    return np.clip(paper * (1 - written) + pen * written, 0, 255).astype(np.uint8)


def papers(written: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    grain = cv2.GaussianBlur(random.normal(0, 60, written.shape), (0, 0), 2)
    noise = random.normal(0, 12, written.shape)
    return {
        "dark on bright": on_paper(written, BRIGHT, DARK),
        "bright on dark": on_paper(written, DARK, BRIGHT),
        "a grain": on_paper(written, BRIGHT + grain, DARK),
        "noise": on_paper(written, DARK + noise, BRIGHT),
    }


def right(pictures: list[np.ndarray], few: Digits, *, single: bool) -> float:
    recognizer = Recognizer.load(PRETRAINED_MODEL)
    forms = np.stack([to_form(picture, single=single) for picture in pictures])
    return float(np.mean(recognizer.classify(forms).argmax(axis=1) == few.labels[: len(pictures)]))


@pytest.mark.parametrize("cut_off", [False, True], ids=["whole", "cut off"])
@pytest.mark.parametrize("paper", ["dark on bright", "bright on dark", "a grain", "noise"])
def test_crops_are_read_on_any_paper(few: Digits, paper: str, *, cut_off: bool) -> None:
    random = np.random.default_rng(0)
    pictures = [papers(written, random)[paper] for written in crops(few, cut_off=cut_off)]
    assert right(pictures, few, single=True) >= 0.97
    assert right(pictures, few, single=False) < 0.9  # as they are: what the margin is for


def differ(one: np.ndarray | None, other: np.ndarray | None) -> float:
    """Mean difference of two forms, 0..255; one that has gone wrong differs by 20 and more."""
    assert one is not None
    assert other is not None
    return float(np.abs(one.astype(int) - other).mean())


def test_a_crop_has_the_form_of_the_whole_picture(few: Digits) -> None:
    for written in crops(few)[:40]:
        whole, cropped = (on_paper(each, BRIGHT, DARK) for each in (np.pad(written, 60), written))
        assert differ(to_mnist_form(cropped, single=True), to_mnist_form(whole)) < 8
        assert np.array_equal(to_mnist_form(whole, single=True), to_mnist_form(whole))


def test_colours_and_opacity(few: Digits) -> None:
    for written in crops(few)[:10]:
        expected = to_mnist_form(on_paper(written, 255, 0), single=True)
        blue = np.stack([np.full(written.shape, 255, np.uint8), *[on_paper(written, 255, 0)] * 2], axis=2)
        assert differ(to_mnist_form(blue, single=True), expected) < 8
        opacity = np.dstack([np.zeros((*written.shape, 3), np.uint8), on_paper(written, 0, 255)])
        assert differ(to_mnist_form(opacity, single=True), expected) < 8


def test_the_box_is_in_the_pixels_of_the_picture(few: Digits) -> None:
    recognizer = Recognizer.load(PRETRAINED_MODEL)
    for written in crops(few)[:10]:
        (digit,) = recognizer.read(on_paper(written, BRIGHT, DARK), single=True).digits
        height, width = written.shape
        assert np.abs(np.subtract(digit.box, (0, 0, width, height))).max() <= 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2, 3), (3, 40, 4)])
def test_pictures_of_a_few_pixels(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    form = to_mnist_form(picture, single=True)
    assert form is None or form.shape == (28, 28)
