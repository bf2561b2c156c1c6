import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, execute

from digitcli.datasets import Dataset, Digits
from digitcli.errors import ModelError
from digitcli.evaluation.measuring import evaluate, unseen

CONTRACT = {
    "data", "model", "n", "accuracy", "accuracy_ci95", "loss", "per_class", "confusion", "seconds",
    "calibration_error",
}  # fmt: skip


def test_json_is_the_contracts_object_and_is_kept(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("evaluate", "--data", "sample", "--json")
    assert outcome.status == 0
    report = outcome.json()
    assert set(report) == CONTRACT
    assert (report["data"], report["n"]) == ("sample", 500)
    assert report["accuracy_ci95"][0] < report["accuracy"] < report["accuracy_ci95"][1]
    assert np.trace(report["confusion"]) == round(500 * report["accuracy"])
    assert json.loads((trained / "metrics.json").read_text()) == report
    assert {"confusion.png", "mistakes.png", "reliability.png"} <= {path.name for path in trained.iterdir()}


def test_evaluate_repeats_what_train_measured(digitcli: Command, trained: Path) -> None:
    trained_on = json.loads((trained / "metrics.json").read_text())
    again = digitcli("evaluate", "--data", "sample", "--json").json()
    for key in CONTRACT - {"seconds"}:
        assert again[key] == trained_on[key]


def test_tables_and_words(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("evaluate", "--data", "sample")
    assert outcome.status == 0
    for words in (
        "Accuracy",
        "95% interval",
        "precision",
        "recall",
        "F1",
        "Most frequent confusions:",
        "read as",
    ):
        assert words in outcome.stdout
    assert outcome.stderr == ""


def test_keras_model_gives_the_same_numbers(digitcli: Command, trained: Path) -> None:
    from_onnx = digitcli("evaluate", "--data", "sample", "--json").json()
    outcome = digitcli("evaluate", "--data", "sample", "--json", "--model", "artifacts/model.keras")
    from_keras = outcome.json()
    assert outcome.stderr == ""
    for key in ("n", "accuracy", "accuracy_ci95", "per_class", "confusion"):
        assert from_keras[key] == from_onnx[key]
    assert from_keras["loss"] == pytest.approx(from_onnx["loss"], abs=1e-5)


@pytest.mark.parametrize("command", [["evaluate", "--data", "sample"], ["plot"]])
def test_no_tensorflow_is_imported(trained: Path, command: list[str]) -> None:
    code = (
        "import sys\nfrom digitcli.cli.app import run\n"
        f"status = run({command!r})\n"
        "print(sorted({'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules)), status)"
    )
    assert execute("-c", code, cwd=trained.parent).stdout.splitlines()[-1] == "[] 0"


def test_missing_model_names_the_command_that_makes_one(digitcli: Command) -> None:
    outcome = digitcli("evaluate", "--model", "mine.onnx")
    assert outcome.status == 4
    assert "mine.onnx: no such model; train one with: digitcli train" in outcome.stderr


def test_without_a_model_of_ones_own_the_pretrained_one_reads(digitcli: Command) -> None:
    outcome = digitcli("evaluate", "--json")
    assert outcome.status == 0
    assert outcome.json()["accuracy"] >= 0.996
    assert outcome.json()["calibration_error"] < 0.01


@pytest.mark.parametrize("name", ["bad.onnx", "bad.keras"])
def test_damaged_model(digitcli: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not a model")
    outcome = digitcli("evaluate", "--model", name)
    assert outcome.status == 3
    assert f"{name}: not a" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_of_a_source_that_was_trained_on_only_the_rest_is_read(
    digitcli: Command, tmp_path: Path, sample: Dataset
) -> None:
    np.savez(tmp_path / "one.npz", x=sample.train.images, y=sample.train.labels)
    trained = digitcli("train", "-c", "ci", "--data", "one.npz", "--epochs", 1, "--json").json()
    assert trained["test"]["n"] == 333
    again = digitcli("evaluate", "--data", "one.npz", "--json")
    assert "only images that training left out" in again.stderr
    assert again.json()["confusion"] == trained["test"]["confusion"]
    assert digitcli("evaluate", "--data", "sample", "--json").json()["n"] == 500


def test_of_a_source_that_either_of_two_models_was_trained_on_only_the_rest_is_read(
    tmp_path: Path, sample: Dataset
) -> None:
    undivided = Dataset("one", test=sample.train)
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "run.json").write_text(json.dumps({"data": {"sha256": undivided.sha256}}))
    trained, other = tmp_path / "trained" / "model.onnx", tmp_path / "model.onnx"
    assert len(unseen(undivided, other)) == 2000
    for models in ([trained], [trained, other], [other, trained]):
        assert len(unseen(undivided, *models)) == 333


def test_a_model_whose_numbers_are_not_finite(few: Digits) -> None:
    class Broken:
        uses_tta = False

        def predict(self, images: np.ndarray) -> np.ndarray:
            return np.full((len(images), 10), np.nan, np.float32)

    with pytest.raises(ModelError, match="not finite"):
        evaluate(Broken(), few, data="few", model="broken.onnx")


def test_a_model_that_gives_logits_is_refused(few: Digits) -> None:
    class Logits:
        uses_tta = False

        def predict(self, images: np.ndarray) -> np.ndarray:
            return np.tile(np.linspace(-5, 5, 10, dtype=np.float32), (len(images), 1))

    with pytest.raises(ModelError, match="no probabilities"):
        evaluate(Logits(), few, data="few", model="logits.onnx")


def test_a_foreign_run_json_beside_a_model_does_no_harm(digitcli: Command, trained: Path) -> None:
    (trained / "run.json").write_text("not ours")
    assert digitcli("evaluate", "--data", "sample").status == 0


def test_a_digit_that_is_not_there_has_no_score(
    digitcli: Command, trained: Path, tmp_path: Path, sample: Dataset
) -> None:
    no_nines = sample.test.take(np.flatnonzero(sample.test.labels != 9))
    np.savez(tmp_path / "no9.npz", x=no_nines.images, y=no_nines.labels)
    report = digitcli("evaluate", "--data", "no9.npz", "--json").json()
    assert report["per_class"][9]["recall"] is None
    assert report["per_class"][9]["support"] == 0
