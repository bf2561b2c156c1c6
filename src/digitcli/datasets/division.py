"""What a training run may use when: training images, validation images, test images.

Every choice reads the validation images; the test images are read once, at the end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.digits import Dataset, Digits, Labels
from digitcli.errors import DataError, OptionError

VALIDATION_SHARE = 1 / 12  # of the training set: 5,000 of MNIST's 60,000
TEST_SHARE = 1 / 6  # held back from a source that is one undivided set
MIN_TRAINING_IMAGES = 100

# Fixed, so that every run of every recipe is judged on the same images, whatever its seed.
_TEST_SEED, _VALIDATION_SEED, _LIMIT_SEED = 1, 2, 3


@dataclass(frozen=True)
class Division:
    """A data source cut for training; no image is in two parts."""

    train: Digits
    validation: Digits
    test: Digits


def divide(dataset: Dataset, limit: int | None = None) -> Division:
    """Cut a data source for training.

    Args:
        dataset: the source; where it is one undivided set, a sixth is held back for the test.
        limit: use only this many of its training images, validation included.

    Raises:
        OptionError: `limit` is larger than the training set.
        DataError: there are too few images to train on.
    """
    train, test = dataset.train, dataset.test
    if train is None:
        train, test = _cut(dataset.test, round(TEST_SHARE * len(dataset.test)), _TEST_SEED)
    if limit is not None:
        if limit < MIN_TRAINING_IMAGES:
            raise OptionError(f"--limit {limit}: expected at least {MIN_TRAINING_IMAGES} images")
        if limit > len(train):
            raise OptionError(
                f"--limit {limit}: {dataset.name} has {len(train):,} training images; expected at most that"
            )
        train = train.take(balanced(train.labels, limit, _LIMIT_SEED))
    if len(train) < MIN_TRAINING_IMAGES:
        raise DataError(
            f"{dataset.name}: found {len(train)} training images; expected at least {MIN_TRAINING_IMAGES}"
        )
    train, validation = _cut(train, round(VALIDATION_SHARE * len(train)), _VALIDATION_SEED)
    return Division(train, validation, test)


def _cut(digits: Digits, count: int, seed: int) -> tuple[Digits, Digits]:
    """Split off `count` class-balanced digits; a rare class gives up at most half of its own."""
    chosen = balanced(digits.labels, count, seed, max_share=0.5)
    rest = np.setdiff1d(np.arange(len(digits)), chosen)
    return digits.take(rest), digits.take(chosen)


def balanced(labels: Labels, count: int, seed: int, max_share: float = 1.0) -> NDArray[np.intp]:
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
