"""The split of a data source into training, validation and test images.

Every choice reads the validation images; the test images are read once, at the end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.digits import Dataset, Digits, Labels
from digitcli.errors import DataError, OptionError

VALIDATION_SHARE = 1 / 12  # of the training set: 5,000 of MNIST's 60,000
TEST_SHARE = 1 / 6  # held back from a source that is one undivided set
MIN_TRAINING_IMAGES = 100
_CHUNK = 512  # images moved at once

# Fixed, so that every run of every recipe is judged on the same images, whatever its seed.
_TEST_SEED, _VALIDATION_SEED, _LIMIT_SEED, _FOLDS_SEED = 1, 2, 3, 4


Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class Places:
    """Where a split's images lie in their source: indices into its training set and its test set.

    Of a source that is one undivided set, all three are indices into that set.
    """

    train: Indices
    validation: Indices
    test: Indices


@dataclass(frozen=True)
class Split:
    """A data source cut for training; no image is in two parts.

    Attributes:
        name, sha256: of the data source.
        places: of the images that the source itself has, before others are added to `train`.
    """

    name: str
    sha256: str
    train: Digits
    validation: Digits
    test: Digits
    places: Places

    def describe(self) -> dict[str, Any]:
        """Return the images' source and counts, as ``run.json`` has them."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def split_dataset(
    dataset: Dataset,
    limit: int | None = None,
    *,
    excluded: NDArray[np.bool_] | None = None,
    in_place: bool = False,
) -> Split:
    """Cut a data source for training.

    Args:
        dataset: the source; where it is one undivided set, a sixth is held back for the test.
        limit: use only this many of its training images, validation included.
        excluded: (N,) which images of its training set, or of its undivided set, are not to be trained on;
            the test images are the same with and without.
        in_place: put the images of `dataset` into another order instead of copying them; it is not
            to be used afterwards.

    Raises:
        OptionError: `limit` is larger than the training set.
        DataError: there are too few images to train on.
    """
    sha256 = dataset.sha256  # of the images in their own order
    train, test = dataset.train, dataset.test
    if train is None:
        of_test = held_back(test.labels)
        train, test, places = _cut(test, of_test, in_place=in_place)
    else:
        places, of_test = np.arange(len(train)), np.arange(len(test))
    if excluded is not None and excluded[places].any():
        kept = np.flatnonzero(~excluded[places])
        train, places = train.take(kept), places[kept]
    if limit is not None:
        if limit < MIN_TRAINING_IMAGES:
            raise OptionError(f"--limit {limit}: expected at least {MIN_TRAINING_IMAGES} images")
        if limit > len(train):
            raise OptionError(
                f"--limit {limit}: {dataset.name} has {len(train):,} training images; expected at most that"
            )
        chosen = balanced(train.labels, limit, _LIMIT_SEED)
        train, places = train.take(chosen), places[chosen]
    if len(train) < MIN_TRAINING_IMAGES:
        raise DataError(
            f"{dataset.name}: found {len(train)} training images; expected at least {MIN_TRAINING_IMAGES}"
        )
    chosen = _share(train.labels, VALIDATION_SHARE, _VALIDATION_SEED)
    train, validation, rest = _cut(train, chosen, in_place=in_place)
    where = Places(places[rest], places[chosen], of_test)
    return Split(dataset.name, sha256, train, validation, test, where)


def held_back(labels: Labels) -> Indices:
    """Return which images of a source that is one undivided set, of labels (N,), are its test images."""
    return _share(labels, TEST_SHARE, _TEST_SEED)


def _share(labels: Labels, share: float, seed: int) -> Indices:
    """Choose a class-balanced share; a rare class gives up at most half of its own."""
    return balanced(labels, round(share * len(labels)), seed, max_share=0.5)


def _cut(digits: Digits, chosen: Indices, *, in_place: bool) -> tuple[Digits, Digits, Indices]:
    """Split off the digits at `chosen`; return the rest, what was split off, and the rest's indices."""
    rest = np.setdiff1d(np.arange(len(digits)), chosen)
    if not in_place:
        return digits.take(rest), digits.take(chosen), rest
    split = digits.take(chosen)
    for first in range(0, len(rest), _CHUNK):
        part = rest[first : first + _CHUNK]  # ascending, so nothing is overwritten before it is read
        digits.images[first : first + len(part)] = digits.images[part]
        digits.labels[first : first + len(part)] = digits.labels[part]
    digits.images[len(rest) :] = split.images
    digits.labels[len(rest) :] = split.labels
    return digits.part(0, len(rest)), digits.part(len(rest), len(digits)), rest


def folds(labels: Labels, count: int) -> NDArray[np.uint8]:
    """Deal images out to `count` folds that are as large as each other, and so is each class in them.

    Args:
        labels: (N,) uint8.
        count: how many folds, 2 to 255.

    Returns:
        (N,) the fold of each image, 0 to `count` - 1; the same for the same labels.
    """
    order = np.random.default_rng(_FOLDS_SEED).permutation(len(labels))
    dealt = np.empty(len(labels), np.uint8)
    dealt[order[np.argsort(labels[order], kind="stable")]] = np.arange(len(labels)) % count
    return dealt


def balanced(labels: Labels, count: int, seed: int, max_share: float = 1.0) -> Indices:
    """Choose up to `count` indices at random, as evenly over the classes as they allow.

    Args:
        labels: (N,) uint8.
        count: how many; fewer come back only where `max_share` forbids more.
        seed: the same seed and labels give the same indices.
        max_share: no more than this share of any one class.

    Returns:
        (M,) indices into `labels`, ascending.
    """
    order = np.random.default_rng(seed).permutation(len(labels))  # (N,)
    grouped = order[np.argsort(labels[order], kind="stable")]  # (N,) class by class, shuffled within
    sizes = np.bincount(labels)
    rank = np.concatenate([np.arange(size) for size in sizes])  # (N,) place within the class
    allowed = rank < np.repeat(np.floor(sizes * max_share), sizes)
    # first of every class, then second of every class, and so on
    by_rank = np.argsort(rank[allowed], kind="stable")[:count]
    return np.sort(grouped[allowed][by_rank])
