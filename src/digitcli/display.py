"""Whether a window can be opened here, found out before OpenCV tries.

Where Qt, which draws OpenCV's windows on Linux, finds no display, it aborts the whole process, and no
exception can be caught. So what it needs is looked for first, with the library that Qt itself uses.
"""

import contextlib
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from digitcli.errors import MissingError

Size = tuple[int, int]  # width, height in pixels

_PATIENCE = 5.0  # seconds for a display to answer
_TRIES, _PAUSE = 4, 0.1  # attempts to connect, and seconds by which each waits longer than the one before
_PROBLEMS = {1: "is not there, or refuses", 5: "has a name that X does not know"}  # xcb's numbers


def require_display(environment: Mapping[str, str] = os.environ) -> Size | None:
    """Make sure that OpenCV can open a window, and quieten Qt.

    Returns:
        The size of the screen, where it is easily known.

    Raises `MissingError` that says in one line what is missing.
    """
    import cv2

    framework = cv2.currentUIFramework()
    if not framework:
        raise MissingError(
            "this OpenCV is built without windows (opencv-python-headless); "
            "put the other one in its place: pip uninstall opencv-python-headless opencv-python && "
            "pip install opencv-python"
        )
    if sys.platform != "linux":
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        if wayland := environment.get("WAYLAND_DISPLAY", ""):
            raise MissingError(
                f"no display: WAYLAND_DISPLAY is {wayland!r} but DISPLAY is not set, and OpenCV's windows "
                "need X; install or switch on XWayland"
            )
        raise MissingError("no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
    size = _ask(display)
    plugins = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms"
    if framework.startswith("QT") and plugins.is_dir():
        _require_libraries(plugins / "libqxcb.so")
        # the one plugin that the wheel has, whatever the desktop prefers; a pixel is a pixel
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        os.environ["QT_AUTO_SCREEN_SCALE_FACTOR"] = os.environ["QT_ENABLE_HIGHDPI_SCALING"] = "0"
        os.environ["QT_SCALE_FACTOR"] = "1"
        os.environ.pop("QT_SCREEN_SCALE_FACTORS", None)
        os.environ["QT_LOGGING_RULES"] = "*=false"  # what Qt misses, as fonts, is nothing to us
    return size


class _Screens(ctypes.Structure):
    """``xcb_screen_iterator_t``."""

    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint8)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def _ask(display: str) -> Size | None:
    """Connect to an X server as Qt will, and ask for the size of its screen.

    The connection stays: an X server that nobody else uses starts anew when its last client leaves,
    and would refuse Qt meanwhile.
    """
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise MissingError(
            f"no display: OpenCV's windows need libxcb ({error}); install it: apt-get install libxcb1"
        ) from error
    xcb.xcb_connect.restype = xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    for function in (
        xcb.xcb_get_setup,
        xcb.xcb_connection_has_error,
        xcb.xcb_disconnect,
        xcb.xcb_setup_roots_iterator,
    ):
        function.argtypes = (ctypes.c_void_p,)
    xcb.xcb_setup_roots_iterator.restype = _Screens
    found: list[tuple[int, Size | None]] = []

    def connect() -> None:
        for attempt in range(_TRIES):
            time.sleep(attempt * _PAUSE)
            connection = xcb.xcb_connect(display.encode(), None)
            if not (problem := int(xcb.xcb_connection_has_error(connection))):
                found.append((0, _size(xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection)))))
                return
            xcb.xcb_disconnect(connection)
        found.append((problem, None))

    asking = threading.Thread(target=connect, daemon=True)  # one that hangs is left behind
    asking.start()
    asking.join(_PATIENCE)
    if not found:
        raise MissingError(f"no display: {display!r} (DISPLAY) does not answer")
    problem, size = found[0]
    if problem:
        words = _PROBLEMS.get(problem, "cannot be used")
        raise MissingError(f"no display: {display!r} (DISPLAY) {words}")
    return size


def _size(screens: _Screens) -> Size | None:
    if not screens.rem:
        return None
    # xcb_screen_t: five numbers of 32 bits, then width and height of 16
    width, height = memoryview(bytes(screens.data[20:24])).cast("H")
    return width, height


def _require_libraries(plugin: Path) -> None:
    """Load Qt's plugin for X, as Qt will: what that lacks is named by the loader."""
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        missing = str(error).partition(":")[0]
        raise MissingError(
            f"no display: Qt, in OpenCV, cannot be loaded for lack of {missing}; "
            "install the system's package with that library"
        ) from error


@contextlib.contextmanager
def noticing_its_end(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` where the display goes away meanwhile, just before Qt ends the process for that.

    Qt calls C's `exit` then. Python, in the midst of waiting for Qt, would never hear of it.
    """
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "__cxa_atexit"):
        yield
        return
    is_open = True

    def ending(_: object) -> None:
        if is_open:
            tell()

    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(ending)
    # registered under a name of its own, under which it can be taken back
    name = ctypes.create_string_buffer(1)
    libc.__cxa_atexit(callback, None, name)
    try:
        yield
    finally:
        is_open = False
        libc.__cxa_finalize(name)
