"""README tells the truth: every command and every piece of code in it is run."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, Command
from pens import strokes
from screen import Program, Screen
from serving import Server

from digitcli.window.layout import USUAL, arrange

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = "".join(blocks("console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def run(command: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow(seconds=400)
@pytest.mark.gui
def test_every_digitcli_command_in_order(tmp_path: Path, digitcli: Command) -> None:
    """As shown, but for the length: training gets fewer images and epochs, where none are given to lose."""
    (tmp_path / "mine.toml").write_text(blocks("toml")[0])
    (tmp_path / "docs").symlink_to(REPOSITORY / "docs")
    shown = [command for command in commands() if command.startswith("digitcli ")]
    assert len(shown) >= 8
    found: set[str] = set()  # at any time: a new model takes the pictures of the one before away
    for command in shown:
        if command.startswith("digitcli draw") and "--headless" not in command:
            in_a_window(command, tmp_path)
            continue
        if command.startswith("digitcli serve"):
            in_a_browser(command, tmp_path)
            continue
        shorter = " --epochs 1 --limit 1000" if command.startswith("digitcli train") else ""
        outcome = digitcli(*shlex.split(command + shorter)[1:])
        assert outcome.status == 0, f"{command}\n{outcome.stdout}{outcome.stderr}"
        found |= {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    expected = (
        "artifacts/confusion.png",
        "artifacts/comparison.png",
        "runs/mine/model.onnx",
        "artifacts/exported/model.tflite",
    )
    assert found.issuperset(expected)
    exported, library = blocks("python")
    assert "digitcli" not in exported
    assert re.fullmatch(r"1 [01]\.\d+\n", run(f"python -c '{exported}'", tmp_path))
    lines = run(f"python -c '{library}'", tmp_path).splitlines()
    assert re.fullmatch(r"\d [01]\.\d+ \(\d+, \d+, \d+, \d+\)", lines[0])
    assert 0.1 < float(lines[1]) <= 1


def in_a_window(command: str, folder: Path) -> None:
    """Draw a digit, correct it, quit."""
    (folder / "screen").mkdir(exist_ok=True)
    with (
        Screen(folder / "screen") as screen,
        Program(screen, folder, *shlex.split(command)[2:]) as program,
    ):
        layout = arrange(*USUAL)
        for stroke in strokes(7, left=150, top=100, height=300):
            screen.drag([layout.from_canvas(x, y) for x, y in stroke])
        program.key("7", "Return", "Escape")
        status, stdout, stderr = program.end()
        assert (status, stdout.split()[0]) == (0, "7"), stderr


def in_a_browser(command: str, folder: Path) -> None:
    """Serve at a free port, without opening a browser; send what curl would."""
    with Server(folder, *[each for each in shlex.split(command)[2:] if each != "--open"]) as server:
        assert server.get("/")[0] == 200
        (json_,) = re.findall(r"curl --json '(.*)' ", README)
        assert server.draw(json.loads(json_))[1]["text"] == "7"


def test_make_train(tmp_path: Path) -> None:
    """The real target, on the environment that is already there."""
    assert "make train" in commands()
    make = f"make -C {REPOSITORY} VENV={sys.prefix} -o {sys.prefix}/.installed"
    run(f"{make} train ARGS='--config ci --epochs 1 --artifacts {tmp_path}/a --quiet'", tmp_path)
    assert (tmp_path / "a" / "model.onnx").is_file()


def test_make_test_runs_the_tests(tmp_path: Path) -> None:
    """Not run inside itself: what it would run is looked at instead."""
    assert "make test" in commands()
    make = f"make --no-print-directory -C {REPOSITORY} VENV={sys.prefix} -o {sys.prefix}/.installed"
    system, tests = run(f"{make} -n test", tmp_path).splitlines()
    assert system == "tools/install_system_packages.sh opencv tests"
    assert tests.startswith(f"{sys.prefix}/bin/python -m pytest ")


def test_no_command_is_left_out() -> None:
    others = {command for command in commands() if not command.startswith("digitcli ")}
    assert others == {"make train", "make test", "pip install ."}  # the last one: test_package.py


@pytest.mark.parametrize("target", ["train", "test", "lint", "types", "bench", "pretrained", "clean"])
def test_bare_make_lists_the_targets(tmp_path: Path, target: str) -> None:
    assert f"make {target} " in run(f"make --no-print-directory -C {REPOSITORY}", tmp_path)


def test_the_file_map_is_complete() -> None:
    files = {path.name for path in (REPOSITORY / "src" / "digitcli").glob("*.py")}
    for name in files - {"__init__.py", "__main__.py"}:
        assert name in README, name


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (REPOSITORY / target).exists(), target


def test_every_option_is_in_a_help_text() -> None:
    names = ("", "train", "evaluate", "plot", "predict", "draw", "serve", "export")
    texts = [run(f"digitcli {name} --help", REPOSITORY) for name in names]
    for option in set(re.findall(r"`(--[a-z-]+)", README)):
        assert any(option in text for text in texts), option
