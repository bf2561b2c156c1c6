"""LiteRT, formerly TensorFlow Lite: a file for phones and small boards."""

import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digitcli.errors import ExportError, ModelError, first_line
from digitcli.export import saved_model
from digitcli.export.exported_classifier import ExportedClassifier
from digitcli.export.metadata import METADATA_FILE, Metadata, as_json
from digitcli.models.backend import silent_stderr, tf
from digitcli.models.classifier import INPUT, INPUT_SHAPE, OUTPUT, Floats
from digitcli.models.keras_classifier import Network
from digitcli.preprocessing.mnist_form import Images, network_input
from digitcli.preprocessing.threads import thread_count

# In 8 bits the softmax, and of several networks the mean of theirs, would give probabilities in steps of
# 1/256, which do not sum to 1. Batch normalization is the same operations as that mean.
_FLOAT_OPERATIONS = ["SOFTMAX", "ADD", "MUL"]
_WARNINGS = (
    "Statistics for quantized inputs were expected",  # they are measured
    r"\s*Warning: tf.lite.Interpreter is deprecated",  # TensorFlow makes one and does not run it
)


def write(network: Network, path: Path, calibration: Images | None) -> None:
    """Convert `network`.

    Args:
        network: the Keras model.
        path: where to write.
        calibration: (N, 28, 28) uint8, on which the ranges of 8-bit integers are measured; None for
            float32. Input and output are float32 either way.

    Raises `ExportError` where TensorFlow cannot convert it.
    """
    with tempfile.TemporaryDirectory() as folder, silent_stderr(), warnings.catch_warnings():
        for message in _WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=UserWarning)
        saved_model.write(network, Path(folder) / "model")
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder) / "model"))
        try:
            content = converter.convert() if calibration is None else _quantised(converter, calibration)
        except Exception as error:  # the converter has no common base for what it raises
            raise ExportError(
                f"TensorFlow cannot convert the model to LiteRT ({first_line(error)})"
            ) from error
    path.write_bytes(content)


def _quantised(converter: Any, images: Images) -> bytes:
    """Convert to 8-bit integers with weights per channel, all but `_FLOAT_OPERATIONS`."""

    def samples() -> Iterator[list[Floats]]:
        return ([image[None]] for image in network_input(images))

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    # the only public way to leave out operations
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPERATIONS)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=samples, debug_options=options
    )
    content: bytes = debugger.get_nondebug_quantized_model()
    return content


def label(path: Path, metadata: Metadata) -> None:
    """Put what is to be known of the model behind it, as a ZIP archive: LiteRT's place for files."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(METADATA_FILE), as_json(metadata))  # without a date


def load(path: Path) -> ExportedClassifier:
    """Load a file with LiteRT's own interpreter.

    Raises `ModelError` where it is no such file.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with silent_stderr():  # it tells how it computes, the first time
            interpreter = Interpreter(model_content=path.read_bytes(), num_threads=thread_count())
            signature = interpreter.get_signature_runner()
            signature(**{INPUT: np.zeros((1, *INPUT_SHAPE), np.float32)})
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: not a LiteRT model that can be loaded ({first_line(error)})") from error

    def run(images: Floats) -> Floats:
        values: Floats = signature(**{INPUT: images})[OUTPUT]
        return values

    return ExportedClassifier(run, path)
