"""``digitcli plot``, on the command line."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from conftest import Command

PICTURES = ("loss.png", "accuracy.png", "samples.png", "confusion.png", "mistakes.png", "reliability.png")


def test_every_picture_from_history_and_model_alone(digitcli: Command, trained: Path) -> None:
    for path in trained.iterdir():
        if path.name not in ("history.json", "model.onnx"):
            path.unlink()
    outcome = digitcli("plot", "--data", "sample")
    assert outcome.status == 0
    assert outcome.stdout == f"{', '.join(PICTURES)} in artifacts\n"
    for name in PICTURES:
        assert (trained / name).read_bytes().startswith(b"\x89PNG")


def test_train_and_plot_draw_the_same(digitcli: Command, trained: Path) -> None:
    drawn = {name: (trained / name).read_bytes() for name in ("loss.png", "accuracy.png", "samples.png")}
    assert digitcli("plot").status == 0
    for name, content in drawn.items():
        assert (trained / name).read_bytes() == content


@pytest.mark.parametrize("style", ["once", "repeated"])
def test_compare_lays_runs_together(digitcli: Command, trained: Path, style: str) -> None:
    shutil.copytree(trained, trained.parent / "runs" / "other")
    folders = ["artifacts", "runs/other"]
    arguments = ["--compare", *folders] if style == "once" else [w for f in folders for w in ("--compare", f)]
    outcome = digitcli("plot", *arguments, "--artifacts", "pictures")
    assert outcome.status == 0
    assert outcome.stdout == "comparison.png in pictures\n"
    assert (trained.parent / "pictures" / "comparison.png").stat().st_size > 10_000


def test_compare_needs_no_data(digitcli: Command) -> None:
    outcome = digitcli("plot", "--compare", "one", "--data", "sample")
    assert outcome.status == 2
    assert "leave one of them out" in outcome.stderr


def test_folders_without_compare_are_explained(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("plot", "artifacts")
    assert outcome.status == 2
    assert "--compare" in outcome.stderr
    assert "--artifacts artifacts" in outcome.stderr


def test_a_run_that_is_not_there(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("plot", "--artifacts", "typo")
    assert outcome.status == 4
    assert not (trained.parent / "typo").exists()
    outcome = digitcli("plot", "--compare", "artifacts", "nowhere")
    assert outcome.status == 4
    assert "nowhere/history.json: no such history" in outcome.stderr
    (trained / "model.onnx").unlink()
    outcome = digitcli("plot")
    assert outcome.status == 4
    assert "model.onnx: no such model" in outcome.stderr


def test_damaged_leftovers(digitcli: Command, trained: Path) -> None:
    (trained / "run.json").write_text("[1, 2]")
    outcome = digitcli("plot")
    assert outcome.status == 3
    assert "run.json: found a JSON list; expected an object" in outcome.stderr
    (trained / "history.json").write_text(json.dumps({"epoch": [1, 2], "loss": [0.1]}))
    outcome = digitcli("plot")
    assert outcome.status == 3
    assert "history.json: expected lists of numbers of one length" in outcome.stderr


def test_show_opens_every_picture(digitcli: Command, trained: Path) -> None:
    """A viewer of our own in the place of the desktop's: a real program, which notes what it is given."""
    viewer = trained.parent / "bin" / "xdg-open"
    viewer.parent.mkdir()
    viewer.write_text(f'#!/bin/sh\necho "$1" >> {trained.parent}/opened\n')
    viewer.chmod(viewer.stat().st_mode | stat.S_IXUSR)
    path = f"{viewer.parent}{os.pathsep}{os.environ['PATH']}"
    outcome = digitcli("plot", "--show", environment={"DISPLAY": ":0", "PATH": path})
    assert outcome.status == 0
    opened = (trained.parent / "opened").read_text().split()
    assert sorted(opened) == sorted(f"artifacts/{name}" for name in PICTURES)


def test_show_without_a_display(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("plot", "--show", environment={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert outcome.status == 4
    assert "needs a display" in outcome.stderr
