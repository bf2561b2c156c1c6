"""How a model came to be, as ``run.json`` and checkpoints tell it."""

import contextlib
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from digitcli import __version__
from digitcli.config import Recipe
from digitcli.datasets import Division

_PACKAGES = ("tensorflow", "keras", "numpy", "onnx", "onnxruntime", "tf2onnx", "opencv-python", "matplotlib")


@dataclass(frozen=True)
class Setting:
    """What must be the same for a run to go on as if it had never stopped.

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


def describe_recipe(name: str, recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as it was used, with its name."""
    return {"name": name, **recipe.model_dump(mode="json")}


def describe_data(division: Division) -> dict[str, Any]:
    """Return what the images were."""
    return {
        "name": division.name,
        "sha256": division.sha256,
        "train": len(division.train),
        "validation": len(division.validation),
        "test": len(division.test),
    }


def describe_surroundings() -> dict[str, Any]:
    """Return the versions, the machine and the time."""
    return {
        "digitcli": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": {package: installed(package) for package in _PACKAGES},
        "machine": {
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def installed(package: str) -> str | None:
    """Return a package's version, if it is there under this name."""
    try:
        return version(package)
    except PackageNotFoundError:  # the same library can come under another name, as tensorflow-cpu
        return None


def _processor() -> str:
    """The processor's model name where the system tells it, else its architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
