"""Pen strokes with labels, one drawing a line of JSON, plain or gzipped."""

import gzip
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from digitcli.datasets.digits import MAX_IMAGES, Dataset, Digits, to_form
from digitcli.errors import DataError
from digitcli.strokes import MAX_LINE, parse, picture

if TYPE_CHECKING:
    from digitcli.preprocessing import Images

SUFFIXES = (".jsonl", ".jsonl.gz")


def load(path: Path) -> Dataset:
    """Read a file of pen strokes as one undivided set, drawn as the canvas draws. Raises `DataError`."""
    images: list[Images] = []
    labels: list[int] = []
    try:
        with cast("IO[bytes]", gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")) as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if not line.strip():
                    continue
                where = f"{path}: line {number}"
                drawing = parse(line, where)
                if drawing.label is None:
                    raise DataError(f"{where}: no label; expected a digit, 0 to 9")
                if len(images) == MAX_IMAGES:
                    raise DataError(f"{path}: over {MAX_IMAGES:,} drawings; expected at most that")
                images.append(to_form(picture(drawing.strokes)))
                labels.append(drawing.label)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cut off or damaged ({error}); expected gzipped lines of JSON") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not images:
        raise DataError(f"{path}: no drawings in it; expected one a line of JSON")
    return Dataset(str(path), test=Digits(np.stack(images), np.array(labels, np.uint8)))
