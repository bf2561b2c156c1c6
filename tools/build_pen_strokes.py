"""Make the packaged pen strokes, and the fingerprints of the drawings that must not be among them.

    python tools/build_pen_strokes.py digits.jsonl.gz

The file holds the 30 writers of `pendigits-orig.tra` of UCI's "Pen-Based Recognition of Handwritten Digits",
one drawing a line of JSON: ``{"label": 7, "writer": "train-3", "strokes": [[[x, y], ...], ...]}``, y pointing
down. Every fourth writer is set aside for measurements, the last three others are for validation; the first
twenty of the rest are packaged. Run again, it gives the same files.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitcli.datasets.pen_strokes import FILE, TRAINING_WRITERS

FINGERPRINTS = Path(__file__).parents[1] / "tests/datasets/other_writers.npy"


def fingerprint(strokes: Sequence[Sequence[Sequence[float]] | np.ndarray]) -> int:
    """Return 64 bits that tell a drawing from others, whatever type its coordinates have."""
    digest = hashlib.sha256()
    for stroke in strokes:
        digest.update(np.asarray(stroke).astype("<i4").tobytes() + b"|")
    return int.from_bytes(digest.digest()[:8], "little")


def main(path: Path) -> None:
    with gzip.open(path, "rt") as file:
        drawings = [json.loads(line) for line in file]
    kept, others = [], []
    for drawing in drawings:
        is_kept = int(drawing["writer"].removeprefix("train-")) in TRAINING_WRITERS
        (kept if is_kept else others).append(drawing)
    kept.sort(key=lambda drawing: int(drawing["writer"].removeprefix("train-")))  # stable: else as they were
    strokes = [np.array(stroke, np.int16) for drawing in kept for stroke in drawing["strokes"]]
    np.savez_compressed(
        FILE,
        labels=np.array([drawing["label"] for drawing in kept], np.uint8),
        writers=np.array([int(drawing["writer"].removeprefix("train-")) for drawing in kept], np.uint8),
        strokes=np.array([len(drawing["strokes"]) for drawing in kept], np.uint8),
        points=np.array([len(stroke) for stroke in strokes], np.uint16),
        coordinates=np.concatenate(strokes),
    )
    np.save(FINGERPRINTS, np.array(sorted(fingerprint(each["strokes"]) for each in others), np.uint64))
    print(f"{FILE}: {len(kept):,} drawings, {FILE.stat().st_size:,} bytes; {len(others):,} of other writers")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
