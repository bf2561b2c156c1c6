"""The window: OpenCV's events in, the view of a session out, one `waitKey` a turn.

The mouse is never kept waiting: all input since the last turn is taken together, and the
canvas is read once a turn. What takes longer than one digit is read beside it, always the newest canvas.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from digitcli.canvas.canvas import next_brush
from digitcli.canvas.events import EVENTS, Event, Replay
from digitcli.canvas.reading_worker import ReadingWorker
from digitcli.canvas.session import KeptReading, Session
from digitcli.window.keys import ACTIONS
from digitcli.window.layout import DEFAULT_SIZE
from digitcli.window.view import View
from digitcli.window.x11 import Connection, InputEvent

TITLE = "digitcli"
LOADING = "loading the model ..."

_REFERENCE_SCREEN = (1920, 1080)  # pixels of the screen that the default size is for
_MAX_SCREEN_SHARE = 0.9  # of the screen's width and height, that the window takes at first
_NEED_READING = ("keep", "save", "correct")
_DOWN = {
    cv2.EVENT_LBUTTONDOWN: "pen",
    cv2.EVENT_LBUTTONDBLCLK: "pen",
    cv2.EVENT_RBUTTONDOWN: "erase",
    cv2.EVENT_RBUTTONDBLCLK: "erase",
}
_UP = (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP)
_HELD = cv2.EVENT_FLAG_LBUTTON | cv2.EVENT_FLAG_RBUTTON


@dataclass(frozen=True)
class WindowTiming:
    """When the window waits, and how long; in seconds.

    Attributes:
        reading_wait: for a reading before the rest is shown; most numbers are read so soon that they need
            not wait for another turn.
        idle_after: without input, after which the window rests.
        idle_sleep: between two looks for input while it rests; OpenCV would look every millisecond, which
            costs more of the processor.
        paint_check_interval: between two looks whether a new window has been painted; on a busy machine Qt
            now and then leaves it black.
        paint_checks: how many such looks there are.
    """

    reading_wait: float = 0.004
    idle_after: float = 0.4
    idle_sleep: float = 0.008
    paint_check_interval: float = 0.25
    paint_checks: int = 8


TIMING = WindowTiming()


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
        self._press_is_opencvs = False  # whether OpenCV told us of the press, and not the X server
        self._start = time.perf_counter()
        self._last_input = -TIMING.idle_after  # seconds after the start
        self._deferred: list[InputEvent] = []  # until Qt tells of a key
        self._paint_checks_left = TIMING.paint_checks
        self._next_paint_check = TIMING.paint_check_interval
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
        """Return the events since the last call; wait a moment if there are none."""
        if not (is_busy or self._is_down or self._now() - self._last_input < TIMING.idle_after):
            time.sleep(TIMING.idle_sleep)  # OpenCV would look for events every millisecond
        self._repaint_if_black()
        key = cv2.waitKeyEx(1)
        self._take_input(key)
        if not (self.is_open and _is_visible()):
            self.is_open = False
            self._add_event("quit")
        else:
            _, _, width, height = cv2.getWindowImageRect(TITLE)
            if width > 0 and height > 0 and (width, height) != self._size:
                self._resize(width, height)
        events, self._events = self._events, []
        return events

    def _repaint_if_black(self) -> None:
        if self._paint_checks_left and self._server and self._now() > self._next_paint_check:
            self._paint_checks_left -= 1
            self._next_paint_check = self._now() + TIMING.paint_check_interval
            if self._server.is_black:
                self._server.show_again()

    def _take_input(self, key: int) -> None:
        """Turn the X server's input, and the key of which Qt told, into events, in their order."""
        deferred = self._deferred
        input_events = [*deferred, *(self._server.take_events() if self._server else ())]
        self._deferred = []
        if key != -1 and not any(each.kind == "qt_key" for each in input_events):
            self._on_key(key)
            key = -1
        for place, input_event in enumerate(input_events):
            if input_event.kind == "qt_key":
                if key != -1:
                    self._on_key(key)
                    key = -1
                elif not (deferred and place == 0):  # but no longer than a turn: Shift alone is no key
                    self._deferred = input_events[place:]
                    return
            elif input_event.kind == "key":
                self._on_key(ord(input_event.character))
            elif input_event.kind == "destroyed":
                self.is_open = False
            else:
                self._on_pointer(input_event)

    def _resize(self, width: int, height: int) -> None:
        self.view.close()
        self._size = (width, height)
        self.view = View(self._session, width, height)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _add_event(self, do: str, place: tuple[float, float] | None = None, to: float | None = None) -> None:
        x, y = place if place else (None, None)
        self._last_input = self._now()
        self._events.append(
            Event.model_validate({"t": round(self._last_input, 4), "do": do, "x": x, "y": y, "to": to})
        )

    def _on_pointer(self, pointer: InputEvent) -> None:
        """Take a move or a button of the mouse from the X server itself."""
        self._press_is_opencvs = False
        (width, height), (across, down) = self._size, self.view.layout.size
        press = "pen" if pointer.button == 1 else "erase"
        action = {"press": press, "move": "move", "release": "up"}[pointer.kind]
        self._move_pen(action, pointer.x * across / width, pointer.y * down / height)

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        """Take the mouse from OpenCV: all of it, or what the X server does not tell us itself."""
        if event in _DOWN:
            self._press_is_opencvs = True
            self._move_pen(_DOWN[event], x, y)
        elif not self._is_down or self._press_is_opencvs:
            # a button that was released where nobody told us is no longer held
            is_up = event in _UP or (self._is_down and not flags & _HELD)
            self._move_pen("up" if is_up else "move", x, y)

    def _move_pen(self, action: str, x: float, y: float) -> None:
        limit = EVENTS.largest_coordinate
        across, down = (min(max(v, -limit), limit) for v in self.view.layout.to_canvas(x, y))
        self.pointer = place = (round(across, 2), round(down, 2))
        self._last_input = self._now()
        if action in _DOWN.values():
            self._is_down = True
            self._add_event(action, place)
        elif self._is_down:
            self._add_event(action, place if action == "move" else None)
            self._is_down = action == "move"

    def _on_key(self, key: int) -> None:
        character = chr(key & 0xFF).lower()
        if character in ACTIONS:
            self._add_event(ACTIONS[character])
        elif character.isdecimal():
            self._add_event("correct", to=int(character))
        elif character in "[]":
            self._add_event("brush", to=next_brush(self._session.canvas.brush, 1 if character == "]" else -1))


