"""The packaged pen strokes: digits of twenty writers, as their pens moved.

A part of UCI's "Pen-Based Recognition of Handwritten Digits" (Alpaydin and Alimoglu, 1996), CC BY 4.0;
``data/PEN-STROKES-LICENSE.txt`` tells source and licence. ``tools/build_pen_strokes.py`` makes the file.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.digits import Labels
from digitcli.datasets.strokes import Points
from digitcli.errors import DataError

FILE = Path(__file__).parent / "data" / "pen-strokes.npz"

# Writers of the source, by their numbers in it. Every fourth is set aside for measurements, and the last
# three of the others are for validation: neither is packaged.
TRAINING_WRITERS = tuple(number for number in range(1, 27) if number % 4)


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class PenStrokes:
    """Digits as pen strokes.

    Attributes:
        labels: (N,) uint8, 0..9.
        writers: (N,) uint8, the number of each digit's writer.
        strokes: of each digit; a stroke is (P, 2) float64, x and y, y pointing down, in units of the tablet.
    """

    labels: Labels
    writers: NDArray[np.uint8]
    strokes: tuple[tuple[Points, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)


@functools.cache
def load() -> PenStrokes:
    """Read the packaged pen strokes. Raises `DataError` where the file is missing or damaged."""
    try:
        with FILE.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        strokes = np.split(arrays["coordinates"].astype(np.float64), np.cumsum(arrays["points"])[:-1])
        ends = np.cumsum(arrays["strokes"].astype(int))
        drawings = tuple(
            tuple(strokes[end - count : end]) for end, count in zip(ends, arrays["strokes"], strict=True)
        )
        return PenStrokes(arrays["labels"], arrays["writers"], drawings)
    except Exception as error:  # NumPy and zipfile raise whatever the file's content trips over
        raise DataError(f"{FILE}: cannot be read ({error}); reinstall digitcli") from error
