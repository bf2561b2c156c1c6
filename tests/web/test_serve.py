"""``digitcli serve``: its options, how it begins and how it ends."""

import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from conftest import Command, execute
from pens import strokes
from serving import Server, picture_of


def test_it_says_where_and_with_which_model(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert "Model: pretrained" in server.said
        status, page = server.get("/")
        assert (status, "<canvas" in page) == (200, True)
        assert server.get("/docs")[0] == 200


def test_a_model_of_ones_own(trained: Path) -> None:
    with Server(trained.parent) as server:
        assert f"Model: {Path('artifacts') / 'model.onnx'}" in server.said
        assert server.get("/api/model")[1]["recipe"] == "ci"


def test_a_detector_finds_the_digits(tmp_path: Path) -> None:
    drawn = [stroke for place, digit in enumerate("3074") for stroke in strokes(int(digit), left=110 * place)]
    with Server(tmp_path, "--detector", "pretrained") as server:
        assert "Detector: pretrained" in server.said
        assert server.get("/api/model")[1]["detector"] == "pretrained"
        status, read = server.draw({"strokes": drawn})
        assert (status, read["text"]) == (200, "3074")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--port", "70000"), 2, "--port"),
        (("--host", "no.such.host.example"), 2, "cannot listen at no.such.host.example"),
        (("--host", "192.0.2.1"), 2, "cannot listen at 192.0.2.1"),
        (("--model", "missing.onnx"), 4, "missing.onnx"),
        (("--model", "bad.onnx"), 3, "not an ONNX model"),
        (("--detector", "missing.onnx"), 4, "missing.onnx: no such detector"),
        (("--collect", "folder"), 2, "--collect folder"),
        (("--workers", "0"), 2, "--workers"),
    ],
)
def test_what_cannot_be(
    digitcli: Command, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no")
    (tmp_path / "folder").mkdir()
    outcome = digitcli("serve", *arguments)
    assert (outcome.status, outcome.stdout) == (status, "")
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_port_that_is_taken(digitcli: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = digitcli("serve", "--port", port)
    assert outcome.status == 2
    assert f"port {port}" in outcome.stderr
    assert "--port" in outcome.stderr


def test_what_is_asked_before_the_end_is_answered(tmp_path: Path) -> None:
    answers: list[tuple[int, str]] = []
    with Server(tmp_path) as server:
        drawings = [{"strokes": strokes(digit % 10)} for digit in range(60)]

        def ask() -> None:
            status, told = server.draw(drawings)
            answers.append((status, "".join(each["text"] for each in told)))

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.15)  # it is being read
        status, said = server.stop(signal.SIGTERM)
        thread.join()
    assert answers == [(200, "0123456789" * 6)]
    assert status in (0, -signal.SIGTERM)
    assert "Traceback" not in said


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c(tmp_path: Path, workers: int) -> None:
    with Server(tmp_path, "--workers", workers) as server, server.live():
        status, said = server.stop(signal.SIGINT)
    assert (status, said) == (130, "")


def test_several_processes(tmp_path: Path) -> None:
    with Server(tmp_path, "--workers", 2, "--collect", "c.jsonl") as server:
        for digit in range(10):
            assert server.read(picture_of(strokes(digit)))[1]["text"] == str(digit)
        server.stop(signal.SIGTERM)


def test_others_are_told_that_there_is_no_password(tmp_path: Path) -> None:
    with Server(tmp_path, "--host", "0.0.0.0") as server:  # noqa: S104 - what is tested
        assert server.request("GET", "/api/health", Host="digits.example:80")[0] == 200
        assert "no password" in server.said


def test_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys, json; import digitcli.web.server, digitcli.cli.serve;"
        "print(json.dumps(sorted(set(sys.modules) & {'tensorflow', 'keras', 'tf2onnx', 'matplotlib'})))"
    )
    outcome = execute("-c", code, cwd=tmp_path)
    assert json.loads(outcome.stdout) == []
