"""ONNX: a file for ONNX Runtime, on anything from a server to a browser."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from digitcli.errors import ExportError, first_line
from digitcli.export.metadata import Metadata
from digitcli.models import onnx_classifier
from digitcli.models.classifier import INPUT, OUTPUT, Floats, as_metadata, batches, tolerance
from digitcli.models.onnx_classifier import BATCH_SIZE
from digitcli.preprocessing.mnist_form import Images, network_input

if TYPE_CHECKING:
    from digitcli.models.keras_classifier import Network

_OPERATIONS = 17  # ONNX's version of its operations; runtimes since 2022 have them
# What has large weights. All else costs little, and in 8 bits some of it would cost accuracy: the scaling
# to 0..1 at the beginning, the softmax and, of several networks, the mean at the end.
_INT8_OPERATIONS = ["Conv", "MatMul", "Gemm"]


def export_onnx(
    network: "Network", path: Path, images: Images, threshold: float, *, uses_tta: bool = True
) -> float:
    """Write `network` to `path` and check the file against it.

    Args:
        network: the Keras model.
        path: where to write; the caller keeps it only if this returns.
        images: (N, 28, 28) uint8, real images to compare on.
        threshold: the confidence below which a mark is no digit; kept inside the file.
        uses_tta: whether it is to be used with test-time augmentation; kept there, too.

    Returns:
        The largest difference between the two, over all probabilities of all images.

    Raises:
        ExportError: that difference is over what `tolerance` allows.
    """
    from digitcli.models.keras_classifier import KerasClassifier

    expected = KerasClassifier(network).predict(images)  # Keras exports only what has been called
    write_network(network, path)
    _name_parts(path, as_metadata(threshold, uses_tta=uses_tta))
    difference = float(np.abs(onnx_classifier.load(path).predict(images) - expected).max())
    allowed = tolerance(expected)
    if not difference <= allowed:  # also where it is NaN
        raise ExportError(
            f"the exported ONNX model differs from the Keras model by {difference:.2g} on "
            f"{len(images):,} images; expected at most {allowed:.2g}; nothing was replaced"
        )
    return difference


def write_network(network: "Network", path: Path) -> None:
    """Write a Keras network, which has been called before, as Keras itself exports it."""
    with warnings.catch_warnings():
        # Keras's bridge to tf2onnx asks NumPy for an attribute that is on its way out
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)
        network.export(path, format="onnx", verbose=False)


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


def function_as_onnx(function: Any, signature: list[Any]) -> onnx.ModelProto:
    """Return a TensorFlow function as ONNX.

    Args:
        function: a ``tf.function``.
        signature: specifications of its inputs.
    """
    import tf2onnx

    if not hasattr(np, "object"):  # a name that tf2onnx still uses
        vars(np)["object"] = object
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=_OPERATIONS)
    return model


def metadata(path: Path) -> dict[str, str]:
    """Return the metadata of an ONNX file."""
    return {each.key: each.value for each in onnx.load(path, load_external_data=False).metadata_props}


def is_int8(path: Path) -> bool:
    """Tell whether an ONNX file computes in 8-bit integers."""
    return any(node.op_type == "QuantizeLinear" for node in onnx.load(path).graph.node)


def quantise(source: Path, path: Path, calibration: Images) -> None:
    """Rewrite an ONNX file with convolutions and matrix products in 8-bit integers.

    Args:
        source: float32.
        path: where to write.
        calibration: (N, 28, 28) uint8, on which the ranges are measured.

    Raises `ExportError` where ONNX Runtime cannot do it.
    """
    from onnxruntime import quantization  # slow to import; telemetry is off, see `digitcli.models`

    class Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            inputs = network_input(calibration)
            self._batches = ({name: inputs[batch]} for batch in batches(len(inputs), BATCH_SIZE))

        def get_next(self) -> dict[str, Floats] | None:
            return next(self._batches, None)

    model = onnx.load(source)
    name = model.graph.input[0].name
    # the graph is as simple as it gets; without this mark the root logger warns that it may not be
    quantization.quant_utils.add_pre_process_metadata(model)
    try:
        quantization.quantize_static(
            model,
            path,
            Samples(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=_INT8_OPERATIONS,
            per_channel=True,
            # weights of 7 bits: older processors add two products in 16 bits, which 8 would overflow
            reduce_range=True,
        )
    except Exception as error:  # it has no common base for what it raises
        raise ExportError(
            f"ONNX Runtime cannot convert the model to 8-bit integers ({first_line(error)})"
        ) from error


def label(source: Path, path: Path, metadata: Metadata) -> None:
    """Rewrite an ONNX file with its description in the metadata."""
    model: Any = onnx.load(source)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
