"""Commands without the seconds of their imports: one process loads the libraries, commands are forks of it.

A command still is a process of its own, with its own folder, environment, signals and exit status. What is
about a fresh interpreter (what is imported, what libraries say while they load, Ctrl-C) is tested in one:
`execute` in conftest.py.

    python forkserver.py FD    serves requests on an inherited socket
"""

import array
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

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
)
SUPPORTED = sys.platform.startswith("linux")  # elsewhere libraries may not survive a fork


class ForkServer:
    """The process that commands are forked from; started on first use."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: dict[str, str], patience: float
    ) -> tuple[int, str, str]:
        """Run digitcli with the arguments; return its exit status, stdout and stderr."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            request = json.dumps(
                {"arguments": arguments, "cwd": str(cwd), "environment": environment}
            ).encode()
            fds = array.array("i", [out.fileno(), err.fileno()])
            self._socket.settimeout(patience)
            length = len(request).to_bytes(4, "big")
            self._socket.sendmsg([length], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            self._socket.sendall(request)
            answer = self._socket.recv(4)
            assert len(answer) == 4, "the process that commands are forked from has ended"
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return int.from_bytes(answer, "big", signed=True), texts[0], texts[1]

    def close(self) -> None:
        self._socket.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:  # in the middle of a command
            self._process.kill()
            self._process.wait()


def _serve(connection: socket.socket) -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    while True:
        length, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(8))
        if not length:
            return
        fds = array.array("i", ancillary[0][2])
        request = b""
        while len(request) < int.from_bytes(length, "big"):
            request += connection.recv(65536)
        child = os.fork()
        if not child:
            connection.close()
            _become(json.loads(request), *fds)
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def _become(request: dict[str, object], out: int, err: int) -> None:
    """Be ``python -m digitcli ARGUMENTS``, to the end."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    sys.argv = ["digitcli", *request["arguments"]]  # type: ignore[misc]
    from digitcli.__main__ import main

    main()


if __name__ == "__main__":
    sys.path.pop(0)  # this folder is none that commands import from
    _serve(socket.socket(fileno=int(sys.argv[1])))
