"""Test-time augmentation: images of low confidence are classified again, rotated a little either way.

Means over changed copies were used by Krizhevsky, Sutskever and Hinton (2012). They change nothing where
a network is confident, so only the few images are classified again of which it is not: one of fifty among
MNIST's digits, more among those of other writers.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.models.classifier import Classifier, Probabilities
from digitcli.preprocessing.mnist_form import Images


@dataclass(frozen=True)
class TtaParameters:
    """When and how images are classified again.

    Chosen on MNIST's validation images and on the half of other people's digits that is for choosing
    (`benchmarks/handwriting.py`): rotation helps more than shear, width or shift.

    Attributes:
        confident: the probability, 0..1, from which on an image is left as it is.
        angles: of the copies, in radians.
    """

    confident: float = 0.95
    angles: tuple[float, ...] = (-0.22, -0.12, 0.12, 0.22)


TTA = TtaParameters()


def predict(classifier: Classifier, images: Images) -> Probabilities:
    """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form.

    What the classifier alone is not confident of gets test-time augmentation, if it `uses_tta`.
    """
    probabilities = classifier.predict(images)
    return augment(classifier, images, probabilities, is_uncertain(probabilities))


def augment(
    classifier: Classifier, images: Images, probabilities: Probabilities, chosen: NDArray[np.bool_]
) -> Probabilities:
    """Return probabilities (N, 10) in which the chosen rows are means over rotated copies, too.

    Args:
        classifier: what classifies; nothing is changed where it does not use test-time augmentation.
        images: (N, 28, 28) uint8 in MNIST form.
        probabilities: (N, 10), what the classifier alone says of them; left as they are.
        chosen: (N,), the images to classify again.
    """
    if not classifier.uses_tta or not chosen.any():
        return probabilities
    copies = np.concatenate([rotated(images[chosen], angle) for angle in TTA.angles])
    again = classifier.predict(copies).reshape(len(TTA.angles), -1, probabilities.shape[1])
    means = probabilities.copy()
    means[chosen] = (probabilities[chosen] + again.sum(axis=0)) / (1 + len(TTA.angles))
    return means


def is_uncertain(probabilities: Probabilities) -> NDArray[np.bool_]:
    """Tell which rows of (N, 10) test-time augmentation may change for the better: (N,)."""
    return np.asarray(probabilities.max(axis=1) < TTA.confident)


def rotated(images: Images, angle: float) -> Images:
    """Return images (N, 28, 28) uint8 rotated about their centre by `angle` radians."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.full(2, (IMAGE_SIZE - 1) / 2)
    matrix = np.c_[rotation, centre - rotation @ centre]
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.stack([np.asarray(cv2.warpAffine(image, matrix, size), np.uint8) for image in images])
