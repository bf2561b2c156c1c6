"""Classification with Keras: networks in memory, and ``.keras`` files."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from digitcli.config.mnist import CLASSES
from digitcli.errors import MissingError, ModelError, first_line
from digitcli.models.backend import keras, tf
from digitcli.models.classifier import (
    CLASSIFIER_NETWORK,
    DEFAULT_THRESHOLD,
    DETECTOR_NETWORK,
    INPUT_SHAPE,
    Floats,
    Probabilities,
    foreign_model,
    may_read_digits,
    no_classifier,
    predict_in_batches,
)
from digitcli.preprocessing.mnist_form import Images
from digitcli.run_record import RunRecord

Network = Any  # a keras.Model; Keras has no type information

_BATCH_SIZE = 500  # images; bounds the memory that inference takes


class KerasClassifier:
    """A `Classifier` that runs a Keras network.

    Attributes:
        threshold, uses_tta: as `Classifier`'s.
    """

    def __init__(
        self, network: Network, *, threshold: float = DEFAULT_THRESHOLD, uses_tta: bool = True
    ) -> None:
        self.threshold = threshold
        self.uses_tta = uses_tta
        self._function = tf.function(
            lambda images: network(images, training=False), autograph=False, reduce_retracing=True
        )

    def predict(self, images: Images) -> Probabilities:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form."""
        return predict_in_batches(self._run, images, _BATCH_SIZE)

    def _run(self, images: Floats) -> Floats:
        return np.asarray(self._function(tf.constant(images)).numpy(), np.float32)


def load(path: Path) -> KerasClassifier:
    """Load a ``.keras`` file, which is used as the ``run.json`` beside it says.

    Raises as `load_network`.
    """
    network = load_network(path)
    calibration = (RunRecord.beside(path) or RunRecord()).calibration
    if calibration is None:
        return KerasClassifier(network)
    threshold = calibration.threshold if calibration.threshold is not None else DEFAULT_THRESHOLD
    return KerasClassifier(network, threshold=threshold, uses_tta=calibration.test_time_augmentation)


def load_any_network(path: Path) -> Network:
    """Load the network of a ``.keras`` file, whatever it is for; code inside is refused, never run."""
    if not os.path.isfile(path):
        raise MissingError(f"{path}: no such model; train one with: digitcli train")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive's content trips over
        raise ModelError(f"{path}: not a Keras model that can be loaded ({first_line(error)})") from error


def load_network(path: Path) -> Network:
    """Load the network of a ``.keras`` file; code inside the file is refused, never run.

    Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier.
    """
    network = load_any_network(path)
    if network.name == DETECTOR_NETWORK:
        raise no_classifier(path)
    try:
        found = (tuple(network.input_shape[1:]), tuple(network.output_shape[1:]))
    except Exception as error:  # Keras raises whatever the archive's content trips over
        raise ModelError(f"{path}: not a Keras model that can be loaded ({first_line(error)})") from error
    if network.name != CLASSIFIER_NETWORK and may_read_digits(*found):
        raise foreign_model(path)
    if found != (INPUT_SHAPE, (CLASSES,)):
        raise ModelError(
            f"{path}: takes {found[0]} and gives {found[1]}; expected {INPUT_SHAPE} and ({CLASSES},)"
        )
    return network
