"""Batched reading: requests that arrive at the same time go through the network together."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from digitcli.canvas.canvas_reading import CanvasReading, Snapshot, read_many
from digitcli.errors import DigitcliError, ImageError, first_line
from digitcli.preprocessing.image_files import decode
from digitcli.recognition.reading import Reading
from digitcli.recognition.recognizer import Prepared, Recognizer
from digitcli.web.limits import LIMITS, RequestRefused


@dataclass(eq=False)
class _Job:
    """One image to be read, and the future by which its reader waits."""

    prepare: Callable[[], Prepared]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Reading]"
    result: Reading | DigitcliError | None = None


class _Queue:
    """A thread that takes the jobs that wait, and reads them together."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.waiting: deque[_Job] = deque()
        self._recognizer = recognizer
        self._arrived = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def add(self, job: _Job) -> None:
        with self._arrived:
            self.waiting.append(job)
            self._arrived.notify()

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: bool(self.waiting))
                jobs = [self.waiting.popleft() for _ in range(min(LIMITS.batch_images, len(self.waiting)))]
            jobs = [job for job in jobs if not job.future.cancelled()]
            pages = [page for job in jobs if (page := _prepared(job))]
            try:
                readings = self._recognizer.read_pages(pages)
                for job in jobs:
                    if job.result is None:
                        job.result = next(readings)
            except DigitcliError as error:  # the model's
                for job in jobs:
                    job.result = job.result or error
            for loop in {job.loop for job in jobs}:
                loop.call_soon_threadsafe(_answer, [job for job in jobs if job.loop is loop])


def _prepared(job: _Job) -> "Prepared | None":
    try:
        return job.prepare()
    except DigitcliError as error:
        job.result = error
    except Exception as error:  # nothing that somebody sends keeps the others from being read
        job.result = ImageError(f"cannot be read ({first_line(error)})")
    return None


def _answer(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # who asked has gone
            continue
        if isinstance(job.result, Reading):
            job.future.set_result(job.result)
        elif job.result is not None:
            job.future.set_exception(job.result)


class BatchReader:
    """Where everything that a server is asked to read is read, with one model."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self._small = _Queue(recognizer)
        self._large = _Queue(recognizer)

    async def read_image(self, content: bytes, name: str, *, single: bool) -> Reading:
        """Read an image file.

        Raises `ImageError` where it is none, `RequestRefused` where too many wait already.
        """

        def load() -> Prepared:
            picture = decode(content, name)
            return self.recognizer.prepare(picture.pixels, single=single, scale=picture.scale)

        queue = self._large if len(content) > LIMITS.small_file_bytes else self._small
        if len(queue.waiting) >= LIMITS.waiting_images:
            raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, "too much to read at the moment; try again")
        loop = asyncio.get_running_loop()
        job = _Job(load, loop, loop.create_future())
        queue.add(job)
        return await job.future

    def read_canvases(self, snapshots: Sequence[Snapshot]) -> list[CanvasReading]:
        """Read canvases, in the caller's thread."""
        return read_many(self.recognizer, snapshots)
