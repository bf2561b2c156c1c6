import pytest

from digitcli.config.recipe import load_recipe
from digitcli.models import precision
from digitcli.models.precision import choose_precision


def test_what_is_asked_for_is_taken() -> None:
    for wanted in ("float32", "bfloat16"):
        assert choose_precision(load_recipe("default")[1].override(precision=wanted)).precision == wanted


def test_a_machine_without_bfloat16_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    chosen = choose_precision(load_recipe("default")[1])
    assert chosen.precision == "float32"
    assert "no arithmetic" in chosen.reason


@pytest.mark.parametrize(("ratio", "expected"), [(0.5, "bfloat16"), (0.99, "float32"), (2.0, "float32")])
def test_the_faster_one_wins_if_it_is_worth_it(
    monkeypatch: pytest.MonkeyPatch, ratio: float, expected: str
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_make_step", lambda recipe, kind: kind)
    monkeypatch.setattr(precision, "_seconds", {"float32": 1.0, "bfloat16": ratio}.get)
    chosen = choose_precision(load_recipe("default")[1])
    assert chosen.precision == expected
    assert f"{ratio:.2f} times as long" in chosen.reason


def test_the_steps_that_are_timed_are_real() -> None:
    recipe = load_recipe("ci")[1]
    step = precision._make_step(recipe, "float32")
    assert len(step()) == 8  # three kernels, two norms with two weights each, one bias
    assert precision._seconds(step) > 0
