"""From trained weights to a run's files: calibrated, exported, tested once, drawn, kept."""

from dataclasses import asdict

import numpy as np

from digitcli import artifacts, finetuning, plotting
from digitcli.augmentation import preview
from digitcli.calibration import fit_temperature, fit_threshold, settle_second_look, with_temperature
from digitcli.config import Augmentation
from digitcli.datasets import Digits
from digitcli.evaluation import evaluate
from digitcli.export import export_onnx
from digitcli.layers import Weights
from digitcli.metrics import Evaluation
from digitcli.models import KerasReader, assemble
from digitcli.precision import Choice
from digitcli.progress import Progress, Reporter
from digitcli.recognizer import Recognizer
from digitcli.runs import Run, RunResult, describe, timed
from digitcli.second_look import DigitReader

_EXPORT_CHECK = 1_000  # validation images on which the ONNX file must agree with Keras


def deliver(
    run: Run,
    progress: Progress,
    init: list[Weights],
    choice: Choice,
    digest: str,
    durations: dict[str, float],
    report: Reporter,
) -> RunResult:
    """Calibrate and export what was trained, read the test images, draw, and replace an earlier run's files.

    Args:
        run: what was to be computed.
        progress: its epochs and weights.
        init: the weights that it began with, if those of a model.
        choice: the arithmetic that it was trained in.
        digest: the SHA-256 of all weights.
        durations: seconds of each part so far; the parts of this are added.
        report: hears how it goes.

    Raises `ExportError` where the exported model reads otherwise, `TrainingError` where a model that was
    corrected has forgotten what it knew; the earlier run's files stay.
    """
    temperature = _fit_temperature(run, progress.weights())
    network = assemble(run.recipe, [with_temperature(weights, temperature) for weights in progress.weights()])
    reader = KerasReader(network)
    threshold = fit_threshold(settle_second_look(reader, run.division.validation))
    with artifacts.replacing(run.folder) as files:
        report.stage("Exporting to ONNX and checking it against Keras")
        with timed(durations, "export"):
            network.save(files.path(artifacts.KERAS_MODEL))
            model = files.path(artifacts.MODEL)
            checked = run.division.validation.images[:_EXPORT_CHECK]
            difference = export_onnx(network, model, checked, threshold, looks_again=reader.looks_again)
        report.stage("Reading the test images")
        with timed(durations, "test"):
            # The test set is read here, once; nothing above has seen it.
            data, name = run.setting.data["name"], str(run.folder / artifacts.MODEL)
            recognizer = Recognizer.load(model)
            validation = evaluate(recognizer, run.division.validation, data=data, model=name)
            result = evaluate(recognizer, run.division.test, data=data, model=name)
            comparison = _compare(run, init, recognizer, validation, result) if init else None
        report.stage("Drawing")
        with timed(durations, "drawing"):
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
        description = describe(run, choice, durations) | {
            "parameters": network.count_params(),
            "weights_sha256": digest,
            "calibration": {
                "temperature": temperature,
                "threshold": threshold,
                "second_look": reader.looks_again,
            },
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
    digits = run.division.validation
    was = float(np.mean(settle_second_look(before, digits).argmax(axis=1) == digits.labels))
    finetuning.require_kept(was, validation.accuracy, len(digits))

    def accuracy(reader: DigitReader, digits: Digits) -> float:
        return float(np.mean(reader.digits(digits.images).argmax(axis=1) == digits.labels))

    corrections = (accuracy(before, run.extra), accuracy(recognizer, run.extra)) if run.extra else None
    return finetuning.Comparison(
        corrections, (was, validation.accuracy), (accuracy(before, run.division.test), test.accuracy)
    )


def _fit_temperature(run: Run, members: list[Weights]) -> float:
    """Return the temperature that the validation images suggest."""
    digits = run.division.validation
    readers = [KerasReader(assemble(run.recipe, [weights])) for weights in members]
    return fit_temperature([reader.network(digits.images) for reader in readers], digits.labels)
