"""Carrying out a training run, from its settings to trained weights and files."""

import contextlib
import functools
import hashlib
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from digitcli import artifacts
from digitcli.config.recipe import DetectorRecipe, Recipe
from digitcli.datasets import Split
from digitcli.errors import InterruptedRun, TrainingError
from digitcli.models.backend import be_deterministic, seed_everything
from digitcli.models.classifier import Probabilities, Weights
from digitcli.models.factory import assemble
from digitcli.models.precision import PrecisionChoice, choose_precision
from digitcli.run_record import RunRecord
from digitcli.training import checkpoints
from digitcli.training.classifier_job import ClassifierJob
from digitcli.training.cluster.distribution import Distribution, join, on_this_machine
from digitcli.training.cross_validation import cross_validate
from digitcli.training.detector_job import DetectorJob
from digitcli.training.job import Durations, Job, RunResult, Trained, describe, timed
from digitcli.training.loop import fit
from digitcli.training.progress import Progress, Reporter
from digitcli.training.tensorboard import TensorBoard, require_tensorboard
from digitcli.training.train import Run

# options, and where the setting has their values
_REPEATED_OPTIONS = (("init", "model"), ("extra", "file"), ("exclude", "file"))


@dataclass(frozen=True)
class RunParameters:
    """How a run is ended.

    Attributes:
        shutdown_grace: seconds for which a worker that is done stays within reach of the others.
    """

    shutdown_grace: float = 2.0


RUN = RunParameters()


def execute(run: Run, report: Reporter) -> RunResult:
    """Carry out a run; its files replace those of an earlier one together, at the end.

    Raises `TrainingError`, `ExportError`, or `InterruptedRun` after Ctrl-C, with the last complete
    epoch kept in the folder ``interrupted``.
    """
    durations = {"loading": time.perf_counter() - run.started}
    if run.tensorboard:
        require_tensorboard()
    distribution = _gather(run)
    with contextlib.ExitStack() as stack:
        if run.tensorboard and distribution.is_chief:
            report = stack.enter_context(TensorBoard(run.folder, report))
        return _execute(run, distribution, durations, report)


def _gather(run: Run) -> Distribution:
    if run.cluster is None:
        return on_this_machine(run.recipe.batch_size)
    done = len(run.checkpoint.progress.epochs) if run.checkpoint else 0
    doing = json.dumps([asdict(run.settings), done], sort_keys=True)
    return join(run.cluster, hashlib.sha256(doing.encode()).hexdigest(), run.cluster_wait)


def _execute(run: Run, distribution: Distribution, durations: Durations, report: Reporter) -> RunResult:
    seed_everything(run.recipe.seed)
    if run.settings.deterministic:
        be_deterministic()
    job = _job(run)
    progress = run.checkpoint.progress if run.checkpoint else Progress()
    # until it is settled, for what a run that is interrupted before keeps of its checkpoint
    precision = PrecisionChoice(run.checkpoint.precision if run.checkpoint else "float32", "not settled")
    try:
        with job.prepared(durations, report) as task, distribution.noticing_losses():
            precision = _choose(run, distribution, durations)
            report.stage(f"Training in {precision.precision} ({precision.reason})")
            with timed(durations, "training"):
                fit(
                    run.recipe,
                    task,
                    progress,
                    report,
                    distribution=distribution,
                    precision=precision.precision,
                    budget=run.settings.time_budget,
                    init=job.init,
                    save=_saver(run, distribution, precision),
                )
            durations |= {"training": progress.seconds, "building": progress.building}
            digest = _agreed_digest(distribution, progress.weights())
        if not distribution.is_chief:
            time.sleep(RUN.shutdown_grace)  # the others may still be taking what this worker sent last
            return RunResult(run, 0, progress, precision, digest, durations)
        result = job.deliver(Trained(progress, precision, digest, durations), report)
    except KeyboardInterrupt:
        raise _keep_interrupted(run, distribution, progress, precision, durations) from None
    if run.folds is None or not isinstance(run.recipe, Recipe):
        return result
    return _with_folds(result, run.recipe, run.folds, distribution, report)


