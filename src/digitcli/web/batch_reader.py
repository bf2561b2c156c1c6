"""Reading for many at once: what is asked for at the same time goes through the network together."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from digitcli.canvas.canvas_reading import CanvasReading, Snapshot, read_many
from digitcli.errors import DigitcliError, ImageError, first_line
from digitcli.preprocessing.image_files import decode
from digitcli.recognition.recognizer import Reading, Recognizer
from digitcli.recognition.rules.pages import Page, prepare
from digitcli.web.limits import MAX_WAITING, Refused

_TOGETHER = 64  # images that go through the network together; more would keep the first one waiting
_LARGE = 200_000  # bytes of a file; photographs take so long that small images do not queue behind them


@dataclass(eq=False)
class _Job:
    """One image, and who waits for it."""

    prepare: Callable[[], Page]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Reading]"
    found: Reading | DigitcliError | None = None


class _Queue:
    """A thread that takes all jobs that wait, and reads them together."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.waiting: deque[_Job] = deque()
        self._recognizer = recognizer
        self._news = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def add(self, job: _Job) -> None:
        with self._news:
            self.waiting.append(job)
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self.waiting))
                jobs = [self.waiting.popleft() for _ in range(min(_TOGETHER, len(self.waiting)))]
            jobs = [job for job in jobs if not job.future.cancelled()]
            pages = [page for job in jobs if (page := _prepared(job))]
            try:
                readings = self._recognizer.read_pages(pages)
                for job in jobs:
                    if job.found is None:
                        job.found = next(readings)
            except DigitcliError as error:  # the model's
                for job in jobs:
                    job.found = job.found or error
            for loop in {job.loop for job in jobs}:
                loop.call_soon_threadsafe(_tell, [job for job in jobs if job.loop is loop])


def _prepared(job: _Job) -> Page | None:
    try:
        return job.prepare()
    except DigitcliError as error:
        job.found = error
    except Exception as error:  # nothing that somebody sends keeps the others from being read
        job.found = ImageError(f"cannot be read ({first_line(error)})")
    return None


def _tell(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # who asked has gone
            continue
        if isinstance(job.found, Reading):
            job.future.set_result(job.found)
        elif job.found is not None:
            job.future.set_exception(job.found)


class BatchReader:
    """Where everything that a server is asked to read is read, with one model."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self._small = _Queue(recognizer)
        self._large = _Queue(recognizer)

    async def read_image(self, content: bytes, name: str, *, single: bool) -> Reading:
        """Read an image file.

        Raises `ImageError` where it is none, `Refused` where too many wait already.
        """

        def load() -> Page:
            picture = decode(content, name)
            return prepare(picture.pixels, single=single, scale=picture.scale)

        queue = self._large if len(content) > _LARGE else self._small
        if len(queue.waiting) >= MAX_WAITING:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too much to read at the moment; try again")
        loop = asyncio.get_running_loop()
        job = _Job(load, loop, loop.create_future())
        queue.add(job)
        return await job.future

    def read_canvases(self, snapshots: Sequence[Snapshot]) -> list[CanvasReading]:
        """Read canvases, in the caller's thread."""
        return read_many(self.recognizer, snapshots)
