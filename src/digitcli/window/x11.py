"""A second connection to the X server, beside Qt's: whether it answers, and what Qt does not report.

Qt, in OpenCV, takes many moves of the mouse for one when it is busy, keeps Ctrl-Z to itself, zooms
the picture with the wheel, and does not notice when somebody else destroys its window. Here every move
with a button held is received, and the keys; the wheel is taken away; and the end is noticed.
"""

import ctypes
import os
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from digitcli.errors import MissingError

_CONNECT_TIMEOUT = 5.0  # seconds for a display to answer
_CONNECT_ATTEMPTS = 4
_RETRY_DELAY = 0.1  # seconds by which each attempt waits longer than the one before
_PROBLEMS = {1: "is not there, or refuses", 5: "has a name that X does not know"}  # xcb's numbers
_MAX_DEPTH = 4  # of windows within windows, where a window manager may have put ours

# of the protocol
_KEY_PRESS, _BUTTON_PRESS, _BUTTON_RELEASE, _MOTION_NOTIFY, _DESTROY_NOTIFY = 2, 4, 5, 6, 17  # events
_BUTTON1_MASK = 1 << 8  # in a state
_POINTER_EVENTS = 1 << 2 | 1 << 3 | 1 << 6  # presses, releases, moves
_KEY_PRESSES, _STRUCTURE_NOTIFY = 1, 1 << 17
_WM_NAME, _CARDINAL, _ANY_TYPE = 39, 6, 0
_CONTROL, _CAPS_LOCK, _NUM_LOCK, _ANY_MODIFIER = 4, 2, 16, 0x8000
_PEN_BUTTONS, _WHEEL_BUTTONS = (1, 3), (4, 5, 6, 7)  # buttons
_CONTROL_KEYS = {ord("z"): "\x1a", ord("y"): "\x19"}  # what Ctrl makes of a key

InputKind = Literal["press", "move", "release", "key", "qt_key", "destroyed"]


