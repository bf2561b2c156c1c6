"""Evaluation of any model on any data source, and the files of its results."""

import time
from pathlib import Path

from digitcli import artifacts
from digitcli.datasets import Dataset, Digits
from digitcli.datasets.split import held_back
from digitcli.errors import InputError
from digitcli.evaluation import plots
from digitcli.evaluation.metrics import Evaluation, score
from digitcli.models.classifier import Classifier, require_probabilities
from digitcli.recognition import tta
from digitcli.run_record import RunRecord, TrainedData


def evaluate(classifier: Classifier, digits: Digits, *, data: str, model: str) -> Evaluation:
    """Read all of `digits`, timed, and compare with their labels.

    Raises `ModelError` where the model gives no probabilities.
    """
    start = time.perf_counter()
    probabilities = tta.predict(classifier, digits.images)
    seconds = time.perf_counter() - start
    require_probabilities(probabilities, model)
    return score(probabilities, digits, data=data, model=model, seconds=seconds)


def save_report(evaluation: Evaluation, digits: Digits, folder: Path) -> tuple[str, ...]:
    """Write ``metrics.json`` and the pictures of the results; return their names."""
    with artifacts.replacing(folder) as files:
        files.write_json(artifacts.METRICS, evaluation.as_json())
        for name, figure in result_pictures(evaluation, digits).items():
            files.write(name, plots.png(figure))
        return files.names()


def result_pictures(evaluation: Evaluation, digits: Digits) -> dict[str, plots.Figure]:
    """Draw what was read well and what was not, by file name."""
    return {
        artifacts.CONFUSION: plots.confusion(evaluation),
        artifacts.MISTAKES: plots.mistakes(evaluation, digits),
        artifacts.RELIABILITY: plots.reliability(evaluation),
    }


def unseen(dataset: Dataset, *models: Path) -> Digits:
    """Return the images of `dataset` to test on: of what a model was trained on, only the test part.

    That one was trained on a source that is one undivided set is known from the ``run.json``
    beside it.
    """
    if dataset.train is None and any(is_trained_on(model.parent, dataset) for model in models):
        return dataset.test.take(held_back(dataset.test.labels))
    return dataset.test


def is_trained_on(folder: Path, dataset: Dataset) -> bool:
    """Tell whether the run in `folder` was trained on `dataset`."""
    try:
        return (RunRecord.read(folder).data or TrainedData()).sha256 == dataset.sha256
    except InputError:  # whatever lies beside a model is no part of it
        return False
