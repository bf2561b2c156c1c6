"""What a run does for its task, before and after the training itself, and what comes of it."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from digitcli.config.mnist import CLASSES
from digitcli.evaluation.detector_evaluation import DetectorEvaluation
from digitcli.evaluation.metrics import Evaluation
from digitcli.evaluation.out_of_fold import OutOfFold
from digitcli.models.classifier import Weights
from digitcli.models.precision import PrecisionChoice
from digitcli.run_record import describe_environment
from digitcli.training import finetuning
from digitcli.training.progress import Progress, Reporter
from digitcli.training.task import Task

if TYPE_CHECKING:
    from digitcli.training.train import Run

Durations = dict[str, float]  # wall-clock seconds by part

_LEAST_PRECISION = 0.01  # average precision below which a detector has learnt nothing


@dataclass(frozen=True)
class Trained:
    """A training that is complete.

    Attributes:
        progress: its epochs and weights.
        precision: the precision that it was in, and why.
        weights_sha256: of all weights; the same on every worker.
        durations: of its parts; delivering adds its own.
    """

    progress: Progress
    precision: PrecisionChoice
    weights_sha256: str
    durations: Durations


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        run: what was to be computed.
        parameters: of the model, all its networks together.
        progress: its epochs.
        precision: the precision that it was trained in, and why.
        weights_sha256: of all weights; the same on every worker.
        durations: wall-clock seconds of each part; ``building`` is a part of ``training``.
        files: what was written, in `Run.folder`.
        onnx_difference: largest difference between the exported model and Keras.
        validation, evaluation: of an exported classifier on the validation and on the test images; none
            where this worker is not the chief.
        comparison: with the classifier that it began with, if any.
        detection: of an exported detector, on generated pages.
        out_of_fold: how the training images were read in cross-validation, if they were.
    """

    run: "Run"
    parameters: int
    progress: Progress
    precision: PrecisionChoice
    weights_sha256: str
    durations: Durations
    files: tuple[str, ...] = ()
    onnx_difference: float = 0.0
    validation: Evaluation | None = None
    evaluation: Evaluation | None = None
    comparison: finetuning.Comparison | None = None
    detection: DetectorEvaluation | None = None
    out_of_fold: OutOfFold | None = None

    @property
    def learnt_nothing(self) -> bool:
        """Whether a detector finds nothing, or a classifier reads validation images no better than guessing.

        The accuracy tells: after a few steps a classifier may read half of the digits with a loss that is
        still worse than that of ten equal probabilities.
        """
        if self.detection:
            return self.detection.together.average_precision < _LEAST_PRECISION
        return self.validation is not None and self.validation.accuracy_ci95[0] <= 1 / CLASSES


class Job(Protocol):
    """A task's part in a run.

    Attributes:
        init: weights with which each network begins, in place of fresh ones.
    """

    init: list[Weights]

    def prepared(self, durations: Durations, report: Reporter) -> AbstractContextManager[Task]:
        """Give what is to be learned, for as long as it is being learned; durations of parts are added."""

    def deliver(self, trained: Trained, report: Reporter) -> RunResult:
        """Export what was trained, measure it, draw, and replace an earlier run's files.

        Raises `ExportError` where the exported model computes something else; the earlier run's files stay.
        """


@contextlib.contextmanager
def timed(durations: Durations, part: str) -> Iterator[None]:
    """Note in `durations` how many seconds a part took."""
    start = time.perf_counter()
    try:
        yield
    finally:
        durations[part] = time.perf_counter() - start


def describe(run: "Run", precision: PrecisionChoice, durations: Durations) -> dict[str, Any]:
    """Return a run as its record has it, but for what came of it."""
    return {
        **describe_environment(),
        "recipe": run.settings.recipe,
        "seed": run.recipe.seed,
        "deterministic": run.settings.deterministic,
        "precision": {"trained_in": precision.precision, "reason": precision.reason},
        "time_budget": run.settings.time_budget,
        "workers": len(run.cluster.addresses) if run.cluster else 1,
        "data": {**run.settings.data, "limit": run.settings.limit},
        "durations": {part: round(seconds, 3) for part, seconds in durations.items()},
    }
