"""What a model file is, apart from how well it reads: its size, and how it was trained."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitcli import artifacts
from digitcli.errors import ModelError


@dataclass(frozen=True)
class ModelFile:
    """A model file and what lies beside it.

    Attributes:
        path: of the model.
        size: bytes.
        parameters: numbers that training chose; in an ONNX file, what a converter made of them.
        sha256: checksum of the file.
        run: the ``run.json`` beside it, None where there is none that can be read.
    """

    path: Path
    size: int
    parameters: int
    sha256: str
    run: dict[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold, without `run`."""
        return {
            "file": str(self.path),
            "bytes": self.size,
            "parameters": self.parameters,
            "sha256": self.sha256,
        }


def describe(path: Path) -> ModelFile:
    """Describe a model that has been loaded before: nothing of its content is checked."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return ModelFile(
        path=path,
        size=len(content),
        parameters=_keras_parameters(path) if path.suffix == ".keras" else _onnx_parameters(content),
        sha256=hashlib.sha256(content).hexdigest(),
        run=_run_beside(path),
    )


def _onnx_parameters(content: bytes) -> int:
    """Count the decimal numbers that a network holds; whole ones are shapes and places."""
    import onnx  # takes longer than reading a thousand images, and most evaluations need none of it

    graph = onnx.load_model_from_string(content).graph
    return sum(math.prod(each.dims) for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT)


def _keras_parameters(path: Path) -> int:
    from digitcli.models import load_keras_network

    return int(load_keras_network(path).count_params())


def _run_beside(path: Path) -> dict[str, Any] | None:
    try:
        run = artifacts.record_beside(path)
        json.dumps(run, allow_nan=False)
    except (ValueError, RecursionError):  # it holds what JSON cannot
        return None
    return run
