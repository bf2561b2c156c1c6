"""``run.json`` and ``detector-run.json``: how a model was trained, a typed record, written and read here."""

import contextlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from digitcli import __version__, artifacts
from digitcli.errors import InputError

_PACKAGES = ("tensorflow", "keras", "numpy", "onnx", "onnxruntime", "tf2onnx", "opencv-python", "matplotlib")


class _Section(BaseModel):
    """A part of the record; what a later version adds to it is kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class Machine(_Section):
    """Where a run took place."""

    platform: str | None = None
    processor: str | None = None
    cores: int | None = None
    python: str | None = None


class TrainedData(_Section):
    """The images of a run.

    Attributes:
        name: of the data source, as the user named it.
        sha256: checksum of all its images and labels.
        train, validation, test: counts.
        limit: on training images, if there was one.
        orientation, polarity: of the source's images, where they are unusual; see `datasets.form`.
        init, extra: the model that training went on from, and the corrections, if any.
        exclude: the list of images that were not to be trained on, if any.
    """

    name: str | None = None
    sha256: str | None = None
    train: int | None = None
    validation: int | None = None
    test: int | None = None
    limit: int | None = None
    orientation: Literal["upright", "transposed"] | None = None
    polarity: Literal["bright", "dark"] | None = None
    init: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None
    exclude: dict[str, Any] | None = None


class TrainedPrecision(_Section):
    """The arithmetic of a run, ``float32`` or ``bfloat16``, and why."""

    trained_in: str | None = None
    reason: str | None = None


class Calibration(_Section):
    """What was fitted on the validation images.

    Attributes:
        temperature: by which the logits were divided.
        threshold: the confidence below which a mark is rejected as no digit.
        test_time_augmentation: whether images of low confidence get it.
    """

    temperature: float | None = None
    threshold: float | None = Field(default=None, ge=0, lt=1)
    test_time_augmentation: bool = True


class RunRecord(BaseModel):
    """A run, from its recipe to its result; what is not known is None.

    Attributes:
        digitcli: the version.
        finished: when, in UTC.
        recipe: name and values, as JSON has them; `config.recipe.parse_recipe` makes a recipe of them.
        time_budget: seconds of training that were asked for.
        workers: processes that trained together.
        durations: wall-clock seconds of each part.
        parameters: of all networks together.
        weights_sha256: checksum of all weights.
        validation, test, onnx, comparison: figures of the finished model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    digitcli: str | None = None
    finished: str | None = None
    packages: dict[str, str | None] | None = None
    machine: Machine | None = None
    recipe: dict[str, Any] | None = None
    seed: int | None = None
    deterministic: bool | None = None
    precision: TrainedPrecision | None = None
    time_budget: float | None = None
    workers: int | None = None
    data: TrainedData | None = None
    durations: dict[str, float] | None = None
    parameters: int | None = None
    weights_sha256: str | None = None
    calibration: Calibration | None = None
    validation: dict[str, float] | None = None
    test: dict[str, float] | None = None
    onnx: dict[str, float] | None = None
    comparison: dict[str, Any] | None = None

    @classmethod
    def from_mapping(cls, values: dict[str, Any]) -> Self:
        """Return the record that a JSON object holds; what is not as this program writes it is unknown."""
        known = {key: values[key] for key in cls.model_fields if key in values}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            foreign = {detail["loc"][0] for detail in error.errors(include_url=False)}
            return cls.model_validate({key: value for key, value in known.items() if key not in foreign})

    @classmethod
    def read(cls, folder: Path, name: str = artifacts.RUN) -> Self:
        """Read the record in a run's folder; an unknown one where there is no such file.

        Raises `InputError` where the file holds no JSON object.
        """
        path = folder / name
        return cls.from_mapping(artifacts.read_json_object(path)) if os.path.isfile(path) else cls()

    @classmethod
    def beside(cls, model: Path, name: str = artifacts.RUN) -> Self | None:
        """Read the record beside a model file; None where there is none that can be read.

        Whatever else lies beside a model is no part of it. Of a detector, `name` is that of its record.
        """
        try:
            return cls.from_mapping(artifacts.read_json_object(model.parent / name))
        except InputError:
            return None

    def write(self, files: artifacts.Replacement, name: str = artifacts.RUN) -> None:
        """Write the record among the files of a run."""
        files.write_json(name, self.model_dump(mode="json", exclude_unset=True))

    @property
    def recipe_name(self) -> str | None:
        """The name of the recipe, if it is known."""
        name = (self.recipe or {}).get("name")
        return name if isinstance(name, str) else None


def describe_environment() -> dict[str, Any]:
    """Return the versions, the machine and the time, as a `RunRecord` has them."""
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
    """Return a package's version, if it is installed under this name."""
    try:
        return version(package)
    except PackageNotFoundError:  # the same library can come under another name, as tensorflow-cpu
        return None


def _processor() -> str:
    """Return the processor's model name where the system tells it, else its architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
