"""Carrying out a training run, from its settings to trained weights and files."""

import contextlib
import functools
import hashlib
import json
import math
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from digitcli import artifacts, models
from digitcli.config.mnist import CLASSES
from digitcli.config.recipe import Augmentation, Synthesis
from digitcli.datasets import Digits
from digitcli.errors import InterruptedRun, TrainingError
from digitcli.evaluation import plots
from digitcli.evaluation.measuring import evaluate
from digitcli.evaluation.metrics import Evaluation
from digitcli.export.onnx import export_onnx
from digitcli.models.backend import be_deterministic, seed_everything
from digitcli.models.classifier import Classifier, Weights
from digitcli.models.factory import assemble
from digitcli.models.keras_classifier import KerasClassifier
from digitcli.models.precision import PrecisionChoice, choose_precision
from digitcli.models.weight_recovery import restore
from digitcli.recognition import tta
from digitcli.run_record import RunRecord, describe_environment
from digitcli.training import checkpoints, finetuning
from digitcli.training.augmentation import preview
from digitcli.training.calibration import choose_tta, fit_temperature, fit_threshold, with_temperature
from digitcli.training.classification import Classification
from digitcli.training.cluster.distribution import Distribution, join, on_this_machine
from digitcli.training.loop import fit
from digitcli.training.progress import Progress, Reporter
from digitcli.training.tensorboard import TensorBoard, require_tensorboard
from digitcli.training.train import Run
from digitcli.training.training_images import with_synthesis

_REPEATED_OPTIONS = (("init", "model"), ("extra", "file"))  # options, and where the setting has their values


@dataclass(frozen=True)
class RunParameters:
    """How a run is checked and ended.

    Attributes:
        compared_images: validation images that tell whether a model was restored as it was.
        exported_images: validation images on which the ONNX file must agree with Keras.
        shutdown_grace: seconds for which a worker that is done stays within reach of the others.
    """

    compared_images: int = 1_000
    exported_images: int = 1_000
    shutdown_grace: float = 2.0


RUN = RunParameters()


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        run: what was to be computed.
        parameters: of the model, all its networks together.
        progress: its epochs.
        precision: the precision that it was trained in, and why.
        weights_sha256: of all weights; the same on every worker.
        validation, evaluation: of the exported model on the validation and on the test images; none
            where this worker is not the chief.
        onnx_difference: largest difference between the exported model and Keras.
        durations: wall-clock seconds of each part; ``building`` is a part of ``training``.
        files: what was written, in `Run.folder`.
        comparison: with the model that it began with, if any.
    """

    run: Run
    parameters: int
    progress: Progress
    precision: PrecisionChoice
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


def _describe(run: Run, precision: PrecisionChoice, durations: dict[str, float]) -> dict[str, Any]:
    """Return a run as ``run.json`` has it, but for what came of it."""
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


@contextlib.contextmanager
def _timed(durations: dict[str, float], part: str) -> Iterator[None]:
    """Note in `durations` how many seconds a part took."""
    start = time.perf_counter()
    try:
        yield
    finally:
        durations[part] = time.perf_counter() - start


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


def _execute(
    run: Run, distribution: Distribution, durations: dict[str, float], report: Reporter
) -> RunResult:
    seed_everything(run.recipe.seed)
    if run.settings.deterministic:
        be_deterministic()
    init: list[Weights] = []
    if run.initial_model:
        report.stage(f"Taking the weights of {run.initial_model.name}")
        with _timed(durations, "restoring"):
            few = run.split.validation.part(0, min(RUN.compared_images, len(run.split.validation)))
            init = restore(run.initial_model.file, run.initial_model.recipe, few)
    if run.extra is not None:
        run = replace(run, split=finetuning.mix(run.split, run.extra, run.recipe.seed))
    if run.recipe.synthesis != Synthesis():
        report.stage("Drawing more digits to train on")
        with _timed(durations, "synthesis"):
            train = with_synthesis(run.split.train, run.recipe.synthesis, run.recipe.seed)
        run = replace(run, split=replace(run.split, train=train))
    progress = run.checkpoint.progress if run.checkpoint else Progress()
    with distribution.noticing_losses():
        precision = _choose(run, distribution, durations)
    report.stage(f"Training in {precision.precision} ({precision.reason})")
    try:
        with distribution.noticing_losses():
            with _timed(durations, "training"):
                fit(
                    run.recipe,
                    Classification(run.recipe, run.split),
                    progress,
                    report,
                    distribution=distribution,
                    precision=precision.precision,
                    budget=run.settings.time_budget,
                    init=init,
                    save=_saver(run, distribution, precision),
                )
            durations |= {"training": progress.seconds, "building": progress.building}
            digest = _agreed_digest(distribution, progress.weights())
        if not distribution.is_chief:
            time.sleep(RUN.shutdown_grace)  # the others may still be taking what this worker sent last
            return RunResult(run, 0, progress, precision, digest, None, None, 0.0, durations, ())
        return _deliver(run, progress, init, precision, digest, durations, report)
    except KeyboardInterrupt:
        raise _keep_interrupted(run, distribution, progress, precision, durations) from None


def _saver(run: Run, distribution: Distribution, precision: PrecisionChoice) -> Callable[[Progress], None]:
    """Return what keeps a checkpoint: the chief's business alone."""
    if not distribution.is_chief:
        return lambda _: None
    return functools.partial(checkpoints.save, run.folder, run.settings, precision.precision)


