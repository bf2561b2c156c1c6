"""How long `digitcli draw` takes from a mouse event to the updated reading on the screen, and to start.

    python benchmarks/drawing.py
    python benchmarks/drawing.py --sides 512 --strokes 0 200 --modes digit number

Needs Xvfb, libXtst and libXdamage (apt-get install xvfb xdotool libxdamage1). Nothing else should run
meanwhile. A second process moves the mouse at 125 events a second and notes when, and when the X server
painted the window; each event is found again by where it was. What an event waits for: until OpenCV hands it
over (arrive), drawing (draw), reading (read), the window's picture (compose), and OpenCV and X bringing that
to the screen (show). Prints Markdown.
"""

import argparse
import ctypes
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from measure import in_words, machine, print_table

RATE = 125  # events a second, as of a usual mouse
SECONDS = 8.0  # of drawing
WARM_UP = 1.0  # seconds that do not count
TARGET = 16.0  # milliseconds
STARTS = 8
ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512, 768, 1024])
    parser.add_argument("--strokes", type=int, nargs="+", default=[0, 200])
    parser.add_argument("--modes", nargs="+", default=["digit", "number"])
    parser.add_argument("--move", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--draw", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.move:
        move(*options.move)
    elif options.draw:
        draw(*options.draw)
    else:
        with tempfile.TemporaryDirectory() as folder, Screen(Path(folder)):
            start_up()
            rows = []
            for mode in options.modes:
                for strokes in options.strokes:
                    rows += [measure(side, strokes, mode) for side in options.sides]
            print(
                "\nMilliseconds from a mouse event to the reading on the screen, and medians of the parts:\n"
            )
            print_table(
                ["canvas", "strokes", "reads", "events", "median", "99%", "arrive", "draw", "read",
                 "compose", "show"],
                rows,
            )  # fmt: skip
            print()
            idle()
    if not (options.move or options.draw):
        print(f"\n{in_words(machine())}")


class Screen:
    """An X server in memory, under `DISPLAY`."""

    def __init__(self, folder: Path) -> None:
        reads, writes = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", "2400x1400x24", "-nolisten", "tcp",
             "-noreset"],
            pass_fds=[writes], stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        os.close(writes)
        with os.fdopen(reads) as pipe:
            os.environ["DISPLAY"] = f":{pipe.readline().strip()}"

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "digitcli", "draw", "--quiet", *map(str, words)]


def visible_window() -> bool:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "^digitcli$"], capture_output=True, check=False
    )
    return bool(found.stdout.strip())


