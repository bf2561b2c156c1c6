"""A detector's run: a pool of generated pages before the training; export and generated pages after it."""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from digitcli import artifacts
from digitcli.config.recipe import DetectorRecipe
from digitcli.evaluation import plots
from digitcli.evaluation.detector_evaluation import PagesToFind, evaluate_pages
from digitcli.export.detector import export_detector
from digitcli.models.detector import load_detector
from digitcli.models.factory import assemble
from digitcli.run_record import RunRecord
from digitcli.synthesis.pages import KINDS
from digitcli.training.detection import Detection
from digitcli.training.job import Durations, RunResult, Trained, describe, timed
from digitcli.training.page_pool import PagePool
from digitcli.training.progress import Reporter
from digitcli.training.train import Run

if TYPE_CHECKING:
    from digitcli.models.classifier import Weights


class DetectorJob:
    """Trains on generated pages; see `Job`."""

    def __init__(self, run: Run, recipe: DetectorRecipe) -> None:
        self._run, self._recipe = run, recipe
        self.init: list[Weights] = []

    @contextlib.contextmanager
    def prepared(self, durations: Durations, report: Reporter) -> Iterator[Detection]:
        """Give the task, with the processes that draw its pages."""
        recipe = self._recipe
        report.stage("Drawing pages to validate on")
        with timed(durations, "drawing_pages"):
            examples = self._held_out.examples(recipe.pages.validation)
        pool = PagePool(recipe.pages, recipe.data, recipe.seed, recipe.epochs)
        with contextlib.closing(pool):
            yield Detection(recipe, pool, examples, report.stage)

    @cached_property
    def _held_out(self) -> PagesToFind:
        return PagesToFind(self._recipe.data, self._recipe.seed, self._recipe.pages.marks)

    def deliver(self, trained: Trained, report: Reporter) -> RunResult:
        """Export what was trained, find digits with it, draw, and replace an earlier run's files."""
        run, durations, progress = self._run, trained.durations, trained.progress
        names = artifacts.DETECTOR
        network = assemble(self._recipe, progress.weights())
        with artifacts.replacing(run.folder, is_last=True) as files:
            report.stage("Exporting to ONNX and checking it against Keras")
            with timed(durations, "export"):
                network.save(files.path(names.keras))
                model = files.path(names.model)
                difference = export_detector(network, model)
            report.stage("Finding digits on generated pages")
            with timed(durations, "test"):
                name = str(run.folder / names.model)
                count = self._recipe.pages.validation // len(KINDS)
                found = evaluate_pages(load_detector(model), self._held_out, model=name, count=max(1, count))
            report.stage("Drawing")
            with timed(durations, "drawing"):
                history = progress.history()
                files.write(names.loss, plots.png(plots.curves(history, "loss")))
                files.write(artifacts.PAGES, plots.png(plots.page_sheet(self._held_out.shown())))
            files.write_json(names.history, history)
            description = describe(run, trained.precision, durations) | {
                "parameters": network.count_params(),
                "weights_sha256": trained.weights_sha256,
                "validation": found.together.as_json(),
                "onnx": {"largest_difference": difference, "model_bytes": model.stat().st_size},
            }
            RunRecord.model_validate(description).write(files, names.run)
            written = files.names()
            files.remove(names.checkpoint)
        return RunResult(
            run=run,
            parameters=network.count_params(),
            progress=progress,
            precision=trained.precision,
            weights_sha256=trained.weights_sha256,
            durations=durations,
            files=written,
            onnx_difference=difference,
            detection=found,
        )
