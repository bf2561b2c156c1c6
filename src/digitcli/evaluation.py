"""Measuring any model on any data source, and keeping the report."""

import time
from pathlib import Path

from digitcli import artifacts, plotting
from digitcli.datasets import Dataset, Digits
from digitcli.metrics import Evaluation, score
from digitcli.recognizer import DigitReader, Recognizer


def load_reader(path: Path) -> DigitReader:
    """Load a model: a ``.keras`` file with TensorFlow, anything else as ONNX without it.

    Raises `MissingError` where there is no such file, `ModelError` where it is no digit reader.
    """
    if path.suffix == ".keras":
        from digitcli.models import load_keras_reader

        return load_keras_reader(path)
    return Recognizer.load(path)


def evaluate(reader: DigitReader, digits: Digits, *, data: str, model: str) -> Evaluation:
    """Read all of `digits`, timed, and compare with their labels."""
    start = time.perf_counter()
    probabilities = reader.digits(digits.images)
    return score(probabilities, digits, data=data, model=model, seconds=time.perf_counter() - start)


def save_report(evaluation: Evaluation, digits: Digits, folder: Path) -> tuple[str, ...]:
    """Write ``metrics.json``, ``confusion.png`` and ``mistakes.png``; return their names."""
    with artifacts.replacing(folder) as files:
        files.write_json(artifacts.METRICS, evaluation.as_json())
        files.write(artifacts.CONFUSION, plotting.png(plotting.confusion(evaluation)))
        files.write(artifacts.MISTAKES, plotting.png(plotting.mistakes(evaluation, digits)))
        return files.names()


def trained_on(model: Path, dataset: Dataset) -> bool:
    """Tell whether `dataset` is one undivided set that the model beside its ``run.json`` learnt from."""
    data = artifacts.read_run(model.parent).get("data", {})
    return dataset.train is None and isinstance(data, dict) and data.get("sha256") == dataset.sha256
