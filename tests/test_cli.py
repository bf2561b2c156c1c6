import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Command, execute

from digitcli import __version__

HEAVY = {
    "tensorflow", "keras", "cv2", "matplotlib", "onnxruntime", "onnx", "tf2onnx", "pydantic", "numpy",
}  # fmt: skip


def test_version(digitcli: Command) -> None:
    assert digitcli("--version").stdout == f"digitcli {__version__}\n"


def test_console_script_is_installed() -> None:
    script = Path(sys.executable).with_name("digitcli")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"digitcli {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        # Typer itself checks a command's options with pydantic
        (["train", "--help"], {"pydantic"}),
        (["evaluate", "--help"], {"pydantic"}),
        (["plot", "--help"], {"pydantic"}),
    ],
)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: list[str], allowed: set[str]) -> None:
    code = (
        "import sys\nfrom digitcli.cli import run\n"
        f"status = run({arguments!r})\n"
        f"print(sorted({HEAVY - allowed!r} & set(sys.modules)), status)"
    )
    assert execute("-c", code, cwd=tmp_path).stdout.splitlines()[-1] == "[] 0"


def test_start_up_costs_little_more_than_its_libraries(tmp_path: Path) -> None:
    def seconds(*arguments: str) -> float:
        start = time.perf_counter()
        execute(*arguments, cwd=tmp_path)
        return time.perf_counter() - start

    commands = (("-c", "import typer, rich"), ("-m", "digitcli", "--help"), ("-m", "digitcli", "--version"))
    rounds = [[seconds(*command) for command in commands] for _ in range(8)]  # in turn: alike disturbed
    libraries, *ours = (min(times) for times in zip(*rounds, strict=True))
    assert max(ours) < 1.6 * libraries


def test_no_arguments_show_the_help(digitcli: Command) -> None:
    outcome = digitcli()
    assert "train" in outcome.stdout + outcome.stderr
    assert outcome.status == 2


@pytest.mark.parametrize("arguments", [["nonsense"], ["train", "--nonsense"], ["train", "--seed"]])
def test_usage_errors(digitcli: Command, arguments: list[str]) -> None:
    outcome = digitcli(*arguments)
    assert outcome.status == 2
    assert "Error" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_traceback_only_with_debug(digitcli: Command) -> None:
    assert "Traceback" not in digitcli("evaluate").stderr
    assert "Traceback" in digitcli("--debug", "evaluate").stderr


def test_an_unexpected_error_is_a_line_with_status_1(digitcli: Command, trained: Path) -> None:
    (trained / "metrics.json").unlink()
    (trained / "metrics.json").mkdir()  # a folder, where a file must go
    outcome = digitcli("evaluate", "--data", "sample")
    assert outcome.status == 1
    assert "IsADirectoryError" in outcome.stderr
    assert "digitcli --debug" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not list(trained.glob(".partial-*"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(digitcli: Command, shell: str) -> None:
    words = {"COMP_WORDS": "digitcli train --config c", "COMP_CWORD": "3"}
    if shell != "bash":
        words = {
            "_TYPER_COMPLETE_ARGS": "digitcli train --config c",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
    outcome = digitcli(environment={**words, "_DIGITCLI_COMPLETE": f"complete_{shell}"})
    assert "classic" in outcome.stdout
    assert "ci" in outcome.stdout


def test_a_closed_pipe_is_no_error(trained: Path) -> None:
    command = f"{sys.executable} -m digitcli evaluate --data sample | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=trained.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Model")
    assert "Traceback" not in done.stderr
