import json
import os
import re
import shutil
import signal
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import forkserver
import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import REPOSITORY, Command, Outcome, execute, once

from digitcli.cli.app import run
from digitcli.config.recipe import load_recipe
from digitcli.datasets import Digits, load
from digitcli.errors import MissingError
from digitcli.export import exporter, formats
from digitcli.export.exporter import EXPORT, Measures, verify
from digitcli.export.formats import Format, Target
from digitcli.models.classifier import TOLERANCE
from digitcli.preprocessing.mnist_form import PREPROCESSING_VERSION, network_input
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

FLOATS = ("model.onnx", "model.tflite", "saved-model")
INT8 = ("model.int8.onnx", "model.int8.tflite")
KEYS = {
    "labels", "input", "output", "preprocessing_version", "rejection_threshold", "temperature_applied",
    "test_time_augmentation", "arithmetic", "recipe", "trained_on", "model_license", "made_by",
}  # fmt: skip


@pytest.fixture(scope="session")
def exported(
    trained_once: tuple[Path, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Export a trained run in every way; return the folder and what is told of each file."""

    def make(folder: Path) -> Outcome:
        shutil.copytree(trained_once[0], folder / "artifacts")
        files: dict[str, Any] = {}
        for arguments in (["litert", "saved-model", "onnx"], ["litert", "onnx", "--int8"]):
            options = [word for each in arguments[:2] for word in ("--format", each)]
            options += ["--int8"] if arguments[2] == "--int8" else ["--format", arguments[2]]
            outcome = execute("-m", "digitcli", "export", *options, "--json", "--quiet", cwd=folder)
            assert (outcome.status, outcome.stderr) == (0, "")
            report = outcome.json()
            assert report["n"] == 10_000
            files |= {Path(file["file"]).name: file for file in report["files"]}
            files["original"] = report["original"]
        return Outcome(0, json.dumps(files), "")

    folder, outcome = once(tmp_path_factory, "exported", make)
    return folder / "artifacts", outcome.json()


def read(path: Path, images: np.ndarray) -> np.ndarray:
    """Read with the runtime alone, as somebody would who has never heard of digitcli."""
    values = images[..., None].astype(np.float32)
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path)
        return session.run(["probabilities"], {"image": values})[0]
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(str(path)).get_signature_runner()(image=values)["probabilities"]
    from digitcli.models.backend import tf

    model = tf.saved_model.load(str(path))
    return model.signatures["serving_default"](image=tf.constant(values))["probabilities"].numpy()


def metadata(path: Path) -> dict[str, str]:
    if path.suffix == ".onnx":
        return {each.key: each.value for each in onnx.load(path).metadata_props}
    if path.suffix == ".tflite":
        return json.loads(zipfile.ZipFile(path).read("metadata.json"))
    return json.loads((path / "assets.extra" / "metadata.json").read_text())


@pytest.mark.parametrize("name", FLOATS + INT8)
def test_every_file_reads_on_its_own_as_is_told(
    exported: tuple[Path, dict[str, Any]], few: Digits, name: str
) -> None:
    folder, files = exported
    told, original = files[name], files["original"]
    expected = Recognizer.load(folder / "model.onnx").classifier.predict(few.images)
    found = read(folder / "exported" / name, few.images)
    difference = np.abs(found - expected).max()
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-5
    assert told["kept"]
    assert told["problem"] is None
    assert told["images_per_second"] > 0
    assert told["milliseconds_per_image"] > 0
    if name in FLOATS:
        assert difference < TOLERANCE / 10
        assert told["largest_difference"] < TOLERANCE / 10
        assert told["accuracy"] == original["accuracy"]
    else:
        assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98
        assert difference > 1e-5  # it is not the float32 file under another name
        assert 0 < told["largest_difference"] < 0.5
        assert told["accuracy"] >= original["accuracy"] - EXPORT.int8_loss
        assert told["bytes"] < 0.6 * original["bytes"]


def test_what_is_told_is_what_the_file_reads(exported: tuple[Path, dict[str, Any]]) -> None:
    folder, files = exported
    test = load("mnist").test
    read = (
        Recognizer.load(folder / "exported" / "model.int8.onnx")
        .classifier.predict(test.images)
        .argmax(axis=1)
    )
    assert (read == test.labels).mean() == files["model.int8.onnx"]["accuracy"]


@pytest.mark.parametrize("name", FLOATS + INT8)
def test_what_is_to_be_known_is_inside(exported: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, files = exported
    path = folder / "exported" / name
    found = metadata(path)
    run_record = json.loads((folder / "run.json").read_text())
    assert set(found) >= KEYS
    assert found["labels"] == "0,1,2,3,4,5,6,7,8,9"
    assert found["preprocessing_version"] == str(PREPROCESSING_VERSION)
    calibration = run_record["calibration"]
    assert float(found["rejection_threshold"]) == pytest.approx(calibration["threshold"], abs=1e-6)
    assert found["test_time_augmentation"] == ("yes" if calibration["test_time_augmentation"] else "no")
    assert float(found["temperature_applied"]) == pytest.approx(calibration["temperature"], abs=1e-6)
    assert (found["recipe"], found["trained_on"]) == ("ci", "sample")
    assert "MIT" in found["model_license"]
    assert "CC BY-SA 3.0" in found["model_license"]
    assert found["arithmetic"].startswith("int8" if name in INT8 else "float32")
    everything = [path, *path.rglob("*")]
    assert files[name]["bytes"] == sum(each.stat().st_size for each in everything if each.is_file())
    if path.suffix == ".onnx":
        assert Recognizer.load(path).threshold == pytest.approx(calibration["threshold"], abs=1e-6)


def test_predict_reads_with_exported_files(digitcli: Command, exported: tuple[Path, dict[str, Any]]) -> None:
    for name in ("model.onnx", "model.int8.onnx"):
        note = REPOSITORY / "docs" / "images" / "note.jpg"
        outcome = digitcli("predict", note, "--json", "--model", exported[0] / "exported" / name)
        assert outcome.status == 0
        assert len(outcome.json()["text"]) > 5


@pytest.mark.parametrize("options", [[], ["--int8"]])
def test_onnx_needs_no_tensorflow(trained: Path, options: list[str]) -> None:
    code = (
        "import sys\nfrom digitcli.cli.app import run\n"
        f"status = run({['export', '--quiet', *options]!r})\n"
        "print(sorted({'tensorflow', 'keras', 'tf2onnx', 'sympy'} & set(sys.modules)), status)"
    )
    outcome = execute("-c", code, cwd=trained.parent)
    assert outcome.stdout.splitlines()[-1] == "[] 0"
    assert outcome.stderr == ""


def test_words_and_table(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("export", "--int8", "--output", "there")
    assert outcome.status == 0
    assert "Model: artifacts/model.onnx" in outcome.stderr
    for words in ("the original", "model.int8.onnx", "accuracy", "difference", "KiB", "images/s", " ms"):
        assert words in outcome.stdout
    assert [path.name for path in (trained.parent / "there").iterdir()] == ["model.int8.onnx"]


def test_the_model_in_the_box_becomes_a_folder(digitcli: Command, tmp_path: Path) -> None:
    """Its Keras network is put back from ONNX."""
    outcome = digitcli("export", "--format", "saved-model", "--json")
    assert outcome.status == 0, outcome.stderr
    assert "pretrained" in outcome.stderr
    (told,) = outcome.json()["files"]
    assert told["accuracy"] >= 0.993
    assert (tmp_path / told["file"]).is_dir()


def test_keras_alone_becomes_onnx(digitcli: Command, trained: Path) -> None:
    for name in ("model.onnx", "run.json"):
        (trained / name).unlink()
    outcome = digitcli("export", "--json")
    assert outcome.status == 0, outcome.stderr
    assert "Model: artifacts/model.keras" in outcome.stderr
    (told,) = outcome.json()["files"]
    assert told["largest_difference"] < TOLERANCE / 10
    found = metadata(trained / "exported" / "model.onnx")
    assert "trained_on" not in found
    assert "Training images: unknown" in found["model_license"]


def test_several_networks_give_probabilities_in_8_bits(tmp_path: Path, few: Digits) -> None:
    """Softmax and mean stay float32, and nothing that TensorFlow warns of gets through."""
    from digitcli.export import litert
    from digitcli.models.factory import assemble, build
    from digitcli.models.keras_classifier import KerasClassifier

    recipe = load_recipe("ci")[1].model_copy(update={"ensemble_size": 3})
    network = assemble(recipe, [build(recipe).get_weights() for _ in range(3)])
    litert.write(network, tmp_path / "three.tflite", few.images[:100])
    found = read(tmp_path / "three.tflite", few.images)
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-5
    assert np.abs(found - KerasClassifier(network).predict(few.images)).max() < 0.02


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("limit", ["tolerance", "int8_loss"])
def test_a_file_that_disagrees_is_refused(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    monkeypatch.chdir(trained.parent)
    name = "model.onnx" if limit == "tolerance" else "model.int8.onnx"
    place = trained / "exported"
    place.mkdir()
    (place / name).write_text("of an earlier export")
    before = files_of(place)
    if limit == "tolerance":
        monkeypatch.setattr("digitcli.models.classifier.TOLERANCE", -1.0)
    else:
        monkeypatch.setattr(exporter, "EXPORT", replace(EXPORT, int8_loss=-1.0))
    options = [] if limit == "tolerance" else ["--int8"]
    assert run(["export", *options, "--json"]) == 1
    words = capsys.readouterr()
    (told,) = json.loads(words.out)["files"]
    assert not told["kept"]
    assert told["problem"] in words.err
    assert f"{name}: refused: " in words.err
    assert files_of(place) == before


def test_a_file_that_its_runtime_cannot_run_is_refused(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained.parent)
    monkeypatch.setattr("digitcli.export.onnx.label", lambda source, path, words: path.write_text("half"))
    assert run(["export"]) == 1
    words = capsys.readouterr()
    assert "model.onnx: refused: not an ONNX model that can be loaded" in words.err
    assert "partial" not in words.err
    assert files_of(trained / "exported") == {}


def test_what_may_be_kept() -> None:
    def measures(right: int, first: float = 0.9) -> Measures:
        probabilities = np.full((10_000, 10), (1 - first) / 9, np.float32)
        probabilities[:, 0] = first
        return Measures(probabilities, right, 1.0, 1.0)

    floats, int8 = Target(Format.ONNX), Target(Format.ONNX, int8=True)
    original = measures(9_900)
    assert verify(floats, 1, measures(9_900, 0.90005), original).problem is None
    assert verify(floats, 1, measures(9_901, 0.90005), original).problem is None
    assert "differs from the original by 0.0002" in str(verify(floats, 1, measures(9_900, 0.9002), original))
    assert "the original 99.00%" in str(verify(floats, 1, measures(9_899), original).problem)
    assert "differs" in str(verify(floats, 1, measures(9_900, float("nan")), original).problem)
    assert verify(int8, 1, measures(9_880, 0.5), original).problem is None
    assert "at most 0.20% less" in str(verify(int8, 1, measures(9_879), original).problem)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--format", "tflite"], 2, "'onnx', 'litert', 'saved-model'"),
        (["--format", "onnx", "--format", "saved-model", "--int8"], 2, "SavedModel has no 8-bit integers"),
        (["--model", "absent.onnx"], 4, "absent.onnx: no such model"),
        (["--model", "bad.onnx"], 3, "bad.onnx: not an ONNX model"),
        (["--output", "artifacts"], 2, "is a run's folder"),
        (["--output", "alone", "--model", "alone/model.onnx"], 2, "is the model that is exported"),
        (["--output", "bad.onnx"], 2, "cannot write to the folder bad.onnx"),
        (["--output", "taken"], 2, "taken/model.onnx is a folder"),
        (["--output", "taken", "--format", "saved-model"], 2, "taken/saved-model: is no SavedModel"),
        (["--model", "alone/model.onnx", "--format", "litert"], 3, "found no recipe in alone/run.json"),
        (["--model", "other/model.onnx", "--format", "litert"], 3, "model.keras: not a Keras model"),
    ],
)
def test_errors_are_a_line_and_leave_nothing(
    digitcli: Command, trained: Path, options: list[str], status: int, words: str
) -> None:
    folder = trained.parent
    (folder / "bad.onnx").write_text("junk")
    for name in ("alone", "other", "taken/model.onnx", "taken/saved-model"):
        (folder / name).mkdir(parents=True)
    (folder / "taken" / "saved-model" / "mine.txt").write_text("mine")
    for name in ("alone", "other"):
        shutil.copy(trained / "model.onnx", folder / name)
    (folder / "other" / "model.keras").write_text("junk")
    before = files_of(folder)
    outcome = digitcli("export", *options)
    assert outcome.status == status
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert files_of(folder) == before


def test_what_cannot_be_converted_is_refused(digitcli: Command, tmp_path: Path) -> None:
    """An ONNX file of 2018 reads digits, but is too old for 8 bits."""
    weights = [
        onnx.numpy_helper.from_array(np.zeros((784, 10), np.float32), "weights"),
        onnx.numpy_helper.from_array(np.array([-1, 784]), "shape"),
    ]
    nodes = [
        onnx.helper.make_node("Reshape", ["image", "shape"], ["flat"]),
        onnx.helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        onnx.helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("image", ["N", 28, 28, 1]), ("probabilities", ["N", 10]))
    ]
    graph = onnx.helper.make_graph(nodes, "old", values[:1], values[1:], weights)
    opset = onnx.helper.make_opsetid("", 9)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=4)
    onnx.helper.set_model_props(model, {"rejection_threshold": "0.5"})
    onnx.save(model, tmp_path / "old.onnx")
    assert digitcli("export", "--model", "old.onnx", "--quiet").status == 0
    outcome = digitcli("export", "--model", "old.onnx", "--int8")
    assert outcome.status == 1
    assert "model.int8.onnx: refused: " in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert [path.name for path in (tmp_path / "artifacts" / "exported").iterdir()] == ["model.onnx"]


def test_a_conversion_that_fails_is_told_in_words(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ValueError("no such operation")

    monkeypatch.chdir(trained.parent)
    monkeypatch.setattr("onnxruntime.quantization.quantize_static", broken)
    assert run(["export", "--int8"]) == 1
    assert "cannot convert the model to 8-bit integers (no such operation)" in capsys.readouterr().err


def test_int8_is_not_made_from_int8(digitcli: Command, exported: tuple[Path, dict[str, Any]]) -> None:
    outcome = digitcli("export", "--model", exported[0] / "exported" / "model.int8.onnx")
    assert outcome.status == 3
    assert "is int8 already" in outcome.stderr


def test_another_network_beside_the_model_is_noticed(digitcli: Command, trained: Path) -> None:
    shutil.copy(PRETRAINED_MODEL, trained / "model.onnx")
    outcome = digitcli("export", "--format", "litert")
    assert outcome.status == 3
    assert "model.keras: reads differently from model.onnx beside it" in outcome.stderr


def test_a_missing_runtime_is_said_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "_is_installed", lambda module: False)
    exporter.require_runtimes([Target(Format.ONNX)])
    with pytest.raises(MissingError, match="pip install ai-edge-litert"):
        exporter.require_runtimes([Target(Format.ONNX), Target(Format.LITERT)])


def test_ctrl_c_leaves_what_was_there(trained: Path) -> None:
    place = trained / "exported"
    place.mkdir()
    (place / "model.tflite").write_text("of an earlier export")
    before = files_of(place)
    process = forkserver.start("export", "--format", "litert", cwd=trained.parent)
    assert process.stderr
    while "Writing" not in process.stderr.readline():
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 130
    assert files_of(place) == before


def test_the_examples_of_the_docs(exported: tuple[Path, dict[str, Any]]) -> None:
    text = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    for example in examples[1:]:  # tests/test_readme.py runs the first one, after the page's commands
        assert "digitcli" not in example
        outcome = execute("-c", example, cwd=exported[0].parent)
        assert outcome.stdout == "1\n", outcome.stderr


def test_every_key_is_in_the_docs() -> None:
    text = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    for key in KEYS:
        assert f"`{key}`" in text


def test_every_target_has_a_name_of_its_own() -> None:
    names = [Target(each, int8).name for each in formats.Format for int8 in (False, True)]
    assert set(names) == {*FLOATS, *INT8}


def test_calibration_images_are_of_the_training_set() -> None:
    """As many of each digit, the same every time, and none of the validation or test images."""
    from digitcli.datasets import load, load_split

    mnist = load("mnist")
    assert mnist.train is not None
    chosen = exporter.calibration(load_split("mnist"))
    assert len(chosen) == 500
    assert (np.bincount(chosen.labels) == 50).all()
    known = {image.tobytes() for image in mnist.train.images}
    assert all(image.tobytes() in known for image in chosen.images)
    assert network_input(chosen.images).max() == 255
