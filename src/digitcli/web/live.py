"""Pages with a canvas: what is drawn comes in over a WebSocket, what is read goes back.

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
from digitcli.recognition.recognizer import Reading
from digitcli.web.batch_reader import BatchReader
from digitcli.web.limits import (
    EVENT_BURST,
    EVENT_RATE,
    MAX_EVENTS,
    MAX_MESSAGE,
    MAX_SOCKETS,
    SOCKET_TIME,
    Refused,
    TokenBucket,
)

_TOGETHER = 16  # pages that are read together
_REDRAW = ("undo", "redo", "clear", "erase")  # after these the page is told what is drawn
_NOT_FOR_PAGES = ("save", "quit", "help", "keep")  # these are a window's
_SHOWN_BY_PAGES = ("brush", "mode", "eraser")  # themselves: no words are needed
_Events = TypeAdapter(list[Event])


class Page:
    """One open page: its session, and what it has not been told yet."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.news = asyncio.Event()
        self._seen = 0  # events
        self._redraw = False
        self._erasing = False

    def take(self, events: list[Event]) -> None:
        """Let events happen."""
        for event in events:
            if event.do in _NOT_FOR_PAGES:
                raise Refused(HTTPStatus.BAD_REQUEST, f"{event.do!r} is not for pages")
            self._erasing = event.do == "erase" or (self._erasing and event.do == "move")
            before = self.session.canvas.version
            self.session.handle(event)
            if event.do in _SHOWN_BY_PAGES:
                self.session.message = ""
            erases = self._erasing or event.do in _REDRAW or self.session.erases
            self._redraw = self._redraw or (erases and self.session.canvas.version != before)
        self._seen += len(events)

    def accept(self, canvas_reading: CanvasReading) -> None:
        """Take what was read of the canvas."""
        self.session.accept(canvas_reading)
        self.news.set()

    def state(self) -> dict[str, Any]:
        """Return what the page is to show."""
        session = self.session
        state: dict[str, Any] = {
            "events": self._seen,
            "mode": session.mode,
            "single": session.is_single,
            "message": session.message,
            "pending": session.needs_reading,
            "undo": session.canvas.can_undo,
            "redo": session.canvas.can_redo,
            **_told(session.canvas_reading),
        }
        if self._redraw:
            self._redraw = False
            state["strokes"] = [
                {"width": stroke.width, "points": stroke.points.round(2).tolist()}
                for stroke in session.canvas.strokes
            ]
        return state


def _told(canvas_reading: CanvasReading | None) -> dict[str, Any]:
    if canvas_reading is None:
        return {**Reading("", ()).as_json(), "words": "", "forms": []}
    told: dict[str, Any] = {
        **canvas_reading.reading.as_json(),
        "words": canvas_reading.in_words,
        "forms": [base64.b64encode(form.tobytes()).decode() for form in canvas_reading.forms],
    }
    if canvas_reading.with_saliency:
        told["saliency"] = [
            base64.b64encode((each * 127).round().astype("int8").tobytes()).decode()
            for each in canvas_reading.saliency
        ]
    return told


class Live:
    """All open pages of a server process."""

    def __init__(self, room: BatchReader, collect: Path | None) -> None:
        """Begin without any.

        Args:
            room: reads.
            collect: the file for corrections; None keeps none.
        """
        self._room = room
        self._collect = collect
        self._pages: set[Page] = set()
        self._wanting: dict[Page, None] = {}  # a queue without doubles
        self._task: asyncio.Task[None] | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it is closed."""
        await socket.accept()
        if len(self._pages) >= MAX_SOCKETS:
            await socket.close(1013, f"{MAX_SOCKETS} pages are open; try again later")
            return
        page = Page(Session(corrections=self._collect))
        self._pages.add(page)
        teller = asyncio.create_task(_tell(socket, page))
        try:
            await self._hear(socket, page)
        except WebSocketDisconnect:
            pass
        except Refused as refusal:
            await socket.close(1008, refusal.words[:100])
        except TimeoutError:
            await socket.close(1001, "nothing was drawn for long")
        finally:
            teller.cancel()
            self._pages.discard(page)
            self._wanting.pop(page, None)

    async def _hear(self, socket: WebSocket, page: Page) -> None:
        allowance = TokenBucket(EVENT_RATE, EVENT_BURST)
        while True:
            text = await asyncio.wait_for(socket.receive_text(), SOCKET_TIME)
            events = _parse(text)
            if not allowance.take(len(events)):
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, f"more than {EVENT_RATE:,} events a second")
            page.take(events)
            self._want(page)

    def _want(self, page: Page) -> None:
        self._wanting[page] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Read until no page wants to be."""
        while self._wanting:
            pages = list(self._wanting)[:_TOGETHER]
            snapshots: list[tuple[Page, Snapshot]] = []
            for page in pages:
                del self._wanting[page]
                if page.session.needs_reading:
                    snapshots.append((page, page.session.snapshot()))
                else:
                    page.news.set()
            if snapshots:
                await self._read_all(snapshots)

    async def _read_all(self, snapshots: list[tuple[Page, Snapshot]]) -> None:
        try:
            canvas_readings = await asyncio.to_thread(
                self._room.read_canvases, [snapshot for _, snapshot in snapshots]
            )
        except DigitcliError as error:  # the model's; the pages go on, and say so
            for page, _ in snapshots:
                page.session.message = str(error)
                page.news.set()
            return
        for (page, _), canvas_reading in zip(snapshots, canvas_readings, strict=True):
            page.accept(canvas_reading)
            if page in self._pages and page.session.needs_reading:
                self._wanting[page] = None


async def _tell(socket: WebSocket, page: Page) -> None:
    """Send what is new; a page that takes its time gets the newest then."""
    while True:
        await page.news.wait()
        page.news.clear()
        await socket.send_text(json.dumps(page.state()))


def _parse(text: str) -> list[Event]:
    if len(text) > MAX_MESSAGE:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a message of more than {MAX_MESSAGE:,} bytes")
    try:
        events = _Events.validate_json(text)
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, validation.first(error)) from error
    if len(events) > MAX_EVENTS:
        raise Refused(HTTPStatus.BAD_REQUEST, f"more than {MAX_EVENTS:,} events in a message")
    return events
