"""The window: OpenCV's events in, the view of a session out, one `waitKey` a turn.

The mouse is never kept waiting: all that has happened since the last turn is taken together, and the
canvas is read once a turn. What takes longer than one digit is read beside it, always the newest canvas.
"""

import time
from collections.abc import Callable

import cv2

from digitcli.canvas.canvas import next_brush
from digitcli.canvas.events import LIMIT, Event, Replay
from digitcli.canvas.reading_worker import ReadingWorker
from digitcli.canvas.session import KeptReading, Session
from digitcli.window.keys import ACTIONS
from digitcli.window.layout import USUAL
from digitcli.window.view import View
from digitcli.window.x11 import Connection, InputEvent

TITLE = "digitcli"
LOADING = "loading the model ..."

_SOON = 0.004  # seconds that a reading is waited for before the rest is shown
_CALM = 0.4  # seconds without an event, after which
_REST = 0.008  # seconds may pass until the next is noticed
_SCREEN = (1920, 1080)  # pixels of a screen of the usual kind
_MOST = 0.9  # of the screen, that the window takes at first
_LOOKS, _LOOK_EVERY = 8, 0.25  # how often it is looked whether a new window was painted, and seconds between
_NEED_READING = ("keep", "save", "correct")
_DOWN = {
    cv2.EVENT_LBUTTONDOWN: "pen",
    cv2.EVENT_LBUTTONDBLCLK: "pen",
    cv2.EVENT_RBUTTONDOWN: "erase",
    cv2.EVENT_RBUTTONDBLCLK: "erase",
}
_UP = (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP)
_HELD = cv2.EVENT_FLAG_LBUTTON | cv2.EVENT_FLAG_RBUTTON


class Window:
    """OpenCV's window as a source of events and a place for pictures."""

    def __init__(self, session: Session, size: tuple[int, int], server: Connection | None = None) -> None:
        """Open it.

        Args:
            session: what it shows.
            size: in pixels.
            server: as `display.require_display`, which comes first, returned it.
        """
        self.is_open = True
        self.pointer: tuple[float, float] | None = None  # in units of the canvas
        self._session = session
        self._events: list[Event] = []
        self._is_down = False
        self._is_opencvs = False  # whether it was OpenCV who told us of that
        self._start = time.perf_counter()
        self._last = -_CALM  # when something happened
        self._waiting: list[InputEvent] = []
        self._looks = _LOOKS  # at whether the window has been painted
        self._next_look = _LOOK_EVERY
        self._size = size  # as the window manager has it; other than the layout's where that is too small
        self.view = View(session, *size)
        # All is ready before there is a window, and shown before an event is taken: where the mouse is,
        # OpenCV tells in pixels of what it shows.
        self.view.draw(LOADING)
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL | cv2.WINDOW_FREERATIO)
        self._server = server if server and server.watch(TITLE) else None
        cv2.resizeWindow(TITLE, *size)
        cv2.setMouseCallback(TITLE, self._on_mouse)
        cv2.imshow(TITLE, self.view.picture)

    def close(self) -> None:
        """Take the window away, if it is still there."""
        self.view.close()
        if self.is_open:
            self.is_open = False
            cv2.destroyWindow(TITLE)

    def show(self, model: str) -> bool:
        """Show the session as it is; return whether that is another picture than before."""
        if not self.view.draw(model, self.pointer):
            return False
        cv2.imshow(TITLE, self.view.picture)
        return True

    def wait(self, *, is_busy: bool = False) -> list[Event]:
        """Return what has happened since the last call, waiting a moment where that is nothing."""
        if not (is_busy or self._is_down or self._now() - self._last < _CALM):
            time.sleep(_REST)  # OpenCV would look for events every millisecond
        self._make_sure_of_paint()
        key = cv2.waitKeyEx(1)
        self._take_happenings(key)
        if not (self.is_open and _is_visible()):
            self.is_open = False
            self._add("quit")
        else:
            _, _, width, height = cv2.getWindowImageRect(TITLE)
            if width > 0 and height > 0 and (width, height) != self._size:
                self._resize(width, height)
        events, self._events = self._events, []
        return events

    def _make_sure_of_paint(self) -> None:
        if self._looks and self._server and self._now() > self._next_look:
            self._looks -= 1
            self._next_look = self._now() + _LOOK_EVERY
            if self._server.is_black:
                self._server.show_again()

    def _take_happenings(self, key: int) -> None:
        """Let happen what the X server told us, and the key of which Qt told, in their order."""
        before = self._waiting  # for Qt, who was still to tell of a key
        input_events = [*before, *(self._server.happened() if self._server else ())]
        self._waiting = []
        if key != -1 and not any(what.kind == "pressed" for what in input_events):
            self._on_key(key)
            key = -1
        for place, what in enumerate(input_events):
            if what.kind == "pressed":
                if key != -1:
                    self._on_key(key)
                    key = -1
                elif not (before and place == 0):  # but no longer than a turn: Shift alone is no key
                    self._waiting = input_events[place:]
                    return
            elif what.kind == "key":
                self._on_key(ord(what.character))
            elif what.kind == "gone":
                self.is_open = False
            else:
                self._on_pointer(what)

    def _resize(self, width: int, height: int) -> None:
        self.view.close()
        self._size = (width, height)
        self.view = View(self._session, width, height)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _add(self, do: str, place: tuple[float, float] | None = None, to: float | None = None) -> None:
        x, y = place if place else (None, None)
        self._last = self._now()
        self._events.append(
            Event.model_validate({"t": round(self._last, 4), "do": do, "x": x, "y": y, "to": to})
        )

    def _on_pointer(self, what: InputEvent) -> None:
        """Hear of the mouse with a button held, from the X server itself."""
        self._is_opencvs = False
        (width, height), (across, down) = self._size, self.view.layout.size
        deed = {"press": "pen" if what.button == 1 else "erase", "move": "move", "release": "up"}[what.kind]
        self._move_pen(deed, what.x * across / width, what.y * down / height)

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        """Hear of the mouse from OpenCV: all of it, or what the X server does not tell us itself."""
        if event in _DOWN:
            self._is_opencvs = True
            self._move_pen(_DOWN[event], x, y)
        elif not self._is_down or self._is_opencvs:
            # a button that was released where nobody told us is no longer held
            is_up = event in _UP or (self._is_down and not flags & _HELD)
            self._move_pen("up" if is_up else "move", x, y)

    def _move_pen(self, deed: str, x: float, y: float) -> None:
        across, down = (min(max(v, -LIMIT), LIMIT) for v in self.view.layout.to_canvas(x, y))
        self.pointer = place = (round(across, 2), round(down, 2))
        self._last = self._now()
        if deed in _DOWN.values():
            self._is_down = True
            self._add(deed, place)
        elif self._is_down:
            self._add(deed, place if deed == "move" else None)
            self._is_down = deed == "move"

    def _on_key(self, key: int) -> None:
        character = chr(key & 0xFF).lower()
        if character in ACTIONS:
            self._add(ACTIONS[character])
        elif character.isdecimal():
            self._add("correct", to=int(character))
        elif character in "[]":
            self._add("brush", to=next_brush(self._session.canvas.brush, 1 if character == "]" else -1))


