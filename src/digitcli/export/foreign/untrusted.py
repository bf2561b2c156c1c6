"""Files from strangers must not run code: each is looked into before anything loads it.

Keras files name the classes that they are made of; older versions of Keras ignore its safe mode for HDF5. A
SavedModel is a TensorFlow program, and an ONNX file may name other files that hold its weights.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitcli.errors import ModelError
from digitcli.models.classifier import SAVED_MODEL

MAX_BYTES = 500_000_000  # of a model and what lies beside it
_MAX_CONFIG = 50_000_000  # characters of a Keras model's configuration
_DEEPEST = 100  # levels of it

# layers of Keras that run whatever a file or a function holds
_RUNNING = frozenset(
    {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFOpLambda", "SlicingOpLambda"}
)
_PLAIN = frozenset({"__tensor__", "__numpy__", "__keras_tensor__", "__bytes__", "__tuple__", "__ellipsis__"})

# operations of a SavedModel: arithmetic on images, variables, and calls of functions made of these
_OPERATIONS = frozenset(
    """
    Add AddN AddV2 AssignVariableOp AvgPool BatchMatMulV2 BiasAdd Cast ConcatV2 Const Conv2D
    DepthwiseConv2dNative DisableCopyOnRead Elu Equal Exp ExpandDims Fill FusedBatchNormV3 Greater
    GreaterEqual Identity IdentityN LeakyRelu Less LessEqual LogSoftmax LogicalAnd LogicalNot LogicalOr
    MatMul Max MaxPool Maximum Mean Min Minimum Mul Neg NoOp Pack Pad PadV2 PartitionedCall Placeholder
    PlaceholderWithDefault Pow Prod Range ReadVariableOp RealDiv Relu Relu6 Reshape ResizeBilinear
    ResizeNearestNeighbor Rsqrt Select SelectV2 Selu Shape Sigmoid Slice Softmax Softplus Softsign Split
    SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall StopGradient StridedSlice Sub
    Sum Tanh Tile Transpose Unpack VarHandleOp VarIsInitializedOp ZerosLike
    """.split()  # noqa: SIM905 - a list of these takes a page
)
# with which TensorFlow itself saves and restores variables; a network that reads images calls none of them
_OF_FILES = frozenset(
    ("MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch", "StringJoin")
)
# what a SavedModel may be made of; resources and files beside it would be set up while it is loaded
_OBJECTS = frozenset(
    ("user_object", "variable", "constant", "function", "bare_concrete_function", "captured_tensor")
)


def require_bounded(path: Path) -> None:
    """Refuse a file or folder that is too large; a `ModelError`."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    size = sum(each.stat().st_size for each in files)
    if size > MAX_BYTES:
        raise ModelError(f"{path}: has {size:,} bytes; at most {MAX_BYTES:,} are read")


