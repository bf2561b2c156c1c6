"""Parquet files as hubs give MNIST: columns ``image``, with an image file's bytes, and ``label``.

Needs pyarrow, an optional package.
"""

from pathlib import Path
from typing import Any

import numpy as np

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.datasets.conversion import convert
from digitcli.datasets.digits import MAX_IMAGES, Dataset, Digits, concatenate
from digitcli.errors import DataError, ImageError, MissingError, first_line
from digitcli.preprocessing import image_files
from digitcli.preprocessing.mnist_form import Images, to_form

SUFFIX = ".parquet"
_BATCH = 1024  # rows read at once


def is_one(folder: Path) -> bool:
    """Tell whether a folder has Parquet files."""
    return any(file.suffix == SUFFIX for file in folder.iterdir())


def load(path: Path) -> Dataset:
    """Read a file as one set; of a folder, those named train and test as what they are called.

    Raises `DataError`, or `MissingError` where pyarrow is not installed.
    """
    if path.is_file():
        return Dataset(str(path), test=_read(path))
    files = sorted(file for file in path.iterdir() if file.suffix == SUFFIX)
    train, test = ([file for file in files if file.name.startswith(part)] for part in ("train", "test"))
    if train and test:
        return Dataset(str(path), test=_read_all(test), train=_read_all(train))
    if train or test:
        missing = "test" if train else "train"
        raise DataError(f"{path}: found no {missing}*.parquet; expected train*.parquet and test*.parquet")
    return Dataset(str(path), test=_read_all(files))


def _read_all(files: list[Path]) -> Digits:
    return concatenate([_read(file) for file in files])


def _read(path: Path) -> Digits:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingError(
            f"{path}: pyarrow, which reads Parquet files, is not installed; install it with: "
            "pip install pyarrow"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if not {"image", "label"} <= set(names):
                raise DataError(f"{path}: found columns {', '.join(names)}; expected image and label")
            if not 1 <= file.metadata.num_rows <= MAX_IMAGES:
                raise DataError(
                    f"{path}: found {file.metadata.num_rows:,} rows; expected 1 to {MAX_IMAGES:,}"
                )
            images: list[Images] = []
            labels: list[Any] = []
            for batch in file.iter_batches(_BATCH, columns=["image", "label"]):
                rows = batch.to_pydict()
                first = len(images)
                images += [_form(path, first + place, cell) for place, cell in enumerate(rows["image"])]
                labels += rows["label"]
    except (DataError, MissingError):
        raise
    except Exception as error:  # pyarrow has no common base for what a damaged file raises
        raise DataError(f"{path}: cut off, damaged or no Parquet file ({first_line(error)})") from error
    if any(isinstance(label, bool) or not isinstance(label, int) for label in labels):
        raise DataError(f"{path}: found labels that are no whole numbers; expected 0 to 9")
    return convert(str(path), np.stack(images), np.array(labels), [])


def _form(path: Path, row: int, cell: Any) -> Images:
    """Return the image (28, 28) of a cell: the bytes of a file, alone or under the key ``bytes``."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    where = f"{path}: row {row}"
    if not isinstance(content, bytes):
        raise DataError(f"{where}: holds no image; expected the bytes of a PNG or JPEG file")
    try:
        pixels = image_files.decode(content, where).pixels
    except ImageError as error:
        raise DataError(str(error)) from error
    if pixels.shape == (IMAGE_SIZE, IMAGE_SIZE) and pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)  # in MNIST form, as its makers left it
    return to_form(pixels, single=True)
