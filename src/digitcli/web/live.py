"""Live pages: what is drawn comes in over a WebSocket, readings go back.

A page sends lists of events, as a recording holds them (`events.py`). It gets, whenever there is something
new, one object: how many of its events that covers, and what was read. Pages that draw at the same time
are read together; a page that draws faster than it is read gets a reading of the newest drawing, never of
an older one than before, and always one of the last.
"""

import asyncio
import base64
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from digitcli.canvas.canvas_reading import CanvasReading, Snapshot
from digitcli.canvas.events import Event
from digitcli.canvas.session import Session
from digitcli.config import validation
from digitcli.errors import DigitcliError
from digitcli.recognition.reading import Reading
from digitcli.web.batch_reader import BatchReader
from digitcli.web.limits import LIMITS, RequestRefused, TokenBucket

_CHANGES_STROKES = ("undo", "redo", "clear", "erase")  # after these the page gets all strokes again
_WINDOW_EVENTS = ("save", "quit", "help", "keep")  # only a window of this machine may send these
_SHOWN_BY_PAGES = ("brush", "mode", "eraser")  # in their own controls: no message is needed
_Events = TypeAdapter(list[Event])


class LiveClient:
    """One open page in a browser: its session, and what has still to be sent to it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.changed = asyncio.Event()
        self._events_taken = 0
        self._strokes_changed = False
        self._erasing = False

    def take(self, events: list[Event]) -> None:
        """Let events happen."""
        for event in events:
            if event.do in _WINDOW_EVENTS:
                raise RequestRefused(HTTPStatus.BAD_REQUEST, f"{event.do!r} is not for pages")
            self._erasing = event.do == "erase" or (self._erasing and event.do == "move")
            before = self.session.canvas.version
            self.session.handle(event)
            if event.do in _SHOWN_BY_PAGES:
                self.session.message = ""
            erases = self._erasing or event.do in _CHANGES_STROKES or self.session.erases
            self._strokes_changed = self._strokes_changed or (
                erases and self.session.canvas.version != before
            )
        self._events_taken += len(events)

    def accept(self, canvas_reading: CanvasReading) -> None:
        """Take what was read of the canvas."""
        self.session.accept(canvas_reading)
        self.changed.set()

    def state(self) -> dict[str, Any]:
        """Return what the page is to show."""
        session = self.session
        state: dict[str, Any] = {
            "events": self._events_taken,
            "mode": session.mode,
            "single": session.is_single,
            "message": session.message,
            "pending": session.needs_reading,
            "undo": session.canvas.can_undo,
            "redo": session.canvas.can_redo,
            **_reading_state(session.canvas_reading),
        }
        if self._strokes_changed:
            self._strokes_changed = False
            state["strokes"] = [
                {"width": stroke.width, "points": stroke.points.round(2).tolist()}
                for stroke in session.canvas.strokes
            ]
        return state


def _reading_state(canvas_reading: CanvasReading | None) -> dict[str, Any]:
    if canvas_reading is None:
        return {**Reading("", ()).as_json(), "words": "", "forms": []}
    state: dict[str, Any] = {
        **canvas_reading.reading.as_json(),
        "words": canvas_reading.in_words,
        "forms": [base64.b64encode(form.tobytes()).decode() for form in canvas_reading.forms],
    }
    if canvas_reading.with_saliency:
        state["saliency"] = [
            base64.b64encode((each * 127).round().astype("int8").tobytes()).decode()
            for each in canvas_reading.saliency
        ]
    return state


class LiveServer:
    """All clients of a server process."""

    def __init__(self, reader: BatchReader, collect: Path | None) -> None:
        """Begin without any.

        Args:
            reader: reads the drawings of all clients together.
            collect: the file for corrections; None keeps none.
        """
        self._reader = reader
        self._collect = collect
        self._clients: set[LiveClient] = set()
        self._unread: dict[LiveClient, None] = {}  # a queue without doubles
        self._task: asyncio.Task[None] | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it is closed."""
        await socket.accept()
        if len(self._clients) >= LIMITS.live_clients:
            await socket.close(1013, f"{LIMITS.live_clients} pages are open; try again later")
            return
        client = LiveClient(Session(corrections=self._collect))
        self._clients.add(client)
        sender = asyncio.create_task(_send_states(socket, client))
        try:
            await self._receive_events(socket, client)
        except WebSocketDisconnect:
            pass
        except RequestRefused as refusal:
            await socket.close(1008, refusal.reason[:100])
        except TimeoutError:
            await socket.close(1001, "nothing was drawn for long")
        finally:
            sender.cancel()
            self._clients.discard(client)
            self._unread.pop(client, None)

    async def _receive_events(self, socket: WebSocket, client: LiveClient) -> None:
        bucket = TokenBucket(LIMITS.events_per_second, LIMITS.event_burst)
        while True:
            text = await asyncio.wait_for(socket.receive_text(), LIMITS.idle_seconds)
            events = _parse(text)
            if not bucket.take(len(events)):
                raise RequestRefused(
                    HTTPStatus.TOO_MANY_REQUESTS, f"more than {LIMITS.events_per_second:,} events a second"
                )
            client.take(events)
            self._request_reading(client)

    def _request_reading(self, client: LiveClient) -> None:
        self._unread[client] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Read until every drawing is read as it is now."""
        while self._unread:
            clients = list(self._unread)[: LIMITS.batch_clients]
            snapshots: list[tuple[LiveClient, Snapshot]] = []
            for client in clients:
                del self._unread[client]
                if client.session.needs_reading:
                    snapshots.append((client, client.session.snapshot()))
                else:
                    client.changed.set()
            if snapshots:
                await self._read_all(snapshots)

    async def _read_all(self, snapshots: list[tuple[LiveClient, Snapshot]]) -> None:
        try:
            canvas_readings = await asyncio.to_thread(
                self._reader.read_canvases, [snapshot for _, snapshot in snapshots]
            )
        except DigitcliError as error:  # the model's; the pages go on, and say so
            for client, _ in snapshots:
                client.session.message = str(error)
                client.changed.set()
            return
        for (client, _), canvas_reading in zip(snapshots, canvas_readings, strict=True):
            client.accept(canvas_reading)
            if client in self._clients and client.session.needs_reading:
                self._unread[client] = None


async def _send_states(socket: WebSocket, client: LiveClient) -> None:
    """Send what is new; a page that takes its time gets the newest then."""
    while True:
        await client.changed.wait()
        client.changed.clear()
        await socket.send_text(json.dumps(client.state()))


def _parse(text: str) -> list[Event]:
    if len(text) > LIMITS.message_bytes:
        raise RequestRefused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a message of more than {LIMITS.message_bytes:,} bytes"
        )
    try:
        events = _Events.validate_json(text)
    except ValidationError as error:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, validation.first(error)) from error
    if len(events) > LIMITS.message_events:
        raise RequestRefused(
            HTTPStatus.BAD_REQUEST, f"more than {LIMITS.message_events:,} events in a message"
        )
    return events