def _with_folds(
    result: RunResult, recipe: Recipe, count: int, distribution: Distribution, report: Reporter
) -> RunResult:
    """Cross-validate with a run's recipe and write the readings beside its files."""
    run = result.run

    def read_fold(split: Split) -> Probabilities:
        job, progress = ClassifierJob(replace(run, split=split), recipe), Progress()
        with job.prepared({}, report) as task:
            fit(
                recipe,
                task,
                progress,
                report,
                distribution=distribution,
                precision=result.precision.precision,
                budget=run.settings.time_budget,
            )
        return job.read_test_images(progress.weights())

    try:
        with timed(result.durations, "cross_validation"):
            found = cross_validate(run.split, count, read_fold, report)
        found.write(run.folder)
    except KeyboardInterrupt:
        raise InterruptedRun(
            f"Stopped before all {count} folds were read; the model in {run.folder} is complete, "
            f"{artifacts.FOLDS} was not written"
        ) from None
    return replace(result, files=(*result.files, artifacts.FOLDS), out_of_fold=found)


def _job(run: Run) -> Job:
    if isinstance(run.recipe, DetectorRecipe):
        return DetectorJob(run, run.recipe)
    return ClassifierJob(run, run.recipe)


def _saver(run: Run, distribution: Distribution, precision: PrecisionChoice) -> Callable[[Progress], None]:
    """Return what keeps a checkpoint: the chief's business alone."""
    if not distribution.is_chief:
        return lambda _: None
    return functools.partial(checkpoints.save, run.folder, run.settings, precision.precision)


def _choose(run: Run, distribution: Distribution, durations: Durations) -> PrecisionChoice:
    """Settle the precision: the checkpoint's, else the same on every worker."""
    if run.checkpoint and run.recipe.precision == "auto":
        return PrecisionChoice(run.checkpoint.precision, "as in the checkpoint")
    with timed(durations, "probe"):
        precision = choose_precision(run.recipe, deterministic=run.settings.deterministic)
    if not distribution.agree_all(precision.precision == "bfloat16") and precision.precision == "bfloat16":
        return PrecisionChoice("float32", "another worker does not train in bfloat16")
    return precision


def _agreed_digest(distribution: Distribution, members: list[Weights]) -> str:
    """Return the SHA-256 of all weights; a `TrainingError` where a worker has others."""
    digest = hashlib.sha256()
    for value in (value for weights in members for value in weights):
        digest.update(np.ascontiguousarray(value).tobytes())
    number = float(int.from_bytes(digest.digest()[:4], "big"))
    if distribution.agree(number) != number:
        raise TrainingError("the workers ended with different weights; nothing was replaced")
    return digest.hexdigest()


def _keep_interrupted(
    run: Run,
    distribution: Distribution,
    progress: Progress,
    precision: PrecisionChoice,
    durations: Durations,
) -> InterruptedRun:
    if not progress.epochs:
        return InterruptedRun("Stopped before the first epoch was complete; nothing was kept or replaced")
    if not distribution.is_chief:
        return InterruptedRun(
            f"Worker {distribution.task} stopped; the chief, worker 0, keeps the checkpoint"
        )
    _saver(run, distribution, precision)(progress)  # the last epoch's may not have been written yet
    folder, names = run.folder / artifacts.INTERRUPTED, artifacts.OF_TASK[run.recipe.task]
    with artifacts.replacing(folder, is_last=True) as files:
        assemble(run.recipe, progress.weights()).save(files.path(names.keras))
        files.write_json(names.history, progress.history())
        RunRecord.model_validate(describe(run, precision, durations)).write(files, names.run)
    done, planned = len(progress.epochs), run.recipe.epochs * run.recipe.ensemble_size
    of = f" of {planned}" if run.settings.time_budget is None else ""
    return InterruptedRun(
        f"Stopped after {done}{of} {'epoch' if done == planned == 1 else 'epochs'}; the model as it was then "
        f"is in {folder}, what {run.folder} held before is unchanged; to continue: "
        f"digitcli train --resume{_options_to_repeat(run)}{artifacts.option(run.folder)}"
    )


def _options_to_repeat(run: Run) -> str:
    """Return the options that must be repeated to resume, with a space before each."""
    told = ((option, run.settings.data.get(option, {}).get(key)) for option, key in _REPEATED_OPTIONS)
    repeated = "".join(f" --{option} {shlex.quote(value)}" for option, value in told if value)
    return repeated + (f" --cross-validate {run.folds}" if run.folds else "")