def start_up() -> None:
    """From the command to the first stroke that is taken: dots are tapped until one is read."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(STARTS):
            record = Path(folder) / f"{number}.jsonl"
            start = time.perf_counter()
            process = subprocess.Popen(command("--record", record), cwd=folder, stdout=subprocess.DEVNULL)
            while not (record.exists() and '"pen"' in record.read_text()):
                subprocess.run(["xdotool", "mousemove", "200", "200", "click", "1"], check=True)
                assert process.poll() is None
            times.append(time.perf_counter() - start)
            process.kill()
            process.wait()
    print(f"From the command to a stroke that was taken: best {min(times):.2f} s, worst {max(times):.2f} s "
          f"of {STARTS} starts; target 1 s")  # fmt: skip


def idle() -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command(), cwd=folder, stdout=subprocess.DEVNULL)
        while not visible_window():
            time.sleep(0.05)
        time.sleep(2)
        watched = psutil.Process(process.pid)
        before = watched.cpu_times()
        time.sleep(10)
        after = watched.cpu_times()
        process.kill()
        process.wait()
    spent = after.user + after.system - before.user - before.system
    print(f"Idle: {spent / 10:.1%} of a core; target 3%")


def measure(side: int, strokes: int, mode: str) -> list[str]:
    """Draw in a process of its own, moved by another; return a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        log, moved = Path(folder) / "log.npz", Path(folder) / "moved.npz"
        drawing = subprocess.Popen(
            [sys.executable, __file__, "--draw", str(side), f"{strokes},{mode}", str(log)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        place = drawing.stdout.readline().split()  # left, top, width, height of where to draw
        subprocess.run([sys.executable, __file__, "--move", *place, str(SECONDS), str(moved)], check=True)
        drawing.communicate(timeout=60)
        assert drawing.returncode == 0
        with np.load(log) as logged, np.load(moved) as noted:
            events, frames = logged["events"], logged["frames"]
            sent = {(x, y): when for when, x, y in noted["moved"].tolist()}
            painted = noted["painted"]
    totals, parts = [], []
    first = min(sent.values()) + WARM_UP
    for when, x, y in events.tolist():  # as OpenCV handed them over
        injected = sent.get((x, y))
        if injected is None or injected < first:
            continue
        # the first turn that began to handle events after this one came, and what it showed
        frame = frames[np.searchsorted(frames[:, 0], when)] if when <= frames[-1, 0] else None
        if frame is None:
            continue
        handled, drawn, read, composed, _, read_up_to = frame.tolist()
        shown = on_screen(frame, painted)
        if read_up_to < when:  # read beside: the first frame that shows a reading of it
            later = frames[(frames[:, 5] >= when)]
            if not len(later):
                continue
            shown = on_screen(later[0], painted)
        totals.append((shown - injected) * 1000)
        parts.append([handled - injected, drawn - handled, read - drawn, composed - read, shown - composed])
    medians = np.median(np.array(parts) * 1000, axis=0)
    late = np.percentile(totals, 99)
    flag = "" if late < TARGET else " (over)"
    return [str(side), str(strokes), mode, str(len(totals)), f"{np.median(totals):.1f}", f"{late:.1f}{flag}",
            *(f"{value:.1f}" for value in medians)]  # fmt: skip


def on_screen(frame: np.ndarray, painted: np.ndarray) -> float:
    """Return when the X server had painted a frame: the last time that it did in the turn that showed it."""
    composed, turned = frame[3], frame[4]
    done = painted[(painted > composed) & (painted <= turned)]
    return float(done[-1]) if len(done) else float(turned)


def connect() -> tuple[ctypes.CDLL, int]:
    """Return Xlib, and a connection of its own to the display."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XFlush.argtypes = (ctypes.c_void_p,)
    return x11, x11.XOpenDisplay(None)


def note_paintings(painted: list[float]) -> None:
    """Note when anything on the screen was painted, in a thread of its own (the X extension DAMAGE)."""
    (x11, display), damage = connect(), ctypes.CDLL("libXdamage.so.1")
    x11.XDefaultRootWindow.argtypes = (ctypes.c_void_p,)
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XNextEvent.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    damage.XDamageQueryExtension.argtypes = (ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_int)] * 2)
    damage.XDamageCreate.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
    first, error = ctypes.c_int(), ctypes.c_int()
    assert damage.XDamageQueryExtension(display, first, error)
    every_rectangle = 0
    damage.XDamageCreate(display, x11.XDefaultRootWindow(display), every_rectangle)
    x11.XFlush(display)

    def listen() -> None:
        event = ctypes.create_string_buffer(256)
        while True:
            x11.XNextEvent(display, event)
            painted.append(time.monotonic())

    threading.Thread(target=listen, daemon=True).start()


def move(left: str, top: str, width: str, height: str, seconds: str, log: str) -> None:
    """Move the mouse with the button held, and note when it was where."""
    (x11, display), xtest = connect(), ctypes.CDLL("libXtst.so.6")
    xtest.XTestFakeMotionEvent.argtypes = (ctypes.c_void_p, *[ctypes.c_int] * 3, ctypes.c_ulong)
    xtest.XTestFakeButtonEvent.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong)
    x0, y0, across, down = (int(value) for value in (left, top, width, height))
    moved = []
    painted: list[float] = []
    note_paintings(painted)
    start = time.monotonic()
    is_down = False
    for number in range(int(float(seconds) * RATE)):
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
        turn = number / RATE * 2 * math.pi
        # an 8, slowly getting larger so that hardly a place comes twice
        grown = 0.25 + 0.2 * number / (float(seconds) * RATE)
        x = round(x0 + across * (0.5 + 0.6 * grown * math.sin(2 * turn)))
        y = round(y0 + down * (0.5 + grown * math.cos(turn)))
        moved.append((time.monotonic(), x, y))
        xtest.XTestFakeMotionEvent(display, -1, x, y, 0)
        if not is_down:
            xtest.XTestFakeButtonEvent(display, 1, 1, 0)
            is_down = True
        x11.XFlush(display)
        if number % RATE == RATE - 1:  # a new stroke every second
            xtest.XTestFakeButtonEvent(display, 1, 0, 0)
            is_down = False
    xtest.XTestFakeButtonEvent(display, 1, 0, 0)
    x11.XFlush(display)
    time.sleep(0.3)
    places = [place[1:] for place in moved]
    once = [each for each in moved if places.count(each[1:]) == 1]
    np.savez(log, moved=np.array(once), painted=np.array(painted))


def draw(side: str, what: str, log: str) -> None:
    """Open the real window with a canvas of `side` pixels, and note when each turn did what."""
    from digitcli.canvas.canvas import SIDE
    from digitcli.canvas.reading_worker import ReadingWorker
    from digitcli.canvas.session import Mode, Session
    from digitcli.cli.draw import _load
    from digitcli.recognition.pretrained import PRETRAINED_MODEL
    from digitcli.window import display
    from digitcli.window import window as window_
    from digitcli.window.layout import arrange

    server = display.require_display()
    strokes, mode = what.split(",")
    height = next(h for h in range(200, 2000) if arrange(int(1.6 * h), h).canvas[2] >= int(side))
    reader = ReadingWorker(lambda: _load(PRETRAINED_MODEL))
    session = Session()
    session.mode = Mode.NUMBER if mode == "number" else Mode.ONE
    session.canvas.brush = 10
    random = np.random.default_rng(0)
    for _ in range(int(strokes)):
        x, y = random.uniform(0.05 * SIDE, 0.95 * SIDE, 2)
        session.canvas.begin(x, y)
        for angle in np.linspace(0, 4, 40):
            session.canvas.extend(x + 25 * math.sin(angle), y + 25 * math.cos(angle))
        session.canvas.end()

    events: list[tuple[float, float, float]] = []
    frames: list[list[float]] = []

    class Watched(window_.Window):
        def wait(self, *, is_busy: bool = False) -> list[object]:
            found = super().wait(is_busy=is_busy)
            now = time.monotonic()
            if frames and frames[-1][4] == 0:
                frames[-1][4] = now  # what was to be shown is on the screen
            self.turn = [now]
            return found

        def _on_pointer(self, pointer: object) -> None:
            if pointer.kind == "move":
                events.append((time.monotonic(), pointer.x, pointer.y))
            super()._on_pointer(pointer)

        def show(self, model: str) -> bool:
            self.turn.append(time.monotonic())
            is_new = self.view.draw(model, self.pointer)
            self.turn.append(time.monotonic())
            if is_new:
                window_.cv2.imshow(window_.TITLE, self.view.picture)
                shown_version = session.canvas_reading.version if session.canvas_reading else -1
                frames.append([*self.turn, 0.0, when_version.get(shown_version, self.turn[0])])
            return is_new

    window = Watched(session, (int(1.6 * height), height), server)
    when_version: dict[int, float] = {}
    process_pending_reading = window_.process_pending_reading

    def watched_processing(session: Session, reader: ReadingWorker) -> None:
        window.turn.append(time.monotonic())
        when_version[session.canvas.version] = window.turn[0]
        process_pending_reading(session, reader)

    window_.process_pending_reading = watched_processing
    # the mouse moves in pixels of the screen, on which a window may be smaller than the least layout
    across, down = (seen / laid for seen, laid in zip(window._size, window.view.layout.size, strict=True))
    left, top, side, _ = window.view.layout.canvas
    end = time.monotonic() + SECONDS + 3
    while reader.read is None or time.monotonic() < end - SECONDS - 2:
        window.wait(is_busy=True)
        window_.process_pending_reading(session, reader)
        window.show("")
    frames.clear()
    print(round(left * across), round(top * down), round(side * across), round(side * down), flush=True)

    over = window.wait
    window.wait = lambda is_busy=False: (
        over(is_busy=is_busy) + ([window_.Event(t=0, do="quit")] if time.monotonic() > end else [])
    )
    window_.run(window, session, reader, "")
    frames[:] = [frame for frame in frames if frame[4]]
    np.savez(log, events=np.array(events), frames=np.array(frames))


if __name__ == "__main__":
    main()
