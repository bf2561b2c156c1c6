"""One training run from data to artifacts: build, train, export, test once, draw, keep."""

import contextlib
import math
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from digitcli import __version__, artifacts, plotting
from digitcli.backend import seed_everything
from digitcli.config import Recipe
from digitcli.datasets import Dataset, Division
from digitcli.errors import InterruptedRun
from digitcli.evaluation import evaluate
from digitcli.export import export_onnx
from digitcli.metrics import Evaluation
from digitcli.models import Network, build_network
from digitcli.preprocessing import CLASSES
from digitcli.recognizer import Recognizer
from digitcli.training import Progress, Reporter, fit

_PACKAGES = ("tensorflow", "keras", "numpy", "onnx", "onnxruntime", "tf2onnx", "opencv-python", "matplotlib")
_EXPORT_CHECK = 1_000  # validation images on which the ONNX file must agree with Keras


@dataclass(frozen=True)
class Run:
    """What a training run computes and where its results go."""

    name: str
    recipe: Recipe
    dataset: Dataset
    division: Division
    folder: Path
    limit: int | None = None
    deterministic: bool = False


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        parameters: of the network.
        progress: its epochs.
        evaluation: on the test images, by the exported model.
        onnx_difference: largest difference between the exported model and Keras.
        durations: wall-clock seconds of each part.
        files: what was written, in `Run.folder`.
    """

    parameters: int
    progress: Progress
    evaluation: Evaluation
    onnx_difference: float
    durations: dict[str, float]
    files: tuple[str, ...]

    @property
    def learnt_nothing(self) -> bool:
        """Whether the validation loss is no better than that of giving every digit a tenth."""
        return self.progress.epochs[-1].val_loss >= math.log(CLASSES)


def execute(run: Run, report: Reporter) -> RunResult:
    """Carry out a run; its files replace those of an earlier one together, at the end.

    Raises `TrainingError`, `ExportError`, or `InterruptedRun` after Ctrl-C, with the last complete
    epoch kept in the folder ``interrupted``.
    """
    durations: dict[str, float] = {}
    progress = Progress()
    seed_everything(run.recipe.seed, deterministic=run.deterministic)
    network = build_network(run.recipe)
    try:
        with _timed(durations, "training"):
            fit(network, run.recipe, run.division, progress, report)
        return _finish(run, network, progress, durations, report)
    except KeyboardInterrupt:
        raise _keep_interrupted(run, network, progress, durations) from None


def _finish(
    run: Run, network: Network, progress: Progress, durations: dict[str, float], report: Reporter
) -> RunResult:
    with artifacts.replacing(run.folder) as files:
        report.stage("Exporting to ONNX and checking it against Keras")
        with _timed(durations, "export"):
            network.save(files.path(artifacts.KERAS_MODEL))
            model = files.path(artifacts.MODEL)
            difference = export_onnx(network, model, run.division.validation.images[:_EXPORT_CHECK])
        report.stage("Reading the test images")
        with _timed(durations, "test"):
            # The test set is read here, once; nothing above has seen it.
            name = str(run.folder / artifacts.MODEL)
            result = evaluate(Recognizer.load(model), run.division.test, data=run.dataset.name, model=name)
        report.stage("Drawing")
        with _timed(durations, "drawing"):
            history = progress.history()
            for picture, figure in (
                (artifacts.LOSS, plotting.curves(history, "loss", result.loss)),
                (artifacts.ACCURACY, plotting.curves(history, "accuracy", result.accuracy)),
                (artifacts.SAMPLES, plotting.samples(run.division.train)),
            ):
                files.write(picture, plotting.png(figure))
        files.write_json(artifacts.HISTORY, history)
        files.write_json(artifacts.METRICS, result.as_json())
        description = _describe(run, durations) | {
            "parameters": network.count_params(),
            "onnx": {"largest_difference": difference, "model_bytes": model.stat().st_size},
        }
        files.write_json(artifacts.RUN, description)
        written = files.names()
        for stale in (artifacts.CONFUSION, artifacts.MISTAKES):  # pictures of the model being replaced
            files.remove(stale)
    return RunResult(network.count_params(), progress, result, difference, durations, written)


def _keep_interrupted(
    run: Run, network: Network, progress: Progress, durations: dict[str, float]
) -> InterruptedRun:
    if not progress.epochs:
        return InterruptedRun("Stopped before the first epoch was complete; nothing was kept or replaced")
    folder = run.folder / artifacts.INTERRUPTED
    network.set_weights(progress.weights)
    with artifacts.replacing(folder) as files:
        network.save(files.path(artifacts.KERAS_MODEL))
        files.write_json(artifacts.HISTORY, progress.history())
        files.write_json(artifacts.RUN, _describe(run, durations))
    done = len(progress.epochs)
    return InterruptedRun(
        f"Stopped after {done} of {run.recipe.epochs} epochs; the model as it was then is in "
        f"{folder}, what {run.folder} held before is unchanged"
    )


def _describe(run: Run, durations: dict[str, float]) -> dict[str, Any]:
    """Return what ``run.json`` says of how a model came to be."""
    division = run.division
    return {
        "digitcli": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": {"name": run.name, **run.recipe.model_dump(mode="json")},
        "seed": run.recipe.seed,
        "deterministic": run.deterministic,
        "data": {
            "name": run.dataset.name,
            "sha256": run.dataset.sha256,
            "train": len(division.train),
            "validation": len(division.validation),
            "test": len(division.test),
            "limit": run.limit,
        },
        "packages": {package: _version(package) for package in _PACKAGES},
        "machine": {
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "durations": {part: round(seconds, 3) for part, seconds in durations.items()},
    }


def _version(package: str) -> str | None:
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


@contextlib.contextmanager
def _timed(durations: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        durations[part] = time.perf_counter() - start
