"""The whole of ``digitcli train``, on the command line."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import forkserver
import numpy as np
import psutil
import pytest
from conftest import Command, Outcome, execute, weights
from forkserver import Process

from digitcli import __version__
from digitcli.config.recipe_files import FOLDER

FILES = {
    "model.keras",
    "model.onnx",
    "history.json",
    "metrics.json",
    "run.json",
    "loss.png",
    "accuracy.png",
    "samples.png",
}


def test_it_leaves_every_file_and_nothing_half_written(trained_once: tuple[Path, Outcome]) -> None:
    folder, outcome = trained_once
    assert {path.name for path in folder.iterdir()} == FILES
    assert outcome.status == 0
    for name in FILES:
        assert name in outcome.stdout


def test_without_a_terminal_it_says_plain_lines_and_nothing_of_tensorflows(
    trained_once: tuple[Path, Outcome],
) -> None:
    _, outcome = trained_once
    lines = outcome.stderr.splitlines()
    assert lines[0] == "Recipe ci on sample: 1,833 training, 167 validation, 500 test images"
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == len(json.loads((trained_once[0] / "history.json").read_text())["epoch"])
    for words in ("loss", "acc", "val_loss", "val_acc", "images/s", "left"):
        assert words in epochs[0]
    others = [line for line in lines[1:] if not line.startswith("epoch ")]
    assert all(line.endswith(" ...") for line in others[:-1])
    assert others[-1].startswith("Next: ")
    assert "\x1b" not in outcome.stderr + outcome.stdout


def test_it_reads_well(trained_once: tuple[Path, Outcome]) -> None:
    metrics = json.loads((trained_once[0] / "metrics.json").read_text())
    assert metrics["data"] == "sample"
    assert metrics["n"] == 500
    assert metrics["accuracy"] >= 0.93


def test_run_json_tells_how_the_model_came_to_be(trained_once: tuple[Path, Outcome]) -> None:
    run = json.loads((trained_once[0] / "run.json").read_text())
    assert run["digitcli"] == __version__
    assert run["recipe"]["name"] == "ci"
    assert run["seed"] == run["recipe"]["seed"] == 0
    assert run["data"]["name"] == "sample"
    assert len(run["data"]["sha256"]) == 64
    assert run["onnx"]["largest_difference"] < 1e-4
    assert run["packages"]["tensorflow"].startswith("2.21")
    assert run["machine"]["cores"] == os.cpu_count()
    parts = {"loading", "probe", "building", "training", "export", "test", "drawing"}
    assert set(run["durations"]) == parts
    assert run["parameters"] == sum(w.size for w in weights(trained_once[0] / "model.keras"))


@pytest.mark.slow
def test_json_alone_on_stdout(digitcli: Command, tmp_path: Path) -> None:
    outcome = digitcli(
        "train", "--config", "ci", "--epochs", 1, "--limit", 300, "--seed", 5, "--batch-size", 20,
        "--learning-rate", 0.05, "--artifacts", "runs/small", "--json", "--quiet",
    )  # fmt: skip
    assert outcome.status == 0
    assert outcome.stderr == ""
    report = outcome.json()
    assert report["artifacts"] == "runs/small"
    assert set(report["files"]) == FILES
    assert report["history"]["epoch"] == [1]
    assert report["seed"] == 5
    assert report["test"]["n"] == 500
    folder = tmp_path / "runs" / "small"
    drawn = (folder / "samples.png").read_bytes()
    assert digitcli("plot", "--artifacts", "runs/small").status == 0
    assert (folder / "samples.png").read_bytes() == drawn  # of the 300 images that were used


@pytest.mark.slow
def test_deterministic_runs_give_the_same_bits(digitcli: Command, tmp_path: Path) -> None:
    def train(folder: str) -> list[np.ndarray]:
        outcome = digitcli(
            "train", "--data", "sample", "--limit", 1200, "--epochs", 1, "--deterministic", "--seed", 3,
            "--artifacts", folder, "--quiet",
        )  # fmt: skip
        assert outcome.status == 0, outcome.stderr
        return weights(tmp_path / folder / "model.keras")

    for one, other in zip(train("a"), train("b"), strict=True):
        assert np.array_equal(one, other)


def interrupt_after(process: Process, words: str) -> tuple[str, float]:
    """Send SIGINT once a line starts so; return what came after it and how long the end took."""
    for line in process.stderr:
        if line.startswith(words):
            break
    time.sleep(0.3)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    return stderr, time.monotonic() - sent


def test_ctrl_c_keeps_the_last_complete_epoch(trained: Path, digitcli: Command) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    process = forkserver.start("train", "--config", "ci", "--epochs", 500, cwd=trained.parent)
    stderr, seconds = interrupt_after(process, "epoch 3/")
    process_words = stderr.splitlines()[-1]
    assert "the model as it was then is in artifacts/interrupted" in process_words
    assert seconds < 5
    history = json.loads((trained / "interrupted" / "history.json").read_text())
    assert len(history["epoch"]) >= 3
    assert f"after {len(history['epoch'])} of 500 epochs" in process_words
    after = {path.name: path.read_bytes() for path in trained.iterdir() if path.is_file()}
    assert after.pop("checkpoint.npz")
    assert after == before
    kept = digitcli(
        "evaluate", "--model", "artifacts/interrupted/model.keras", "--data", "sample", "--json"
    ).json()
    assert kept["accuracy"] > 0.8


def test_ctrl_c_while_tensorflow_is_loading(tmp_path: Path) -> None:
    process = forkserver.start_fresh("train", "--config", "ci", "--epochs", 500, cwd=tmp_path)
    stderr, _ = interrupt_after(process, "Loading TensorFlow")
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert not list((tmp_path / "artifacts").iterdir())


def test_ctrl_c_has_status_130(tmp_path: Path) -> None:
    process = forkserver.start_fresh("train", "--config", "ci", "--epochs", 500, cwd=tmp_path)
    interrupt_after(process, "epoch 1/")
    assert process.returncode == 130


def test_a_killed_run_leaves_the_earlier_model(trained: Path) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    process = forkserver.start("train", "--config", "ci", "--quiet", cwd=trained.parent)
    deadline = time.monotonic() + 120
    while not list(trained.glob(".partial-*-model.onnx")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    half = list(trained.glob(".partial-*"))
    assert half
    visible = [path for path in trained.iterdir() if path not in half and path.name != "checkpoint.npz"]
    assert {path.name: path.read_bytes() for path in visible} == before


def test_pictures_of_the_replaced_model_go(trained: Path, digitcli: Command) -> None:
    assert digitcli("evaluate", "--data", "sample").status == 0
    assert (trained / "mistakes.png").exists()
    assert digitcli("train", "--config", "ci", "--epochs", 1, "--limit", 200, "--quiet").status == 0
    assert not (trained / "mistakes.png").exists()
    assert not (trained / "confusion.png").exists()


def test_a_terminal_gets_a_live_display(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "digitcli", "train", "--config", "ci", "--epochs", "3"],
        cwd=tmp_path,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm-256color"},
    )
    os.close(slave)
    screen = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and select.select([master], [], [], 60)[0]:
        try:
            screen += os.read(master, 65536)
        except OSError:  # the other end has closed
            break
    os.close(master)
    assert process.wait(60) == 0
    shown = screen.decode()
    for words in ("3/3", "step ", "loss ", "acc ", "val ", "images/s", " left", "Test accuracy"):
        assert words in shown
    assert "\x1b[" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--epochs", 0], "--epochs: found 0; expected greater than or equal to 1"),
        (["--epochs", -5], "--epochs: found -5"),
        (["--epochs", 10**9], "--epochs: found 1000000000; expected less than or equal to 1000"),
        (["--epochs", "many"], "--epochs"),
        (["--batch-size", 0], "--batch-size: found 0"),
        (["--batch-size", 10**8], "--batch-size: found 100000000"),
        (["--learning-rate", 0], "--learning-rate: found 0.0; expected greater than 0"),
        (["--learning-rate", -1], "--learning-rate: found -1.0"),
        (["--learning-rate", "nan"], "--learning-rate: found nan; expected a finite number"),
        (["--learning-rate", "inf"], "--learning-rate: found inf"),
        (["--learning-rate", 1e9], "--learning-rate: found 1000000000.0"),
        (["--seed", -1], "--seed: found -1"),
        (["--limit", 0], "--limit 0: expected at least 100"),
        (["--limit", -3], "--limit -3: expected at least 100"),
        (["--limit", 60_001], "--limit 60001: mnist has 60,000 training images"),
        (["--data", ""], "--data: found ''"),
    ],
)
def test_absurd_numbers_are_refused_before_any_work(
    digitcli: Command, tmp_path: Path, arguments: list[object], words: str
) -> None:
    outcome = digitcli("train", *arguments)
    assert outcome.status == 2
    assert words in outcome.stderr
    assert "Loading" not in outcome.stderr
    assert outcome.stdout == ""


def test_divergence_stops_the_run_and_keeps_the_old_model(digitcli: Command, trained: Path) -> None:
    before = (trained / "model.onnx").read_bytes()
    outcome = digitcli("train", "--data", "sample", "--learning-rate", 1000)
    assert outcome.status == 1
    assert "training diverged; lower --learning-rate (it was 1000)" in outcome.stderr
    assert outcome.stdout == ""
    assert (trained / "model.onnx").read_bytes() == before


def test_a_network_that_learnt_nothing_is_pointed_out(digitcli: Command) -> None:
    outcome = digitcli("train", "-c", "ci", "--epochs", 1, "--learning-rate", 1e-9)
    assert outcome.status == 0
    assert "no better than guessing" in outcome.stderr


def test_a_network_that_learnt_a_little_is_not_said_to_guess(digitcli: Command) -> None:
    outcome = digitcli("train", "-c", "quick", "--data", "sample", "--limit", 1000, "--precision", "float32")
    assert outcome.status == 0
    assert "guessing" not in outcome.stderr


def test_list_recipes(digitcli: Command) -> None:
    outcome = digitcli("train", "--list-recipes")
    assert outcome.status == 0
    for words in ("classic", "default", "ci", "one-cycle", "sample"):
        assert words in outcome.stdout
    as_json = digitcli("train", "--list-recipes", "--json").json()
    assert as_json["classic"]["batch_size"] == 32


@pytest.mark.parametrize(("name", "kind"), [("run.json", "folder"), ("interrupted", "file")])
def test_what_stands_in_the_way_is_said_before_training(
    digitcli: Command, tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / "artifacts").mkdir()
    blocked = tmp_path / "artifacts" / name
    blocked.mkdir() if kind == "folder" else blocked.write_text("")
    outcome = digitcli("train", "--config", "ci")
    assert outcome.status == 2
    assert f"artifacts/{name} is a {kind}" in outcome.stderr
    assert "Loading" not in outcome.stderr


@pytest.mark.slow(seconds=70)
def test_peak_memory_stays_under_two_gigabytes(tmp_path: Path) -> None:
    """On the full MNIST: the data counts, not the number of epochs."""
    with forkserver.start_fresh("train", "--epochs", 1, "--quiet", cwd=tmp_path) as process:
        peak = 0
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
    assert process.returncode == 0
    assert 200e6 < peak < 2e9


@pytest.mark.slow
def test_tensorboard_gets_the_curves(digitcli: Command, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    outcome = digitcli("train", "-c", "ci", "--epochs", 2, "--tensorboard", "--json", "--quiet")
    history = outcome.json()["history"]
    (folder,) = (tmp_path / "artifacts" / "tensorboard").iterdir()

    def read(part: str, name: str) -> list[tuple[int, float]]:
        events = EventAccumulator(str(folder / part))
        events.Reload()
        return [(event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors(name)]

    for part, name, column in (
        ("train", "epoch/loss", "loss"),
        ("train", "epoch/learning_rate", "learning_rate"),
        ("validation", "epoch/loss", "val_loss"),
        ("validation", "epoch/accuracy", "val_accuracy"),
    ):
        steps, values = zip(*read(part, name), strict=True)
        assert steps == (1, 2)
        assert values == pytest.approx(history[column], rel=1e-4)
    assert len(read("train", "within_epochs/loss")) >= 4


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['tensorboard'] = None; from digitcli.__main__ import main; main()"
    outcome = execute("-c", blocked, "train", "-c", "ci", "--tensorboard", cwd=tmp_path)
    assert outcome.status == 4
    assert "pip install 'digitcli[tensorboard]'" in outcome.stderr


def test_a_time_budget_replaces_the_epochs(digitcli: Command) -> None:
    outcome = digitcli("train", "-c", "ci", "--time-budget", 5, "--json")
    report = outcome.json()
    assert report["durations"]["training"] == pytest.approx(5, abs=2)
    assert len(report["history"]["epoch"]) > 2
    assert report["history"]["learning_rate"][-1] < 0.02
    assert "epoch 1  loss" in outcome.stderr


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_is_said_and_kept(digitcli: Command, tmp_path: Path, precision: str) -> None:
    outcome = digitcli("train", "-c", "ci", "--epochs", 1, "--precision", precision)
    assert f"Training in {precision} (as asked)" in outcome.stderr
    run = json.loads((tmp_path / "artifacts" / "run.json").read_text())
    assert run["precision"] == {"trained_in": precision, "reason": "as asked"}
    assert {weights.dtype for weights in weights_of(tmp_path)} == {np.dtype("float32")}


def weights_of(folder: Path) -> list[np.ndarray]:
    return weights(folder / "artifacts" / "model.keras")


@pytest.mark.slow
def test_several_networks_are_kept_as_one_model(digitcli: Command, tmp_path: Path) -> None:
    recipe = (FOLDER / "ci.toml").read_text().replace("epochs = 6", "epochs = 3\nensemble_size = 2", 1)
    (tmp_path / "two.toml").write_text(recipe)
    outcome = digitcli("train", "-c", "two.toml", "--json")
    assert outcome.status == 0, outcome.stderr
    report = outcome.json()
    assert report["history"]["member"] == [1, 1, 1, 2, 2, 2]
    assert "epoch 6/6" in outcome.stderr
    assert report["test"]["accuracy"] > 0.9
    assert digitcli("evaluate", "--data", "sample", "--json").json()["accuracy"] == report["test"]["accuracy"]
    by_keras = digitcli("evaluate", "--model", "artifacts/model.keras", "--data", "sample", "--json").json()
    assert by_keras["accuracy"] == report["test"]["accuracy"]
    assert digitcli("plot").status == 0


@pytest.mark.slow
def test_augmentation_is_shown(digitcli: Command, tmp_path: Path) -> None:
    recipe = (
        FOLDER / "ci.toml"
    ).read_text() + "\n[augmentation]\nelastic = 0.5\nstroke_width = 0.4\nrotation = 10\n"
    (tmp_path / "mine.toml").write_text(recipe)
    assert digitcli("train", "-c", "mine.toml", "--epochs", 1).status == 0
    assert (tmp_path / "artifacts" / "augmentation.png").stat().st_size > 10_000
    assert digitcli("train", "-c", "ci", "--epochs", 1).status == 0
    assert not (tmp_path / "artifacts" / "augmentation.png").exists()
