"""A folder of image files with one subfolder for each digit, ``0`` to ``9``, or with such folders in it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from digitcli.config.mnist import CLASSES
from digitcli.datasets.digits import MAX_IMAGES, Dataset, Digits
from digitcli.errors import DataError
from digitcli.preprocessing import image_files
from digitcli.preprocessing.mnist_form import to_form
from digitcli.preprocessing.threads import thread_count

NAMES = tuple(str(digit) for digit in range(CLASSES))


_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")


def is_one(folder: Path) -> bool:
    """Tell whether a folder has a subfolder named after a digit, or training and test folders that have."""
    return _has_digits(folder) or any(_has_digits(folder / name) for name in (*_TRAIN, *_TEST))


def load(folder: Path) -> Dataset:
    """Read every image below the digits' folders: one undivided set, or training and test set.

    Raises `DataError` where there is none, `ImageError` where one cannot be read.
    """
    if _has_digits(folder):
        digits, files = _read(folder, folder)
        return Dataset(str(folder), test=digits, test_files=files)
    train, test = ([name for name in names if _has_digits(folder / name)] for names in (_TRAIN, _TEST))
    if not train or not test:
        found = ", ".join(f"{name}/" for name in (*train, *test))
        raise DataError(f"{folder}: found {found} alone; expected train/ and test/, with folders 0 to 9 each")
    left = ", ".join(f"{name}/" for name in (*train[1:], *test[1:]))
    notes = (f"{folder}: {left} left out: {train[0]}/ and {test[0]}/ are used",) if left else ()
    tested, test_files = _read(folder, folder / test[0])
    trained, train_files = _read(folder, folder / train[0])
    return Dataset(str(folder), tested, trained, notes=notes, train_files=train_files, test_files=test_files)


def _has_digits(folder: Path) -> bool:
    return any(os.path.isdir(folder / name) for name in NAMES)


def _read(source: Path, folder: Path) -> tuple[Digits, tuple[str, ...]]:
    """Return the images below a folder's digits, and their files below the source."""
    files: list[Path] = []
    labels: list[int] = []
    for digit, name in enumerate(NAMES):
        if not os.path.isdir(folder / name):
            continue
        found, errors = image_files.image_files(folder / name)
        if errors:
            raise DataError(f"{errors[0].filename}: cannot be read: {errors[0].strerror}")
        files += found
        labels += [digit] * len(found)
    if not files:
        raise DataError(f"{folder}: no images in its folders 0 to 9; expected {image_files.EXPECTED}")
    if len(files) > MAX_IMAGES:
        raise DataError(f"{folder}: over {MAX_IMAGES:,} images; expected at most that")
    with ThreadPoolExecutor(thread_count()) as pool:
        images = list(pool.map(lambda path: to_form(image_files.read(path).pixels, single=True), files))
    digits = Digits(np.stack(images), np.array(labels, np.uint8))
    return digits, tuple(file.relative_to(source).as_posix() for file in files)
