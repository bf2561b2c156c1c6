"""The first check of every request: where it comes from, its size, and the time it takes to arrive.

A body is counted while it comes in, whatever its header says, and has to be here in time. Pages of other
sites may not use the reader through a visitor's browser: the name in `Host` must be ours (a stranger's
name that points to this machine is not, known as DNS rebinding), and `Origin`, where a browser sends it,
must be the page that we served.
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from digitcli.web.limits import LIMITS, RequestRefused, error_body

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware: lets through what keeps to the limits, and puts safe headers on every answer."""

    def __init__(self, app: App, host: str) -> None:
        """Guard `app`.

        Args:
            app: what is guarded.
            host: where it listens; a loopback address is asked for by loopback names only.
        """
        self._app = app
        self._names = {*_LOOPBACK, host} if is_loopback(host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            try:
                self._check_names(scope)
            except RequestRefused as refusal:
                await _deny(scope, receive, send, refusal)
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            self._check_names(scope)
            await self._app(scope, _bounded(scope, receive), send_safely)
        except RequestRefused as refusal:
            if started:
                raise
            await _refuse(send_safely, refusal)

    def _check_names(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self._names is not None and _name(f"//{host}") not in self._names:
            raise RequestRefused(
                HTTPStatus.FORBIDDEN, f"asked for as {host or 'nothing'}; expected a name of this machine"
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and urlsplit_or_none(origin) != host.lower():
            raise RequestRefused(HTTPStatus.FORBIDDEN, f"asked by a page of {origin}; expected one of {host}")


_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens at `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def urlsplit_or_none(origin: str) -> str | None:
    """Return the host and port of an origin, in lower case; None where it is none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Return `receive` with its body counted and timed."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    total = 0
    end = time.monotonic() + LIMITS.body_seconds
    is_whole = False

    async def receive_bounded() -> Message:
        nonlocal total, is_whole
        if length.isdigit() and int(length) > LIMITS.body_bytes:
            raise _too_large()
        if is_whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, end - time.monotonic()))
        except TimeoutError:
            reason = f"the request was not here as a whole after {LIMITS.body_seconds:g} s"
            raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, reason) from None
        total += len(message.get("body", b""))
        if total > LIMITS.body_bytes:
            raise _too_large()
        is_whole = not message.get("more_body", False)
        return message

    return receive_bounded


def _too_large() -> RequestRefused:
    return RequestRefused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"a request of more than {LIMITS.body_bytes:,} bytes; expected fewer",
    )


async def _refuse(send: Send, refusal: RequestRefused) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": headers})
    await send({"type": "http.response.body", "body": error_body(refusal.reason)})


async def _deny(scope: Scope, receive: Receive, send: Send, refusal: RequestRefused) -> None:
    """Refuse a WebSocket before it is one."""
    await receive()  # that it wants to connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": int(refusal.status), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": error_body(refusal.reason)})