def require_plain_hdf5(path: Path) -> None:
    """Refuse an HDF5 file that is no whole Keras model, or would run code; a `ModelError`."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
            has_weights = "layer_names" in file.attrs or "model_weights" in file or "layers" in file
            links = list(_linked(file))
    except OSError as error:
        raise ModelError(f"{path}: cut off, damaged or no HDF5 file; expected a Keras model") from error
    if text is None:
        what = "weights alone" if has_weights else "no Keras model"
        raise ModelError(f"{path}: holds {what}; expected a whole model, as model.save writes it")
    if links:
        raise ModelError(f"{path}: links to another file at {links[0]}; expected weights in the file itself")
    _require_plain_config(path, text.decode() if isinstance(text, bytes) else str(text))


def _linked(group: Any, depth: int = 0) -> Iterator[str]:
    """Give the names below a group that lead out of its file."""
    import h5py

    for name in group:
        kind = group.get(name, getlink=True)
        if isinstance(kind, h5py.ExternalLink):
            yield name
        elif isinstance(kind, h5py.HardLink) and depth < _DEEPEST:
            found = group[name]
            if isinstance(found, h5py.Group):
                yield from _linked(found, depth + 1)
            elif found.external or found.is_virtual:
                yield name


def require_plain_keras(path: Path) -> None:
    """Refuse a ``.keras`` file that would run code; a `ModelError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > _MAX_CONFIG:
                raise ModelError(f"{path}: its configuration is over {_MAX_CONFIG:,} characters long")
            text = archive.read("config.json").decode()
    except ModelError:
        raise
    except Exception as error:  # whatever an archive's content trips over
        raise ModelError(f"{path}: cut off, damaged or no Keras model; expected model.keras") from error
    _require_plain_config(path, text)


def _require_plain_config(path: Path, text: str) -> None:
    if len(text) > _MAX_CONFIG:
        raise ModelError(f"{path}: its configuration is over {_MAX_CONFIG:,} characters long")
    try:
        config = json.loads(text)
        if isinstance(config, dict):
            config.pop("compile_config", None)  # optimizer and losses are not loaded
        _require_plain(path, config, 0)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its configuration is damaged; expected a Keras model") from error


def _require_plain(path: Path, node: Any, depth: int) -> None:
    """Refuse a part of a configuration that is not made of Keras's own classes alone."""
    if depth > _DEEPEST:
        raise ModelError(f"{path}: its configuration is over {_DEEPEST} levels deep")
    if isinstance(node, list):
        for each in node:
            _require_plain(path, each, depth + 1)
    if not isinstance(node, dict):
        return
    name = node.get("class_name")
    if name is not None:
        module, registered = node.get("module"), node.get("registered_name")
        if name in _RUNNING or name in ("__lambda__", "function"):
            raise ModelError(
                f"{path}: holds a {name} layer, which runs code of its maker; expected Keras's own layers"
            )
        is_known = isinstance(name, str) and (name in _PLAIN or _is_of_keras(name))
        is_own = module is None or (isinstance(module, str) and module.split(".")[0] == "keras")
        if not (is_known and is_own and registered in (None, name)):
            raise ModelError(
                f"{path}: holds {registered or name}, a custom object; expected Keras's own layers"
            )
    for each in node.values():
        _require_plain(path, each, depth + 1)


def _is_of_keras(name: str) -> bool:
    """Tell whether Keras itself has a class of that name that a model may be made of."""
    from digitcli.models.backend import keras

    if name in ("Functional", "Sequential", "Model", "DTypePolicy", "Policy"):
        return True
    places = (keras.layers, keras.initializers, keras.regularizers, keras.constraints, keras.activations)
    return any(hasattr(place, name) for place in places)


def require_plain_saved_model(path: Path) -> None:
    """Refuse a SavedModel that has operations other than arithmetic; a `ModelError`."""
    from digitcli.models.backend import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((path / SAVED_MODEL).read_bytes())
    except Exception as error:  # protobuf's errors have no base that is public
        raise ModelError(f"{path}: cut off, damaged or no SavedModel") from error
    for each in saved.meta_graphs:
        kinds = {node.WhichOneof("kind") for node in each.object_graph_def.nodes} - _OBJECTS - {None}
        if kinds or not each.object_graph_def.nodes:
            found = f"holds a {min(kinds)}" if kinds else "is of TensorFlow 1"
            raise ModelError(f"{path}: {found}; expected a network alone, as TensorFlow 2 saves it")
        _require_operations(path, each.graph_def, _OPERATIONS | _OF_FILES)


def require_no_files(path: Path, graph: Any) -> None:
    """Refuse a SavedModel whose network, a graph with all functions that it calls, reads or writes files."""
    _require_operations(path, graph, _OPERATIONS)


def _require_operations(path: Path, graph: Any, allowed: frozenset[str]) -> None:
    functions = {function.signature.name for function in graph.library.function}
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    for node in nodes:
        if node.op not in allowed and node.op not in functions:
            raise ModelError(
                f"{path}: holds the operation {node.op}, which is none of a plain network's; export the "
                "model to ONNX where it was trained"
            )


def require_plain_onnx(path: Path) -> None:
    """Refuse an ONNX file whose weights lie elsewhere than beside it, or that is none; a `ModelError`."""
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's errors have no base that is public
        raise ModelError(f"{path}: cut off, damaged or no ONNX model") from error
    folder = path.parent.resolve()
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key != "location":
                continue
            place = folder / entry.value
            if Path(entry.value).name != entry.value or place.resolve().parent != folder:
                raise ModelError(
                    f"{path}: its weights are to be read from {entry.value}; expected a file beside it"
                )
            if not place.is_file():
                raise ModelError(f"{path}: found no {entry.value} beside it, which holds its weights")
            require_bounded(place)
