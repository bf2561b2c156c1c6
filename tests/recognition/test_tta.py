"""Looking again at what a network is unsure of: better than the network alone, and nothing for the sure."""

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import load_split
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition import tta
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.recognition.tta import TTA, rotated


class Counting:
    """Says the same of every image, and counts them."""

    def __init__(self, probabilities: list[float]) -> None:
        self.threshold, self.uses_tta = 0.5, True
        self.row = np.array(probabilities, np.float32)
        self.seen = 0

    def predict(self, images: Images) -> NDArray[np.float32]:
        self.seen += len(images)
        return np.tile(self.row, (len(images), 1))


def test_only_the_unsure_are_looked_at_again() -> None:
    images = np.zeros((7, 28, 28), np.uint8)
    sure, unsure = Counting([0.99, 0.01] + [0.0] * 8), Counting([0.6, 0.4] + [0.0] * 8)
    assert np.array_equal(tta.predict(sure, images), sure.predict(images))
    assert sure.seen == 14
    np.testing.assert_allclose(tta.predict(unsure, images), unsure.predict(images), rtol=1e-6)
    assert unsure.seen == 7 * (1 + len(TTA.angles)) + 7


def test_the_mean_is_of_the_image_and_its_turns() -> None:
    recognizer = Recognizer.load(PRETRAINED_MODEL)
    images = load_split("mnist").validation.images
    alone = recognizer.classifier.predict(images)
    place = int(alone.max(axis=1).argmin())
    looks = [images[place], *(rotated(images[place : place + 1], angle)[0] for angle in TTA.angles)]
    expected = recognizer.classifier.predict(np.stack(looks)).mean(axis=0)
    np.testing.assert_allclose(recognizer.classify(images[place : place + 1])[0], expected, atol=1e-5)
    sure = alone.max(axis=1) >= TTA.confident
    assert np.array_equal(recognizer.classify(images)[sure], alone[sure])


def test_it_reads_better_than_the_network_alone() -> None:
    recognizer, digits = Recognizer.load(PRETRAINED_MODEL), load_split("mnist").validation
    alone = (recognizer.classifier.predict(digits.images).argmax(axis=1) == digits.labels).mean()
    again = (recognizer.classify(digits.images).argmax(axis=1) == digits.labels).mean()
    assert again > alone


def test_turning_there_and_back() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 6:22, 12:16] = 255
    there = rotated(image, 0.2)
    assert np.count_nonzero(there != image) > 20
    back = rotated(there, -0.2)
    assert np.abs(back.astype(int) - image).mean() < 5
    assert np.array_equal(rotated(image, 0.0), image)
