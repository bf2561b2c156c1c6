"""Detectors as ONNX files, for pictures of any size."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx

from digitcli import __version__, artifacts
from digitcli.config.detector import FOREGROUND_STRIDE, OUTPUTS
from digitcli.config.marks import MARKS
from digitcli.errors import ExportError, OptionError
from digitcli.export.metadata import Metadata, licence
from digitcli.export.onnx import function_as_onnx
from digitcli.models.detector import (
    CHROMA,
    FOREGROUND,
    GREY,
    OUTPUT_NAMES,
    KerasDetector,
    as_metadata,
    load_detector,
)
from digitcli.run_record import RunRecord

if TYPE_CHECKING:
    from digitcli.models.keras_classifier import Network

_CHECKED = ((64, 96), (160, 128))  # heights and widths of the pictures on which the file is checked
_OTHERS_LICENCES = (
    "Pen strokes: UCI Pen-Based Recognition of Handwritten Digits by E. Alpaydin and F. Alimoglu, CC BY 4.0, "
    "https://doi.org/10.24432/C5MG6K. Letters and printed digits: fonts under the SIL Open Font License 1.1."
)
_TOLERANCE = 1e-3  # of an output before sigmoid and softmax, relative to 1 + its size


def export_detector(network: "Network", path: Path) -> float:
    """Write a detector to `path` and check the file against Keras.

    Args:
        network: the Keras model.
        path: where to write; the caller keeps it only if this returns.

    Returns:
        The largest difference between the two, on pictures of two sizes, relative to 1 + an output's size.

    Raises:
        ExportError: that difference is over 0.001.
    """
    with warnings.catch_warnings():
        # tf2onnx asks NumPy for an attribute that is on its way out
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)
        _write(network, path)
    random = np.random.default_rng(0)
    difference = 0.0
    for height, width in _CHECKED:
        grey = random.integers(256, size=(1, height, width)).astype(np.uint8)
        chroma = random.integers(256, size=(1, height // 2, width // 2)).astype(np.uint8)
        expected = KerasDetector(network).look_at(grey, chroma)
        found = load_detector(path).look_at(grey, chroma)
        for name in OUTPUT_NAMES:
            apart = np.abs(found[name] - expected[name]) / (1 + np.abs(expected[name]))
            difference = max(difference, float(apart.max()))
    if not difference <= _TOLERANCE:  # also where it is NaN
        raise ExportError(
            f"the exported detector differs from the Keras model by {difference:.2g}; expected at most "
            f"{_TOLERANCE:g}; nothing was replaced"
        )
    return difference


def export_file(source: Path, folder: Path) -> tuple[str, float | None]:
    """Write a detector's file for other programs, with what they need to know inside.

    Args:
        source: an ``.onnx`` or ``.keras`` file.
        folder: where ``detector.onnx`` goes; created if need be.

    Returns:
        The file's name, and of a Keras file the largest difference, as `export_detector` does.

    Raises:
        ModelError: a file that is no detector.
        OptionError: a folder that cannot be written to, or that the file is in already.
        ExportError: the file differs from the Keras model.
    """
    name = artifacts.DETECTOR.model
    load_detector(source)
    artifacts.require_room(folder, [name], "the folder", "--output")
    if os.path.exists(folder / name) and source.samefile(folder / name):
        raise OptionError(f"{source}: is the model that is exported; name another folder with --output")
    with artifacts.replacing(folder) as files:
        path, difference = files.path(name), None
        if source.suffix == ".keras":
            from digitcli.models.keras_classifier import load_any_network

            difference = export_detector(load_any_network(source), path)
        else:
            path.write_bytes(source.read_bytes())
        model = onnx.load(path)
        onnx.helper.set_model_props(
            model, _description(RunRecord.beside(source, artifacts.DETECTOR.run) or RunRecord())
        )
        onnx.save(model, path)
    return name, difference


def _description(record: RunRecord) -> Metadata:
    """Return a file's metadata: what digitcli needs, and what others do."""
    data = (record.data.name if record.data else None) or "mnist"
    return {
        **as_metadata(),
        "labels": ",".join(MARKS),
        "input": "grey: float32 (N, H, W, 1), 0 to 255; chroma: float32 (N, H/2, W/2, 1), distances of "
        "colours from the paper's in grey levels; H and W multiples of 16",
        "output": f"stride4, stride8, stride16: float32 (N, H/s, W/s, {OUTPUTS}): presence of a digit, a "
        "symbol, another mark; digits; symbols; offset and logarithms of width and height; foreground: "
        "float32 (N, H/2, W/2, 1); all before sigmoid and softmax",
        **({"recipe": record.recipe_name} if record.recipe_name else {}),
        "trained_on": f"generated pages; digits of {data}, of pen strokes and of fonts among them",
        "model_license": f"{licence(data)} {_OTHERS_LICENCES}",
        "made_by": f"digitcli {__version__}",
    }


def _write(network: "Network", path: Path) -> None:
    from digitcli.models.backend import tf

    signature = [tf.TensorSpec((None, None, None, 1), tf.float32, name=name) for name in (GREY, CHROMA)]
    function = tf.function(
        lambda grey, chroma: network({GREY: grey, CHROMA: chroma}, training=False), input_signature=signature
    )
    model = function_as_onnx(function, signature)
    for value in (*model.graph.input, *model.graph.output):
        side = "" if value.name == GREY else f"/{_stride(value.name)}"
        for place, symbol in enumerate(("N", f"H{side}", f"W{side}")):
            value.type.tensor_type.shape.dim[place].dim_param = symbol
    onnx.helper.set_model_props(model, as_metadata())
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _stride(name: str) -> int:
    return FOREGROUND_STRIDE if name in (CHROMA, FOREGROUND) else int(name.removeprefix("stride"))
