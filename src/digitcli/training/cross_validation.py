"""Cross-validation: every training image is read by a network that was trained on the others."""

from collections.abc import Callable

import numpy as np

from digitcli.config.mnist import CLASSES
from digitcli.datasets import Dataset, Split, concatenate, split_dataset
from digitcli.datasets.split import MIN_TRAINING_IMAGES, folds
from digitcli.errors import OptionError
from digitcli.evaluation.out_of_fold import OutOfFold
from digitcli.models.classifier import Probabilities
from digitcli.training.progress import Reporter

FEWEST, MOST = 2, 20  # folds


def require_folds(count: int, split: Split) -> None:
    """Raise an `OptionError` where images cannot be dealt out to `count` folds."""
    if not FEWEST <= count <= MOST:
        raise OptionError(f"--cross-validate {count}: expected {FEWEST} to {MOST} folds")
    images = len(split.train) + len(split.validation)
    if images * (count - 1) // count < MIN_TRAINING_IMAGES:
        raise OptionError(
            f"--cross-validate {count}: {images} images leave fewer than {MIN_TRAINING_IMAGES} to train on; "
            "expected more folds or more images"
        )


def cross_validate(
    split: Split, count: int, read_fold: Callable[[Split], Probabilities], report: Reporter
) -> OutOfFold:
    """Read each fold of a split's training and validation images by a network trained on the other folds.

    Args:
        split: of the data source.
        count: of folds.
        read_fold: trains a network on a split, and returns what it makes of the split's test images.
        report: hears how it goes.
    """
    digits = concatenate([split.train, split.validation])
    dealt = folds(digits.labels, count)
    probabilities = np.zeros((len(digits), CLASSES), np.float32)
    for fold in range(count):
        report.stage(f"Cross-validation, fold {fold + 1} of {count}")
        inside, outside = np.flatnonzero(dealt == fold), np.flatnonzero(dealt != fold)
        source = Dataset(split.name, digits.take(inside), digits.take(outside), split.sha256)
        probabilities[inside] = read_fold(split_dataset(source, in_place=True))
    places = np.concatenate([split.places.train, split.places.validation])
    return OutOfFold(split.sha256, places, digits.labels, dealt, probabilities)
