"""The four IDX files in which MNIST and EMNIST were published, plain or gzipped.

Format: big-endian; two zero bytes, a type code, the number of axes, each axis' length as a
32-bit integer, then the values.
"""

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from digitcli.datasets.digits import (
    Dataset,
    Digits,
    Labels,
    check_images_header,
    check_labels_header,
    make_digits,
)
from digitcli.datasets.memory import read_bytes
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images

_IDX = "idx"  # in the names of all of them
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_EXPECTED = f"train-{_IMAGES}, train-{_LABELS}, t10k-{_IMAGES} and t10k-{_LABELS}, plain or with .gz"
_UNSIGNED_BYTE = 0x08


def is_one(folder: Path) -> bool:
    """Tell whether a folder has at least one of the four files."""
    return any(_IDX in file.name for file in folder.iterdir())


def load(folder: Path) -> Dataset:
    """Read the four IDX files of a folder. Raises `DataError`."""
    return Dataset(
        str(folder), train=_read_part(folder, ("train",)), test=_read_part(folder, ("t10k", "test"))
    )


def _read_part(folder: Path, prefixes: tuple[str, ...]) -> Digits:
    images = _find(folder, prefixes, _IMAGES)
    labels = _find(folder, prefixes, _LABELS)
    return make_digits(f"{images} and {labels.name}", read(images, axes=3), read(labels, axes=1))


def _find(folder: Path, prefixes: tuple[str, ...], name: str) -> Path:
    """Return the file of a part; EMNIST's names begin with the set's, as emnist-digits-train-..."""
    found = [
        file
        for file in sorted(folder.iterdir())
        for prefix in prefixes
        # unpacking tools often turn "images-idx3" into "images.idx3"
        if file.name.removesuffix(".gz").replace(".idx", "-idx").endswith(f"{prefix}-{name}")
        and os.path.isfile(file)
    ]
    by_name = {file.name.removesuffix(".gz").replace(".idx", "-idx"): file for file in reversed(found)}
    if len(by_name) > 1:
        raise DataError(
            f"{folder}: found {', '.join(sorted(by_name))}; expected one set of digits in a folder"
        )
    if not by_name:
        raise DataError(f"{folder}: found no {prefixes[0]}-{name}; expected {_EXPECTED}")
    return next(iter(by_name.values()))


def read(path: Path, *, axes: int) -> Images | Labels:
    """Read one IDX file of unsigned bytes with `axes` axes as a uint8 array. Raises `DataError`."""
    try:
        with cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            header = file.read(4 + 4 * axes)
            expected = struct.pack(">HBB", 0, _UNSIGNED_BYTE, axes)
            if len(header) < 4 + 4 * axes or header[:4] != expected:
                raise DataError(
                    f"{path}: starts with {header[:4].hex(' ') or 'nothing'}; expected {expected.hex(' ')}, "
                    f"an IDX file of bytes with {axes} axes"
                )
            shape = struct.unpack(f">{axes}I", header[4:])
            check = check_images_header if axes > 1 else check_labels_header
            check(str(path), shape, np.dtype(np.uint8))
            content, found = read_bytes(file, shape)
            more = file.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cut off or damaged ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if found != content.size or more:
        count = "more" if more else f"{found:,}"
        raise DataError(
            f"{path}: found {count} bytes of content; expected {content.size:,} for shape {shape}"
        )
    return content
