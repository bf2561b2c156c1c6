"""A detector from the command line: trained, killed and resumed, evaluated, exported, plotted, refused."""

import json
import shutil
import signal
from pathlib import Path

import cv2
import forkserver
import numpy as np
import psutil
import pytest
from conftest import Command, Outcome, execute, once, weights

FILES = {
    "detector.keras",
    "detector.onnx",
    "detector-history.json",
    "detector-run.json",
    "detector-loss.png",
    "pages.png",
}
FIGURES = {"n", "average_precision", "counts_exact", "false_digits_a_page"}
TRAIN = ("train", "--config", "detector-ci", "--deterministic")


@pytest.fixture(scope="session")
def detector_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """Train the recipe ``detector-ci``; return its folder and what was said."""

    def train(folder: Path) -> Outcome:
        outcome = execute("-m", "digitcli", *TRAIN, cwd=folder)
        assert outcome.status == 0, outcome.stderr
        return outcome

    folder, outcome = once(tmp_path_factory, "detector", train)
    return folder / "artifacts", outcome


@pytest.fixture
def detector(detector_once: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """Return a copy of the detector's folder, as ``artifacts`` in the empty folder."""
    shutil.copytree(detector_once[0], tmp_path / "artifacts")
    return tmp_path / "artifacts"


@pytest.mark.slow
def test_it_leaves_its_own_files_and_no_model(detector_once: tuple[Path, Outcome]) -> None:
    folder, outcome = detector_once
    assert {path.name for path in folder.iterdir()} == FILES
    lines = outcome.stderr.splitlines()
    assert lines[0] == "Recipe detector-ci on 48 generated pages, some of them new in every epoch"
    assert sum(line.startswith("epoch ") for line in lines) == 3
    assert "val_average_precision" in outcome.stderr
    assert "pages/s" in outcome.stderr
    for name in FILES:
        assert name in outcome.stdout
    history = json.loads((folder / "detector-history.json").read_text())
    assert history["val_loss"][-1] < history["val_loss"][0]
    run = json.loads((folder / "detector-run.json").read_text())
    assert run["recipe"]["task"] == "detect"
    assert run["onnx"]["largest_difference"] < 1e-3
    assert set(run["validation"]) == FIGURES
    sheet = cv2.imread(str(folder / "pages.png"))
    assert sheet.shape[1] > 1000


def started(*arguments: object, cwd: Path, until: str) -> forkserver.Process:
    """Start a training, and wait for a line that begins so."""
    process = forkserver.start_fresh(*arguments, cwd=cwd)
    for line in process.stderr:
        if line.startswith(until):
            break
    return process


@pytest.mark.slow
def test_killed_and_resumed_it_ends_with_the_same_bits(
    detector_once: tuple[Path, Outcome], tmp_path: Path, digitcli: Command
) -> None:
    """Pages that were mined after the first epoch are among what has to come back."""
    artifacts = tmp_path / "artifacts"
    process = started(*TRAIN, cwd=tmp_path, until="epoch 2/3")
    drawing = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(drawing, timeout=10)
    assert drawing
    assert not alive  # they end with their parent

    shutil.copy(artifacts / "detector-checkpoint.npz", artifacts / "checkpoint.npz")
    refused = digitcli("train", "--resume")
    assert refused.status == 2
    assert "two unfinished runs" in refused.stderr
    (artifacts / "checkpoint.npz").unlink()

    outcome = execute("-m", "digitcli", "train", "--resume", cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    whole, resumed = (weights(path / "detector.keras") for path in (detector_once[0], artifacts))
    assert all(np.array_equal(one, other) for one, other in zip(whole, resumed, strict=True))
    assert {path.name for path in artifacts.iterdir()} == FILES


@pytest.mark.slow
def test_evaluate_tells_kind_by_kind(detector: Path, digitcli: Command) -> None:
    before = {path.name for path in detector.iterdir()}
    outcome = digitcli("evaluate", "--model", "artifacts/detector.onnx", "--json")
    assert outcome.status == 0, outcome.stderr
    found = outcome.json()
    assert set(found) == FIGURES | {"data", "model", "per_kind", "seconds"}
    assert {"numbers", "cells", "letters", "things"} <= {each["kind"] for each in found["per_kind"]}
    assert all(set(each) == FIGURES | {"kind"} for each in found["per_kind"])
    assert sum(each["n"] for each in found["per_kind"]) == found["n"]
    assert {path.name for path in detector.iterdir()} == before


@pytest.mark.slow
def test_plot_draws_the_curve_and_the_pages(detector: Path, digitcli: Command) -> None:
    (detector / "pages.png").unlink()
    outcome = digitcli("plot")
    assert outcome.status == 0, outcome.stderr
    assert "detector-loss.png" in outcome.stdout
    assert (detector / "pages.png").is_file()
    refused = digitcli("plot", "--data", "sample")
    assert refused.status == 2
    assert "holds a detector's run" in refused.stderr


def test_export_writes_a_file_that_tells_what_it_is(detector: Path, digitcli: Command) -> None:
    import onnx

    outcome = digitcli("export", "--model", "artifacts/detector.onnx", "--output", "out")
    assert outcome.status == 0, outcome.stderr
    model = onnx.load(detector.parent / "out" / "detector.onnx")
    facts = {each.key: each.value for each in model.metadata_props}
    assert facts["task"] == "detect"
    assert facts["recipe"] == "detector-ci"
    assert facts["labels"].startswith("0,1,2,3,4,5,6,7,8,9,decimal,")
    keras = digitcli("export", "--model", "artifacts/detector.keras", "--output", "keras", "--json").json()
    assert keras["largest_difference"] < 1e-3


def test_each_file_is_refused_where_the_other_kind_is_needed(
    detector: Path, digitcli: Command, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.full((40, 40), 255, np.uint8))
    for model in ("artifacts/detector.onnx", "artifacts/detector.keras"):
        for arguments in (
            ("predict", "one.png"),
            ("evaluate", "--compare", model, "--data", "sample"),
            ("train", "--init"),
        ):
            if arguments[0] == "evaluate":
                outcome = digitcli(*arguments, "--model", "pretrained")
            elif arguments[0] == "train":
                outcome = digitcli(*arguments, model, "--data", "sample")
            elif model.endswith(".keras"):
                continue  # predict takes ONNX files alone
            else:
                outcome = digitcli(*arguments, "--model", model)
            assert outcome.status == 3, (arguments, outcome)
            assert f"{model}: is a detector" in outcome.stderr
            assert len(outcome.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--config", "detector-ci", "--limit", 100), "--limit 100: a detector"),
        (("train", "--config", "detector-ci", "--cluster", "127.0.0.1:9999,127.0.0.1:9998", "--task", 0),
         "a detector is trained on one machine"),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_to_it(
    digitcli: Command, arguments: tuple[object, ...], words: str
) -> None:
    outcome = digitcli(*arguments)
    assert outcome.status == 2
    assert words in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", "--data", "sample"), "--data: a detector is evaluated on generated pages"),
        (("evaluate", "--report", "card"), "--report: a detector"),
        (("export", "--int8"), "expected --format onnx alone"),
        (("export", "--format", "litert"), "expected --format onnx alone"),
    ],
)
def test_options_that_mean_nothing_to_its_file(
    detector: Path, digitcli: Command, arguments: tuple[str, ...], words: str
) -> None:
    outcome = digitcli(*arguments, "--model", "artifacts/detector.onnx")
    assert outcome.status == 2
    assert words in outcome.stderr


def test_wrong_keys_of_its_recipe_are_named(digitcli: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        """
        description = "mine"
        task = "detect"
        epochs = 1
        batch_size = 4
        ensemble_size = 3
        network = []
        detector = { channels = [8, 8, 8], blocks = [1, 1, 900], head = 16, foreground = 4 }
        optimizer = { type = "adam", learning_rate = 0.1 }
        schedule = { type = "constant" }
        pages = { patches = 5, kinds = 3, mined_after = [0] }
        """
    )
    outcome = digitcli("train", "--config", "mine.toml")
    assert outcome.status == 3
    for words in ("ensemble_size: found 3", "network: unknown key", "channels", "patches: found 5", "kinds"):
        assert words in outcome.stderr, words


def test_its_network_is_shown(digitcli: Command) -> None:
    outcome = digitcli("train", "--config", "detector", "--summary", "--json", "--quiet")
    assert outcome.status == 0, outcome.stderr
    layers = {layer["name"]: layer for layer in outcome.json()}
    assert layers["stride8"]["shape"] == [32, 32, 23]
    assert sum(layer["parameters"] for layer in layers.values()) <= 450_000
