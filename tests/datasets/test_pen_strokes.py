"""The packaged pen strokes: whole, and of the training writers alone."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from digitcli.datasets import pen_strokes
from digitcli.errors import DataError

OTHER_WRITERS = Path(__file__).parent / "other_writers.npy"  # fingerprints of 2,498 drawings of ten writers


def test_all_digits_of_twenty_writers() -> None:
    data = pen_strokes.load()
    assert len(data) == len(data.labels) == len(data.writers) == len(data.strokes) == 4_996
    assert set(data.writers.tolist()) == set(pen_strokes.TRAINING_WRITERS)
    assert len(pen_strokes.TRAINING_WRITERS) == 20
    for writer in pen_strokes.TRAINING_WRITERS:
        counts = np.bincount(data.labels[data.writers == writer], minlength=10)
        assert counts.min() >= 20, writer
    points = np.concatenate([stroke for strokes in data.strokes for stroke in strokes])
    assert points.shape[1] == 2
    assert points.min() >= 0
    assert np.ptp(points, axis=0).max() < 1_000


def test_no_drawing_is_of_a_writer_who_is_measured_or_validated() -> None:
    fingerprint = runpy.run_path(str(REPOSITORY / "tools" / "build_pen_strokes.py"))["fingerprint"]
    others = set(np.load(OTHER_WRITERS).tolist())
    assert len(others) == 2_498
    mine = [fingerprint(strokes) for strokes in pen_strokes.load().strokes]
    assert len(set(mine)) > 4_900
    assert not others & set(mine)
    assert not {4, 8, 12, 16, 20, 24, 28, 27, 29, 30} & set(pen_strokes.load().writers.tolist())


def test_the_licence_lies_beside_them() -> None:
    text = pen_strokes.FILE.with_name("PEN-STROKES-LICENSE.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "10.24432/C5MG6K" in text


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "pen-strokes.npz"
    damaged.write_bytes(pen_strokes.FILE.read_bytes()[:100_000])
    monkeypatch.setattr(pen_strokes, "FILE", damaged)
    pen_strokes.load.cache_clear()
    with pytest.raises(DataError, match="reinstall digitcli"):
        pen_strokes.load()
    monkeypatch.undo()
    pen_strokes.load.cache_clear()
    assert len(pen_strokes.load()) == 4_996
