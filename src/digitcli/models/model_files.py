"""Facts about a model file: its size, and how it was trained."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitcli import artifacts
from digitcli.config.recipe import Recipe, parse_recipe
from digitcli.errors import InputError, ModelError
from digitcli.run_record import RunRecord


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
    from digitcli.models.keras_classifier import load_network

    return int(load_network(path).count_params())


def _run_beside(path: Path) -> dict[str, Any] | None:
    try:
        run = artifacts.read_json_object(path.parent / artifacts.RUN)
        json.dumps(run, allow_nan=False)
    except (InputError, ValueError, RecursionError):  # there is none, or it holds what JSON cannot
        return None
    return run


def training_recipe(path: Path) -> tuple[str, Recipe]:
    """Return name and content of the recipe with which a model file was trained; `InputError` if unknown."""
    record = path.parent / artifacts.RUN
    run = RunRecord.read(path.parent)
    if run.recipe is None:
        raise InputError(
            f"{path}: found no recipe in {record}; expected beside it the run.json of the run that trained it"
        )
    recipe = parse_recipe({key: value for key, value in run.recipe.items() if key != "name"}, str(record))
    if not isinstance(recipe, Recipe):
        raise InputError(f"{record}: is of a detector; expected the record of a classifier")
    return str(run.recipe.get("name", "recipe")), recipe
