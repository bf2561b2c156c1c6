"""Checking whether a window can be opened, before OpenCV tries.

Where Qt, which draws OpenCV's windows on Linux, finds no display, it aborts the whole process, and no
exception can be caught. So what it needs is looked for first, with the library that Qt itself uses.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from digitcli.errors import MissingError
from digitcli.window.x11 import Connection


def require_display(environment: Mapping[str, str] = os.environ) -> Connection | None:
    """Make sure that OpenCV can open a window, and quieten Qt.

    Returns:
        A connection to the X server, where there is one, to be kept as long as the window.

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
    connection = Connection(display)
    plugins = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms"
    if framework.startswith("QT") and plugins.is_dir():
        _require_libraries(plugins / "libqxcb.so")
        # the one plugin that the wheel has, whatever the desktop prefers; a pixel is a pixel
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        os.environ["QT_AUTO_SCREEN_SCALE_FACTOR"] = os.environ["QT_ENABLE_HIGHDPI_SCALING"] = "0"
        os.environ["QT_SCALE_FACTOR"] = "1"
        os.environ.pop("QT_SCREEN_SCALE_FACTORS", None)
        os.environ["QT_XCB_NO_XI2"] = "1"  # with it, the wheel could not be taken from Qt
        os.environ["QT_LOGGING_RULES"] = "*=false"  # what Qt misses, as fonts, is nothing to us
    return connection


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
def on_display_lost(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` if the display goes away meanwhile, just before Qt ends the process.

    Qt calls C's `exit` then. Python, which is waiting for Qt, would never know.
    """
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "__cxa_atexit"):
        yield
        return
    is_open = True

    def at_exit(_: object) -> None:
        if is_open:
            callback()

    c_callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(at_exit)
    # registered under a name of its own, under which it can be taken back
    name = ctypes.create_string_buffer(1)
    libc.__cxa_atexit(c_callback, None, name)
    try:
        yield
    finally:
        is_open = False
        libc.__cxa_finalize(name)
