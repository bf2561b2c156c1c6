import numpy as np
import pytest

from digitcli.config.recipe import Augmentation
from digitcli.datasets import Digits
from digitcli.models.backend import tf
from digitcli.training.augmentation import augment, preview

EVERYTHING = Augmentation(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=0.7, stroke_width=0.5)


def distorted(images: np.ndarray, strength: Augmentation, seed: int = 0) -> np.ndarray:
    """Return (N, 28, 28) float32."""
    result = augment(tf.constant(images), strength, tf.constant([seed, 1]))
    return result.numpy()[..., 0]


def centres(images: np.ndarray) -> np.ndarray:
    """Return each image's centre of mass (N, 2) as row and column."""
    places = np.indices((28, 28)).reshape(2, -1).T  # (784, 2)
    weights = images.reshape(len(images), -1).astype(float)
    return weights @ places / weights.sum(axis=1, keepdims=True)


def test_no_strength_changes_nothing(few: Digits) -> None:
    assert np.allclose(distorted(few.images, Augmentation()), few.images, atol=1e-2)


def test_the_seed_decides(few: Digits) -> None:
    once = distorted(few.images, EVERYTHING, seed=1)
    assert np.array_equal(once, distorted(few.images, EVERYTHING, seed=1))
    assert not np.allclose(once, distorted(few.images, EVERYTHING, seed=2))


def test_each_image_is_distorted_on_its_own(few: Digits) -> None:
    copies = distorted(np.repeat(few.images[:1], 20, axis=0), EVERYTHING)
    assert len({image.tobytes() for image in copies}) == 20


def test_range_and_shape_stay(few: Digits) -> None:
    result = distorted(few.images, EVERYTHING)
    assert result.shape == few.images.shape
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 255.01


def test_shift_moves_by_up_to_its_strength(few: Digits) -> None:
    moved = centres(distorted(few.images, Augmentation(shift=2))) - centres(few.images)
    assert np.abs(moved).max() <= 2.05
    assert np.abs(moved).mean() == pytest.approx(1, abs=0.15)  # evenly drawn from -2 to 2
    assert np.abs(moved.mean(axis=0)).max() < 0.3


@pytest.mark.parametrize("strength", [{"rotation": 20}, {"scale": 0.15}, {"shear": 0.3}])
def test_the_others_turn_about_the_centre(few: Digits, strength: dict[str, float]) -> None:
    result = distorted(few.images, Augmentation(**strength))
    assert np.abs(centres(result) - centres(few.images)).max() < 1.0
    assert np.abs(result - few.images).mean() > 3


def test_rotation_turns_by_up_to_its_strength() -> None:
    """A bar's direction, from its second moments, tells by how much it was turned."""
    bar = np.zeros((400, 28, 28), np.uint8)
    bar[:, 13:15, 4:24] = 255
    turned = distorted(bar, Augmentation(rotation=30))
    y, x = np.indices((28, 28)) - 13.5
    moments = [(turned * product).sum(axis=(1, 2)) for product in (x * x, y * y, x * y)]
    degrees = np.degrees(0.5 * np.arctan2(2 * moments[2], moments[0] - moments[1]))
    assert np.abs(degrees).max() < 31
    assert np.abs(degrees).max() > 28
    assert np.abs(degrees).mean() == pytest.approx(15, abs=1.5)


def test_scale_stretches_by_up_to_its_strength() -> None:
    square = np.zeros((200, 28, 28), np.uint8)
    square[:, 7:21, 7:21] = 255
    area = distorted(square, Augmentation(scale=0.2)).sum(axis=(1, 2)) / square[0].sum()
    assert area.max() < np.exp(0.4) + 0.02
    assert area.min() > np.exp(-0.4) - 0.02
    assert area.std() > 0.1


def test_elastic_moves_pixels_smoothly_and_by_its_strength() -> None:
    """A ramp of grey values shows where each pixel came from."""
    ramp = np.tile(np.arange(28, dtype=np.uint8) * 8, (500, 28, 1))
    away = distorted(ramp, Augmentation(elastic=1.0))[:, 4:24, 4:24] / 8 - np.arange(4, 24)
    assert away.std() == pytest.approx(1.0, abs=0.06)
    assert abs(away.mean()) < 0.05
    neighbours = np.abs(np.diff(away, axis=1)).mean()  # down a column, where the ramp is level
    assert 0.05 < neighbours < 0.35
    opposite = np.corrcoef(away[:, 0, 0], away[:, -1, -1])[0, 1]
    assert abs(opposite) < 0.15  # far from each other they move on their own


def test_strokes_get_thinner_and_thicker() -> None:
    bar = np.zeros((300, 28, 28), np.uint8)
    bar[:, 12:16, 4:24] = 255
    widths = distorted(bar, Augmentation(stroke_width=0.8))[:, :, 14].sum(axis=1) / 255
    assert widths.min() == pytest.approx(4 - 2 * 0.8, abs=0.1)
    assert widths.max() == pytest.approx(4 + 2 * 0.8, abs=0.1)
    assert widths.mean() == pytest.approx(4, abs=0.15)


def test_what_leaves_the_image_is_gone_and_nothing_comes_in() -> None:
    full = np.full((100, 28, 28), 255, np.uint8)
    result = distorted(full, Augmentation(shift=8))
    assert result.min() == 0
    assert all(image.max() == pytest.approx(255) for image in result)


def test_preview_shows_every_digit(few: Digits) -> None:
    images, changed = preview(few, EVERYTHING, 0)
    assert images.shape == (10, 28, 28)
    assert changed.shape == (10, 9, 28, 28)
    assert changed.dtype == np.uint8
    assert np.abs(changed.astype(float) - images[:, None]).mean() > 5
