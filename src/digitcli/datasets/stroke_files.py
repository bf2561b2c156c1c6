"""Pen strokes with labels, one drawing a line of JSON, plain or gzipped."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitcli.datasets.digits import MAX_IMAGES, Dataset, Digits
from digitcli.datasets.strokes import parse, picture, read_lines
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import to_form

if TYPE_CHECKING:
    from digitcli.preprocessing.mnist_form import Images

SUFFIXES = (".jsonl", ".jsonl.gz")


def load(path: Path) -> Dataset:
    """Read a file of pen strokes as one undivided set, drawn as the canvas draws. Raises `DataError`."""
    digits, damaged = load_good(path)
    if damaged:
        raise damaged[0]
    return Dataset(str(path), test=digits)


def load_good(path: Path) -> tuple[Digits, list[DataError]]:
    """Read what can be read of a file of pen strokes.

    Returns:
        The drawings as images, and an error for every line that is no labelled drawing, with its number.

    Raises `DataError` where nothing can be.
    """
    images: list[Images] = []
    labels: list[int] = []
    damaged: list[DataError] = []
    for number, line in read_lines(path):
        where = f"{path}: line {number}"
        if len(images) == MAX_IMAGES:
            raise DataError(f"{path}: over {MAX_IMAGES:,} drawings; expected at most that")
        try:
            drawing = parse(line, where)
            if drawing.label is None:
                raise DataError(f"{where}: no label; expected a digit, 0 to 9")
        except DataError as error:
            damaged.append(error)
            continue
        images.append(to_form(picture(drawing.strokes)))
        labels.append(drawing.label)
    if not images:
        raise (
            damaged[0] if damaged else DataError(f"{path}: no drawings in it; expected one a line of JSON")
        )
    return Digits(np.stack(images), np.array(labels, np.uint8)), damaged
