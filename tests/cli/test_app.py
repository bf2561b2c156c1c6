import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Command, execute

from digitcli import __version__
from digitcli.cli.app import run

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
        (["draw", "--help"], {"pydantic"}),
        (["export", "--help"], {"pydantic"}),
    ],
)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: list[str], allowed: set[str]) -> None:
    code = (
        "import sys\nfrom digitcli.cli.app import run\n"
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
    plain, debug = (digitcli(*before, "evaluate", "--model", "absent.onnx") for before in ([], ["--debug"]))
    assert plain.status == debug.status == 4
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


def test_an_unexpected_error_is_a_line_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(source: str) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("digitcli.config.recipe_files.names", broken)
    assert run(["train", "--list-recipes"]) == 1
    stderr = capsys.readouterr().err
    assert "digitcli --debug" in stderr
    assert "Traceback" not in stderr


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


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """The reader is gone before anything is written."""
    command = f"{{ {sys.executable} -m digitcli train --list-recipes; echo $? >&2; }} | true"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "digitcli", "train", "--list-recipes"],
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Error: the output: cannot be written: no space is left\n"
