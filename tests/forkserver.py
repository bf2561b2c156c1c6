"""Commands without the seconds of their imports: one process loads the libraries, commands are forks of it.

A command still is a process of its own, with its own folder, environment, signals and exit status. What is
about a fresh interpreter (what is imported, what libraries say while they load, memory, start-up) is tested
in one: `execute` in conftest.py.

    python forkserver.py FD    serves requests on an inherited socket
"""

import array
import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn, Self

LIBRARIES = (
    "digitcli.cli.app",
    "digitcli.cli.tables",
    "digitcli.cli.progress",
    "digitcli.evaluation.evaluate",
    "digitcli.evaluation.plots.redraw",
    "digitcli.export.exporter",
    "digitcli.recognition.file_reader",
    "digitcli.training.run",
    "digitcli.training.train",
    "digitcli.window.window",
)
SUPPORTED = sys.platform.startswith("linux")  # elsewhere libraries may not survive a fork
_ARRIVED = b"+"


class Forked:
    """A command that runs; what tests need of `subprocess.Popen`."""

    def __init__(self, status: socket.socket, stdout: IO[str], stderr: IO[str]) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self._status = status
        self.pid = int.from_bytes(self._receive(8), "big")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self.stdout.close()
        self.stderr.close()

    def _receive(self, length: int) -> bytes:
        content = self._status.recv(length, socket.MSG_WAITALL)
        assert len(content) == length, "the process that commands are forked from has ended"
        return content

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, of a signal its negative number; raise `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int.from_bytes(self._receive(4), "big", signed=True)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(f"command {self.pid}", timeout or 0) from None
            self._status.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, which: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, which)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all that is still to come on stdout and stderr, once the command has ended."""
        texts = ["", ""]

        def read(number: int, stream: IO[str]) -> None:
            if not stream.closed:
                texts[number] = stream.read()

        streams = enumerate((self.stdout, self.stderr))
        threads = [threading.Thread(target=read, args=each, daemon=True) for each in streams]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join()
        self.stdout.close()
        self.stderr.close()
        return texts[0], texts[1]


class ForkServer:
    """The process that commands are forked from."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def start(self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Forked:
        """Start digitcli with the arguments."""
        status, theirs = socket.socketpair()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        request = json.dumps([arguments, str(cwd), dict(environment)]).encode()
        fds = array.array("i", [theirs.fileno(), out_end, err_end])
        length = len(request).to_bytes(4, "big")
        self._socket.sendmsg([length], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        self._socket.sendall(request)
        assert self._socket.recv(1) == _ARRIVED, "the process that commands are forked from has ended"
        theirs.close()
        os.close(out_end)
        os.close(err_end)
        return Forked(status, os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8"))

    def close(self) -> None:
        self._socket.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


Process = Forked | subprocess.Popen[str]
_SERVER: list[ForkServer] = []


def start(*arguments: object, cwd: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Start digitcli with the arguments, by default in the environment of this process."""
    if not SUPPORTED:
        return start_fresh(*arguments, cwd=cwd, environment=environment)
    if not _SERVER:
        _SERVER.append(ForkServer())
        atexit.register(_SERVER[0].close)
    words = [str(argument) for argument in arguments]
    return _SERVER[0].start(words, cwd, os.environ if environment is None else environment)


def start_fresh(
    *arguments: object, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start it in a fresh interpreter."""
    return subprocess.Popen(
        [sys.executable, "-m", "digitcli", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _serve(connection: socket.socket) -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who wait for commands are waited for by nobody
    while True:
        length, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(12))
        if not length:
            return
        fds = array.array("i", ancillary[0][2])
        size = int.from_bytes(length, "big")
        request = connection.recv(size, socket.MSG_WAITALL)
        if not os.fork():
            connection.close()
            _watch(json.loads(request), *fds)
        for fd in fds:
            os.close(fd)
        connection.sendall(_ARRIVED)


def _watch(request: tuple[list[str], str, dict[str, str]], status: int, out: int, err: int) -> NoReturn:
    """Start a command; tell its process and how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command = os.fork()
    if not command:
        os.close(status)
        _become(*request, out, err)
    os.close(out)
    os.close(err)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of Ctrl-C, the command decides
    with socket.socket(fileno=status) as told:
        try:
            told.sendall(command.to_bytes(8, "big"))
            ended = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            told.sendall(ended.to_bytes(4, "big", signed=True))
        except OSError:  # nobody waits any more
            pass
    os._exit(0)


def _become(arguments: list[str], cwd: str, environment: dict[str, str], out: int, err: int) -> None:
    """Be ``python -m digitcli ARGUMENTS``, to the end."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    # those of the process that serves may be of files, which can be sought in
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["digitcli", *arguments]
    from digitcli.__main__ import main

    main()


if __name__ == "__main__":
    sys.path.pop(0)  # this folder is none that commands import from
    _serve(socket.socket(fileno=int(sys.argv[1])))