def _is_visible() -> bool:
    try:
        return bool(cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1)
    except cv2.error:  # with the last window, all that knows of windows is gone
        return False


def usual_size(screen: tuple[int, int] | None) -> tuple[int, int]:
    """Return how large the window is at first, in pixels: larger where the screen has many of them."""
    if screen is None:
        return USUAL
    scale = max(1.0, min(screen[0] / _SCREEN[0], screen[1] / _SCREEN[1]))
    scale = min(scale, _MOST * screen[0] / USUAL[0], _MOST * screen[1] / USUAL[1])
    return round(USUAL[0] * scale), round(USUAL[1] * scale)


def run(
    window: Window,
    session: Session,
    reader: ReadingWorker,
    model: str,
    *,
    replay: Replay | None = None,
    heard: Callable[[Event], None] = lambda _: None,
    kept: Callable[[KeptReading], None] = lambda _: None,
) -> None:
    """Let somebody draw until they want to stop.

    Args:
        window: where.
        session: with what is drawn already.
        reader: reads; loads the model at first.
        model: its name.
        replay: takes the place of mouse and keys.
        heard: is told of every event.
        kept: is told of every reading that is kept.
    """
    while not session.is_over:
        events = window.wait(is_busy=replay is not None or reader.read is None)
        if replay is not None:
            # the window itself can still be closed, and drawn in when the replay is over
            events = [event for event in events if event.do == "quit"] or replay.due()
        for event in events:
            if event.do in _NEED_READING and session.read is None:
                reader.wait()
                session.read = reader.read
            if (reading := session.handle(event)) is not None:
                kept(reading)
            heard(event)
        if session.is_over:
            break
        take_a_turn(session, reader)
        window.show(model if reader.read else LOADING)


def take_a_turn(session: Session, reader: ReadingWorker) -> None:
    """Read the canvas, if that is to be done: one digit at once, anything that takes longer beside it."""
    if reader.error:
        raise reader.error
    session.read = reader.read
    if canvas_reading := reader.take():
        session.accept(canvas_reading)
    if not session.needs_reading or session.read is None:
        return
    if session.is_single and not session.shows_saliency:
        session.accept(session.read(session.snapshot()))
    wanted = {"single": session.is_single, "with_saliency": session.shows_saliency}
    if session.needs_reading and not reader.expects(session.canvas.version, **wanted):
        reader.submit(session.snapshot())
        # most numbers are read so soon that they need not wait for another turn
        if canvas_reading := reader.take(_SOON):
            session.accept(canvas_reading)
