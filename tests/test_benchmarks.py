"""The yardstick of pages: it stands still, and it counts right."""

import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import pens
import pytest
from conftest import REPOSITORY, Outcome, execute
from PIL import Image

from digitcli.datasets import Digits


def measure(*arguments: object, cwd: Path) -> Outcome:
    return execute(str(REPOSITORY / "benchmarks" / "pages.py"), "--readers", "digitcli", *arguments, cwd=cwd)


def cells(outcome: Outcome, name: str) -> list[str]:
    """The cells of a table's row but for its name."""
    (row,) = [line for line in outcome.stdout.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


@pytest.mark.slow
def test_pages_are_the_same_again_and_others_are_noticed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "digits.jsonl.gz", "wt") as file:
        for writer, label in itertools.product(range(4), range(10)):
            line = {"label": label, "writer": f"w{writer}", "strokes": pens.strokes(label)}
            file.write(json.dumps(line) + "\n")
    kinds = ("a date with dots", "chalk", "boxes", "coloured", "textures")
    command = ("--source", "digits.jsonl.gz", "--held-out", "--pages", 2, "--only", *kinds)
    outcome = measure(*command, "--save", "kept.json", cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    assert len(cells(outcome, "photo: chalk")) == 6
    assert cells(outcome, "a date with dots")[:2] == ["2", "8.0"]
    outcome = measure(*command, "--before", "kept.json", cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    for name in ("a date with dots", "photo: chalk", "boxes", "photo: textures"):
        now = cells(outcome, name)
        assert now[2:5] == now[6:9]
    kept = json.loads((tmp_path / "kept.json").read_text())
    kept["boxes"]["checksum"] += 1
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    outcome = measure(*command, "--before", "kept.json", cwd=tmp_path)
    assert outcome.status == 1
    assert "kept.json: not of the same images: boxes" in outcome.stderr


def test_labelled_photographs(tmp_path: Path, few: Digits) -> None:
    places = [int(np.flatnonzero(few.labels == digit)[0]) for digit in (2, 5, 7)]
    source = tmp_path / "photos" / "mine"
    source.mkdir(parents=True)
    sheets = {
        "one.png": np.hstack([np.pad(few.images[place], 20) for place in places]),  # 257
        "two.png": np.pad(few.images[places[0]], 20),
        "none.png": np.zeros((60, 60), np.uint8),
    }
    for name, sheet in sheets.items():
        Image.fromarray(255 - np.kron(sheet, np.ones((3, 3), np.uint8))).save(source / name)
    (source / "labels.csv").write_text("file,label\none.png,2/57\ntwo.png,23\nnone.png,\n")
    outcome = measure("--photos", "photos", cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    assert cells(outcome, "mine")[:5] == ["3", "1.7", "66.7%", "80.0%", "0.00"]
    assert measure("--photos", "nowhere", cwd=tmp_path).status == 1


def test_edit_distance_and_insertions() -> None:
    pairs = [("123", "123"), ("123", "13"), ("123", "1234"), ("", "77"), ("12", "93")]
    program = f"import pages; print([pages.compare(*pair) for pair in {pairs}])"
    outcome = execute("-c", program, cwd=REPOSITORY / "benchmarks")
    assert outcome.stdout.strip() == "[(0, 0), (1, 0), (1, 1), (2, 2), (2, 0)]"
