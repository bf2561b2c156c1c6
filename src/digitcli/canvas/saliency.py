"""Why a digit was read as it was: occlusion saliency over its 28x28 form."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import IMAGE_SIZE
from digitcli.models.classifier import Classifier
from digitcli.preprocessing.mnist_form import Images


@dataclass(frozen=True)
class SaliencyParameters:
    """How a form is occluded; chosen by eye, so that strokes stand out.

    Attributes:
        patch: side of what is occluded at once, in pixels of the form.
        step: from one patch to the next, in pixels.
        least_effect: in nats; the effects of a model that no occlusion moves are not blown up beyond it.
        blur: standard deviation of the Gaussian that smooths the effects, in pixels.
    """

    patch: int = 7
    step: int = 3
    least_effect: float = 0.05
    blur: float = 1.2


SALIENCY = SaliencyParameters()


def occlusion_saliency(classifier: Classifier, form: Images) -> NDArray[np.float32]:
    """Occlude one place after the other and see how much less likely what was read becomes.

    As in Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014).

    Args:
        classifier: what classified it.
        form: (28, 28) uint8 in MNIST form.

    Returns:
        (28, 28) float32, -1..1, in shares of the largest effect.
    """
    corners = range(0, IMAGE_SIZE - SALIENCY.patch + 1, SALIENCY.step)
    hidden = np.repeat(form[np.newaxis], 1 + len(corners) ** 2, axis=0)
    for number, (row, column) in enumerate((row, column) for row in corners for column in corners):
        hidden[1 + number, row : row + SALIENCY.patch, column : column + SALIENCY.patch] = 0
    probabilities = classifier.predict(hidden)
    likely = np.log(np.maximum(probabilities[:, probabilities[0].argmax()], 1e-6))
    effects = (likely[0] - likely[1:]).reshape(len(corners), len(corners)).astype(np.float32)
    effects /= max(float(np.abs(effects).max()), SALIENCY.least_effect)
    # the middle of the first patch is at pixel 3, that of the last at pixel 24
    inner = cv2.resize(effects, (IMAGE_SIZE - SALIENCY.patch + 1,) * 2, interpolation=cv2.INTER_LINEAR)
    padded = np.pad(inner, SALIENCY.patch // 2, mode="edge")
    return np.asarray(cv2.GaussianBlur(padded, (0, 0), SALIENCY.blur), np.float32)
