"""One training run from data to artifacts: build, train, export, test once, draw, keep."""

import contextlib
import functools
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import artifacts, checkpoints, finetuning, plotting
from digitcli.augmentation import preview
from digitcli.backend import be_deterministic, seed_everything
from digitcli.calibration import (
    fit_temperature,
    fit_threshold,
    with_temperature,
)
from digitcli.cluster import Cluster
from digitcli.config import Augmentation, Recipe, Synthesis
from digitcli.datasets import Digits, Division
from digitcli.distribution import Distribution, join, on_this_machine
from digitcli.errors import InterruptedRun, TrainingError
from digitcli.evaluation import evaluate
from digitcli.export import export_onnx
from digitcli.layers import Weights
from digitcli.metrics import Evaluation
from digitcli.models import KerasReader, assemble
from digitcli.precision import Choice, choose_precision
from digitcli.preprocessing import CLASSES
from digitcli.progress import Progress, Reporter
from digitcli.recognizer import Recognizer
from digitcli.records import Setting, describe_surroundings
from digitcli.restoring import restore
from digitcli.second_look import DigitReader
from digitcli.synthesis import with_synthesis
from digitcli.tensorboard import TensorBoard, require_tensorboard
from digitcli.training import fit

_RESTORED_BY = 1_000  # validation images that tell whether a model was restored as it was
_FAREWELL = 2.0  # seconds for which a worker that is done stays within reach
_EXPORT_CHECK = 1_000  # validation images on which the ONNX file must agree with Keras


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
        with _timed(durations, "restoring"):
            few = run.division.validation.part(0, min(_RESTORED_BY, len(run.division.validation)))
            init = restore(run.beginning.file, run.beginning.recipe, few)
    if run.extra is not None:
        run = replace(run, division=finetuning.mix(run.division, run.extra, run.recipe.seed))
    if run.recipe.synthesis != Synthesis():
        report.stage("Drawing more digits to train on")
        with _timed(durations, "synthesis"):
            train = with_synthesis(run.division.train, run.recipe.synthesis, run.recipe.seed)
        run = replace(run, division=replace(run.division, train=train))
    progress = run.checkpoint.progress if run.checkpoint else Progress()
    with distribution.noticing_losses():
        choice = _choose(run, distribution, durations)
    report.stage(f"Training in {choice.precision} ({choice.reason})")
    try:
        with distribution.noticing_losses():
            with _timed(durations, "training"):
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
        return _finish(run, progress, init, choice, digest, durations, report)
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
    with _timed(durations, "probe"):
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


def _finish(
    run: Run,
    progress: Progress,
    init: list[Weights],
    choice: Choice,
    digest: str,
    durations: dict[str, float],
    report: Reporter,
) -> RunResult:
    temperature = _fit_temperature(run, progress.weights())
    network = assemble(run.recipe, [with_temperature(weights, temperature) for weights in progress.weights()])
    threshold = fit_threshold(KerasReader(network).digits(run.division.validation.images))
    with artifacts.replacing(run.folder) as files:
        report.stage("Exporting to ONNX and checking it against Keras")
        with _timed(durations, "export"):
            network.save(files.path(artifacts.KERAS_MODEL))
            model = files.path(artifacts.MODEL)
            checked = run.division.validation.images[:_EXPORT_CHECK]
            difference = export_onnx(network, model, checked, threshold)
        report.stage("Reading the test images")
        with _timed(durations, "test"):
            # The test set is read here, once; nothing above has seen it.
            data, name = run.setting.data["name"], str(run.folder / artifacts.MODEL)
            recognizer = Recognizer.load(model)
            validation = evaluate(recognizer, run.division.validation, data=data, model=name)
            result = evaluate(recognizer, run.division.test, data=data, model=name)
            comparison = _compare(run, init, recognizer, validation, result) if init else None
        report.stage("Drawing")
        with _timed(durations, "drawing"):
            history = progress.history()
            pictures = {
                artifacts.LOSS: plotting.curves(history, "loss", result.loss),
                artifacts.ACCURACY: plotting.curves(history, "accuracy", result.accuracy),
                artifacts.SAMPLES: plotting.samples(run.division.train),
            }
            if run.recipe.augmentation != Augmentation():
                shown = preview(run.division.train, run.recipe.augmentation, run.recipe.seed)
                pictures[artifacts.AUGMENTATION] = plotting.augmentation(*shown)
            for picture, figure in pictures.items():
                files.write(picture, plotting.png(figure))
        files.write_json(artifacts.HISTORY, history)
        files.write_json(artifacts.METRICS, result.as_json())
        description = _describe(run, choice, durations) | {
            "parameters": network.count_params(),
            "weights_sha256": digest,
            "calibration": {"temperature": temperature, "threshold": threshold},
            "validation": {"accuracy": validation.accuracy, "loss": validation.loss},
            "onnx": {"largest_difference": difference, "model_bytes": model.stat().st_size},
        }
        if comparison:
            description["comparison"] = asdict(comparison)
        files.write_json(artifacts.RUN, description)
        written = files.names()
        # pictures of the model being replaced, and what only an unfinished run needs
        for stale in (*artifacts.OF_RESULTS, artifacts.AUGMENTATION, artifacts.CHECKPOINT):
            if stale not in written:
                files.remove(stale)
    return RunResult(
        network.count_params(),
        progress,
        choice,
        digest,
        validation,
        result,
        difference,
        durations,
        written,
        comparison,
    )


def _compare(
    run: Run, init: list[Weights], recognizer: Recognizer, validation: Evaluation, test: Evaluation
) -> finetuning.Comparison:
    """Compare with the model before; a `TrainingError` where what it knew is forgotten."""
    before = KerasReader(assemble(run.recipe, init))

    def accuracy(reader: DigitReader, digits: Digits) -> float:
        return float(np.mean(reader.digits(digits.images).argmax(axis=1) == digits.labels))

    was = accuracy(before, run.division.validation)
    finetuning.require_kept(was, validation.accuracy, len(run.division.validation))
    corrections = (accuracy(before, run.extra), accuracy(recognizer, run.extra)) if run.extra else None
    return finetuning.Comparison(
        corrections, (was, validation.accuracy), (accuracy(before, run.division.test), test.accuracy)
    )


def _fit_temperature(run: Run, members: list[Weights]) -> float:
    """Return the temperature that the validation images suggest."""
    digits = run.division.validation
    readers = [KerasReader(assemble(run.recipe, [weights])) for weights in members]
    return fit_temperature([reader.network(digits.images) for reader in readers], digits.labels)


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
        files.write_json(artifacts.RUN, _describe(run, choice, durations))
    done, planned = len(progress.epochs), run.recipe.epochs * run.recipe.members
    of = f" of {planned}" if run.setting.time_budget is None else ""
    return InterruptedRun(
        f"Stopped after {done}{of} {'epoch' if done == planned == 1 else 'epochs'}; the model as it was then "
        f"is in {folder}, what {run.folder} held before is unchanged; to go on: "
        f"digitcli train --resume{artifacts.option(run.folder)}"
    )


def _describe(run: Run, choice: Choice, durations: dict[str, float]) -> dict[str, Any]:
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
def _timed(durations: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        durations[part] = time.perf_counter() - start
