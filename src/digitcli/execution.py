"""Carrying out a training run: gather workers, begin or go on, train, deliver, or keep what there is."""

import contextlib
import functools
import hashlib
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from digitcli import artifacts, checkpoints, finetuning
from digitcli.backend import be_deterministic, seed_everything
from digitcli.config import Synthesis
from digitcli.delivery import deliver
from digitcli.distribution import Distribution, join, on_this_machine
from digitcli.errors import InterruptedRun, TrainingError
from digitcli.layers import Weights
from digitcli.models import assemble
from digitcli.precision import Choice, choose_precision
from digitcli.progress import Progress, Reporter
from digitcli.restoring import restore
from digitcli.runs import Run, RunResult, describe, timed
from digitcli.synthesis import with_synthesis
from digitcli.tensorboard import TensorBoard, require_tensorboard
from digitcli.training import fit

_RESTORED_BY = 1_000  # validation images that tell whether a model was restored as it was
_SAID_AGAIN = (("init", "model"), ("extra", "file"))  # options, and where the setting has their values
_FAREWELL = 2.0  # seconds for which a worker that is done stays within reach


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
    doing = json.dumps([asdict(run.setting), done], sort_keys=True)
    return join(run.cluster, hashlib.sha256(doing.encode()).hexdigest(), run.patience)


def _execute(
    run: Run, distribution: Distribution, durations: dict[str, float], report: Reporter
) -> RunResult:
    seed_everything(run.recipe.seed)
    if run.setting.deterministic:
        be_deterministic()
    init: list[Weights] = []
    if run.beginning:
        report.stage(f"Taking the weights of {run.beginning.name}")
        with timed(durations, "restoring"):
            few = run.division.validation.part(0, min(_RESTORED_BY, len(run.division.validation)))
            init = restore(run.beginning.file, run.beginning.recipe, few)
    if run.extra is not None:
        run = replace(run, division=finetuning.mix(run.division, run.extra, run.recipe.seed))
    if run.recipe.synthesis != Synthesis():
        report.stage("Drawing more digits to train on")
        with timed(durations, "synthesis"):
            train = with_synthesis(run.division.train, run.recipe.synthesis, run.recipe.seed)
        run = replace(run, division=replace(run.division, train=train))
    progress = run.checkpoint.progress if run.checkpoint else Progress()
    with distribution.noticing_losses():
        choice = _choose(run, distribution, durations)
    report.stage(f"Training in {choice.precision} ({choice.reason})")
    try:
        with distribution.noticing_losses():
            with timed(durations, "training"):
                fit(
                    run.recipe,
                    run.division,
                    progress,
                    report,
                    distribution=distribution,
                    precision=choice.precision,
                    budget=run.setting.time_budget,
                    init=init,
                    save=_saver(run, distribution, choice),
                )
            durations |= {"training": progress.seconds, "building": progress.building}
            digest = _agreed_digest(distribution, progress.weights())
        if not distribution.is_chief:
            time.sleep(_FAREWELL)  # the others may still be taking what this worker sent last
            return RunResult(0, progress, choice, digest, None, None, 0.0, durations, ())
        return deliver(run, progress, init, choice, digest, durations, report)
    except KeyboardInterrupt:
        raise _keep_interrupted(run, distribution, progress, choice, durations) from None


def _saver(run: Run, distribution: Distribution, choice: Choice) -> Callable[[Progress], None]:
    """Return what keeps a checkpoint: the chief's business alone."""
    if not distribution.is_chief:
        return lambda _: None
    return functools.partial(checkpoints.save, run.folder, run.setting, choice.precision)


def _choose(run: Run, distribution: Distribution, durations: dict[str, float]) -> Choice:
    """Settle the precision: the checkpoint's, else the same on every worker."""
    if run.checkpoint and run.recipe.precision == "auto":
        return Choice(run.checkpoint.precision, "as in the checkpoint")
    with timed(durations, "probe"):
        choice = choose_precision(run.recipe, deterministic=run.setting.deterministic)
    if not distribution.agree_all(choice.precision == "bfloat16") and choice.precision == "bfloat16":
        return Choice("float32", "another worker does not train in bfloat16")
    return choice


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
    run: Run, distribution: Distribution, progress: Progress, choice: Choice, durations: dict[str, float]
) -> InterruptedRun:
    if not progress.epochs:
        return InterruptedRun("Stopped before the first epoch was complete; nothing was kept or replaced")
    if not distribution.is_chief:
        return InterruptedRun(
            f"Worker {distribution.task} stopped; the chief, worker 0, keeps the checkpoint"
        )
    _saver(run, distribution, choice)(progress)  # the last epoch's may not have been written yet
    folder = run.folder / artifacts.INTERRUPTED
    with artifacts.replacing(folder) as files:
        assemble(run.recipe, progress.weights()).save(files.path(artifacts.KERAS_MODEL))
        files.write_json(artifacts.HISTORY, progress.history())
        files.write_json(artifacts.RUN, describe(run, choice, durations))
    done, planned = len(progress.epochs), run.recipe.epochs * run.recipe.members
    of = f" of {planned}" if run.setting.time_budget is None else ""
    return InterruptedRun(
        f"Stopped after {done}{of} {'epoch' if done == planned == 1 else 'epochs'}; the model as it was then "
        f"is in {folder}, what {run.folder} held before is unchanged; to go on: "
        f"digitcli train --resume{_beginning(run)}{artifacts.option(run.folder)}"
    )


def _beginning(run: Run) -> str:
    """Return the options that must be said again to go on, with a space before each."""
    told = ((option, run.setting.data.get(option, {}).get(key)) for option, key in _SAID_AGAIN)
    return "".join(f" --{option} {shlex.quote(value)}" for option, value in told if value)