def _choose(run: Run, distribution: Distribution, durations: dict[str, float]) -> PrecisionChoice:
    """Settle the precision: the checkpoint's, else the same on every worker."""
    if run.checkpoint and run.recipe.precision == "auto":
        return PrecisionChoice(run.checkpoint.precision, "as in the checkpoint")
    with _timed(durations, "probe"):
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
    durations: dict[str, float],
) -> InterruptedRun:
    if not progress.epochs:
        return InterruptedRun("Stopped before the first epoch was complete; nothing was kept or replaced")
    if not distribution.is_chief:
        return InterruptedRun(
            f"Worker {distribution.task} stopped; the chief, worker 0, keeps the checkpoint"
        )
    _saver(run, distribution, precision)(progress)  # the last epoch's may not have been written yet
    folder = run.folder / artifacts.INTERRUPTED
    with artifacts.replacing(folder, is_last=True) as files:
        assemble(run.recipe, progress.weights()).save(files.path(artifacts.KERAS_MODEL))
        files.write_json(artifacts.HISTORY, progress.history())
        RunRecord.model_validate(_describe(run, precision, durations)).write(files)
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
    return "".join(f" --{option} {shlex.quote(value)}" for option, value in told if value)


def _deliver(
    run: Run,
    progress: Progress,
    init: list[Weights],
    precision: PrecisionChoice,
    digest: str,
    durations: dict[str, float],
    report: Reporter,
) -> RunResult:
    """Calibrate and export what was trained, read the test images, draw, and replace an earlier run's files.

    Args:
        run: what was to be computed.
        progress: its epochs and weights.
        init: the weights that it began with, if those of a model.
        precision: the precision that it was trained in.
        digest: the SHA-256 of all weights.
        durations: seconds of each part so far; the parts of this are added.
        report: hears how it goes.

    Raises `ExportError` where the exported model reads differently, `TrainingError` where a model that was
    corrected has forgotten what it knew; the earlier run's files stay.
    """
    temperature = _fit_temperature(run, progress.weights())
    network = assemble(run.recipe, [with_temperature(weights, temperature) for weights in progress.weights()])
    classifier = KerasClassifier(network)
    threshold = fit_threshold(choose_tta(classifier, run.split.validation))
    with artifacts.replacing(run.folder, is_last=True) as files:
        report.stage("Exporting to ONNX and checking it against Keras")
        with _timed(durations, "export"):
            network.save(files.path(artifacts.KERAS_MODEL))
            model = files.path(artifacts.MODEL)
            checked = run.split.validation.images[: RUN.exported_images]
            difference = export_onnx(network, model, checked, threshold, uses_tta=classifier.uses_tta)
        report.stage("Reading the test images")
        with _timed(durations, "test"):
            # The test set is read here, once; nothing above has seen it.
            data, name = run.settings.data["name"], str(run.folder / artifacts.MODEL)
            exported = models.load(model)
            validation = evaluate(exported, run.split.validation, data=data, model=name)
            result = evaluate(exported, run.split.test, data=data, model=name)
            comparison = _compare(run, init, exported, validation, result) if init else None
        report.stage("Drawing")
        with _timed(durations, "drawing"):
            history = progress.history()
            pictures = {
                artifacts.LOSS: plots.curves(history, "loss", result.loss),
                artifacts.ACCURACY: plots.curves(history, "accuracy", result.accuracy),
                artifacts.SAMPLES: plots.samples(run.split.train),
            }
            if run.recipe.augmentation != Augmentation():
                shown = preview(run.split.train, run.recipe.augmentation, run.recipe.seed)
                pictures[artifacts.AUGMENTATION] = plots.augmentation(*shown)
            for picture, figure in pictures.items():
                files.write(picture, plots.png(figure))
        files.write_json(artifacts.HISTORY, history)
        files.write_json(artifacts.METRICS, result.as_json())
        description = _describe(run, precision, durations) | {
            "parameters": network.count_params(),
            "weights_sha256": digest,
            "calibration": {
                "temperature": temperature,
                "threshold": threshold,
                "test_time_augmentation": classifier.uses_tta,
            },
            "validation": {"accuracy": validation.accuracy, "loss": validation.loss},
            "onnx": {"largest_difference": difference, "model_bytes": model.stat().st_size},
        }
        if comparison:
            description["comparison"] = asdict(comparison)
        RunRecord.model_validate(description).write(files)
        written = files.names()
        # pictures of the model being replaced, and what only an unfinished run needs
        for stale in (*artifacts.OF_RESULTS, artifacts.AUGMENTATION, artifacts.CHECKPOINT):
            if stale not in written:
                files.remove(stale)
    return RunResult(
        run,
        network.count_params(),
        progress,
        precision,
        digest,
        validation,
        result,
        difference,
        durations,
        written,
        comparison,
    )


def _compare(
    run: Run, init: list[Weights], exported: Classifier, validation: Evaluation, test: Evaluation
) -> finetuning.Comparison:
    """Compare with the model before; a `TrainingError` where what it knew is forgotten."""
    before = KerasClassifier(assemble(run.recipe, init))
    digits = run.split.validation
    was = float(np.mean(choose_tta(before, digits).argmax(axis=1) == digits.labels))
    finetuning.require_kept(was, validation.accuracy, len(digits))

    def accuracy(classifier: Classifier, digits: Digits) -> float:
        return float(np.mean(tta.predict(classifier, digits.images).argmax(axis=1) == digits.labels))

    corrections = (accuracy(before, run.extra), accuracy(exported, run.extra)) if run.extra else None
    return finetuning.Comparison(
        corrections, (was, validation.accuracy), (accuracy(before, run.split.test), test.accuracy)
    )


def _fit_temperature(run: Run, members: list[Weights]) -> float:
    """Return the temperature that the validation images suggest."""
    digits = run.split.validation
    classifiers = [KerasClassifier(assemble(run.recipe, [weights])) for weights in members]
    return fit_temperature([classifier.predict(digits.images) for classifier in classifiers], digits.labels)
