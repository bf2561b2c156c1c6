"""Redrawing the figures of a run from its files."""

import os
from collections import Counter
from pathlib import Path

from digitcli import artifacts, models
from digitcli.datasets import AS_USUAL, Form, load, split_dataset
from digitcli.errors import OptionError
from digitcli.evaluation import plots
from digitcli.evaluation.detector_evaluation import PagesToFind
from digitcli.evaluation.measuring import evaluate, is_trained_on, result_pictures, unseen
from digitcli.run_record import RunRecord, TrainedData


def redraw(folder: Path, source: str | None = None) -> tuple[str, ...]:
    """Redraw all figures of the runs in a folder, a classifier's, a detector's or both; return their names.

    Args:
        folder: the runs' artifacts.
        source: the classifier's data; by default what the run was trained on, else ``mnist``.

    Raises `MissingError` without a history or, of a classifier, its model, `InputError` where one is damaged,
    `OptionError` for a source where there is only a detector's run.
    """
    of_detector = os.path.isfile(folder / artifacts.DETECTOR.history)
    if of_detector and not os.path.isfile(folder / artifacts.HISTORY):
        if source:
            raise OptionError(f"--data {source}: {folder} holds a detector's run, which needs no images")
        return _redraw_detector(folder)
    return (*_redraw_classifier(folder, source), *(_redraw_detector(folder) if of_detector else ()))


def _redraw_detector(folder: Path) -> tuple[str, ...]:
    history = artifacts.read_history(folder, "detect")
    record = RunRecord.read(folder, artifacts.DETECTOR.run)
    pages = PagesToFind.of(record)
    with artifacts.replacing(folder) as files:
        files.write(artifacts.DETECTOR.loss, plots.png(plots.curves(history, "loss")))
        files.write(artifacts.PAGES, plots.png(plots.page_sheet(pages.shown())))
        return files.names()


def _redraw_classifier(folder: Path, source: str | None) -> tuple[str, ...]:
    history = artifacts.read_history(folder)
    model = folder / artifacts.MODEL
    classifier = models.load(model)
    trained_on = RunRecord.read(folder).data or TrainedData()
    is_own = source in (None, trained_on.name)
    form = Form(trained_on.orientation or "upright", trained_on.polarity or "bright") if is_own else AS_USUAL
    dataset = load(source or (trained_on.name or "mnist"), form)
    digits = unseen(dataset, model)
    evaluation = evaluate(classifier, digits, data=dataset.name, model=str(model))
    shown = split_dataset(dataset, trained_on.limit).train if is_trained_on(folder, dataset) else dataset.test
    pictures = {
        artifacts.LOSS: plots.curves(history, "loss", evaluation.loss),
        artifacts.ACCURACY: plots.curves(history, "accuracy", evaluation.accuracy),
        artifacts.SAMPLES: plots.samples(shown),
        **result_pictures(evaluation, digits),
    }
    with artifacts.replacing(folder) as files:
        for name, figure in pictures.items():
            files.write(name, plots.png(figure))
        return files.names()


def compare(runs: list[Path], folder: Path) -> tuple[str, ...]:
    """Draw the validation curves of several runs in one picture; return its name."""
    names = _distinct_names(runs)
    histories = {name: artifacts.read_history(run) for name, run in zip(names, runs, strict=True)}
    with artifacts.replacing(folder) as files:
        files.write(artifacts.COMPARISON, plots.png(plots.comparison(histories)))
        return files.names()


def _distinct_names(runs: list[Path]) -> list[str]:
    """The folders' own names, or their whole paths where two share a name."""
    count = Counter(run.resolve().name for run in runs)
    return [run.resolve().name if count[run.resolve().name] == 1 else str(run) for run in runs]