@dataclass(frozen=True)
class InputEvent:
    """One input of the user, or the end of the window.

    Attributes:
        kind: ``press``, ``move`` or ``release`` of the mouse; ``key``, of which `character` is known;
            ``qt_key``, of which Qt will tell the character; or ``destroyed``, the window's end.
        button: of the mouse, 1 for the left one; of a move, that which is held.
        x, y: in pixels of the window.
        character: of a key.
    """

    kind: InputKind
    button: int = 0
    x: int = 0
    y: int = 0
    character: str = ""


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Screens(ctypes.Structure):
    """``xcb_screen_iterator_t``."""

    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint8)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def _library() -> Any:
    xcb = ctypes.CDLL("libxcb.so.1")
    pointer, u8, u16, u32 = ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "xcb_connect": (pointer, (ctypes.c_char_p, pointer)),
        "xcb_connection_has_error": (ctypes.c_int, (pointer,)),
        "xcb_disconnect": (None, (pointer,)),
        "xcb_flush": (ctypes.c_int, (pointer,)),
        "xcb_get_setup": (pointer, (pointer,)),
        "xcb_setup_roots_iterator": (_Screens, (pointer,)),
        "xcb_query_tree": (_Cookie, (pointer, u32)),
        "xcb_query_tree_reply": (pointer, (pointer, _Cookie, pointer)),
        "xcb_get_property": (_Cookie, (pointer, u8, u32, u32, u32, u32, u32)),
        "xcb_get_property_reply": (pointer, (pointer, _Cookie, pointer)),
        "xcb_intern_atom": (_Cookie, (pointer, u8, u16, ctypes.c_char_p)),
        "xcb_intern_atom_reply": (pointer, (pointer, _Cookie, pointer)),
        "xcb_get_keyboard_mapping": (_Cookie, (pointer, u8, u8)),
        "xcb_get_keyboard_mapping_reply": (pointer, (pointer, _Cookie, pointer)),
        "xcb_change_window_attributes": (_Cookie, (pointer, u32, u32, pointer)),
        "xcb_grab_button": (_Cookie, (pointer, u8, u32, u16, u8, u8, u32, u32, u8, u16)),
        "xcb_grab_key": (_Cookie, (pointer, u8, u32, u16, u8, u8, u8)),
        "xcb_get_image": (_Cookie, (pointer, u8, u32, *[ctypes.c_int16] * 2, u16, u16, u32)),
        "xcb_get_image_reply": (pointer, (pointer, _Cookie, pointer)),
        "xcb_map_window": (_Cookie, (pointer, u32)),
        "xcb_unmap_window": (_Cookie, (pointer, u32)),
        "xcb_poll_for_event": (pointer, (pointer,)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(xcb, name)
        function.restype, function.argtypes = result, arguments
    return xcb


class Connection:
    """A client of the X server.

    It stays connected as long as it is kept: a server that nobody else uses starts anew when its last
    client leaves, and would refuse Qt meanwhile.

    Attributes:
        size: of the screen, in pixels, or None.
    """

    def __init__(self, display: str) -> None:
        """Connect; a `MissingError` where the display does not answer."""
        try:
            self._xcb = _library()
        except OSError as error:
            raise MissingError(
                f"no display: OpenCV's windows need libxcb ({error}); install it: apt-get install libxcb1"
            ) from error
        found: list[tuple[int, int | None]] = []

        def connect() -> None:
            problem = 0
            for attempt in range(_CONNECT_ATTEMPTS):
                time.sleep(attempt * _RETRY_DELAY)
                connection = self._xcb.xcb_connect(display.encode(), None)
                if not (problem := self._xcb.xcb_connection_has_error(connection)):
                    found.append((0, connection))
                    return
                self._xcb.xcb_disconnect(connection)
            found.append((problem, None))

        asking = threading.Thread(target=connect, daemon=True)  # one that hangs is left behind
        asking.start()
        asking.join(_CONNECT_TIMEOUT)
        if not found:
            raise MissingError(f"no display: {display!r} (DISPLAY) does not answer")
        problem, self._connection = found[0]
        if problem:
            raise MissingError(
                f"no display: {display!r} (DISPLAY) {_PROBLEMS.get(problem, 'cannot be used')}"
            )
        self._window = 0
        self._keys: dict[int, str] = {}
        setup = self._xcb.xcb_get_setup(self._connection)
        self._first_key, self._last_key = ctypes.string_at(setup + 34, 2)
        screens = self._xcb.xcb_setup_roots_iterator(setup)
        # xcb_screen_t: the root window, four more numbers of 32 bits, then width and height of 16
        screen = bytes(screens.data[:24]) if screens.rem else bytes(24)
        self._root, width, height = struct.unpack("=I16x2H", screen)
        self.size: tuple[int, int] | None = (width, height) if width and height else None

    @property
    def is_alive(self) -> bool:
        """Whether the server is still there, and answers."""
        return self._atom(b"WM_NAME") != 0

    def watch(self, title: str) -> bool:
        """Find this process's window of that title and look after it; return whether it is there."""
        process = self._atom(b"_NET_WM_PID")
        for window in self._descendants(self._root):
            owner = self._property(window, process, _CARDINAL)
            if owner == struct.pack("=I", os.getpid()) and self._property(window, _WM_NAME) == title.encode():
                self._grab_input(window)
                return True
        return False

    def take_events(self) -> list[InputEvent]:
        """Return the input since the last call, in its order."""
        events = []
        while self._window and (event := self._xcb.xcb_poll_for_event(self._connection)):
            content = ctypes.string_at(event, 32)
            _free(event)
            if input_event := self._decode(content):
                events.append(input_event)
        return events

    @property
    def is_black(self) -> bool:
        """Whether the window's corner has never been painted."""
        whole = 2  # all bits of a pixel together
        reply = self._reply("xcb_get_image", whole, self._window, 1, 1, 1, 1, 0xFFFFFFFF)
        return len(reply) >= 36 and not any(reply[32:35])

    def show_again(self) -> None:
        """Take the window from the screen and put it back, which makes Qt paint it.

        On a busy machine Qt now and then takes a new window for one that cannot be seen.
        """
        self._xcb.xcb_unmap_window(self._connection, self._window)
        self._xcb.xcb_map_window(self._connection, self._window)
        self._xcb.xcb_flush(self._connection)

    def _decode(self, content: bytes) -> InputEvent | None:
        kind, detail = content[0] & 0x7F, content[1]
        x, y, state = struct.unpack("=2hH", content[24:30])
        if kind == _KEY_PRESS and detail in self._keys:
            return InputEvent("key", character=self._keys[detail])
        if kind == _KEY_PRESS:
            return InputEvent("qt_key")
        if kind in (_BUTTON_PRESS, _BUTTON_RELEASE) and detail in _PEN_BUTTONS:
            return InputEvent("press" if kind == _BUTTON_PRESS else "release", detail, x, y)
        if kind == _MOTION_NOTIFY:
            return InputEvent("move", 1 if state & _BUTTON1_MASK else 3, x, y)
        if kind == _DESTROY_NOTIFY and struct.unpack("=I", content[8:12])[0] == self._window:
            return InputEvent("destroyed")
        return None

    def _grab_input(self, window: int) -> None:
        self._window = window
        mask = (ctypes.c_uint32 * 1)(_STRUCTURE_NOTIFY | _KEY_PRESSES)
        self._xcb.xcb_change_window_attributes(self._connection, window, 1 << 11, mask)
        for button in (*_PEN_BUTTONS, *_WHEEL_BUTTONS):
            events = _POINTER_EVENTS if button in _PEN_BUTTONS else 1 << 2
            self._xcb.xcb_grab_button(self._connection, 0, window, events, 1, 1, 0, 0, button, _ANY_MODIFIER)
        for key, symbols in self._key_symbols():
            for symbol in _CONTROL_KEYS.keys() & symbols:
                self._keys[key] = _CONTROL_KEYS[symbol]
                for locks in (0, _CAPS_LOCK, _NUM_LOCK, _CAPS_LOCK | _NUM_LOCK):
                    self._xcb.xcb_grab_key(self._connection, 0, window, _CONTROL | locks, key, 1, 1)
        self._xcb.xcb_flush(self._connection)

    def _descendants(self, window: int, depth: int = 0) -> Iterator[int]:
        """Give the windows in a window, newest first, and those in them."""
        reply = self._reply("xcb_query_tree", window)
        count = struct.unpack("=H", reply[16:18])[0] if reply else 0
        for child in reversed(struct.unpack(f"={count}I", reply[32 : 32 + 4 * count])):
            yield child
            if depth < _MAX_DEPTH:
                yield from self._descendants(child, depth + 1)

    def _property(self, window: int, name: int, kind: int = _ANY_TYPE) -> bytes:
        reply = self._reply("xcb_get_property", 0, window, name, kind, 0, 64)
        if not reply:
            return b""
        return reply[32 : 32 + struct.unpack("=I", reply[16:20])[0] * (reply[1] // 8)]

    def _atom(self, name: bytes) -> int:
        reply = self._reply("xcb_intern_atom", 0, len(name), name)
        return int(struct.unpack("=I", reply[8:12])[0]) if reply else 0

    def _key_symbols(self) -> Iterator[tuple[int, set[int]]]:
        """Give each key of the keyboard with what is on it."""
        count = self._last_key - self._first_key + 1
        reply = self._reply("xcb_get_keyboard_mapping", self._first_key, count)
        if not reply:
            return
        width = reply[1]
        symbols = struct.unpack(f"={count * width}I", reply[32 : 32 + 4 * count * width])
        for number in range(count):
            yield self._first_key + number, set(symbols[number * width : (number + 1) * width])

    def _reply(self, request: str, *arguments: Any) -> bytes:
        """Return the answer to a request; nothing where that is an error, as for a window that is gone."""
        cookie = getattr(self._xcb, request)(self._connection, *arguments)
        answer = getattr(self._xcb, f"{request}_reply")(self._connection, cookie, None)
        if not answer:
            return b""
        length = struct.unpack("=I", ctypes.string_at(answer + 4, 4))[0]
        content = ctypes.string_at(answer, 32 + 4 * length)
        _free(answer)
        return content


def _free(address: int) -> None:
    ctypes.CDLL(None).free(ctypes.c_void_p(address))
