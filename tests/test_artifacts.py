import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
from conftest import Command

from digitcli import artifacts
from digitcli.artifacts import HISTORY_COLUMNS, read_history, replacing, require_writable
from digitcli.errors import DigitcliError, InputError, MissingError, OptionError
from digitcli.run_record import RunRecord


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_files_appear_together_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with replacing(tmp_path) as files:
        files.write("a.txt", b"new")
        files.write_json("b.json", [1])
        assert (tmp_path / "a.txt").read_text() == "old"
        assert not (tmp_path / "b.json").exists()
    assert contents(tmp_path) == {"a.txt": "new", "b.json": "[\n  1\n]\n"}


def test_files_can_go_with_the_others(tmp_path: Path) -> None:
    (tmp_path / "stale.png").write_text("old")
    with replacing(tmp_path) as files:
        files.remove("stale.png")
        files.remove("never.png")
        assert (tmp_path / "stale.png").exists()
    assert contents(tmp_path) == {}


def test_a_write_that_fails_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitcliError, match=r"cannot write to .*nothing was replaced"),
        replacing(tmp_path) as files,
    ):
        files.write("no/such/folder.txt", b"")


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with replacing(tmp_path) as files:
            folder = files.path("model")
            (folder / "inner").mkdir(parents=True)
            (folder / "inner" / content).write_text(content)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == [
        "model",
        "model/inner",
        "model/inner/new",
    ]
    with pytest.raises(ValueError, match="stopped"), replacing(tmp_path) as files:
        files.path("model").mkdir()
        raise ValueError("stopped")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DigitcliError, match="nothing was replaced"), replacing(tmp_path) as files:
        files.write("mine", b"")
    assert (tmp_path / "mine").is_dir()


@pytest.mark.parametrize("is_last", [False, True])
def test_ctrl_c_while_files_take_their_places_comes_when_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_last: bool
) -> None:
    """Lost, it would let a training go on after its checkpoint; after a job's last files it is too late."""
    put = artifacts._put

    def interrupted(temporary: Path, place: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        put(temporary, place)

    monkeypatch.setattr(artifacts, "_put", interrupted)
    came = contextlib.nullcontext() if is_last else pytest.raises(KeyboardInterrupt)
    with came, replacing(tmp_path, is_last=is_last) as files:
        files.write("a.txt", b"new")
        files.write("b.txt", b"new")
    assert contents(tmp_path) == {"a.txt": "new", "b.txt": "new"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_nothing_changes_after_an_exception(tmp_path: Path, exception: type[BaseException]) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(exception), replacing(tmp_path) as files:
        files.write("a.txt", b"new")
        raise exception
    assert contents(tmp_path) == {"a.txt": "old"}


def test_numbers_that_json_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), replacing(tmp_path) as files:
        files.write_json("a.json", float("nan"))
    assert contents(tmp_path) == {}


def test_leftovers_of_a_killed_process_are_swept_when_old(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".partial-1-a.txt", tmp_path / ".partial-2-a.txt"
    for path in (old, fresh):
        path.write_text("half")
    os.utime(old, (0, time.time() - 7200))
    with replacing(tmp_path):
        pass
    assert contents(tmp_path) == {fresh.name: "half"}


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OptionError, match=r"cannot write to the artifacts folder .*taken"):
        require_writable(tmp_path / "taken")


@pytest.mark.parametrize("command", ["train", "evaluate", "plot"])
def test_an_unwritable_folder_is_said_first(digitcli: Command, trained: Path, command: str) -> None:
    """A file in the folder's place stands for a read-only folder, which root could write."""
    (trained.parent / "taken").write_text("")
    model = ["--model", "artifacts/model.onnx"] if command == "evaluate" else []
    outcome = digitcli(command, *model, "--artifacts", "taken")
    assert outcome.status == 2
    assert "cannot write to the artifacts folder taken" in outcome.stderr
    assert "epoch" not in outcome.stderr


def test_history_is_read_back(trained: Path) -> None:
    history = read_history(trained)
    assert history["epoch"] == list(range(1, len(history["epoch"]) + 1))
    assert set(history) == {*HISTORY_COLUMNS, "member"}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"epoch": [1]}', json.dumps({key: ["x"] for key in HISTORY_COLUMNS}),
     json.dumps({key: [] for key in HISTORY_COLUMNS}), json.dumps(dict.fromkeys(HISTORY_COLUMNS, 1))],
)  # fmt: skip
def test_damaged_history(tmp_path: Path, content: str) -> None:
    (tmp_path / "history.json").write_text(content)
    with pytest.raises(InputError, match=r"history\.json"):
        read_history(tmp_path)


def test_missing_history_and_run(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="digitcli train --artifacts"):
        read_history(tmp_path)
    assert RunRecord.read(tmp_path).data is None
    (tmp_path / "run.json").write_text('{"data": [1]}')
    assert RunRecord.read(tmp_path).data is None
    (tmp_path / "run.json").write_text(r'{"\ud800": 1, "packages": [1], "seed": 3}')
    record = RunRecord.read(tmp_path)
    assert (record.seed, record.packages) == (3, None)
