"""Evaluating from Python: what the command ``digitcli evaluate`` does, as one function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitcli import artifacts, models
from digitcli.config.mnist import Orientation, Polarity
from digitcli.datasets import Form
from digitcli.errors import OptionError
from digitcli.evaluation import report
from digitcli.evaluation.measuring import save_report
from digitcli.evaluation.metrics import Evaluation
from digitcli.evaluation.out_of_fold import OutOfFold
from digitcli.evaluation.report import EvaluatedModel, SourceEvaluation
from digitcli.evaluation.suspects import MAX_SUSPECTS, Suspects, find_suspects
from digitcli.recognition.pretrained import find_model, model_name

_Models = tuple[EvaluatedModel, ...]


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found, and the files that it wrote.

    Attributes:
        models: the model, and the one that it was compared with, if any.
        source: the main data source, as both read it.
        files: names of the files in the artifacts folder.
        report_files: names of the report's files; empty without a report.
        suspects: images whose labels may be wrong, if they were asked for.
        has_other_folds: whether they are not by ``folds.npz`` because it is of another data source.
    """

    models: _Models
    source: SourceEvaluation
    files: tuple[str, ...]
    report_files: tuple[str, ...] = ()
    suspects: Suspects | None = None
    has_other_folds: bool = False

    @property
    def evaluation(self) -> Evaluation:
        """The model's figures on the main data source."""
        return self.source.evaluations[0]


def evaluate(
    data: str | Sequence[str] = "mnist",
    *,
    orientation: Orientation = "upright",
    polarity: Polarity = "bright",
    model: Path | None = None,
    compare: Path | None = None,
    report_folder: Path | None = None,
    suspects: int | None = None,
    folder: Path = artifacts.DEFAULT_FOLDER,
    on_step: Callable[[str], None] = lambda words: None,
) -> EvaluationResult:
    """Classify the test images of a data source, and keep figures and pictures of how well that went.

    Args:
        data: a data source, or with a report several: ``mnist``, ``sample``, a file or a folder.
        orientation: ``transposed`` where rows and columns of all sources' images have changed places.
        polarity: ``dark`` where their ink is dark.
        model: an ``.onnx`` or ``.keras`` file; by default the one in `folder`, or else the pretrained one.
        compare: a second model, which classifies the same images.
        report_folder: where to write a report card; none is made without it.
        suspects: list so many images whose labels may be wrong, 1 to 1,000: of the training images, by
            ``folds.npz`` in `folder`, where that is of this data source and no `model` is named; else of the
            images that the model reads here.
        folder: where ``metrics.json`` and the pictures go.
        on_step: called with a description of each measurement of a report.

    Raises:
        OptionError: several data sources without a report, a folder that cannot be written to, or a number of
            suspects out of range.
        InputError: a data source or model that cannot be read or is not what it must be.
        MissingError: a model that is not there.
    """
    main, *others = [data] if isinstance(data, str) else data
    if others and report_folder is None:
        raise OptionError(f"--data {others[0]}: a second source without --report; expected one")
    if suspects is not None and not 1 <= suspects <= MAX_SUSPECTS:
        raise OptionError(f"--suspects {suspects}: expected 1 to {MAX_SUSPECTS:,}")
    paths = [model or find_model(folder), *([compare] if compare else [])]
    evaluated = tuple(EvaluatedModel(model_name(path), path, models.load(path)) for path in paths)
    artifacts.require_writable(folder)
    if report_folder is not None:
        artifacts.require_room(report_folder, report.FILES, "the report folder", "--report")
    form = Form(orientation, polarity)
    # named, a model's own readings are meant; read first, as what is damaged stops all
    folds = OutOfFold.read(folder) if suspects is not None and model is None else None
    source = report.evaluate_source(evaluated, main, form)
    files = save_report(source.evaluations[0], source.digits, folder)
    found = None
    if suspects is not None:
        found = find_suspects(source, folds, suspects)
        files += found.write(folder)
    has_other_folds = folds is not None and found is not None and found.read_by != artifacts.FOLDS
    if report_folder is None:
        return EvaluationResult(evaluated, source, files, (), found, has_other_folds)
    card = report.make(evaluated, source, others, on_step, form)
    written = report.write(card, report_folder)
    return EvaluationResult(evaluated, source, files, written, found, has_other_folds)
