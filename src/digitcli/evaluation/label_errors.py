"""Labels that may be wrong, found by confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021. It
takes probabilities by networks that were not trained on the images that they read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.datasets.digits import Labels
from digitcli.models.classifier import Probabilities


@dataclass(frozen=True, eq=False)  # arrays have no single truth
class LabelErrors:
    """What confident learning finds in a set of labelled images.

    Attributes:
        ranking: (M,) indices of the images of which another digit is likelier than the label, the surest
            first: by the label's probability less the largest, the "normalized margin" of the paper.
        is_likely: (N,) whether an image is confidently another digit than its label says.
        estimate: of how many labels are wrong, by the calibrated joint distribution of labels and digits.
    """

    ranking: NDArray[np.intp]
    is_likely: NDArray[np.bool_]
    estimate: float


def find_label_errors(probabilities: Probabilities, labels: Labels) -> LabelErrors:
    """Find labels that may be wrong.

    Args:
        probabilities: (N, 10) float32, each by a network that was not trained on the image.
        labels: (N,) uint8, 0..9.
    """
    everyone = np.arange(len(labels))
    given = np.eye(CLASSES, dtype=bool)[labels]  # (N, 10)
    counts = given.sum(axis=0)
    sums = np.where(given, probabilities, 0).sum(axis=0, dtype=np.float64)
    # how sure the networks are, on average, of a digit where it is the label; of one without images, never
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    sure = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident, digit = sure.max(axis=1) >= 0, sure.argmax(axis=1)
    joint = np.zeros((CLASSES, CLASSES))
    np.add.at(joint, (labels[confident], digit[confident]), 1)
    # calibrated: each row as many as have the label
    rows = joint.sum(axis=1, keepdims=True)
    joint = np.where(rows > 0, joint / np.maximum(rows, 1) * counts[:, np.newaxis], 0)
    others = np.where(given, -1.0, probabilities).max(axis=1)
    margins = probabilities[everyone, labels] - others
    order = np.argsort(margins, kind="stable")
    return LabelErrors(
        ranking=order[: int(np.sum(margins < 0))],
        is_likely=confident & (digit != labels),
        estimate=float(joint.sum() - np.trace(joint)),
    )
