"""Reading beside whatever else goes on: a thread that takes the newest canvas each time."""

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
        """Begin to load; `load` returns what then reads."""
        self.read: Read | None = None
        self.error: BaseException | None = None
        self._load = load
        self._loaded = threading.Event()  # or failed to
        self._news = threading.Condition()
        self._wanted: Snapshot | None = None
        self._under_way: Snapshot | None = None
        self._found: CanvasReading | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self) -> None:
        """Wait until the model is loaded; raise what went wrong, if anything did."""
        self._loaded.wait()
        if self.error:
            raise self.error

    def submit(self, snapshot: Snapshot) -> None:
        """Let this be read next, in place of what waits."""
        with self._news:
            self._wanted = snapshot
            self._news.notify()

    def expects(self, version: int, *, single: bool, with_saliency: bool) -> bool:
        """Return whether such a snapshot waits or is being read."""
        wanted = (version, single, with_saliency)
        with self._news:
            return any(
                each is not None and (each.version, each.single, each.with_saliency) == wanted
                for each in (self._wanted, self._under_way)
            )

    def take(self, patience: float = 0.0) -> CanvasReading | None:
        """Return what was read since the last call; wait `patience` seconds for what is being read."""
        with self._news:
            if patience:
                self._news.wait_for(lambda: self._found or self.error, patience)
            found, self._found = self._found, None
            return found

    def _run(self) -> None:
        try:
            self.read = self._load()
            self._loaded.set()
            while True:
                with self._news:
                    self._news.wait_for(lambda: self._wanted is not None)
                    self._under_way, self._wanted = self._wanted, None
                if self._under_way is not None:
                    canvas_reading = self.read(self._under_way)
                    with self._news:
                        self._found, self._under_way = canvas_reading, None
                        self._news.notify()
        except BaseException as error:  # whatever it is, the caller's thread is the one to end
            self.error = error
            self._loaded.set()
            with self._news:
                self._news.notify()
