from pathlib import Path

import pytest

from digitcli.config.recipe import load_recipe
from digitcli.models import precision
from digitcli.models.precision import choose_precision


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "digitcli" / "precision.json"


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


@pytest.mark.parametrize(("ratio", "trials"), [(0.6, 1), (1.5, 1), (0.9, 2), (1.1, 2)])
def test_a_clear_trial_is_remembered(
    monkeypatch: pytest.MonkeyPatch, cache: Path, ratio: float, trials: int
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    tried: list[str] = []
    monkeypatch.setattr(precision, "_ratio", lambda recipe: tried.append("") or ratio)
    recipe = load_recipe("default")[1]
    chosen = [choose_precision(recipe) for _ in range(2)]
    assert chosen[0] == chosen[1]
    assert len(tried) == trials
    choose_precision(load_recipe("quick")[1])  # another network
    assert len(tried) == trials + 1
    if trials == 1:
        cache.write_text("damaged")
        assert choose_precision(recipe) == chosen[0]
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")  # another machine, so to speak
        choose_precision(recipe)
        assert len(tried) == 4


def test_a_cache_that_cannot_be_written_to_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "digitcli").write_text("a file")
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_ratio", lambda recipe: 0.5)
    assert choose_precision(load_recipe("default")[1]).precision == "bfloat16"


def test_where_onednn_is_kept_from_bfloat16_training_is_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(recipe: object, kind: str) -> None:
        raise precision.tf.errors.AbortedError(None, None, "could not create a primitive descriptor")

    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_make_step", fail)
    chosen = choose_precision(load_recipe("default")[1])
    assert (chosen.precision, chosen.reason) == ("float32", "TensorFlow does not compute in bfloat16 here")


@pytest.mark.parametrize("cap", ["AVX2", "AVX512_CORE", "sse41"])
def test_onednn_may_be_kept_from_what_the_processor_has(monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", cap)
    assert not precision.has_bfloat16()
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    here = precision.has_bfloat16()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX")
    assert precision.has_bfloat16() == here


def test_the_steps_that_are_timed_are_real() -> None:
    recipe = load_recipe("ci")[1]
    step = precision._make_step(recipe, "float32")
    assert len(step()) == 8  # three kernels, two norms with two weights each, one bias
    assert precision._seconds(step) > 0
