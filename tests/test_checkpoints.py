"""Runs that are really killed, and what goes on from where they were."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import Command

TRAIN = ("train", "--config", "ci", "--epochs", 8, "--artifacts", "run", "--deterministic", "--quiet")


def start(folder: Path, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "digitcli", *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """Return the folder of a run that was killed after its first epoch."""
    process = start(tmp_path, *TRAIN)
    path = tmp_path / "run" / "checkpoint.npz"
    while not path.is_file() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert path.is_file()
    return tmp_path / "run"


def test_killed_again_and_again_it_ends_with_the_same_weights(tmp_path: Path, digitcli: Command) -> None:
    whole = digitcli(*TRAIN[:6], "whole", *TRAIN[7:], "--json").json()
    dice = random.Random()  # noqa: S311 - another moment each time the tests run
    kills = 0
    process = start(tmp_path, *TRAIN)
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    for _ in range(3):
        seen = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
        while process.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == seen):
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.5))
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        kills += 1
        if not checkpoint.exists():
            break
        process = start(tmp_path, "train", "--resume", "--artifacts", "run", "--quiet")
    process.wait()
    assert kills
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["weights_sha256"] == whole["weights_sha256"]
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["val_loss"] == whole["history"]["val_loss"]
    assert not checkpoint.exists()


def test_what_differs_from_the_checkpoint_is_named(unfinished: Path, digitcli: Command) -> None:
    resume = ("train", "--resume", "--artifacts", "run")
    outcome = digitcli(*resume, "--epochs", 9, "--learning-rate", 0.2)
    assert outcome.status == 2
    assert "recipe epochs: 8 in the checkpoint, 9 now" in outcome.stderr
    assert "recipe optimizer learning_rate: 0.1 in the checkpoint, 0.2 now" in outcome.stderr
    assert "Loading" not in outcome.stderr
    outcome = digitcli(*resume, "--limit", 500)
    assert "limit: None in the checkpoint, 500 now" in outcome.stderr
    data = unfinished.parent / "data.npz"
    digits = np.random.default_rng(0).integers(0, 255, (300, 28, 28), np.uint8)
    np.savez(data, x=digits, y=np.arange(300, dtype=np.uint8) % 10)
    outcome = digitcli(*resume, "--data", data)
    assert outcome.status == 2
    assert "data sha256" in outcome.stderr
    assert "data train: 1833 in the checkpoint" in outcome.stderr
    outcome = digitcli(*resume, "--config", "classic")
    assert outcome.status == 2
    assert "recipe name: 'ci' in the checkpoint, 'classic' now" in outcome.stderr
    assert "more" in outcome.stderr.splitlines()[-1]


def test_without_resume_a_new_run_says_so_and_begins_anew(unfinished: Path, digitcli: Command) -> None:
    outcome = digitcli("train", "-c", "ci", "--epochs", 1, "--limit", 200, "--artifacts", "run")
    assert outcome.status == 0
    assert "An unfinished run's checkpoint in run will be replaced" in outcome.stderr
    assert not (unfinished / "checkpoint.npz").exists()
    outcome = digitcli("train", "--resume", "--artifacts", "run")
    assert outcome.status == 4
    assert "no checkpoint to resume" in outcome.stderr


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"text", None])
def test_damaged_checkpoints_are_refused(tmp_path: Path, digitcli: Command, content: bytes | None) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    if content is None:
        np.savez(folder / "checkpoint.npz", header=np.frombuffer(b'{"format": 1}', np.uint8))
    else:
        (folder / "checkpoint.npz").write_bytes(content)
    outcome = digitcli("train", "--resume")
    assert outcome.status == 3
    assert "artifacts/checkpoint.npz: not a checkpoint that can be read" in outcome.stderr
    assert "Traceback" not in outcome.stderr
