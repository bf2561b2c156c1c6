"""A training run: what it computes, and what came of it."""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitcli import checkpoints, finetuning
from digitcli.cluster import Cluster
from digitcli.config import Recipe
from digitcli.datasets import Digits, Division
from digitcli.metrics import Evaluation
from digitcli.precision import Choice
from digitcli.preprocessing import CLASSES
from digitcli.progress import Progress
from digitcli.records import Setting, describe_surroundings


@dataclass(frozen=True)
class Run:
    """What a training run computes and where its results go.

    Attributes:
        setting: recipe, data and all else that decides what it computes, as records tell it.
        started: when the command began, as `time.perf_counter` tells it.
        checkpoint: where to go on from.
        cluster: the workers that train together, if more than this process.
        patience: seconds to wait for the other workers.
        tensorboard: write the curves for TensorBoard, too.
        beginning: the trained model whose weights are the first ones, if any.
        extra: labelled drawings to train on beside the rest, for a model that has a beginning.
    """

    recipe: Recipe
    division: Division
    setting: Setting
    folder: Path
    started: float
    checkpoint: checkpoints.Checkpoint | None = None
    cluster: Cluster | None = None
    patience: float = 300.0
    tensorboard: bool = False
    beginning: finetuning.Beginning | None = None
    extra: Digits | None = None


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        parameters: of the model, all its networks together.
        progress: its epochs.
        choice: the arithmetic that it was trained in, and why.
        weights_sha256: of all weights; the same on every worker.
        validation, evaluation: of the exported model on the validation and on the test images; none
            where this worker is not the chief.
        onnx_difference: largest difference between the exported model and Keras.
        durations: wall-clock seconds of each part; ``building`` is a part of ``training``.
        files: what was written, in `Run.folder`.
        comparison: with the model that it began with, if any.
    """

    parameters: int
    progress: Progress
    choice: Choice
    weights_sha256: str
    validation: Evaluation | None
    evaluation: Evaluation | None
    onnx_difference: float
    durations: dict[str, float]
    files: tuple[str, ...]
    comparison: finetuning.Comparison | None = None

    @property
    def learnt_nothing(self) -> bool:
        """Whether the model's validation loss is no better than that of giving every digit a tenth."""
        return self.validation is not None and self.validation.loss >= math.log(CLASSES)


def describe(run: Run, choice: Choice, durations: dict[str, float]) -> dict[str, Any]:
    """Return a run as ``run.json`` has it, but for what came of it."""
    return {
        **describe_surroundings(),
        "recipe": run.setting.recipe,
        "seed": run.recipe.seed,
        "deterministic": run.setting.deterministic,
        "precision": {"trained_in": choice.precision, "reason": choice.reason},
        "time_budget": run.setting.time_budget,
        "workers": len(run.cluster.addresses) if run.cluster else 1,
        "data": {**run.setting.data, "limit": run.setting.limit},
        "durations": {part: round(seconds, 3) for part, seconds in durations.items()},
    }


@contextlib.contextmanager
def timed(durations: dict[str, float], part: str) -> Iterator[None]:
    """Note in `durations` how many seconds a part took."""
    start = time.perf_counter()
    try:
        yield
    finally:
        durations[part] = time.perf_counter() - start
