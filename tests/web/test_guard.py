"""Who may ask, and how quickly: without a server, so that nobody waits for what takes long."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from digitcli.web import guard, limits
from digitcli.web.guard import Guard, is_loopback
from digitcli.web.limits import LIMITS, TokenBucket


async def reader(_: Any, receive: Any, send: Any) -> None:
    """An application that reads all that is sent."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def ask(
    pieces: list[bytes],
    *,
    pause: float = 0.0,
    host: str = "127.0.0.1",
    named: str = "127.0.0.1:8000",
    **headers: str,
) -> tuple[int, bytes, dict[bytes, bytes]]:
    """Send a body piece by piece; return status, body and headers of the answer."""
    sent: list[dict[str, Any]] = []
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "headers": [(k.encode(), v.encode()) for k, v in {"host": named, **headers}.items()],
    }
    asyncio.run(Guard(reader, host)(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent), dict(sent[0]["headers"])


def test_what_keeps_to_the_limits_gets_safe_headers() -> None:
    status, body, headers = ask([b"a", b"b"])
    assert (status, body) == (200, b"ok")
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"default-src 'self'" in headers[b"content-security-policy"]


def test_a_body_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LIMITS", replace(LIMITS, body_seconds=0.2))
    status, body, _ = ask([b"a"] * 100, pause=0.02)
    assert (status, list(json.loads(body))) == (408, ["error"])


def test_a_body_is_counted_whatever_its_header_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LIMITS", replace(LIMITS, body_bytes=10))
    assert ask([b"12345", b"67890"])[0] == 200
    assert ask([b"12345", b"678901"], **{"content-length": "5"})[0] == 413
    assert ask([b"1"], **{"content-length": "11"})[0] == 413


@pytest.mark.parametrize(
    ("asked_for", "status"),
    [("localhost", 200), ("LOCALHOST:80", 200), ("[::1]:8000", 200), ("", 403), ("digits.example", 403)],
)
def test_names_by_which_this_machine_is_asked_for(asked_for: str, status: int) -> None:
    assert ask([b""], named=asked_for)[0] == status
    assert ask([b""], named=asked_for, host="0.0.0.0")[0] == 200  # noqa: S104 - others may ask


def test_where_only_this_machine_can_ask() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.3.2.1", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "192.168.1.5", "::", "digits.example")] == [False] * 4  # noqa: S104


def test_tokens_come_back_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(limits.time, "monotonic", lambda: now)
    bucket = TokenBucket(rate=10, most=20)
    assert bucket.take(20)
    now = 1.0
    assert bucket.take(10)
    assert not bucket.take(1)
    now = 100.0
    assert bucket.take(20)
    assert not bucket.take(1)
