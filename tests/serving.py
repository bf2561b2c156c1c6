"""A server of digitcli's in a process of its own, and clients for it."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from websockets.sync.client import ClientConnection, connect

from digitcli.canvas.events import Event
from digitcli.datasets.strokes import picture
from digitcli.preprocessing.image_files import png

PATIENCE = 30.0  # seconds


class Server:
    """``digitcli serve`` at a free port of this machine."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digitcli", "serve", "--port", "0", *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"http://[\d.]+:(\d+) ", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError(said)
        self.said = said
        end = time.monotonic() + PATIENCE
        while self.get("/api/health", timeout=PATIENCE)[0] != 200:
            assert time.monotonic() < end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit status, and what was said."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=PATIENCE)
        assert out == ""
        return self.process.returncode, err

    def connection(self, timeout: float = PATIENCE) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(
        self, method: str, path: str, body: Any = None, *, timeout: float = PATIENCE, **headers: str
    ) -> tuple[int, Any]:
        """Return the status, and the JSON or text that came."""
        connection = self.connection(timeout)
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get("content-type") == "application/json"
        return answer.status, json.loads(content) if is_json else content.decode()

    def get(self, path: str, **options: Any) -> tuple[int, Any]:
        return self.request("GET", path, **options)

    def read(
        self, content: bytes, kind: str = "image/png", query: str = "", **headers: str
    ) -> tuple[int, Any]:
        return self.request("POST", f"/api/read{query}", content, content_type=kind, **headers)

    def draw(self, value: Any, query: str = "") -> tuple[int, Any]:
        return self.read(json.dumps(value).encode(), "application/json", query)

    @contextlib.contextmanager
    def live(self, **options: Any) -> Iterator["Live"]:
        with connect(f"ws://127.0.0.1:{self.port}/api/live", **options) as socket:
            yield Live(socket)


class Live:
    """A page without a browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sent = 0
        self.states: list[dict[str, Any]] = []

    def tell(self, events: Iterable[Event]) -> None:
        told = [event.model_dump(exclude_none=True) for event in events]
        self.socket.send(json.dumps(told))
        self.sent += len(told)

    def settled(self) -> dict[str, Any]:
        """Wait until all that was told is read; return what the page would show then."""
        while not self.states or self.states[-1]["events"] < self.sent or self.states[-1]["pending"]:
            self.states.append(json.loads(self.socket.recv(PATIENCE)))
        told = [state["strokes"] for state in self.states if "strokes" in state]
        return {**self.states[-1], "strokes": told[-1] if told else None}


def at_once(action: Callable[[int], None], count: int) -> None:
    """Do something `count` times at the same time, each with its number; return when all are done."""
    threads = [threading.Thread(target=action, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def form(*files: tuple[str, bytes]) -> tuple[bytes, str]:
    """Return files as a form's body, and its content type."""
    parts = [
        b'--limit\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), content)
        for name, content in files
    ]
    return b"".join(parts) + b"--limit--\r\n", "multipart/form-data; boundary=limit"


def picture_of(strokes: Sequence[Sequence[tuple[float, float]]]) -> bytes:
    """Return a drawing as a PNG file, dark on white."""
    return png(np.asarray(255 - picture(strokes), np.uint8))
