import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitcli.damage import DAMAGES, STRENGTHS, Damage, damaged
from digitcli.datasets import Digits

each_damage = pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
WITHOUT_CHANCE = ("blur", "brightness", "contrast", "thin", "thick", "JPEG")


def change(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.abs(after.astype(int) - before).mean())


def test_there_are_fifteen() -> None:
    assert [damage.name for damage in DAMAGES] == [
        "noise", "blur", "brightness", "contrast", "scale", "shift", "rotation", "shear", "thin", "thick",
        "broken strokes", "dots", "lines", "occlusion", "JPEG",
    ]  # fmt: skip
    for damage in DAMAGES:
        assert list(damage.amounts) == sorted(set(damage.amounts))
        assert damage.amount(0) == 0
        assert [damage.amount(strength) for strength in STRENGTHS] == list(damage.amounts)


@each_damage
def test_strength_0_changes_nothing(damage: Damage, few: Digits) -> None:
    before = few.images.copy()
    assert np.array_equal(damaged(few.images, damage, 0), before)
    damaged(few.images, damage, 5)
    assert np.array_equal(few.images, before)


@each_damage
@settings(max_examples=12, deadline=None)
@given(strength=st.floats(0, 5), seed=st.integers(0, 2**32), count=st.integers(0, 4))
def test_shape_and_type_stay_at_any_strength(
    damage: Damage, few: Digits, strength: float, seed: int, count: int
) -> None:
    result = damaged(few.images[:count], damage, strength, seed)
    assert (result.shape, result.dtype) == ((count, 28, 28), np.uint8)


@each_damage
def test_the_same_seed_damages_alike(damage: Damage, few: Digits) -> None:
    images = few.images[:20]
    first = damaged(images, damage, 4, seed=1)
    assert np.array_equal(first, damaged(images, damage, 4, seed=1))
    other = damaged(images, damage, 4, seed=2)
    assert np.array_equal(first, other) == (damage.name in WITHOUT_CHANCE)


@each_damage
def test_damage_grows_with_strength(damage: Damage, few: Digits) -> None:
    images = few.images[:100]
    steps = [change(images, damaged(images, damage, strength)) for strength in np.arange(0, 5.5, 0.5)]
    assert steps == sorted(steps)
    assert steps[-1] > 1.5 * steps[2] > 0


@each_damage
def test_every_image_may_have_its_own_strength(damage: Damage, few: Digits) -> None:
    images = few.images[:6]
    strengths = np.array([0, 1, 2.5, 3, 4.2, 5])
    together = damaged(images, damage, strengths)
    for place, strength in enumerate(strengths):
        assert np.array_equal(together[place], damaged(images, damage, float(strength))[place])


@pytest.mark.parametrize("name", ["dots", "lines", "thick", "broken strokes", "thin", "occlusion"])
def test_a_stronger_damage_is_more_of_the_same(name: str, few: Digits) -> None:
    (damage,) = [each for each in DAMAGES if each.name == name]
    pictures = [damaged(few.images[:50], damage, strength).astype(int) for strength in range(6)]
    signs = {int(sign) for step in np.diff(pictures, axis=0) for sign in np.unique(np.sign(step))}
    assert signs == {0, 1 if name in ("dots", "lines", "thick") else -1}


def test_amounts_are_what_their_units_say() -> None:
    square = np.zeros((200, 28, 28), np.uint8)
    square[:, 10:18, 10:18] = 255
    found = {damage.name: damaged(square, damage, 2).astype(float) for damage in DAMAGES}
    assert found["brightness"][:, 0, 0] == pytest.approx(45)
    assert found["contrast"].max() == pytest.approx(255 * 0.6)
    middles = np.array([np.argwhere(image > 127).mean(axis=0) for image in found["shift"]])
    assert np.hypot(*(middles - 13.5).T) == pytest.approx(2, abs=0.7)
    sides = np.sqrt(found["scale"].sum(axis=(1, 2)) / 255)
    assert set(np.round(sides / 8, 1)) == {0.9, 1.2}
    covered = (255 - damaged(np.full_like(square, 255), DAMAGES[-2], 2).astype(float)).sum(axis=(1, 2)) / 255
    assert covered == pytest.approx(25, abs=0.5)
    noise = damaged(np.full_like(square, 128), DAMAGES[0], 2).astype(float)
    assert noise.std() == pytest.approx(30, rel=0.02)
