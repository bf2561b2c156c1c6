"""Models of any kind as an ONNX graph, and the graph of one in digitcli's form."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.errors import ModelError, first_line
from digitcli.export.foreign import untrusted
from digitcli.export.onnx import function_as_onnx, write_network
from digitcli.models.classifier import INPUT, INPUT_SHAPE, OUTPUT, Floats, is_hdf5, is_saved_model

_OLDEST = 7  # of the operations of ONNX; before, numbers met arrays in another way
_NEWER = 13  # into which older ones are converted
_BATCH_AXIS = "N"


@dataclass(frozen=True)
class Graph:
    """A network that somebody else made.

    Attributes:
        model: as ONNX, with any number of images in a batch.
        shape: of an image, as it takes it: (28, 28, 1), (1, 28, 28), (28, 28) or (784,).
        dtype: of its input.
    """

    model: onnx.ModelProto
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class InputForm:
    """What a network takes in place of grey values 0..255, ink bright.

    Attributes:
        scale, offset: by which a grey value is multiplied, and what is added then.
        words: both as a user understands them.
        is_unusual: whether it takes more than another range.
    """

    scale: float
    offset: float
    words: str
    is_unusual: bool = False


def as_graph(path: Path, folder: Path) -> Graph:
    """Return a model of any kind as an ONNX graph.

    Args:
        path: a Keras model (``.h5``, ``.hdf5`` or ``.keras``), a SavedModel's folder, or ONNX.
        folder: for files on the way.

    Raises `ModelError` where it would run code, cannot be read, or is no classifier of ten digits.
    """
    untrusted.require_bounded(path)
    if is_saved_model(path):
        untrusted.require_plain_saved_model(path)
        model = _of_saved_model(path)
    elif is_hdf5(path) or path.suffix == ".keras":
        (untrusted.require_plain_hdf5 if is_hdf5(path) else untrusted.require_plain_keras)(path)
        model = _of_keras(path, folder)
    else:
        untrusted.require_plain_onnx(path)
        model = onnx.load(path)
    return _checked(path, model)


def _of_keras(path: Path, folder: Path) -> onnx.ModelProto:
    from digitcli.models.backend import keras

    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports what has been called
        write_network(network, folder / "keras.onnx")
        return onnx.load(folder / "keras.onnx")
    except Exception as error:  # Keras raises whatever a file's content trips over
        raise ModelError(f"{path}: not a Keras model that can be loaded ({first_line(error)})") from error


def _of_saved_model(path: Path) -> onnx.ModelProto:
    from digitcli.models.backend import tf

    try:
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
        (spec,) = signature.structured_input_signature[1].values()
        (output,) = signature.structured_outputs
        untrusted.require_no_files(path, signature.graph.as_graph_def())

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def read(images: Any) -> Any:
            return signature(**{spec.name: images})[output]

        wanted = tf.TensorSpec((None, *spec.shape[1:]), spec.dtype, name="images")
        return function_as_onnx(read, [wanted])
    except ModelError:
        raise
    except Exception as error:  # TensorFlow raises whatever a file's content trips over
        raise ModelError(
            f"{path}: not a SavedModel that can be used ({first_line(error)}); expected the signature "
            "serving_default with one input and one output"
        ) from error


def _checked(path: Path, model: onnx.ModelProto) -> Graph:
    """Return a graph with a free number of images; a `ModelError` where it is no classifier."""
    graph = model.graph
    weights = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ModelError(
            f"{path}: has {len(inputs)} inputs and {len(graph.output)} outputs; expected one of each"
        )
    taken, given = inputs[0].type.tensor_type, graph.output[0].type.tensor_type
    shape = tuple(axis.dim_value for axis in taken.shape.dim[1:])
    if math.prod(shape) != IMAGE_SIZE**2 or not set(shape) <= {1, IMAGE_SIZE, IMAGE_SIZE**2}:
        raise ModelError(
            f"{path}: takes images of shape {shape}; expected {IMAGE_SIZE}x{IMAGE_SIZE} grey values, in any "
            "layout"
        )
    last = given.shape.dim[-1].dim_value if given.shape.dim else 0
    if last not in (0, CLASSES):
        raise ModelError(f"{path}: gives {last} numbers an image; expected {CLASSES}, one a digit")
    dtype = helper.tensor_dtype_to_np_dtype(taken.elem_type)
    if dtype not in (np.float32, np.float64, np.uint8):
        raise ModelError(f"{path}: takes {dtype}; expected decimals or bytes")
    if _version(model) < _OLDEST:
        model = onnx.version_converter.convert_version(model, _NEWER)
        graph = model.graph
    for value in (next(each for each in graph.input if each.name == inputs[0].name), graph.output[0]):
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_param = _BATCH_AXIS
    del graph.value_info[:]  # shapes on the way may have been those of a single image
    return Graph(model, shape, np.dtype(dtype))


def _version(model: onnx.ModelProto) -> int:
    return max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=1)


def as_values(graph: Graph, form: InputForm, images: Floats) -> Any:
    """Return images (N, 28, 28, 1) float32, 0..255, as a network takes them."""
    values = images * np.float32(form.scale) + np.float32(form.offset)
    if graph.dtype == np.uint8:
        values = np.rint(values)
    return values.reshape(-1, *graph.shape).astype(graph.dtype)


def in_our_form(graph: Graph, form: InputForm, gives: str) -> onnx.ModelProto:
    """Return a network that takes and gives what digitcli's own do.

    Args:
        graph: the network.
        form: what it takes.
        gives: ``probabilities``, ``logits`` or ``log-probabilities``.
    """
    # its own names may be digitcli's, too
    model = compose.add_prefix(graph.model, "foreign/")
    inner = model.graph
    weights = {each.name for each in inner.initializer}
    taken = next(each for each in inner.input if each.name not in weights)
    prefix = "digitcli/"
    constants = {
        "scale": np.float32(form.scale),
        "offset": np.float32(form.offset),
        "shape": np.array([-1, *graph.shape], np.int64),
    }
    inner.initializer.extend(
        numpy_helper.from_array(np.asarray(value), prefix + name) for name, value in constants.items()
    )
    is_bytes = graph.dtype == np.uint8
    before = [
        helper.make_node("Mul", [INPUT, prefix + "scale"], [prefix + "scaled"]),
        helper.make_node("Add", [prefix + "scaled", prefix + "offset"], [prefix + "moved"]),
        helper.make_node("Reshape", [prefix + "moved", prefix + "shape"], [prefix + "shaped"]),
        helper.make_node(
            "Cast",
            [prefix + "shaped"],
            [taken.name],
            to=TensorProto.UINT8 if is_bytes else helper.np_dtype_to_tensor_dtype(graph.dtype),
        ),
    ]
    operation = {"probabilities": "Identity", "logits": "Softmax", "log-probabilities": "Exp"}[gives]
    attributes = {"axis": 1} if operation == "Softmax" else {}
    after = [
        helper.make_node("Cast", [inner.output[0].name], [prefix + "given"], to=TensorProto.FLOAT),
        helper.make_node(operation, [prefix + "given"], [OUTPUT], **attributes),
    ]
    nodes = [*before, *inner.node, *after]
    del inner.node[:]
    inner.node.extend(nodes)
    inner.input.remove(taken)
    del inner.output[:]
    inner.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [_BATCH_AXIS, *INPUT_SHAPE]))
    inner.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [_BATCH_AXIS, CLASSES]))
    return model
