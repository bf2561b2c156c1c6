"""Images that are not to be trained on, as a CSV file lists them.

`evaluate --suspects` writes such a file of the images whose labels it doubts; people strike out the rows
whose labels are right after all.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.digits import TEST, Dataset, NamedSet
from digitcli.errors import DataError

COLUMNS: Final = ("set", "index", "file", "label", "read", "confidence", "likely_error")
"""``train``, ``test`` or, of a source that is one undivided set, ``all``; the image's place in that set,
from 0; its file, if it has one of its own; its label; what was read, how surely (0..1), and whether confident
learning takes the label for wrong (1 or 0). A file needs ``set`` and ``index``."""

_MAX_BYTES = 100_000_000  # of a file
_EXPECTED = "expected a list that evaluate --suspects wrote"


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class Exclusion:
    """What a file excludes from a data source.

    Attributes:
        mask: (N,) of its training set or, of a source that is one undivided set, of that.
        tested: how many images of the source's own test set are listed; they are tested on all the same.
    """

    mask: NDArray[np.bool_]
    tested: int


def read_exclusion(path: Path, dataset: Dataset) -> Exclusion:
    """Read which images of a data source a file excludes.

    Raises `DataError` where it is no such file, or is one of another data source: it has an index that the
    source has not, or tells another label or file of an image.
    """
    trained = dataset.to_train_on
    sets = {each.name: each for each in (dataset.to_test_on, trained)}
    found: dict[str, set[int]] = {name: set() for name in sets}
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: over {_MAX_BYTES:,} bytes; {_EXPECTED}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            for name in COLUMNS[:2]:
                if name not in (rows.fieldnames or ()):
                    raise DataError(f"{path}: no column {name}; {_EXPECTED}")
            for row in rows:
                name, place = _image(f"{path}: line {rows.line_num}", row, dataset.name, sets)
                found[name].add(place)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    mask = np.zeros(len(trained.digits), bool)
    mask[list(found[trained.name])] = True
    return Exclusion(mask, len(found.get(TEST, ())))


def _image(
    where: str, row: Mapping[str, str | None], source: str, sets: Mapping[str, NamedSet]
) -> tuple[str, int]:
    """Return the set and the place of the image that a row names."""
    name, index = row["set"] or "", row["index"] or ""
    if name not in sets:
        raise DataError(f"{where}: found the set {name!r}; expected {' or '.join(sets)}, of {source}")
    labels, files = sets[name].digits.labels, sets[name].files
    if not (index.isascii() and index.isdigit() and int(index[:20]) < len(labels)):
        last = len(labels) - 1
        raise DataError(f"{where}: found the index {index!r}; expected 0 to {last}, of {source}")
    place = int(index)
    told = {"label": str(labels[place])} | ({"file": files[place]} if files else {})
    for column, expected in told.items():
        given = row.get(column)
        if given and given != expected:
            raise DataError(
                f"{where}: image {place} of {source} has the {column} {expected}, the list says {given}; "
                "it is of another data source, or of one that has changed; make it anew"
            )
    return name, place
