"""``digitcli draw``: a canvas in a window that reads while somebody draws."""

import gc
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli.cli.console import print_json, print_line, say, tell_error
from digitcli.cli.options import ARTIFACTS, Artifacts, Model, Quiet, say_model
from digitcli.errors import DataError, ExitCode, MissingError, OptionError
from digitcli.evaluation.wording import percent
from digitcli.recognition.pretrained import NO_DETECTOR, model_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitcli.canvas.canvas_reading import CanvasReading, Snapshot
    from digitcli.canvas.events import Event
    from digitcli.canvas.session import KeptReading, Session
    from digitcli.window.x11 import Connection


def draw(
    model: Model = None,
    folder: Artifacts = ARTIFACTS,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record the session to a new file.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Replay a recorded session or a .jsonl file of pen strokes."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Replay without pauses.")] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Replay without a window and print the readings.")
    ] = False,
    quiet: Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per reading.")] = False,
) -> None:
    """Draw digits in a window that reads them at every stroke.

    Enter keeps a reading, C clears, U undoes, Esc quits, ? shows all keys. 0 to 9 correct a reading
    and save the drawing for train --extra. Kept readings are printed at the end. A replay saves nothing.
    """
    if (fast or headless) and not replay:
        raise OptionError(f"{'--headless' if headless else '--fast'}: requires --replay FILE")
    if record and headless:
        raise OptionError("--record needs a window, and --headless opens none; leave one of them out")
    show = _print_json if json else _print_words
    damaged: list[DataError] = []
    if replay and headless:
        _play(replay, model, folder, damaged, show, fast=fast)
    else:
        _open(replay, model, folder, damaged, show, record=record, fast=fast, quiet=quiet)
    for error in damaged:
        tell_error(str(error))
    if damaged:
        raise typer.Exit(ExitCode.INPUT)


def _load(model: Path) -> "Callable[[Snapshot], CanvasReading]":
    import cv2

    from digitcli.canvas.canvas_reading import read, warm_up
    from digitcli.recognition.recognizer import Recognizer

    # one canvas at a time is small work: threads would mostly wait for each other, the longer the
    # busier the machine is
    cv2.setNumThreads(1)
    recognizer = Recognizer.load(model, detector=NO_DETECTOR, threads=1)
    warm_up(recognizer)
    # what has been imported and loaded stays; looking through it for garbage would halt the pen for 20 ms
    gc.collect()
    gc.freeze()
    return lambda snapshot: read(recognizer, snapshot)


def _find(model: Path | None, folder: Path) -> Path:
    from digitcli.models.classifier import require_model
    from digitcli.recognition.pretrained import find_model

    path = model or find_model(folder)
    require_model(path)
    return path


def _play(
    file: Path,
    model: Path | None,
    folder: Path,
    damaged: list[DataError],
    show: "Callable[[KeptReading], None]",
    *,
    fast: bool,
) -> None:
    """Replay without a window, printing each reading as it is kept."""
    import time

    from digitcli.canvas.events import load
    from digitcli.canvas.session import Session, play

    session = Session(_load(_find(model, folder)))
    start = time.perf_counter()

    def in_time(event: "Event") -> "Event":
        if not fast:
            time.sleep(max(0.0, start + event.t - time.perf_counter()))
        return event

    for kept in play(session, map(in_time, load(file, damaged))):
        show(kept)
    if last := session.last():
        show(last)


def _open(
    replay: Path | None,
    model: Path | None,
    folder: Path,
    damaged: list[DataError],
    show: "Callable[[KeptReading], None]",
    *,
    record: Path | None,
    fast: bool,
    quiet: bool,
) -> None:
    """Draw in a window; what was kept is printed when it is closed, however that comes."""
    from contextlib import ExitStack

    from digitcli import artifacts
    from digitcli.window import display

    try:
        server = display.require_display()
    except MissingError as error:
        raise MissingError(f"{error}; {_instead()}") from error
    from digitcli.canvas.events import Recording, Replay, load
    from digitcli.canvas.reading_worker import ReadingWorker
    from digitcli.canvas.session import Session
    from digitcli.window import window as window_

    path = _find(model, folder)
    events = Replay(load(replay, damaged), fast=fast) if replay else None
    session = Session()
    if replay is None:
        session = Session(drawings=folder / artifacts.DRAWINGS, corrections=folder / artifacts.CORRECTIONS)
    readings: list[KeptReading] = []
    with ExitStack() as stack:
        recording = stack.enter_context(Recording(record)) if record else None
        stack.enter_context(display.on_display_lost(lambda: _end_at_once(session, readings, show, server)))
        reader = ReadingWorker(lambda: _load(path))
        window = window_.Window(session, window_.default_window_size(server.size if server else None), server)
        stack.callback(window.close)
        if not quiet:
            say_model(path)
            say("Draw in the window; ? shows the keys, Esc closes it.")
        try:
            window_.run(
                window,
                session,
                reader,
                model_name(path),
                replay=events,
                on_event=recording.add if recording else lambda _: None,
                on_keep=readings.append,
            )
        finally:
            _show_all(session, readings, show)


def _show_all(
    session: "Session", readings: "list[KeptReading]", show: "Callable[[KeptReading], None]"
) -> None:
    for kept in [*readings, *filter(None, [session.last()])]:
        show(kept)


def _end_at_once(
    session: "Session",
    readings: "list[KeptReading]",
    show: "Callable[[KeptReading], None]",
    server: "Connection | None",
) -> None:
    """Qt has lost its window and is about to end the process: say what there is to say before."""
    status = ExitCode.FAILED
    try:
        _show_all(session, readings, show)
        if server and server.is_alive:  # somebody closed the window the hard way
            status = ExitCode.DONE
        else:
            status = ExitCode.MISSING
            tell_error(f"the display went away while the window was open; {_instead()}")
        sys.stdout.flush()
    finally:
        os._exit(status)


def _instead() -> str:
    if find_spec("digitcli.cli.serve"):
        return "digitcli serve opens the same canvas in a browser"
    return "digitcli predict reads image files without one"


def _print_words(kept: "KeptReading") -> None:
    sure = "" if kept.confidence is None else percent(kept.confidence, digits=1)
    print_line(f"{kept.words:<12}  {sure}".rstrip())


def _print_json(kept: "KeptReading") -> None:
    print_json(kept.reading.as_json())
