"""The pool of pages: which examples an epoch has, whichever way it is reached."""

import contextlib
import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from digitcli.config.detector_tables import Pages
from digitcli.errors import DataError, TrainingError
from digitcli.training.page_pool import PagePool

PAGES = Pages(patches=24, lifetime=2, marks=0.01)
EPOCHS = 9


@pytest.mark.parametrize(("lifetime", "renewed"), [(1, 24), (2, 12), (3, 8), (5, 5), (0, 0)])
def test_a_page_lives_for_so_many_epochs(lifetime: int, renewed: int) -> None:
    pages = PAGES.model_copy(update={"lifetime": lifetime})
    seeds = [PagePool(pages, "sample", 0, EPOCHS).seeds(epoch) for epoch in range(1, 8)]
    for before, after in pairwise(seeds):
        assert abs((before != after).any(axis=1).sum() - renewed) <= 1
    for one, other in zip(seeds[1:], seeds[1 + lifetime :], strict=False):
        assert (one != other).any(axis=1).all() == bool(lifetime)


def test_what_is_kept_stays() -> None:
    pool = PagePool(PAGES, "sample", 0, EPOCHS)
    chosen = pool.candidates(2, 10)[3:5]
    pool.keep(np.array([0, 7]), chosen)
    for epoch in (3, 4, 9):
        assert np.array_equal(pool.seeds(epoch)[[0, 7]], chosen)
    assert len(np.unique(pool.seeds(3), axis=0)) == 24


def collected(pool: PagePool, epochs: range) -> np.ndarray:
    """Return the pictures that a pool has after some epochs."""
    grey = np.zeros((24, 256, 256), np.uint8)
    for epoch in epochs:
        for places, examples in pool.renew(epoch):
            grey[places] = examples.grey
    return grey


@pytest.mark.slow
def test_an_epoch_is_the_same_from_the_beginning_and_anew() -> None:
    chosen = PagePool(PAGES, "sample", 0, EPOCHS).candidates(1, 4)[:2]
    with contextlib.closing(PagePool(PAGES, "sample", 0, EPOCHS)) as pool:
        collected(pool, range(1, 2))
        pool.keep(np.array([3, 4]), chosen)
        grey = np.zeros((24, 256, 256), np.uint8)
        for places, examples in pool.renew(2):
            grey[places] = examples.grey
        kept = grey[[3, 4]].copy()
    with contextlib.closing(PagePool(PAGES, "sample", 0, EPOCHS)) as anew:
        anew.keep(np.array([3, 4]), chosen)
        again = collected(anew, range(2, 3))
        (candidate,) = anew.draw(chosen)
    assert np.array_equal(again[[3, 4]], kept)
    assert np.array_equal(candidate.grey, kept)
    renewed = grey.any(axis=(1, 2))
    assert renewed.sum() >= 12
    assert np.array_equal(again[renewed], grey[renewed])


def test_what_keeps_marks_from_being_built_is_told(tmp_path: Path) -> None:
    """A process's own error comes through, not that it ended."""
    few = tmp_path / "few.npz"
    images, labels = np.full((200, 28, 28), 200, np.uint8), np.arange(200, dtype=np.uint8) % 9
    np.savez(few, x_train=images, y_train=labels, x_test=images, y_test=labels)
    with (
        contextlib.closing(PagePool(PAGES, str(few), 0, EPOCHS)) as pool,
        pytest.raises(DataError, match="found no image of 9"),
    ):
        next(pool.renew(1))


def test_nothing_is_drawn_ahead_of_the_last_epoch() -> None:
    with contextlib.closing(PagePool(PAGES, "sample", 0, 1)) as pool:
        assert sum(len(places) for places, _ in pool.renew(1)) == 24
        assert pool._ahead is None


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_process_that_is_killed_is_told() -> None:
    many = PAGES.model_copy(update={"patches": 600})
    with contextlib.closing(PagePool(many, "sample", 0, EPOCHS)) as pool:
        pages = pool.renew(1)
        before = {child.pid for child in psutil.Process().children()}
        with pytest.raises(TrainingError, match=r"draws pages was ended.*--resume.*patches smaller"):
            for _ in pages:
                for child in psutil.Process().children():
                    if child.pid not in before and "resource_tracker" not in " ".join(child.cmdline()):
                        child.send_signal(signal.SIGKILL)
