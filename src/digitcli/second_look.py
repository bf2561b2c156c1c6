"""A second look at images of which a network is unsure: the same ones, turned a little either way.

Means over changed copies (test-time augmentation) were used by Krizhevsky, Sutskever and Hinton (2012).
Where a network is sure they change nothing, so only the few images are looked at again of which it is not:
one of fifty among MNIST's digits, more among those of strangers. Chosen on validation images, and on the
half of other people's digits that is for choosing: turning helps more than shear, width or shift.
"""

from abc import ABC, abstractmethod

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing import IMAGE_SIZE, Images

UNSURE = 0.95  # probability; what is likelier is not looked at again
TURNS = (-0.22, -0.12, 0.12, 0.22)  # radians

_MIDDLE = (IMAGE_SIZE - 1) / 2


class DigitReader(ABC):
    """Whatever gives probabilities for images in MNIST form.

    Attributes:
        looks_again: whether it takes a second look; models that were trained without turned images read
            worse with one.
    """

    looks_again: bool = True

    @abstractmethod
    def network(self, images: Images) -> NDArray[np.float32]:
        """Return what the network alone says: probabilities (N, 10) for images (N, 28, 28) uint8."""

    def digits(self, images: Images) -> NDArray[np.float32]:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form.

        What the network is unsure of is looked at again, and the mean is returned.
        """
        found = self.network(images)
        return self.look_again(images, found, unsure(found))

    def look_again(
        self, images: Images, found: NDArray[np.float32], which: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return `found` (N, 10), what `network` says of `images`, with the means of second looks.

        Args:
            images: (N, 28, 28) uint8 in MNIST form.
            found: (N, 10); it is not changed.
            which: (N,), the images to look at again, if it `looks_again`.
        """
        if not self.looks_again or not which.any():
            return found
        looks = self.network(np.concatenate([turned(images[which], angle) for angle in TURNS]))
        again = looks.reshape(len(TURNS), -1, found.shape[1])
        means = found.copy()
        means[which] = (found[which] + again.sum(axis=0)) / (1 + len(TURNS))
        return means


def unsure(probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which of (N, 10) a second look may change for the better (N,)."""
    return np.asarray(probabilities.max(axis=1) < UNSURE)


def turned(images: Images, angle: float) -> Images:
    """Return images (N, 28, 28) uint8 turned about their middle by `angle` radians."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, _MIDDLE)
    matrix = np.c_[turn, middle - turn @ middle]
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.stack([np.asarray(cv2.warpAffine(image, matrix, size), np.uint8) for image in images])
