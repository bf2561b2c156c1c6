"""Reading digits with an exported file, whatever runs it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import ModelError, first_line
from digitcli.preprocessing import Images, network_input
from digitcli.second_look import DigitReader

BATCH = 256  # images
THREADS = min(os.cpu_count() or 1, 4)  # as many as ONNX Runtime gets in `recognizer`

Floats = NDArray[np.float32]


class ExportedReader(DigitReader):
    """A file on its own runtime as a reader of digits; the same face as `recognizer.Recognizer`."""

    def __init__(self, run: Callable[[Floats], Floats], path: Path) -> None:
        self._run = run
        self._path = path

    def network(self, images: Images) -> Floats:
        """Return what the network alone says: probabilities (N, 10) for images (N, 28, 28) uint8."""
        batches = range(0, len(images), BATCH)
        try:
            return np.concatenate([self._run(network_input(images[i : i + BATCH])) for i in batches])
        except Exception as error:  # the runtimes have no common base for what can go wrong
            raise ModelError(f"{self._path}: cannot be run ({first_line(error)})") from error
