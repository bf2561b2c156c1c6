"""Out-of-fold probabilities: what networks make of training images that they were not trained on.

``folds.npz`` holds them beside the model of the run whose recipe trained the networks.
"""

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitcli import artifacts
from digitcli.config.mnist import CLASSES
from digitcli.datasets.digits import MAX_IMAGES, Labels
from digitcli.datasets.split import Indices
from digitcli.errors import InputError, first_line
from digitcli.models.classifier import Probabilities


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class OutOfFold:
    """The images of a data source that were cross-validated, and how they were read.

    Attributes:
        sha256: of the data source.
        places: (N,) of the images in its training set or, where it is one undivided set, in that.
        labels: (N,) uint8, 0..9.
        folds: (N,) uint8, from 0; the network that read an image was trained on the other folds.
        probabilities: (N, 10) float32.
    """

    sha256: str
    places: Indices
    labels: Labels
    folds: NDArray[np.uint8]
    probabilities: Probabilities

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the label is what was read."""
        right: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.labels
        return right

    @property
    def accuracy(self) -> float:
        """Share of all images that were read as their labels say."""
        return float(self.right.mean())

    @property
    def accuracies(self) -> list[float]:
        """The same of each fold."""
        return [float(self.right[self.folds == fold].mean()) for fold in np.unique(self.folds)]

    def write(self, folder: Path) -> None:
        """Write ``folds.npz`` to a run's folder."""
        content = io.BytesIO()
        np.savez_compressed(
            content,
            allow_pickle=False,
            sha256=np.array(self.sha256),
            indices=self.places.astype(np.int64),
            labels=self.labels,
            folds=self.folds,
            probabilities=self.probabilities,
        )
        with artifacts.replacing(folder) as files:
            files.write(artifacts.FOLDS, content.getvalue())

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read ``folds.npz`` from a run's folder; None where there is none. Raises `InputError`."""
        path = folder / artifacts.FOLDS
        if not os.path.isfile(path):
            return None
        try:
            _require_small(path)
            with np.load(path, allow_pickle=False) as archive:
                found = cls(
                    str(archive["sha256"]),
                    archive["indices"].astype(np.intp),
                    archive["labels"],
                    archive["folds"],
                    archive["probabilities"],
                )
            found._require_fit()
        except Exception as error:  # NumPy and zipfile raise whatever the file's content trips over
            raise InputError(
                f"{path}: not readings that can be used ({first_line(error)}); make them anew with: digitcli "
                "train --cross-validate"
            ) from error
        return found

    def _require_fit(self) -> None:
        count = len(self.places)
        if not count or self.labels.shape != (count,) or self.folds.shape != (count,):
            raise ValueError("arrays of different lengths")
        if self.probabilities.shape != (count, CLASSES) or not np.isfinite(self.probabilities).all():
            raise ValueError("no probabilities of ten digits")
        if self.labels.dtype != np.uint8 or self.labels.max() >= CLASSES or self.places.min() < 0:
            raise ValueError("labels or indices out of range")


def _require_small(path: Path) -> None:
    """Raise a `ValueError` where the arrays would take more memory than any such file's."""
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_IMAGES * 4 * (CLASSES + 4):
            raise ValueError("too large")
