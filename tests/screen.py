"""A virtual screen: Xvfb, its picture, and xdotool for mouse and keys."""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import forkserver
import numpy as np

PATIENCE = 20.0  # seconds for whatever is to come


def wait_for(what: Callable[[], object], words: str, patience: float = PATIENCE) -> object:
    """Return what `what` gives as soon as that is something."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience:g} s in vain: {words}")


class Screen:
    """An X server without a monitor."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1280, 960)) -> None:
        for program in ("Xvfb", "xdotool"):
            assert shutil.which(program), f"{program} is missing; apt-get install xvfb xdotool"
        self.folder = folder
        reads, writes = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp",
             "-fbdir", str(folder), "-ac", "-noreset"],
            pass_fds=[writes], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writes)
        with os.fdopen(reads) as pipe:
            self.name = f":{pipe.readline().strip()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        self.server.kill()
        self.server.wait()

    @property
    def environment(self) -> dict[str, str]:
        others = {k: v for k, v in os.environ.items() if k not in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
        return {**others, "DISPLAY": self.name}

    def picture(self) -> np.ndarray:
        """What is on the screen, (H, W, 3) uint8, blue first."""
        content = (self.folder / "Xvfb_screen0").read_bytes()  # in the format of xwd
        numbers = struct.unpack(">25I", content[:100])
        header, width, height, bytes_per_line, colours = (numbers[i] for i in (0, 4, 5, 12, 19))
        first = header + 12 * colours
        rows = np.frombuffer(content, np.uint8, height * bytes_per_line, first).reshape(height, -1)
        return rows[:, : 4 * width].reshape(height, width, 4)[..., :3].copy()

    def xdotool(self, *words: object) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, words)], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def window(self) -> str:
        """Wait for digitcli's window and return its number."""

        def find() -> str:
            done = subprocess.run(
                ["xdotool", "search", "--onlyvisible", "--name", "^digitcli$"],
                env=self.environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            return done.stdout.split("\n")[0]

        return str(wait_for(find, "a window"))

    def drag(self, points: Sequence[tuple[float, float]], button: int = 1) -> None:
        """Press a button, go through the points, let go."""
        places = [(round(x), round(y)) for x, y in points]
        words: list[object] = ["mousemove", *places[0], "mousedown", button]
        for place in places[1:]:
            words += ["mousemove", *place]
        self.xdotool(*words, "mouseup", button)

    def ask_to_close(self, window: str) -> None:
        """Do what a window manager does when its button is pressed: send WM_DELETE_WINDOW."""
        x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XInternAtom.restype = ctypes.c_ulong
        x.XInternAtom.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
        x.XSendEvent.argtypes = (
            ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p,
        )  # fmt: skip
        x.XSync.argtypes = (ctypes.c_void_p, ctypes.c_int)
        x.XCloseDisplay.argtypes = (ctypes.c_void_p,)
        display = x.XOpenDisplay(self.name.encode())
        protocols, delete = (
            x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
        )
        event = ctypes.create_string_buffer(192)
        # type, serial, send_event, display, window, message_type, format, data
        struct.pack_into(
            "@iLiPLLi5l", event, 0, 33, 0, 1, display, int(window), protocols, 32, delete, 0, 0, 0, 0
        )
        x.XSendEvent(display, int(window), 0, 0, event)
        x.XSync(display, 0)
        x.XCloseDisplay(display)


class Program:
    """``digitcli draw`` with its window open; a replay, which never rests for long, is not waited for."""

    def __init__(self, screen: Screen, folder: Path, *arguments: object, is_fresh: bool = False) -> None:
        self.screen = screen
        start = forkserver.start_fresh if is_fresh else forkserver.start
        self.process = start("--debug", "draw", *arguments, cwd=folder, environment=screen.environment)
        try:
            self.window = screen.window()
            if "--replay" not in arguments:
                wait_for(self._is_at_rest, "something in the window that stays")
        except AssertionError as error:
            self.process.kill()
            raise AssertionError(f"{error}; {self.process.communicate()[1]}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def _is_at_rest(self) -> bool:
        """Tell whether the window is painted and no longer changes: a person, too, draws in no other."""
        before = self.screen.picture()
        time.sleep(0.1)
        return bool((before > 200).mean() > 0.05 and np.array_equal(before, self.screen.picture()))

    def key(self, *keys: str) -> None:
        """Press keys, one after the other; each is given time, as a keyboard does."""
        for key in keys:
            self.screen.xdotool("key", "--delay", 40, key)
            time.sleep(0.06)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its status, stdout and stderr."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, stdout, stderr
