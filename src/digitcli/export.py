"""From a Keras network to an ONNX file that does the same."""

import warnings
from pathlib import Path

import numpy as np
import onnx

from digitcli.errors import ExportError
from digitcli.metrics import TOLERANCE
from digitcli.models import INPUT, OUTPUT, KerasReader, Network
from digitcli.preprocessing import Images
from digitcli.recognizer import Recognizer, as_metadata


def export_onnx(
    network: Network, path: Path, images: Images, threshold: float, *, looks_again: bool = True
) -> float:
    """Write `network` to `path` and check the file against it.

    Args:
        network: the Keras model.
        path: where to write; the caller keeps it only if this returns.
        images: (N, 28, 28) uint8, real images to compare on.
        threshold: the confidence below which a mark is no digit; kept inside the file.
        looks_again: whether it is to be read with a second look; kept there, too.

    Returns:
        The largest difference between the two, over all probabilities of all images.

    Raises:
        ExportError: that difference is over `TOLERANCE`.
    """
    keras_reader = KerasReader(network)
    expected = keras_reader.network(images)  # Keras exports only what has been called
    with warnings.catch_warnings():
        # Keras's bridge to tf2onnx asks NumPy for an attribute that is on its way out
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)
        network.export(path, format="onnx", verbose=False)
    _name_parts(path, as_metadata(threshold, looks_again=looks_again))
    difference = float(np.abs(Recognizer.load(path).network(images) - expected).max())
    if not difference <= TOLERANCE:  # also where it is NaN
        raise ExportError(
            f"the exported ONNX model differs from the Keras model by {difference:.2g} on "
            f"{len(images):,} images; expected at most {TOLERANCE:g}; nothing was replaced"
        )
    return difference


def _name_parts(path: Path, facts: dict[str, str]) -> None:
    """Give input, output and batch axis names that a reader understands, and add what it needs to know."""
    model = onnx.load(path)
    names = {model.graph.input[0].name: INPUT, model.graph.output[0].name: OUTPUT}
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (model.graph.input[0], model.graph.output[0]):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    onnx.save(model, path)
