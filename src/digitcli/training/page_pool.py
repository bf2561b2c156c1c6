"""The pool of generated pages that a detector is trained on: in memory, renewed in the background.

Every example is drawn from a seed of four numbers: the run's, what it is for, the epoch for which it is
drawn, and its place. So the same run has the same examples in the same epoch, however it came there.
"""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from digitcli.config.detector_tables import Pages
from digitcli.datasets import load_split
from digitcli.errors import DigitcliError, TrainingError
from digitcli.preprocessing.threads import usable_cores
from digitcli.synthesis.pages import marks
from digitcli.synthesis.pages.patches import Examples, draw_examples

Seeds = NDArray[np.int64]  # (N, 4)
Places = NDArray[np.int64]  # (N,)
_Batches = deque[tuple[Places, Seeds, Future[Examples]]]

TRAINING, CANDIDATES = 20, 22  # what examples are for
_BATCH = 32  # examples that a process draws at once
_WINDOW = 512  # examples that are drawn and not yet taken
_MOST_PROCESSES = 16  # each has marks of its own, 50 MB


_library: marks.Library | None = None  # of a drawing process
_failure: Exception | None = None  # why it has none


def _begin(data: str, seed: int, share: float) -> None:
    """Prepare a drawing process, and build its marks."""
    global _library, _failure
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    try:
        _library = marks.build(load_split(data).train, seed, marks.sized(share))
    except Exception as error:  # told where a page is asked for; an initializer's would only end the process
        _failure = error


def _end_with_parent() -> None:
    """End this process when its parent does, in whatever way."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _draw(seeds: Seeds) -> Examples:
    if _library is None:
        raise _failure or RuntimeError("a drawing process has no marks")
    return draw_examples(_library, [tuple(map(int, seed)) for seed in seeds])


class PagePool:
    """Examples, of which a part is another in every epoch; epoch and seed decide which.

    The first epoch's are drawn when it is asked for; those that an epoch renews while the one before trains.

    Attributes:
        examples: how many there are.
    """

    def __init__(self, pages: Pages, data: str, seed: int, epochs: int) -> None:
        """Take what decides on the pages; none is drawn yet.

        Args:
            pages: how many there are, and for how long.
            data: whose training images digits are taken from.
            seed: of all pages.
            epochs: after which none are drawn ahead.
        """
        self._pages, self._data, self._seed, self._epochs = pages, data, seed, epochs
        self.examples = pages.patches
        self._drawn: Seeds = np.full((self.examples, 4), -1, np.int64)
        self._kept: tuple[Places, Seeds] = (np.empty(0, np.int64), np.empty((0, 4), np.int64))
        self._executor: ProcessPoolExecutor | None = None
        self._ahead: tuple[int, _Batches] | None = None

    def seeds(self, epoch: int) -> Seeds:
        """Return the seeds of an epoch's examples, epochs counted from 1."""
        place = np.arange(self.examples)
        drawn_for = np.ones(self.examples, np.int64)
        lifetime = self._pages.lifetime
        if lifetime:
            since = (epoch - 2 - place % lifetime) % lifetime  # epochs ago
            drawn_for = np.maximum(epoch - since, drawn_for)
        seeds = np.stack(
            [np.full_like(place, self._seed), np.full_like(place, TRAINING), drawn_for, place], axis=1
        )
        places, kept = self._kept
        seeds[places] = kept
        return seeds

    def keep(self, places: Places, seeds: Seeds) -> None:
        """Have the examples of these seeds at these places from the next epoch on, and no others there."""
        self._kept = (places, seeds)

    def renew(self, epoch: int) -> Iterator[tuple[Places, Examples]]:
        """Give the examples that an epoch has and the one before had not, with their places, bit by bit."""
        wanted = self.seeds(epoch)
        if self._ahead and self._ahead[0] == epoch:
            yield from self._finish(self._ahead[1])
        self._ahead = None
        missing = np.flatnonzero((wanted != self._drawn).any(axis=1))
        yield from self._finish(self._submit(missing, wanted))
        if epoch >= self._epochs:
            return
        following = self.seeds(epoch + 1)
        changing = np.flatnonzero((following != self._drawn).any(axis=1))
        self._ahead = (epoch + 1, self._submit(changing, following))

    def _finish(self, batches: _Batches) -> Iterator[tuple[Places, Examples]]:
        while batches:  # one by one, since what is kept of a batch keeps its examples
            places, seeds, drawing = batches.popleft()
            yield places, self._result(drawing)
            self._drawn[places] = seeds

    def draw(self, seeds: Seeds) -> Iterator[Examples]:
        """Draw examples, in the order of their seeds, without keeping them."""
        for first in range(0, len(seeds), _WINDOW):
            window = seeds[first : first + _WINDOW]
            batches = self._submit(np.arange(len(window)), window)
            while batches:
                yield self._result(batches.popleft()[2])

    def candidates(self, epoch: int, count: int) -> Seeds:
        """Return the seeds of examples from which an epoch's hard ones are chosen."""
        return np.array([(self._seed, CANDIDATES, epoch, place) for place in range(count)], np.int64)

    def _submit(self, places: Places, seeds: Seeds) -> _Batches:
        if self._executor is None:
            self._executor = _executor(self._data, self._seed, self._pages.marks)
        batches: _Batches = deque()
        for first in range(0, len(places), _BATCH):
            some = places[first : first + _BATCH]
            try:
                with _interrupts_blocked():  # processes start here
                    drawing = self._executor.submit(_draw, seeds[some])
                batches.append((some, seeds[some], drawing))
            except concurrent.futures.BrokenExecutor as error:
                raise _ended() from error
        return batches

    @staticmethod
    def _result(drawing: Future[Examples]) -> Examples:
        try:
            return drawing.result()
        except concurrent.futures.BrokenExecutor as error:
            raise _ended() from error

    def close(self) -> None:
        """End the processes."""
        if self._executor:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


def _ended() -> DigitcliError:
    return TrainingError(
        "a process that draws pages was ended, perhaps for want of memory; continue with --resume, or make "
        "the recipe's pages: patches smaller (a script of yours must train below if __name__ == '__main__')"
    )


def _executor(data: str, seed: int, share: float) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=min(usable_cores(), _MOST_PROCESSES),
        mp_context=multiprocessing.get_context("spawn"),  # TensorFlow's threads do not survive a fork
        initializer=_begin,
        initargs=(data, seed, share),
    )


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Let what is started inside not hear Ctrl-C, which is the training's business, from its first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
