"""Measuring any model on any data source, and keeping the report."""

import time
from pathlib import Path

from digitcli import artifacts, plotting
from digitcli.datasets import Dataset, Digits, divide
from digitcli.errors import InputError
from digitcli.metrics import Evaluation, score
from digitcli.recognizer import Recognizer, require_probabilities
from digitcli.second_look import DigitReader


def load_reader(path: Path) -> DigitReader:
    """Load a model: a ``.keras`` file with TensorFlow, anything else as ONNX without it.

    Raises `MissingError` where there is no such file, `ModelError` where it is no digit reader.
    """
    if path.suffix == ".keras":
        from digitcli.models import load_keras_reader

        reader = load_keras_reader(path)
        calibration = (artifacts.record_beside(path) or {}).get("calibration")
        if isinstance(calibration, dict):  # an ONNX file says so itself
            reader.looks_again = calibration.get("second_look") is not False
        return reader
    return Recognizer.load(path)


def evaluate(reader: DigitReader, digits: Digits, *, data: str, model: str) -> Evaluation:
    """Read all of `digits`, timed, and compare with their labels.

    Raises `ModelError` where the model gives no probabilities.
    """
    start = time.perf_counter()
    probabilities = reader.digits(digits.images)
    seconds = time.perf_counter() - start
    require_probabilities(probabilities, model)
    return score(probabilities, digits, data=data, model=model, seconds=seconds)


def save_report(evaluation: Evaluation, digits: Digits, folder: Path) -> tuple[str, ...]:
    """Write ``metrics.json`` and the pictures of the results; return their names."""
    with artifacts.replacing(folder) as files:
        files.write_json(artifacts.METRICS, evaluation.as_json())
        for name, figure in result_pictures(evaluation, digits).items():
            files.write(name, plotting.png(figure))
        return files.names()


def result_pictures(evaluation: Evaluation, digits: Digits) -> dict[str, plotting.Figure]:
    """Draw what was read well and what was not, by file name."""
    return {
        artifacts.CONFUSION: plotting.confusion(evaluation),
        artifacts.MISTAKES: plotting.mistakes(evaluation, digits),
        artifacts.RELIABILITY: plotting.reliability(evaluation),
    }


def unseen(dataset: Dataset, *models: Path) -> Digits:
    """Return the images of `dataset` to test on: of what a model was trained on, only the test part.

    That one was trained on a source that is one undivided set is known from the ``run.json``
    beside it.
    """
    if dataset.train is None and any(is_trained_on(model.parent, dataset) for model in models):
        return divide(dataset).test
    return dataset.test


def is_trained_on(folder: Path, dataset: Dataset) -> bool:
    """Tell whether the run in `folder` was trained on `dataset`."""
    try:
        return artifacts.read_data_record(folder).get("sha256") == dataset.sha256
    except InputError:  # whatever lies beside a model is no part of it
        return False
