"""CSV files with an image a row, such as Kaggle's digit recognizer has them.

A row holds a label and the grey values of an image, row by row. Where there is a header, it says which
column is the label; without one, the first of 785 columns is.
"""

import gzip
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.datasets.conversion import as_forms, convert, picture_shape
from digitcli.datasets.digits import MAX_IMAGES, Dataset
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images

SUFFIXES = (".csv", ".csv.gz")
_LABELS = ("label", "labels", "class", "digit", "target", "y")  # what headers call the column
_CHUNK = 2048  # rows read at once
_LONGEST = 8_000_000  # characters of a line: 1024x1024 pixels
_PIXELS = IMAGE_SIZE**2


@dataclass(frozen=True)
class _Columns:
    """How many columns there are, which is the label (None: none), and whether the first line is a header."""

    count: int
    label: int | None
    is_headed: bool


def load(path: Path) -> Dataset:
    """Read a file with labels as one undivided set. Raises `DataError`."""
    values, columns = _read(path)
    if columns.label is None:
        raise DataError(
            f"{path}: found {columns.count} columns and no label; expected a column label beside the pixels; "
            "digitcli predict reads files without labels"
        )
    notes: list[str] = []
    labels = values[:, columns.label]
    pixels = np.delete(values, columns.label, axis=1)
    return Dataset(str(path), test=convert(str(path), pixels, labels, notes), notes=tuple(notes))


def read_images(path: Path) -> Images:
    """Return the images (N, 28, 28) uint8 of a file, with labels or without. Raises `DataError`."""
    values, columns = _read(path)
    pixels = values if columns.label is None else np.delete(values, columns.label, axis=1)
    return as_forms(str(path), pixels, [])


def _read(path: Path) -> tuple[NDArray[Any], _Columns]:
    """Return all values (N, columns); bytes where every value is a whole number 0 to 255."""
    try:
        with _open(path) as file:
            lines = _lines(path, file)
            first = next(lines, "")
            columns = _columns(path, first)
            rows = lines if columns.is_headed else itertools.chain([first], lines)
            parts = list(_chunks(path, rows, columns))
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cut off or damaged ({error})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text; expected a CSV file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not parts:
        raise DataError(f"{path}: no rows in it; expected an image a row")
    return np.concatenate(parts), columns


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    """Give the lines that hold something, each of a bounded length."""
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise DataError(f"{path}: a line of over {_LONGEST:,} characters; expected an image a row")
        if line.strip():
            yield line


def _columns(path: Path, first: str) -> _Columns:
    """Tell from its first line what a file's columns are."""
    cells = [cell.strip().strip('"').lower() for cell in first.split(",")]
    is_headed = not all(_is_number(cell) for cell in cells)
    if is_headed:
        named = [place for place, cell in enumerate(cells) if cell in _LABELS]
        if len(named) > 1:
            raise DataError(f"{path}: found {len(named)} columns of labels; expected one")
        label = named[0] if named else None
    else:
        label = 0 if len(cells) == _PIXELS + 1 else None
    pixels = len(cells) - (label is not None)
    try:
        picture_shape(str(path), (1, pixels))
    except DataError:
        raise DataError(
            f"{path}: found {len(cells)} columns; expected label and {_PIXELS} pixels, as Kaggle's digit "
            "recognizer has them"
        ) from None
    return _Columns(len(cells), label, is_headed)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _chunks(path: Path, rows: Iterator[str], columns: _Columns) -> Iterator[NDArray[Any]]:
    """Give the rows' values, some rows at a time, as small as they fit."""
    read = 0
    while chunk := list(itertools.islice(rows, _CHUNK)):
        try:
            values = np.loadtxt(chunk, np.float32, delimiter=",", ndmin=2, quotechar='"', comments=None)
        except ValueError as error:
            raise DataError(f"{path}: {_place(chunk, columns, read)}: {_why(error)}") from error
        if values.shape[1] != columns.count:
            raise DataError(f"{path}: row {read + 1} has {values.shape[1]} columns; expected {columns.count}")
        read += len(values)
        if read > MAX_IMAGES:
            raise DataError(f"{path}: over {MAX_IMAGES:,} rows; expected at most that")
        # whole numbers of a byte take a quarter of the memory
        is_small = bool(((values >= 0) & (values <= 255) & (values == np.rint(values))).all())
        yield values.astype(np.uint8) if is_small else values


def _place(chunk: list[str], columns: _Columns, read: int) -> str:
    """Name the first row of a chunk that is not as the others."""
    for place, line in enumerate(chunk):
        cells = line.strip().split(",")
        if len(cells) != columns.count or not all(_is_number(cell.strip().strip('"')) for cell in cells):
            return f"row {read + place + 1}, of {len(cells)} columns"
    return f"rows {read + 1} to {read + len(chunk)}"


def _why(error: ValueError) -> str:
    return f"not {'as many columns as before' if 'columns' in str(error) else 'numbers alone'}; cut off?"
