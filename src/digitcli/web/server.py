"""Listening for connections, and the server processes."""

import contextlib
import json
import os
import signal
import socket as sockets
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from digitcli.errors import OptionError
from digitcli.web.app import Settings, create_app
from digitcli.web.guard import is_loopback
from digitcli.web.limits import LIMITS

__all__ = ["address", "is_loopback", "listen", "require_appendable", "run"]

_SETTINGS_VARIABLE = "DIGITCLI_SERVE"  # environment variable that hands `Settings` on to the processes


def listen(host: str, port: int) -> sockets.socket:
    """Return a socket that listens; an `OptionError` where that cannot be."""
    try:
        family, _, _, _, place = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
        socket = sockets.socket(family, sockets.SOCK_STREAM)
        try:
            if os.name != "nt":  # where it would let two programs share a port
                socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            socket.bind(place)
            socket.listen(LIMITS.backlog)
        except OSError:
            socket.close()
            raise
    except OSError as error:
        raise OptionError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; "
            "name another with --port or --host"
        ) from error
    socket.set_inheritable(True)
    return socket


def address(socket: sockets.socket) -> str:
    """Return the address of the page that is served at a socket."""
    host, port = socket.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what is shown, not what is bound
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def require_appendable(path: Path) -> None:
    """Raise an `OptionError` where lines cannot be added to a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise OptionError(f"--collect {path}: cannot be written: {error.strerror}") from error


def run(settings: Settings, socket: sockets.socket, *, workers: int, opens: bool) -> None:
    """Serve until a signal stops it; what is in flight then is answered."""
    collect = str(settings.collect) if settings.collect else None
    os.environ[_SETTINGS_VARIABLE] = json.dumps(
        [str(settings.model), settings.host, collect, str(settings.detector)]
    )
    if opens:
        threading.Timer(1.0, webbrowser.open, [address(socket)]).start()
    options: dict[str, Any] = {
        "factory": True,
        "log_level": "critical",
        "access_log": False,
        "lifespan": "off",
        "proxy_headers": False,
        "server_header": False,
        "ws_max_size": LIMITS.message_bytes,
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": LIMITS.stop_seconds,
    }
    application = f"{__name__}:make_app"
    if workers == 1:
        uvicorn.Server(uvicorn.Config(application, **options)).run([socket])
    else:
        with _raising_interrupts():
            uvicorn.run(application, fd=socket.fileno(), workers=workers, **options)


@contextlib.contextmanager
def _raising_interrupts() -> Iterator[None]:
    """Raise a `KeyboardInterrupt` at the end where Ctrl-C came meanwhile.

    uvicorn does so for one process; with several it returns as if it had been asked to.
    """
    reads, writes = sockets.socketpair()
    with reads, writes:
        writes.setblocking(False)
        before = signal.set_wakeup_fd(writes.fileno())
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
        writes.close()  # what is in the pipe can still be read, then comes its end
        if signal.SIGINT in reads.recv(1024):
            raise KeyboardInterrupt


def make_app() -> FastAPI:
    """Return the application, in whichever process is to answer."""
    model, host, collect, detector = json.loads(os.environ[_SETTINGS_VARIABLE])
    return create_app(Settings(Path(model), host, Path(collect) if collect else None, Path(detector)))
