"""A classifier's run: its images before the training; calibration, export and the test images after it."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from digitcli import artifacts, models
from digitcli.config.mnist import MNIST_IMAGES
from digitcli.config.recipe import Augmentation, Recipe, Synthesis
from digitcli.datasets import Digits
from digitcli.evaluation import plots
from digitcli.evaluation.calibration import choose_tta, fit_temperature, fit_threshold, with_temperature
from digitcli.evaluation.measuring import evaluate
from digitcli.evaluation.metrics import Evaluation
from digitcli.export.onnx import export_onnx
from digitcli.models.classifier import Classifier, Probabilities, Weights
from digitcli.models.factory import assemble
from digitcli.models.keras_classifier import KerasClassifier, Network
from digitcli.models.weight_recovery import restore
from digitcli.recognition import tta
from digitcli.run_record import RunRecord
from digitcli.training import finetuning
from digitcli.training.augmentation import preview
from digitcli.training.classification import Classification
from digitcli.training.job import Durations, RunResult, Trained, describe, timed
from digitcli.training.progress import Reporter
from digitcli.training.train import Run
from digitcli.training.training_images import with_synthesis


@dataclass(frozen=True)
class CheckParameters:
    """How models are checked.

    Attributes:
        compared_images: validation images that tell whether a model was restored as it was.
        exported_images: validation images on which the ONNX file must agree with Keras.
    """

    compared_images: int = 1_000
    exported_images: int = 1_000


CHECKS = CheckParameters()


class ClassifierJob:
    """Trains on labelled images of single digits; see `Job`."""

    def __init__(self, run: Run, recipe: Recipe) -> None:
        self._run, self._recipe = run, recipe
        self.init: list[Weights] = []

    @contextlib.contextmanager
    def prepared(self, durations: Durations, report: Reporter) -> Iterator[Classification]:
        """Give the task, after taking an initial model's weights and adding images to the split's."""
        run = self._run
        if run.initial_model:
            report.stage(f"Taking the weights of {run.initial_model.name}")
            with timed(durations, "restoring"):
                few = run.split.validation.part(0, min(CHECKS.compared_images, len(run.split.validation)))
                self.init = restore(run.initial_model.file, run.initial_model.recipe, few)
        if run.extra is not None:
            run = replace(run, split=finetuning.mix(run.split, run.extra, run.recipe.seed))
        synthesis = self._recipe.synthesis
        if run.settings.limit is not None and run.initial_model is None:  # fewer of these, too
            synthesis = synthesis.part(min(1.0, len(run.split.train) / MNIST_IMAGES))
        if synthesis != Synthesis():
            report.stage("Drawing more digits to train on")
            with timed(durations, "synthesis"):
                train = with_synthesis(run.split.train, synthesis, run.recipe.seed)
            run = replace(run, split=replace(run.split, train=train))
        self._run = run
        yield Classification(self._recipe, run.split)

    def deliver(self, trained: Trained, report: Reporter) -> RunResult:
        """Calibrate and export what was trained, read the test images, and replace an earlier run's files.

        Raises `ExportError` where the exported model reads differently, `TrainingError` where a model that
        was corrected has forgotten what it knew; the earlier run's files stay.
        """
        run, durations, progress = self._run, trained.durations, trained.progress
        network, temperature = self._calibrated(progress.weights())
        classifier = KerasClassifier(network)
        threshold = fit_threshold(choose_tta(classifier, run.split.validation))
        with artifacts.replacing(run.folder, is_last=True) as files:
            report.stage("Exporting to ONNX and checking it against Keras")
            with timed(durations, "export"):
                network.save(files.path(artifacts.KERAS_MODEL))
                model = files.path(artifacts.MODEL)
                checked = run.split.validation.images[: CHECKS.exported_images]
                difference = export_onnx(network, model, checked, threshold, uses_tta=classifier.uses_tta)
            report.stage("Reading the test images")
            with timed(durations, "test"):
                # The test set is read here, once; nothing above has seen it.
                data, name = run.settings.data["name"], str(run.folder / artifacts.MODEL)
                exported = models.load(model)
                validation = evaluate(exported, run.split.validation, data=data, model=name)
                result = evaluate(exported, run.split.test, data=data, model=name)
                comparison = self._compare(exported, validation, result) if self.init else None
            report.stage("Drawing")
            with timed(durations, "drawing"):
                history = progress.history()
                pictures = {
                    artifacts.LOSS: plots.curves(history, "loss", result.loss),
                    artifacts.ACCURACY: plots.curves(history, "accuracy", result.accuracy),
                    artifacts.SAMPLES: plots.samples(run.split.train),
                }
                if self._recipe.augmentation != Augmentation():
                    shown = preview(run.split.train, self._recipe.augmentation, run.recipe.seed)
                    pictures[artifacts.AUGMENTATION] = plots.augmentation(*shown)
                for picture, figure in pictures.items():
                    files.write(picture, plots.png(figure))
            files.write_json(artifacts.HISTORY, history)
            files.write_json(artifacts.METRICS, result.as_json())
            description = describe(run, trained.precision, durations) | {
                "parameters": network.count_params(),
                "weights_sha256": trained.weights_sha256,
                "calibration": {
                    "temperature": temperature,
                    "threshold": threshold,
                    "test_time_augmentation": classifier.uses_tta,
                },
                "validation": {"accuracy": validation.accuracy, "loss": validation.loss},
                "test": {"accuracy": result.accuracy, "loss": result.loss},
                "onnx": {"largest_difference": difference, "model_bytes": model.stat().st_size},
            }
            if comparison:
                description["comparison"] = asdict(comparison)
            RunRecord.model_validate(description).write(files)
            written = files.names()
            # of the run being replaced: pictures, folds, and what only an unfinished run needs
            for stale in (
                *artifacts.OF_RESULTS,
                artifacts.AUGMENTATION,
                artifacts.CHECKPOINT,
                artifacts.FOLDS,
            ):
                if stale not in written:
                    files.remove(stale)
        return RunResult(
            run=run,
            parameters=network.count_params(),
            progress=progress,
            precision=trained.precision,
            weights_sha256=trained.weights_sha256,
            durations=durations,
            files=written,
            onnx_difference=difference,
            validation=validation,
            evaluation=result,
            comparison=comparison,
        )

    def read_test_images(self, members: list[Weights]) -> Probabilities:
        """Return what networks with these weights make of the test images, calibrated: (N, 10) float32."""
        classifier = KerasClassifier(self._calibrated(members)[0])
        choose_tta(classifier, self._run.split.validation)
        return tta.predict(classifier, self._run.split.test.images)

    def _compare(
        self, exported: Classifier, validation: Evaluation, test: Evaluation
    ) -> finetuning.Comparison:
        """Compare with the model before; a `TrainingError` where what it knew is forgotten."""
        run = self._run
        before = KerasClassifier(assemble(self._recipe, self.init))
        digits = run.split.validation
        was = float(np.mean(choose_tta(before, digits).argmax(axis=1) == digits.labels))
        finetuning.require_kept(was, validation.accuracy, len(digits))

        def accuracy(classifier: Classifier, digits: Digits) -> float:
            return float(np.mean(tta.predict(classifier, digits.images).argmax(axis=1) == digits.labels))

        corrections = (accuracy(before, run.extra), accuracy(exported, run.extra)) if run.extra else None
        return finetuning.Comparison(
            corrections, (was, validation.accuracy), (accuracy(before, run.split.test), test.accuracy)
        )

    def _calibrated(self, members: list[Weights]) -> tuple[Network, float]:
        """Return the model at the temperature that the validation images suggest, and the temperature."""
        digits = self._run.split.validation
        classifiers = [KerasClassifier(assemble(self._recipe, [weights])) for weights in members]
        temperature = fit_temperature(
            [classifier.predict(digits.images) for classifier in classifiers], digits.labels
        )
        calibrated = [with_temperature(weights, temperature) for weights in members]
        return assemble(self._recipe, calibrated), temperature
