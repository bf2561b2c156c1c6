"""`Digits` and `Dataset`: images in MNIST form with their labels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.datasets.memory import aligned
from digitcli.errors import DataError
from digitcli.preprocessing.mnist_form import Images

Labels = NDArray[np.uint8]

NO_DIGIT = 255  # the label of a mark that is no digit
MAX_IMAGES = 10_000_000  # 7.8 GB as uint8; refused before any memory is taken


@dataclass(frozen=True)
class Digits:
    """Images with labels.

    Attributes:
        images: (N, 28, 28) uint8, 0..255, strokes bright.
        labels: (N,) uint8, 0..9; in training also `NO_DIGIT`.
    """

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.intp]) -> "Digits":
        """Return a copy of the digits at `indices` (M,), aligned as TensorFlow can use it in place."""
        images = aligned((len(indices), *self.images.shape[1:]))
        np.take(self.images, indices, axis=0, out=images, mode="clip")  # other modes copy once more
        return Digits(images, self.labels[indices])

    def part(self, first: int, last: int) -> "Digits":
        """Return the digits from `first` to before `last`, in the same memory."""
        return Digits(self.images[first:last], self.labels[first:last])


def concatenate(parts: Sequence[Digits]) -> Digits:
    """Join digits into one; the only one there is comes back as it is."""
    if len(parts) == 1:
        return parts[0]
    images = aligned((sum(len(part) for part in parts), *parts[0].images.shape[1:]))
    np.concatenate([part.images for part in parts], out=images)
    return Digits(images, np.concatenate([part.labels for part in parts]))


TRAIN, TEST, UNDIVIDED = "train", "test", "all"  # names of a data source's sets


@dataclass(frozen=True)
class NamedSet:
    """A set of a data source.

    Attributes:
        name: ``train``, ``test`` or, of a source that is one undivided set, ``all``.
        digits: its images and labels.
        files: of each image; empty where images have no files of their own.
    """

    name: str
    digits: Digits
    files: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A data source in memory.

    Attributes:
        name: the source as the user named it.
        test: what `evaluate` reads.
        train: the training set, or None where the source is one undivided set, `test`.
        known_sha256: what `sha256` is, where that needs no computing.
        notes: what was converted, or left out, in words.
        train_files, test_files: of each image the file that is it, below the source's folder; empty where
            images have no files of their own.
    """

    name: str
    test: Digits
    train: Digits | None = None
    known_sha256: str | None = None
    notes: tuple[str, ...] = ()
    train_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()

    @property
    def to_test_on(self) -> NamedSet:
        """The test set, or the undivided set."""
        return NamedSet(UNDIVIDED if self.train is None else TEST, self.test, self.test_files)

    @property
    def to_train_on(self) -> NamedSet:
        """The training set, or the undivided set."""
        return self.to_test_on if self.train is None else NamedSet(TRAIN, self.train, self.train_files)

    @cached_property
    def sha256(self) -> str:
        """Checksum of all images and labels, training set first, whatever file held them."""
        if self.known_sha256:
            return self.known_sha256
        checksum = hashlib.sha256()
        for part in (self.train, self.test):
            if part is not None:
                checksum.update(np.ascontiguousarray(part.images).data)
                checksum.update(np.ascontiguousarray(part.labels).data)
        return checksum.hexdigest()


def check_images_header(where: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse what cannot be images, from shape and dtype alone, before anything is decoded."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    if shape[1:] not in (size, (*size, 1)):
        raise DataError(f"{where}: found images of shape {shape}; expected (N, {IMAGE_SIZE}, {IMAGE_SIZE})")
    if dtype != np.uint8:
        raise DataError(f"{where}: found images of dtype {dtype}; expected uint8, 0 to 255, ink bright")
    check_count(where, "images", shape[0])


def check_labels_header(where: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse what cannot be labels, from shape and dtype alone, before anything is decoded."""
    if len(shape) != 1:
        raise DataError(f"{where}: found labels of shape {shape}; expected (N,), one digit an image")
    if dtype.kind not in "iu":
        raise DataError(f"{where}: found labels of dtype {dtype}; expected whole numbers 0 to 9")
    check_count(where, "labels", shape[0])


def check_count(where: str, what: str, count: int) -> None:
    """Refuse too few images or labels, or too many; a `DataError`."""
    if count < 1:
        raise DataError(f"{where}: no {what} in it; expected at least one")
    if count > MAX_IMAGES:
        raise DataError(f"{where}: found {count:,} {what}; at most {MAX_IMAGES:,} are read")


def make_digits(where: str, images: NDArray[np.uint8], labels: NDArray[Any]) -> Digits:
    """Join images (N, 28, 28[, 1]) and labels (N,), checking that they belong together."""
    check_images_header(where, images.shape, images.dtype)
    check_labels_header(where, labels.shape, labels.dtype)
    if len(images) != len(labels):
        raise DataError(
            f"{where}: found {len(images):,} images but {len(labels):,} labels; expected one label an image"
        )
    if labels.min() < 0 or labels.max() >= CLASSES:
        wrong = labels[(labels < 0) | (labels >= CLASSES)][0]
        raise DataError(f"{where}: found the label {wrong}; expected 0 to {CLASSES - 1}")
    return Digits(images.reshape(-1, IMAGE_SIZE, IMAGE_SIZE), labels.astype(np.uint8))
