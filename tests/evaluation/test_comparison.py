from fractions import Fraction
from math import comb
from pathlib import Path

import pytest
from conftest import Command
from evaluations import evaluation_of
from hypothesis import given
from hypothesis import strategies as st

from digitcli.evaluation.comparison import ModelComparison, compare, mcnemar, p_in_words, paired_interval
from digitcli.recognition.pretrained import PRETRAINED_MODEL

counts = st.tuples(*[st.integers(0, 300)] * 4).filter(any)


def of_counts(both: int, first: int, second: int, neither: int) -> ModelComparison:
    n = both + first + second + neither
    one = evaluation_of([0] * n, [0] * (both + first) + [1] * (second + neither))[0]
    other = evaluation_of([0] * n, [0] * both + [1] * first + [0] * second + [1] * neither)[0]
    return compare(one, other)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1),
        (1, 0, 1),  # 2 * 1/2
        (0, 5, 0.0625),  # 2 * 1/32
        (6, 0, 0.03125),  # 2 * 1/64
        (1, 9, 0.021484375),  # 2 * (1 + 10) / 1024
        (8, 2, 0.109375),  # 2 * (1 + 10 + 45) / 1024
        (5, 5, 1),
        (4, 5, 1),
    ],
)
def test_mcnemar_by_hand(only_first: int, only_second: int, p_value: float) -> None:
    assert mcnemar(only_first, only_second) == pytest.approx(p_value, rel=1e-12)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_twice_the_binomial_tail(first: int, second: int) -> None:
    tail = sum(
        Fraction(comb(first + second, hits), 2 ** (first + second)) for hits in range(min(first, second) + 1)
    )
    assert mcnemar(first, second) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-9)
    assert mcnemar(first, second) == mcnemar(second, first)


def test_mcnemar_of_millions() -> None:
    assert mcnemar(5_000_000, 5_000_000) == 1
    assert mcnemar(5_003_100, 4_996_900) == pytest.approx(0.0499, abs=5e-4)  # normal: z = 6200 / sqrt(1e7)
    assert mcnemar(10_000_000, 0) == 0


def test_paired_interval_as_published() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), 2635-2650, table II, method 10
    assert paired_interval(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


@given(counts)
def test_paired_interval_holds_the_difference(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    low, high = paired_interval(*table)
    assert -1 <= low <= (first - second) / sum(table) <= high <= 1
    swapped = paired_interval(both, second, first, neither)
    assert swapped == pytest.approx((-high, -low), abs=1e-12)


def test_images_are_counted_in_pairs() -> None:
    pair = of_counts(80, 9, 1, 10)
    assert (pair.both_right, pair.only_first, pair.only_second, pair.both_wrong) == (80, 9, 1, 10)
    assert (pair.n, pair.difference) == (100, 0.08)
    assert pair.p_value == pytest.approx(0.021484375)


def test_words_say_whether_the_difference_is_real() -> None:
    real = of_counts(80, 9, 1, 10)
    assert real.in_words("A", "B").startswith(
        "The difference is real (p = 0.0215): A reads better. Of these 100 images, A alone reads 9 right, "
        "B alone 1. First less second: +8.00 percentage points of accuracy (95% interval +"
    )
    assert "real (p = 0.0215): B reads better" in of_counts(80, 1, 9, 10).in_words("A", "B")
    unsure = of_counts(80, 3, 1, 16)
    assert not unsure.is_real
    assert unsure.in_words("A", "B").startswith(
        "No difference can be shown with these 100 images (p = 0.62): A alone reads 3 right, B alone 1."
    )
    same = of_counts(90, 0, 0, 10).in_words("A", "B")
    assert same == "No difference can be shown: both models read the same of these 100 images right."
    assert [p_in_words(p) for p in (1.0, 0.625, 0.0499, 0.00012, 1e-9)] == [
        "p = 1.00", "p = 0.62", "p = 0.0499", "p = 0.0001", "p < 0.0001",
    ]  # fmt: skip


def test_two_models_on_the_terminal(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("evaluate", "--data", "sample", "--compare", PRETRAINED_MODEL)
    assert outcome.status == 0, outcome.stderr
    for words in (
        "pretrained",
        "parameters",
        "images a second",
        "The difference is real (p",
    ):
        assert words in outcome.stdout


def test_two_models_as_json(digitcli: Command, trained: Path) -> None:
    alone = digitcli("evaluate", "--data", "sample", "--model", PRETRAINED_MODEL, "--json").json()
    found = digitcli("evaluate", "--data", "sample", "--json", "--compare", "pretrained").json()
    pair = found.pop("comparison")
    assert set(found) == set(alone)
    assert pair["with"]["confusion"] == alone["confusion"]
    assert pair["both_right"] + pair["only_first_right"] == round(found["accuracy"] * 500)
    assert pair["both_right"] + pair["only_second_right"] == round(alone["accuracy"] * 500)
    assert pair["difference"] == pytest.approx(found["accuracy"] - alone["accuracy"])
    assert pair["difference_ci95"][0] < pair["difference"] < pair["difference_ci95"][1] < 0
    assert pair["is_real"] is True
    assert pair["p_value"] == mcnemar(pair["only_first_right"], pair["only_second_right"])
    assert pair["bytes"][1] == PRETRAINED_MODEL.stat().st_size
    assert "reads better" in pair["words"]


def test_a_model_does_not_differ_from_itself_nor_from_its_keras_form(
    digitcli: Command, trained: Path
) -> None:
    options = ("--data", "sample", "--json", "--compare")
    same = digitcli("evaluate", *options, "artifacts/model.onnx").json()["comparison"]
    assert (same["p_value"], same["is_real"], same["difference"]) == (1, False, 0)
    assert same["words"].startswith("No difference can be shown: both models read the same")
    keras = digitcli("evaluate", *options, "artifacts/model.keras").json()["comparison"]
    assert (keras["only_first_right"], keras["only_second_right"]) == (0, 0)
    assert keras["parameters"][1] >= keras["parameters"][0] > 1000


@pytest.mark.parametrize(
    ("content", "status", "words"), [(None, 4, "no such model"), (b"bad", 3, "not an ONNX")]
)
def test_a_second_model_that_cannot_be_read(
    digitcli: Command, tmp_path: Path, content: bytes | None, status: int, words: str
) -> None:
    if content is not None:
        (tmp_path / "other.onnx").write_bytes(content)
    outcome = digitcli("evaluate", "--data", "sample", "--compare", "other.onnx")
    assert outcome.status == status
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "artifacts").exists()
