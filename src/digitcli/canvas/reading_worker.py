"""Reading in the background: a thread that takes the newest snapshot each time."""

import threading
from collections.abc import Callable

from digitcli.canvas.canvas_reading import CanvasReading, Snapshot

Read = Callable[[Snapshot], CanvasReading]


class ReadingWorker:
    """Reads in a thread of its own: first loads the model, then takes the newest snapshot each time.

    Attributes:
        read: reads at once, in the caller's thread; None until the model is loaded.
        error: what went wrong, for the caller to raise.
    """

    def __init__(self, load: Callable[[], Read]) -> None:
        """Start the thread; `load`, called in it, returns the function that reads."""
        self.read: Read | None = None
        self.error: BaseException | None = None
        self._load = load
        self._loaded = threading.Event()  # or failed to
        self._changed = threading.Condition()
        self._waiting: Snapshot | None = None
        self._in_progress: Snapshot | None = None
        self._result: CanvasReading | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self) -> None:
        """Wait until the model is loaded; raise what went wrong, if anything did."""
        self._loaded.wait()
        if self.error:
            raise self.error

    def submit(self, snapshot: Snapshot) -> None:
        """Have this snapshot read next, in place of one that waits."""
        with self._changed:
            self._waiting = snapshot
            self._changed.notify()

    def has_pending(self, version: int, *, single: bool, with_saliency: bool) -> bool:
        """Return whether such a snapshot of that version of the canvas waits or is being read."""
        wanted = (version, single, with_saliency)
        with self._changed:
            return any(
                each is not None and (each.version, each.single, each.with_saliency) == wanted
                for each in (self._waiting, self._in_progress)
            )

    def take(self, timeout: float = 0.0) -> CanvasReading | None:
        """Return the reading since the last call, if any; wait up to `timeout` seconds for one."""
        with self._changed:
            if timeout:
                self._changed.wait_for(lambda: self._result or self.error, timeout)
            result, self._result = self._result, None
            return result

    def _run(self) -> None:
        try:
            self.read = self._load()
            self._loaded.set()
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting is not None)
                    self._in_progress, self._waiting = self._waiting, None
                if self._in_progress is not None:
                    canvas_reading = self.read(self._in_progress)
                    with self._changed:
                        self._result, self._in_progress = canvas_reading, None
                        self._changed.notify()
        except BaseException as error:  # whatever it is, the caller's thread has to raise it
            self.error = error
            self._loaded.set()
            with self._changed:
                self._changed.notify()
