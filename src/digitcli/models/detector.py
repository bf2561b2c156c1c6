"""Detectors on ONNX Runtime and with Keras: what a detector's network tells about pictures of any size."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from digitcli.config.detector import FOREGROUND_STRIDE, LEVELS, OUTPUTS
from digitcli.errors import ImageError, MissingError, ModelError, first_line
from digitcli.models.classifier import DETECT, DETECTOR_NETWORK, TASK, Floats, require_model
from digitcli.preprocessing.mnist_form import Images
from digitcli.preprocessing.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Mapping

GREY, CHROMA = "grey", "chroma"  # inputs
FOREGROUND = "foreground"  # an output; the others are `level_name`s
MULTIPLE = max(LEVELS)  # height and width are multiples of this


def level_name(stride: int) -> str:
    """Return the name of the output of a stride."""
    return f"stride{stride}"


OUTPUT_NAMES = (*map(level_name, LEVELS), FOREGROUND)


class Detector(Protocol):
    """A trained detector, ready to find marks."""

    def look_at(self, grey: Images, chroma: Images) -> dict[str, Floats]:
        """Return what the network tells, before sigmoid and softmax; see `models.detector_network`.

        Args:
            grey: (N, H, W) uint8, H and W multiples of `MULTIPLE`; see `preprocessing.detector_form`.
            chroma: (N, H/2, W/2) uint8.
        """


def as_inputs(grey: Images, chroma: Images) -> dict[str, Floats]:
    """Return images as the network takes them; an `ImageError` where they do not fit."""
    count, height, width = grey.shape
    if height % MULTIPLE or width % MULTIPLE or chroma.shape != (count, height // 2, width // 2):
        raise ImageError(
            f"found grey {grey.shape} and chroma {chroma.shape}; expected multiples of {MULTIPLE}, and "
            "chroma of half the size"
        )
    return {
        GREY: grey[..., np.newaxis].astype(np.float32),
        CHROMA: chroma[..., np.newaxis].astype(np.float32),
    }


class OnnxDetector:
    """A `Detector` from an ONNX file; several threads may share it."""

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self.path = path

    def look_at(self, grey: Images, chroma: Images) -> dict[str, Floats]:
        """See `Detector.look_at`; a `ModelError` where the model cannot be run."""
        inputs = as_inputs(grey, chroma)
        try:
            values = self._session.run(list(OUTPUT_NAMES), inputs)
        except Exception as error:  # ONNX Runtime has no common base for what a model can do wrong
            raise ModelError(f"{self.path}: cannot be run ({first_line(error)})") from error
        return dict(zip(OUTPUT_NAMES, values, strict=True))


class KerasDetector:
    """A `Detector` that runs a Keras network."""

    def __init__(self, network: Any) -> None:
        from digitcli.models.backend import tf

        self._function = tf.function(
            lambda inputs: network(inputs, training=False), autograph=False, reduce_retracing=True
        )

    def look_at(self, grey: Images, chroma: Images) -> dict[str, Floats]:
        """See `Detector.look_at`."""
        outputs: Mapping[str, Any] = self._function(as_inputs(grey, chroma))
        return {name: np.asarray(outputs[name].numpy(), np.float32) for name in OUTPUT_NAMES}


def load_detector(path: Path, *, threads: int | None = None) -> Detector:
    """Load a detector: a ``.keras`` file with TensorFlow, anything else as ONNX without it.

    Raises `MissingError` where there is no such file, `ModelError` where it is no detector.
    """
    if not path.exists():
        raise MissingError(f"{path}: no such detector; train one with: digitcli train --config detector")
    if path.suffix == ".keras":
        from digitcli.models.keras_classifier import load_any_network

        network = load_any_network(path)
        inputs, outputs = ({each.name for each in network.inputs}, set(network.output_names))
        if network.name != DETECTOR_NETWORK or inputs != {GREY, CHROMA} or outputs != set(OUTPUT_NAMES):
            raise _no_detector(path)
        return KerasDetector(network)
    session = _session(path, threads)
    shapes = {output.name: output.shape[-1] for output in session.get_outputs()}
    inputs = {each.name for each in session.get_inputs()}
    expected = dict.fromkeys(OUTPUT_NAMES, OUTPUTS) | {FOREGROUND: 1}
    is_detector = session.get_modelmeta().custom_metadata_map.get(TASK) == DETECT
    if not is_detector or inputs != {GREY, CHROMA} or shapes != expected:
        raise _no_detector(path)
    return OnnxDetector(session, path)


def is_detector(path: Path) -> bool:
    """Tell whether a model file says that it is a detector; no where it cannot be read.

    Raises `MissingError` where there is no such ONNX file.
    """
    if path.suffix != ".keras":
        try:
            return bool(_session(path, 1).get_modelmeta().custom_metadata_map.get(TASK) == DETECT)
        except ModelError:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        return bool(config["config"]["name"] == DETECTOR_NETWORK)
    except Exception:  # whatever an archive's content trips over
        return False


def as_metadata() -> dict[str, str]:
    """Return what a detector's file says of how it is to be used."""
    return {
        TASK: DETECT,
        "strides": ",".join(map(str, LEVELS)),
        "foreground_stride": str(FOREGROUND_STRIDE),
    }


def _session(path: Path, threads: int | None) -> Any:
    from digitcli.models.onnx_runtime import onnxruntime

    require_model(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or thread_count()
    options.log_severity_level = 4  # what goes wrong is raised, and told once
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # ONNX Runtime has no common base for what a damaged file raises
        raise ModelError(f"{path}: not an ONNX model that can be loaded; expected a detector") from error


def _no_detector(path: Path) -> ModelError:
    return ModelError(
        f"{path}: is no detector; expected a file such as detector.onnx; train one with: "
        "digitcli train --config detector"
    )
