"""Classification on ONNX Runtime, without TensorFlow."""

from pathlib import Path

import numpy as np

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.errors import ImageError, ModelError, first_line
from digitcli.models.classifier import (
    DETECT,
    INPUT_SHAPE,
    TASK,
    Floats,
    Probabilities,
    foreign_model,
    from_metadata,
    is_own,
    may_read_digits,
    no_classifier,
    predict_in_batches,
    require_model,
    require_probabilities,
)
from digitcli.models.onnx_runtime import onnxruntime
from digitcli.preprocessing.mnist_form import Images
from digitcli.preprocessing.threads import thread_count

BATCH_SIZE = 256  # images; bounds the memory that inference takes


class OnnxClassifier:
    """A `Classifier` from an ONNX file; make one with `load`. Several threads may share it.

    Attributes:
        path: of the file.
        threshold, uses_tta: as `Classifier`'s, from the file's metadata.
    """

    def __init__(self, session: onnxruntime.InferenceSession, path: Path) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.path = path
        self.threshold, self.uses_tta = from_metadata(session.get_modelmeta().custom_metadata_map)

    def predict(self, images: Images) -> Probabilities:
        """Return probabilities (N, 10) float32 for images (N, 28, 28) uint8 in MNIST form.

        Raises `ImageError` where the images are no such array, `ModelError` where the model cannot be run
        or gives no probabilities.
        """
        size = (IMAGE_SIZE, IMAGE_SIZE)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != size:
            found = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else repr(type(images))
            raise ImageError(f"found {found}; expected an array (N, {IMAGE_SIZE}, {IMAGE_SIZE}) of uint8")
        try:
            probabilities = predict_in_batches(self._run, images, BATCH_SIZE)
        except Exception as error:  # ONNX Runtime has no common base for what a model can do wrong
            raise ModelError(f"{self.path}: cannot be run ({first_line(error)})") from error
        require_probabilities(probabilities, str(self.path))
        return probabilities

    def _run(self, images: Floats) -> Floats:
        probabilities: Floats = self._session.run(None, {self._input: images})[0]
        return probabilities


def load(path: Path, *, threads: int | None = None) -> OnnxClassifier:
    """Load an ONNX file.

    Args:
        path: of the file.
        threads: that work on an image together; several by default, which is best for many images.

    Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier.
    """
    require_model(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or thread_count()
    options.log_severity_level = 4  # what goes wrong is raised, and told once
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # ONNX Runtime has no common base for what a damaged file raises
        raise ModelError(f"{path}: not an ONNX model that can be loaded; expected a digit reader") from error
    metadata = session.get_modelmeta().custom_metadata_map
    if metadata.get(TASK) == DETECT:
        raise no_classifier(path)
    if not is_own(metadata) and _takes_digits(session):
        raise foreign_model(path)
    _require_shapes(path, session)
    return OnnxClassifier(session, path)


def _takes_digits(session: onnxruntime.InferenceSession) -> bool:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    is_simple = [len(inputs), len(outputs)] == [1, 1]
    return is_simple and may_read_digits(inputs[0].shape[1:], outputs[0].shape[1:])


def _require_shapes(path: Path, session: onnxruntime.InferenceSession) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        [len(inputs), len(outputs)] == [1, 1]
        and inputs[0].type == "tensor(float)"
        and inputs[0].shape[1:] == list(INPUT_SHAPE)
        and not isinstance(inputs[0].shape[0], int)  # any number of images
        and outputs[0].shape[1:] == [CLASSES]
    )
    if not fits:
        found = f"takes {[i.shape for i in inputs]}, gives {[o.shape for o in outputs]}"
        raise ModelError(
            f"{path}: {found}; expected one input (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 1) of floats "
            f"and one output (N, {CLASSES})"
        )
