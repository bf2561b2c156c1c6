import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitcli.synthesis.glyphs import DIGITS, Form
from digitcli.synthesis.writing_styles import CALM, FREE, WritingStyle, alike, curve, write

FORMS = [(digit, place) for digit, forms in DIGITS.items() for place in range(len(forms))]


@settings(max_examples=60)
@given(st.sampled_from(FORMS), st.integers(0, 10_000), st.sampled_from([CALM, FREE]))
def test_as_many_strokes_as_the_form_and_the_same_again_from_the_same_seed(
    which: tuple[int, int], seed: int, style: WritingStyle
) -> None:
    digit, place = which
    form, others = DIGITS[digit][place], alike(DIGITS[digit])[place]
    strokes = write(form, np.random.default_rng(seed), style, others)
    assert len(strokes) == len(form)
    assert all(np.isfinite(stroke).all() and stroke.shape[1] == 2 for stroke in strokes)
    assert max(np.abs(stroke).max() for stroke in strokes) < 4
    again = write(form, np.random.default_rng(seed), style, others)
    assert all(np.array_equal(one, other) for one, other in zip(strokes, again, strict=True))


def spread(style: WritingStyle, form: Form, others: list[Form]) -> float:
    """How far apart the middles of the strokes of many writings lie from their mean."""
    random = np.random.default_rng(0)
    middles = np.array([np.concatenate(write(form, random, style, others)).mean(axis=0) for _ in range(300)])
    return float(middles.std(axis=0).sum())


def test_a_free_hand_goes_further_than_a_calm_one() -> None:
    others = alike(DIGITS[4])
    assert spread(FREE, DIGITS[4][0], others[0]) > 1.2 * spread(CALM, DIGITS[4][0], others[0])


@pytest.mark.parametrize("digit", range(10))
def test_forms_that_are_alike_have_as_many_strokes_and_are_so_mutually(digit: int) -> None:
    forms = DIGITS[digit]
    found = alike(forms)
    assert any(found)
    for form, others in zip(forms, found, strict=True):
        assert form not in others
        for other in others:
            assert len(other) == len(form)
            assert form in found[forms.index(other)]


def test_a_mixture_lies_between_two_forms() -> None:
    still = WritingStyle(wobble=(0.0, 0.0), bend=0.0, aspect=0.0, slant=0.0, turn=0.0, mixing=1.0)
    low, high = (((0.2, 0.0), (0.2, 1.0)),), (((0.4, 0.0), (0.4, 1.0)),)
    (stroke,) = write(low, np.random.default_rng(3), still, [high])
    width = np.exp(-0.35)
    straight = stroke[:, 0] + 0.1 * stroke[:, 1]  # the slant that all digits have
    assert np.allclose(straight, straight[0], atol=0.02)
    assert 0.2 * width < straight[0] < 0.33 * width


def test_a_curve_goes_through_its_points() -> None:
    points = np.array([(0.0, 0.0), (0.5, 0.2), (1.0, 0.9)])
    assert all(np.abs(curve(points) - point).sum(axis=1).min() < 1e-9 for point in points)
