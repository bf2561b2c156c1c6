"""Checkpoints: a run's complete state after an epoch, in one file, from which it can resume."""

import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from digitcli import artifacts
from digitcli.config.recipe import MAX_ENSEMBLE_SIZE, AnyRecipe, parse_recipe
from digitcli.config.validation import Table
from digitcli.errors import InputError, MissingError, OptionError, first_line
from digitcli.models.classifier import Weights
from digitcli.training.progress import Arrays, Epoch, Progress

_HEADER = "header"
_SHOWN = 12  # differences


@dataclass(frozen=True)
class RunSettings:
    """What must be the same for a run to continue as if it had never stopped.

    Attributes:
        recipe: the recipe's name and values, as JSON has them.
        data: name, SHA-256 and counts of the images.
        limit: on training images.
        deterministic: whether the run is to give the same bits again.
        time_budget: seconds of training.
    """

    recipe: dict[str, Any]
    data: dict[str, Any]
    limit: int | None
    deterministic: bool
    time_budget: float | None


class _Header(Table):
    format: Literal[1]
    settings: RunSettings
    precision: Literal["float32", "bfloat16"]
    epochs: list[dict[str, int | float]]  # as in the history
    seconds: float
    members: int = Field(ge=0, le=MAX_ENSEMBLE_SIZE)


@dataclass(frozen=True)
class Checkpoint:
    """An unfinished run: how it was set, the arithmetic it is trained in, how far it came."""

    settings: RunSettings
    precision: str
    progress: Progress

    @property
    def recipe_name(self) -> str:
        """The recipe's name."""
        return str(self.settings.recipe["name"])

    @property
    def recipe(self) -> AnyRecipe:
        """The recipe as it was used; an `InputError` where it is none."""
        return _parse_recipe(self.settings)


def save(folder: Path, settings: RunSettings, precision: str, progress: Progress) -> None:
    """Write the checkpoint of a run to `folder`, in place of an earlier one."""
    header = _Header.model_validate(
        {
            "format": 1,
            "settings": settings,
            "precision": precision,
            "epochs": [epoch.row() for epoch in progress.epochs],
            "seconds": progress.seconds,
            "members": len(progress.members),
        }
    )
    arrays: Arrays = {_HEADER: np.frombuffer(json.dumps(header.model_dump()).encode(), np.uint8)}
    arrays |= {f"state/{name}": value for name, value in progress.state.items()}
    for prefix, weights in _named(progress):
        arrays |= {f"{prefix}/{place}": value for place, value in enumerate(weights)}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    with artifacts.replacing(folder) as files:
        files.write(artifacts.OF_TASK[_parse_recipe(settings).task].checkpoint, content.getvalue())


def load(folder: Path, task: str = "classify") -> Checkpoint:
    """Read the checkpoint in `folder`.

    Args:
        folder: of the unfinished run.
        task: of its recipe.

    Raises `MissingError` where there is none, `InputError` where it is damaged.
    """
    path = folder / artifacts.OF_TASK[task].checkpoint
    if not os.path.isfile(path):
        raise MissingError(
            f"{path}: no checkpoint to resume; a run has one from its first complete epoch "
            "until it is finished"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise ValueError("compressed")  # ours are not, and nothing in them grows by reading
        with np.load(path, allow_pickle=False) as archive:
            arrays: Arrays = {name: archive[name] for name in archive.files}
        header = _Header.model_validate_json(arrays.pop(_HEADER).tobytes(), strict=True)
        progress = Progress(
            epochs=[Epoch.from_row(row) for row in header.epochs],
            members=[_weights(arrays, f"member/{place}") for place in range(header.members)],
            kept=_weights(arrays, "kept"),
            state={name.removeprefix("state/"): v for name, v in arrays.items() if name.startswith("state/")},
            seconds=header.seconds,
        )
        if any(value.dtype != np.float32 for weights in progress.weights() for value in weights):
            raise ValueError("weights that are not float32")
        if not np.isfinite([value for epoch in progress.epochs for value in epoch.row().values()]).all():
            raise ValueError("numbers that are not finite")
        checkpoint = Checkpoint(_with_defaults(header.settings), header.precision, progress)
        _ = checkpoint.recipe_name
    except Exception as error:  # NumPy and zipfile raise whatever the file's content trips over
        raise InputError(f"{path}: not a checkpoint that can be read ({first_line(error)})") from error
    return checkpoint


def require_same(found: RunSettings, wanted: RunSettings) -> None:
    """Raise an `OptionError` that names the differences between a checkpoint's settings and a run's."""
    one, other = _flat(asdict(found)), _flat(asdict(wanted))
    different = [
        f"  {name}: {one.get(name)!r} in the checkpoint, {other.get(name)!r} now"
        for name in one | other
        if one.get(name) != other.get(name)
    ]
    if len(different) > _SHOWN:
        different = [*different[:_SHOWN], f"  and {len(different) - _SHOWN} more"]
    if different:
        advice = "resume with its options, or start again without --resume"
        raise OptionError("\n".join([f"the checkpoint is of another run; {advice}", *different]))


def _with_defaults(settings: RunSettings) -> RunSettings:
    """Return settings whose recipe has the keys, too, that recipes did not know when they were written."""
    values = {**settings.recipe, **_parse_recipe(settings).model_dump(mode="json")}
    return replace(settings, recipe=values)


def _parse_recipe(settings: RunSettings) -> AnyRecipe:
    values = {key: value for key, value in settings.recipe.items() if key != "name"}
    return parse_recipe(values, "the checkpoint's recipe")


def _named(progress: Progress) -> list[tuple[str, Weights]]:
    members = [(f"member/{place}", weights) for place, weights in enumerate(progress.members)]
    return [*members, ("kept", progress.kept)]


def _weights(arrays: Arrays, prefix: str) -> Weights:
    count = sum(name.startswith(f"{prefix}/") for name in arrays)
    return [arrays[f"{prefix}/{place}"] for place in range(count)]


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """``{"a": {"b": [1]}}`` becomes ``{"a b 1": 1}``: a name for every single value."""
    if isinstance(value, list | tuple):
        value = {str(place): part for place, part in enumerate(value, start=1)}
    if not isinstance(value, dict):
        return {name: value}
    leaves = [_flat(inner, f"{name} {part}".strip()) for part, inner in value.items()]
    return {key: leaf for part in leaves for key, leaf in part.items()}
