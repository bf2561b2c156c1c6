import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitcli.datasets import Digits
from digitcli.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt

each_damage = pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
WITHOUT_CHANCE = ("blur", "brightness", "contrast", "thin", "thick", "JPEG")


def change(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.abs(after.astype(int) - before).mean())


def test_there_are_fifteen() -> None:
    assert [corruption.name for corruption in CORRUPTIONS] == [
        "noise", "blur", "brightness", "contrast", "scale", "shift", "rotation", "shear", "thin", "thick",
        "broken strokes", "dots", "lines", "occlusion", "JPEG",
    ]  # fmt: skip
    for corruption in CORRUPTIONS:
        assert list(corruption.amounts) == sorted(set(corruption.amounts))
        assert corruption.amount(0) == 0
        assert [corruption.amount(severity) for severity in SEVERITIES] == list(corruption.amounts)


@each_damage
def test_strength_0_changes_nothing(corruption: Corruption, few: Digits) -> None:
    before = few.images.copy()
    assert np.array_equal(corrupt(few.images, corruption, 0), before)
    corrupt(few.images, corruption, 5)
    assert np.array_equal(few.images, before)


@each_damage
@settings(max_examples=12, deadline=None)
@given(severity=st.floats(0, 5), seed=st.integers(0, 2**32), count=st.integers(0, 4))
def test_shape_and_type_stay_at_any_strength(
    corruption: Corruption, few: Digits, severity: float, seed: int, count: int
) -> None:
    result = corrupt(few.images[:count], corruption, severity, seed)
    assert (result.shape, result.dtype) == ((count, 28, 28), np.uint8)


@each_damage
def test_the_same_seed_damages_alike(corruption: Corruption, few: Digits) -> None:
    images = few.images[:20]
    first = corrupt(images, corruption, 4, seed=1)
    assert np.array_equal(first, corrupt(images, corruption, 4, seed=1))
    other = corrupt(images, corruption, 4, seed=2)
    assert np.array_equal(first, other) == (corruption.name in WITHOUT_CHANCE)


@each_damage
def test_damage_grows_with_strength(corruption: Corruption, few: Digits) -> None:
    images = few.images[:100]
    steps = [change(images, corrupt(images, corruption, severity)) for severity in np.arange(0, 5.5, 0.5)]
    assert steps == sorted(steps)
    assert steps[-1] > 1.5 * steps[2] > 0


@each_damage
def test_every_image_may_have_its_own_strength(corruption: Corruption, few: Digits) -> None:
    images = few.images[:6]
    severities = np.array([0, 1, 2.5, 3, 4.2, 5])
    together = corrupt(images, corruption, severities)
    for place, severity in enumerate(severities):
        assert np.array_equal(together[place], corrupt(images, corruption, float(severity))[place])


@pytest.mark.parametrize("name", ["dots", "lines", "thick", "broken strokes", "thin", "occlusion"])
def test_a_stronger_damage_is_more_of_the_same(name: str, few: Digits) -> None:
    (corruption,) = [each for each in CORRUPTIONS if each.name == name]
    pictures = [corrupt(few.images[:50], corruption, severity).astype(int) for severity in range(6)]
    signs = {int(sign) for step in np.diff(pictures, axis=0) for sign in np.unique(np.sign(step))}
    assert signs == {0, 1 if name in ("dots", "lines", "thick") else -1}


def test_amounts_are_what_their_units_say() -> None:
    square = np.zeros((200, 28, 28), np.uint8)
    square[:, 10:18, 10:18] = 255
    found = {corruption.name: corrupt(square, corruption, 2).astype(float) for corruption in CORRUPTIONS}
    assert found["brightness"][:, 0, 0] == pytest.approx(45)
    assert found["contrast"].max() == pytest.approx(255 * 0.6)
    middles = np.array([np.argwhere(image > 127).mean(axis=0) for image in found["shift"]])
    assert np.hypot(*(middles - 13.5).T) == pytest.approx(2, abs=0.7)
    sides = np.sqrt(found["scale"].sum(axis=(1, 2)) / 255)
    assert set(np.round(sides / 8, 1)) == {0.9, 1.2}
    covered = (255 - corrupt(np.full_like(square, 255), CORRUPTIONS[-2], 2).astype(float)).sum(
        axis=(1, 2)
    ) / 255
    assert covered == pytest.approx(25, abs=0.5)
    noise = corrupt(np.full_like(square, 128), CORRUPTIONS[0], 2).astype(float)
    assert noise.std() == pytest.approx(30, rel=0.02)
