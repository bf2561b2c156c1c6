"""README and docs tell the truth: every command and every piece of code in them is run."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, Command, Outcome, execute
from pens import strokes
from screen import Program, Screen
from serving import Server

from digitcli.window.layout import DEFAULT_SIZE, arrange

README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
PAGES = (README, *(DOCS / f"{name}.md" for name in ("commands", "recipes", "drawing", "serving", "export")))
LEAVES = {  # what a page's commands leave behind at some time
    "README.md": {"artifacts/model.onnx"},
    "commands.md": {"artifacts/confusion.png", "artifacts/comparison.png", "report/report.html"},
    "recipes.md": {"runs/mine/model.onnx"},
    "drawing.md": {"artifacts/corrections.jsonl", "session.jsonl"},
    "serving.md": set(),
    "export.md": {"artifacts/exported/model.tflite", "artifacts/exported/model.int8.onnx"},
}
FEW_CORRUPTIONS = """
from dataclasses import replace
from digitcli.evaluation import robustness
robustness.ROBUSTNESS = replace(robustness.ROBUSTNESS, images=20, flipped_images=10)
from digitcli.__main__ import main
main()
"""
BIN = Path(sys.executable).parent


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    lines = "".join(blocks(page, "console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def run(command: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow(seconds=100)
@pytest.mark.gui
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_digitcli_command_in_order(tmp_path: Path, digitcli: Command, page: Path) -> None:
    """As shown, but shorter: a smaller network, fewer images and epochs, a report of few corruptions."""
    for content in blocks(page, "toml"):
        (tmp_path / "mine.toml").write_text(content)
    (tmp_path / "docs").symlink_to(DOCS)
    shown = [command for command in commands(page) if command.startswith("digitcli ")]
    assert shown
    found: set[str] = set()  # at any time: a new model takes the pictures of the one before away
    for command in shown:
        if command.startswith("digitcli draw") and "--headless" not in command:
            in_a_window(command, tmp_path)
        elif command.startswith("digitcli serve"):
            in_a_browser(command, tmp_path)
        else:
            outcome = shortened(command, digitcli, tmp_path)
            assert outcome.status == 0, f"{command}\n{outcome.stdout}{outcome.stderr}"
        found |= {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found >= LEAVES[page.name]
    if page.stem == "export":
        exported = blocks(page, "python")[0]
        assert "digitcli" not in exported
        assert re.fullmatch(r"1 [01]\.\d+\n", run_python(exported, tmp_path))


def shortened(command: str, digitcli: Command, folder: Path) -> Outcome:
    words = shlex.split(command)[1:]
    if words[0] == "train":
        is_named = "--config" in words or "--init" in words
        words += ["--epochs", "1", "--limit", "500"] if is_named else ["--config", "ci", "--epochs", "2"]
    if "--cross-validate" in words:
        words[words.index("--cross-validate") + 1] = "2"
    if "--suspects" in words:
        words += ["--data", "sample"]  # that which is trained on here
    if "--report" in words:
        return execute("-c", FEW_CORRUPTIONS, *words, cwd=folder)
    return digitcli(*words)


def test_the_python_api_does_what_its_page_shows(tmp_path: Path) -> None:
    library = next(each for each in blocks(DOCS / "python-api.md", "python") if "Recognizer.load()" in each)
    lines = run_python(library, tmp_path).splitlines()
    assert re.fullmatch(r"\d [01]\.\d+ \(\d+, \d+, \d+, \d+\)", lines[0])
    assert 0.1 < float(lines[1]) <= 1


def run_python(code: str, folder: Path) -> str:
    return run(f"python -c {shlex.quote(code)}", folder)


def in_a_window(command: str, folder: Path) -> None:
    """Draw a digit, correct it, quit."""
    (folder / "screen").mkdir(exist_ok=True)
    with (
        Screen(folder / "screen") as screen,
        Program(screen, folder, *shlex.split(command)[2:]) as program,
    ):
        layout = arrange(*DEFAULT_SIZE)
        for stroke in strokes(7, left=150, top=100, height=300):
            screen.drag([layout.from_canvas(x, y) for x, y in stroke])
        program.key("7", "Return", "Escape")
        status, stdout, stderr = program.end()
        assert (status, stdout.split()[0]) == (0, "7"), stderr


def in_a_browser(command: str, folder: Path) -> None:
    """Serve at a free port, without opening a browser; send what curl would."""
    with Server(folder, *[each for each in shlex.split(command)[2:] if each != "--open"]) as server:
        assert server.get("/")[0] == 200
        (json_,) = re.findall(r"curl --json '(.*)' ", (DOCS / "serving.md").read_text(encoding="utf-8"))
        assert server.draw(json.loads(json_))[1]["text"] == "7"


def test_make_train(tmp_path: Path) -> None:
    """The real target, on the environment that is already there."""
    assert "make train" in commands(README)
    make = f"make -C {REPOSITORY} VENV={sys.prefix} -o {sys.prefix}/.installed"
    run(f"{make} train ARGS='--config ci --epochs 1 --artifacts {tmp_path}/a --quiet'", tmp_path)
    assert (tmp_path / "a" / "model.onnx").is_file()


def test_make_test_runs_the_tests(tmp_path: Path) -> None:
    """Not run inside itself: what it would run is looked at instead."""
    assert "make test" in commands(README)
    make = f"make --no-print-directory -C {REPOSITORY} VENV={sys.prefix} -o {sys.prefix}/.installed"
    system, tests = run(f"{make} -n test", tmp_path).splitlines()
    assert system == "tools/install_system_packages.sh opencv tests"
    assert tests.startswith(f"{sys.prefix}/bin/python -m pytest ")


def test_no_command_is_left_out() -> None:
    others = {command for command in commands(README) if not command.startswith("digitcli ")}
    assert others == {"make train", "make test", "pip install ."}  # the last one: test_package.py


@pytest.mark.parametrize("target", ["train", "test", "lint", "types", "bench", "pretrained", "clean"])
def test_bare_make_lists_the_targets(tmp_path: Path, target: str) -> None:
    assert f"make {target} " in run(f"make --no-print-directory -C {REPOSITORY}", tmp_path)


def test_every_package_is_on_the_map() -> None:
    source = REPOSITORY / "src" / "digitcli"
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    files = {path.name for path in source.glob("*.py")} - {"__init__.py", "__main__.py"}
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")
    for name in {f"| `{package}` |" for package in packages} | files:
        assert name in architecture, name


@pytest.mark.parametrize("page", [README, *sorted(DOCS.glob("*.md"))], ids=lambda page: page.stem)
def test_links_and_pictures_exist(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)", prose):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len(README.read_bytes()) <= 9_000


def test_every_option_is_in_a_help_text() -> None:
    names = ("", "train", "evaluate", "plot", "predict", "draw", "serve", "export")
    texts = [run(f"digitcli {name} --help", REPOSITORY) for name in names]
    for option in {
        found for page in PAGES for found in re.findall(r"`(--[a-z-]+)", page.read_text(encoding="utf-8"))
    }:
        assert any(option in text for text in texts), option
