"""Labelled digits from every source that ``--data`` knows.

`load` reads a source into a `Dataset`; `split_dataset` cuts it into training, validation and test images;
`load_split` does both and never holds an image twice.

- `packaged`, `idx`, `npz`, `hdf5`, `csv_files`, `parquet`, `folder`, `stroke_files`: one kind of source each
- `layouts`, `conversion`: named arrays, and arrays of any usual form
- `digits`: `Digits` and `Dataset`
- `form`: images that lie another way, or whose ink is dark
- `split`: `Split`, and folds
- `exclusion`: images that are not to be trained on, as a file lists them
- `strokes`: the format of pen strokes, and how they are drawn
- `pen_strokes`: the packaged strokes of twenty writers
- `memory`: aligned arrays that TensorFlow uses in place
"""

import os
from pathlib import Path

from digitcli.datasets.digits import NO_DIGIT, Dataset, Digits, concatenate
from digitcli.datasets.exclusion import Exclusion, read_exclusion
from digitcli.datasets.form import AS_USUAL, Form, brought_to_usual
from digitcli.datasets.memory import ALIGNMENT
from digitcli.datasets.split import Split, split_dataset
from digitcli.errors import DataError, OptionError

__all__ = [
    "ALIGNMENT",
    "AS_USUAL",
    "NO_DIGIT",
    "Dataset",
    "Digits",
    "Exclusion",
    "Form",
    "Split",
    "concatenate",
    "load",
    "load_split",
    "read_exclusion",
    "split_dataset",
]

_EXPECTED = (
    "expected mnist, sample, a .npz, .h5, .csv or .parquet file, a .jsonl file of pen strokes, or a folder "
    "with the four IDX files or with images in subfolders 0 to 9"
)


def load(source: str, form: Form = AS_USUAL) -> Dataset:
    """Read a data source: ``mnist``, ``sample``, a file or a folder; the module's files tell which.

    Args:
        source: names it.
        form: how its images lie, and whether their ink is dark.

    Raises `DataError` naming the file, what was found and what was expected; `OptionError` for a form that
    the packaged images do not have.
    """
    from digitcli.datasets import packaged

    if form != AS_USUAL and source in packaged.NAMES:
        raise OptionError(f"{form.options}: {source} is upright and bright on dark; expected neither option")
    return brought_to_usual(_load(source), form)


def _load(source: str) -> Dataset:
    # each only needs its own libraries; who takes pen strokes alone needs none of them
    from digitcli.datasets import csv_files, folder, hdf5, idx, npz, packaged, parquet, stroke_files

    if source in packaged.NAMES:
        return packaged.load(source)
    path = Path(source)
    if not os.path.exists(path):  # unlike Path.exists, False where looking is not allowed
        raise DataError(f"{source}: no such file or folder; {_EXPECTED}")
    if os.path.isdir(path):
        if folder.is_one(path):
            return folder.load(path)
        if idx.is_one(path):
            return idx.load(path)
        if parquet.is_one(path):
            return parquet.load(path)
        raise DataError(f"{source}: neither folders 0 to 9 nor IDX or Parquet files in it; {_EXPECTED}")
    name = path.name.lower()
    if name.endswith(stroke_files.SUFFIXES):
        return stroke_files.load(path)
    if name.endswith(csv_files.SUFFIXES):
        return csv_files.load(path)
    if name.endswith(hdf5.SUFFIXES):
        return hdf5.load(path)
    if name.endswith(parquet.SUFFIX):
        return parquet.load(path)
    if name.endswith(".npz"):
        return npz.load(path)
    raise DataError(f"{source}: unknown kind of file; {_EXPECTED}")


def load_split(source: str, limit: int | None = None) -> Split:
    """Read a data source and cut it for training where it lies in memory; as `load` and `split_dataset`."""
    return split_dataset(load(source), limit, in_place=True)
