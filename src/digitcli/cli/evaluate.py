"""``digitcli evaluate``: any model on any data source."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli.artifacts import FOLDS
from digitcli.cli.console import (
    file_list,
    print_facts,
    print_json,
    print_line,
    print_table,
    say,
    stderr,
)
from digitcli.cli.options import (
    ARTIFACTS,
    DATA_HELP,
    AnyModel,
    Artifacts,
    DataOrientation,
    DataPolarity,
    Json,
    complete_data,
    resolve_pretrained,
    say_missing,
    say_substitute,
)
from digitcli.errors import OptionError
from digitcli.evaluation.wording import percent

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.evaluation.evaluate import EvaluationResult
    from digitcli.evaluation.metrics import Evaluation


def evaluate(
    model: AnyModel = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help=f"{DATA_HELP} Repeatable with --report.",
            autocompletion=complete_data,
            show_default="mnist",
        ),
    ] = None,
    orientation: DataOrientation = None,
    polarity: DataPolarity = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|pretrained",
            help="Second model, for the same images; tells whether the difference is significant.",
            callback=resolve_pretrained,
        ),
    ] = None,
    report_folder: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Write a report card: report.html, one page with all figures, and report.json.",
        ),
    ] = None,
    suspects: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="List the N images whose labels are most likely wrong, in suspects.csv, for train "
            "--exclude, and suspects.png: training images, where folds.npz is in the artifacts folder, "
            "else test images.",
        ),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    json: Json = False,
) -> None:
    """Evaluate a model on the test images of a data source, or a detector on generated pages.

    Writes metrics.json, confusion.png, mistakes.png and reliability.png. Only .keras files need
    TensorFlow. A report card adds robustness, speed, size, the training record and results on MNIST.
    """
    if model is not None and _is_detector(model):
        _refuse_for_detectors(
            {"--data": data, "--compare": compare, "--report": report_folder, "--suspects": suspects}
        )
        _evaluate_detector(model, json=json)
        return
    from rich.text import Text

    from digitcli import evaluate as evaluate_
    from digitcli.cli.tables import suspects_in_words, suspects_table
    from digitcli.evaluation import report

    with ExitStack() as stack:
        status = stack.enter_context(stderr().status("")) if report_folder else None
        result = evaluate_(
            data or "mnist",
            orientation=orientation or "upright",
            polarity=polarity or "bright",
            model=model,
            compare=compare,
            report_folder=report_folder,
            suspects=suspects,
            folder=folder,
            on_step=lambda words: status.update(Text(words)) if status else None,
        )
    evaluation, source = result.evaluation, result.source
    say_substitute(model, result.models[0].path, folder)
    if source.is_part:
        which = "one of the models" if compare else "this model"
        say(f"Note: {which} was trained on {evaluation.data}; only images that training left out are read.")
    for note in source.dataset.notes:
        say(f"Note: {note}")
    if result.has_other_folds:
        say(f"Note: {folder / FOLDS} is of another data source; the model's own readings are taken.")
    say_missing(source.digits.labels)
    if not json:
        _print_result(evaluation, result.models[0].name)
        if compare:
            print_table(_side_by_side(result))
            print_line(report.in_words(result.models, source))
        if result.suspects:
            print_table(suspects_table(result.suspects))
            print_line(suspects_in_words(result.suspects))
        print_line(f"Files: {file_list(folder, result.files)}")
    if report_folder is not None:
        (say if json else print_line)(f"Report: {file_list(report_folder, result.report_files)}")
    if json:
        compared = {"comparison": report.pair_as_json(result.models, source)} if compare else {}
        doubted = {"label_errors": result.suspects.as_json()} if result.suspects else {}
        print_json(evaluation.as_json() | compared | doubted)


def _is_detector(model: Path) -> bool:
    from digitcli.models.detector import is_detector

    return is_detector(model)


def _refuse_for_detectors(options: dict[str, object]) -> None:
    for name, value in options.items():
        if value:
            raise OptionError(f"{name}: a detector is evaluated on generated pages; expected no {name}")


def _evaluate_detector(model: Path, *, json: bool) -> None:
    from digitcli.cli.tables import detection_in_words, detection_table
    from digitcli.evaluation.detector_evaluation import evaluate_detector

    with stderr().status("") as status:
        found = evaluate_detector(model, on_step=status.update)
    if json:
        print_json(found.as_json())
        return
    print_facts({"Model": found.model, **detection_in_words(found), "Time": f"{found.seconds:.2f} s"})
    print_table(detection_table(found))


def _print_result(result: "Evaluation", model: str) -> None:
    low, high = result.accuracy_ci95
    print_facts(
        {
            "Model": model,
            "Data": f"{result.data}, {len(result.probabilities):,} images",
            "Accuracy": f"{percent(result.accuracy)}  (95% interval {percent(low)} to {percent(high)})",
            "Loss": f"{result.loss:.4f}",
            "Time": f"{result.seconds:.2f} s",
        }
    )
    print_table(_class_table(result))
    print_line(_confusions_in_words(result))


def _side_by_side(result: "EvaluationResult") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from digitcli.evaluation import report

    table = Table()
    table.add_column("")
    for each in result.models:
        table.add_column(Text(each.name), justify="right")
    for name, *values in report.side_by_side(result.models, result.source):
        table.add_row(Text(name), *values)
    return table


def _class_table(result: "Evaluation") -> "Table":
    from rich.table import Table

    table = Table()
    for heading in ("digit", "precision", "recall", "F1", "images"):
        table.add_column(heading, justify="right")
    for report in result.per_class:
        shares = (percent(share) for share in (report.precision, report.recall, report.f1))
        table.add_row(str(report.digit), *shares, f"{report.support:,}")
    return table


def _confusions_in_words(result: "Evaluation") -> str:
    from digitcli.evaluation.metrics import frequent_confusions

    pairs = frequent_confusions(result.confusion)
    if not pairs:
        return "Every image was read right."
    words = [f"{pair.truth} read as {pair.read} ({_times(pair.count)})" for pair in pairs]
    return f"Most frequent confusions: {', '.join(words)}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
