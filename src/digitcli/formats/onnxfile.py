"""ONNX: a file for ONNX Runtime, on anything from a server to a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from digitcli.errors import ExportError, first_line
from digitcli.formats import sheet
from digitcli.formats.running import BATCH, Floats
from digitcli.preprocessing import Images, network_input

# What has large weights. All else costs little, and in 8 bits some of it would cost accuracy: the scaling
# to 0..1 at the beginning, the softmax and, of several networks, the mean at the end.
_INT8_OPERATIONS = ["Conv", "MatMul", "Gemm"]


def is_int8(path: Path) -> bool:
    """Tell whether an ONNX file computes in 8-bit integers."""
    return any(node.op_type == "QuantizeLinear" for node in onnx.load(path).graph.node)


def quantise(source: Path, path: Path, calibration: Images) -> None:
    """Write an ONNX file anew with convolutions and matrix products in 8-bit integers.

    Args:
        source: float32.
        path: where to write.
        calibration: (N, 28, 28) uint8, on which the ranges are measured.

    Raises `ExportError` where ONNX Runtime cannot do it.
    """
    from onnxruntime import quantization

    class Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = _batches(name, calibration)

        def get_next(self) -> dict[str, Floats] | None:
            return next(self._batches, None)

    model = onnx.load(source)
    name = model.graph.input[0].name
    # the graph is as simple as it gets; without this word the root logger warns that it may not be
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


def _batches(name: str, images: Images) -> Iterator[dict[str, Floats]]:
    for first in range(0, len(images), BATCH):
        yield {name: network_input(images[first : first + BATCH])}


def label(source: Path, path: Path, words: sheet.Sheet) -> None:
    """Write an ONNX file anew with what is to be known of it among its metadata."""
    model: Any = onnx.load(source)
    onnx.helper.set_model_props(model, words)
    onnx.save(model, path)
