"""Classification with an exported file, on any runtime."""

from collections.abc import Callable
from pathlib import Path

from digitcli.errors import ModelError, first_line
from digitcli.models.classifier import DEFAULT_THRESHOLD, Floats, Probabilities, predict_in_batches
from digitcli.models.onnx_classifier import BATCH_SIZE
from digitcli.preprocessing.mnist_form import Images


class ExportedClassifier:
    """A `Classifier` that runs an exported file on its own runtime.

    Attributes:
        threshold, uses_tta: as `Classifier`'s; a file is verified without either.
    """

    def __init__(self, run: Callable[[Floats], Floats], path: Path) -> None:
        self.threshold = DEFAULT_THRESHOLD
        self.uses_tta = False
        self._run = run
        self._path = path

    def predict(self, images: Images) -> Probabilities:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form.

        Raises `ModelError` where the file cannot be run.
        """
        try:
            return predict_in_batches(self._run, images, BATCH_SIZE)
        except Exception as error:  # the runtimes have no common base for what can go wrong
            raise ModelError(f"{self._path}: cannot be run ({first_line(error)})") from error
