"""Labelled digits from every source that ``--data`` knows.

`load` reads a source into a `Dataset`; `split_dataset` cuts it into training, validation and test images;
`load_split` does both and never holds an image twice.

- `packaged`, `idx`, `npz`, `folder`, `stroke_files`: one kind of source each
- `digits`: `Digits` and `Dataset`
- `split`: `Split`
- `strokes`: the format of pen strokes, and how they are drawn
- `pen_strokes`: the packaged strokes of twenty writers
- `memory`: aligned arrays that TensorFlow uses in place
"""

import os
from pathlib import Path

from digitcli.datasets.digits import NO_DIGIT, Dataset, Digits, concatenate
from digitcli.datasets.memory import ALIGNMENT
from digitcli.datasets.split import Split, split_dataset
from digitcli.errors import DataError

__all__ = [
    "ALIGNMENT",
    "NO_DIGIT",
    "Dataset",
    "Digits",
    "Split",
    "concatenate",
    "load",
    "load_split",
    "split_dataset",
]

_EXPECTED = (
    "expected mnist, sample, a .npz file, a .jsonl file of pen strokes, "
    "or a folder with the four IDX files or with images in subfolders 0 to 9"
)


def load(source: str) -> Dataset:
    """Read a data source: ``mnist``, ``sample``, a file or a folder; the module's files tell which.

    Raises `DataError` naming the file, what was found and what was expected.
    """
    # each only needs its own libraries; who takes pen strokes alone needs none of them
    from digitcli.datasets import folder, idx, npz, packaged, stroke_files

    if source in packaged.NAMES:
        return packaged.load(source)
    path = Path(source)
    if not os.path.exists(path):  # unlike Path.exists, False where looking is not allowed
        raise DataError(f"{source}: no such file or folder; {_EXPECTED}")
    if os.path.isdir(path):
        if folder.is_one(path):
            return folder.load(path)
        if not idx.is_one(path):
            raise DataError(f"{source}: neither folders 0 to 9 nor IDX files in it; {_EXPECTED}")
        return idx.load(path)
    if path.name.lower().endswith(stroke_files.SUFFIXES):
        return stroke_files.load(path)
    if path.suffix.lower() == ".npz":
        return npz.load(path)
    raise DataError(f"{source}: unknown kind of file; {_EXPECTED}")


def load_split(source: str, limit: int | None = None) -> Split:
    """Read a data source and cut it for training where it lies in memory; as `load` and `split_dataset`."""
    return split_dataset(load(source), limit, in_place=True)
