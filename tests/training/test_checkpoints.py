"""Runs that are really killed, and what goes on from where they were."""

import contextlib
import json
import random
import shutil
import time
from pathlib import Path

import forkserver
import numpy as np
import pytest
from conftest import Command, Outcome, once

from digitcli.config.recipe_files import FOLDER
from digitcli.errors import InputError
from digitcli.training.checkpoints import load

TRAIN = ("train", "--config", "ci", "--epochs", 8, "--artifacts", "run", "--deterministic", "--quiet")
# whatever a checkpoint has to hold, and a network's end to be killed at
RICH = """ensemble_size = 2
epochs = 4
ema = 0.9
patience = 3
"""
DISTORTED = "\n[augmentation]\nshift = 1.0\nelastic = 0.5\nstroke_width = 0.3\n"


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was killed after its first epoch."""

    def kill(folder: Path) -> Outcome:
        process = forkserver.start(*TRAIN, cwd=folder)
        path = folder / "run" / "checkpoint.npz"
        while not path.is_file() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        assert path.is_file()
        return Outcome(process.returncode, "", "")

    return once(tmp_path_factory, "killed", kill)[0] / "run"


@pytest.fixture
def unfinished(killed: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    shutil.copytree(killed, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow(seconds=90)
def test_killed_again_and_again_it_ends_with_the_same_weights(tmp_path: Path, digitcli: Command) -> None:
    recipe = (FOLDER / "ci.toml").read_text().replace("epochs = 6\n", RICH) + DISTORTED
    (tmp_path / "rich.toml").write_text(recipe)
    options = ("train", "-c", "rich.toml", "--limit", 1000, "--deterministic", "--quiet", "--artifacts")
    whole = digitcli(*options, "whole", "--json").json()
    dice = random.Random()  # noqa: S311 - another moment each time the tests run
    kills = 0
    process = forkserver.start(*options, "run", cwd=tmp_path)
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    for _ in range(4):
        seen = written(checkpoint)
        while process.poll() is None and written(checkpoint) in (None, seen):
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.5))
        if process.poll() is not None:
            break
        process.kill()
        process.communicate()
        kills += 1
        if written(checkpoint) is None:  # the moment after the last file was in place
            break
        process = forkserver.start("train", "--resume", "--artifacts", "run", "--quiet", cwd=tmp_path)
    process.communicate()
    assert kills
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["weights_sha256"] == whole["weights_sha256"]
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["val_loss"] == whole["history"]["val_loss"]
    assert not checkpoint.exists()


def written(path: Path) -> int | None:
    """Return when a file was written; None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


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


def test_a_checkpoint_with_any_byte_changed_is_read_or_refused(unfinished: Path) -> None:
    """Never anything else than one of the two, whatever the damage."""
    path = unfinished / "checkpoint.npz"
    content = path.read_bytes()
    dice = np.random.default_rng(0)
    for place in [*range(40), *dice.integers(0, len(content), 150), *range(len(content) - 150, len(content))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(dice.integers(8))
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            load(unfinished)
    path.write_bytes(content)
    assert load(unfinished).progress.epochs


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"seconds": ', '"seconds": "x'),
        ('"format": 1', '"format": 2'),
        ('"members": 0', '"members": 999999999'),
        ('"precision": "float32"', '"precision": "foo"'),
        ('"epochs": 8', '"epochs": 0'),
        ('"limit": null', '"limit": "a"'),
    ],
)
def test_headers_that_say_nonsense_are_refused(unfinished: Path, old: str, new: str) -> None:
    path = unfinished / "checkpoint.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    header = arrays["header"].tobytes().decode()
    assert old in header
    arrays["header"] = np.frombuffer(header.replace(old, new, 1).encode(), np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="not a checkpoint that can be read"):
        load(unfinished)


def test_checkpoints_from_before_recipes_had_a_task_are_resumed(unfinished: Path, digitcli: Command) -> None:
    path = unfinished / "checkpoint.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    header = arrays["header"].tobytes().decode()
    assert '"task": "classify", ' in header
    arrays["header"] = np.frombuffer(header.replace('"task": "classify", ', "", 1).encode(), np.uint8)
    np.savez(path, **arrays)
    outcome = digitcli("train", "--resume", "--artifacts", "run", "--quiet")
    assert outcome.status == 0, outcome.stderr
    assert len(json.loads((unfinished / "history.json").read_text())["epoch"]) == 8


def test_weights_of_another_network_are_refused(unfinished: Path, digitcli: Command) -> None:
    path = unfinished / "checkpoint.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    for name in ("kept/0", "state/network/0"):
        damaged = {**arrays, name: arrays[name][:-1]}
        np.savez(path, **damaged)
        outcome = digitcli("train", "--resume", "--artifacts", "run")
        assert outcome.status == 3
        assert "do not fit its recipe" in outcome.stderr or "does not fit its recipe" in outcome.stderr


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