def _is_visible() -> bool:
    try:
        return bool(cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1)
    except cv2.error:  # with the last window, all that knows of windows is gone
        return False


def default_window_size(screen: tuple[int, int] | None) -> tuple[int, int]:
    """Return how large the window is at first, in pixels: larger where the screen has many of them."""
    if screen is None:
        return DEFAULT_SIZE
    (width, height), (usual_width, usual_height) = DEFAULT_SIZE, _REFERENCE_SCREEN
    scale = max(1.0, min(screen[0] / usual_width, screen[1] / usual_height))
    scale = min(scale, _MAX_SCREEN_SHARE * screen[0] / width, _MAX_SCREEN_SHARE * screen[1] / height)
    return round(width * scale), round(height * scale)


def run(
    window: Window,
    session: Session,
    reader: ReadingWorker,
    model: str,
    *,
    replay: Replay | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    on_keep: Callable[[KeptReading], None] = lambda _: None,
) -> None:
    """Let somebody draw until they want to stop.

    Args:
        window: to draw in.
        session: with what is drawn already.
        reader: loads the model, then reads beside the window.
        model: its name.
        replay: takes the place of mouse and keys.
        on_event: called with every event, after it took effect.
        on_keep: called with every reading that is kept.
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
                on_keep(reading)
            on_event(event)
        if session.is_over:
            break
        process_pending_reading(session, reader)
        window.show(model if reader.read else LOADING)


def process_pending_reading(session: Session, reader: ReadingWorker) -> None:
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
    if session.needs_reading and not reader.has_pending(session.canvas.version, **wanted):
        reader.submit(session.snapshot())
        if canvas_reading := reader.take(TIMING.reading_wait):
            session.accept(canvas_reading)
