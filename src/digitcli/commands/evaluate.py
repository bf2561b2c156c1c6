"""``digitcli evaluate``: any model on any data source."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli.commands.console import (
    file_list,
    percent,
    print_facts,
    print_json,
    print_line,
    print_table,
    say,
    stderr,
)
from digitcli.commands.options import (
    ARTIFACTS,
    DATA_HELP,
    AnyModel,
    Artifacts,
    Json,
    complete_data,
    model_in_words,
    or_box,
    say_missing,
    say_substitute,
)
from digitcli.errors import OptionError

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.metrics import Evaluation
    from digitcli.report import Card, Contestant, Reading


def evaluate(
    model: AnyModel = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help=f"{DATA_HELP} With --report it may be given several times.",
            autocompletion=complete_data,
            show_default="mnist",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|box",
            help="A second model, to read the same images; says whether they differ.",
            callback=or_box,
        ),
    ] = None,
    report_folder: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Write a report card: report.html, one page with all pictures, and report.json.",
        ),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    json: Json = False,
) -> None:
    """Read a data source's test images and report how well that went.

    Writes metrics.json, confusion.png, mistakes.png and reliability.png. TensorFlow is needed for
    .keras files only. A report card adds robustness to damage, speed, size, training and MNIST.
    """
    main, *others = data or ["mnist"]
    if others and report_folder is None:
        raise OptionError(f"--data {others[0]}: a second source without --report; expected one")

    from digitcli import artifacts, evaluation, report
    from digitcli.recognizer import find_model

    paths = [model or find_model(folder), *([compare] if compare else [])]
    say_substitute(model, paths[0], folder)
    contestants = [
        report.Contestant(model_in_words(path), path, evaluation.load_reader(path)) for path in paths
    ]
    artifacts.require_writable(folder)
    if report_folder is not None:
        artifacts.require_room(report_folder, report.FILES, "the report folder", "--report")
    reading = report.read(contestants, main)
    result = reading.evaluations[0]
    if reading.is_part:
        which = "one of the models" if compare else "this model"
        say(f"Note: {which} was trained on {result.data}; only what training left out of it is read.")
    say_missing(reading.digits.labels)
    files = evaluation.save_report(result, reading.digits, folder)
    if not json:
        _print_result(result, paths[0])
        if compare:
            print_table(_side_by_side(contestants, reading))
            print_line(report.in_words(contestants, reading))
        print_line(f"Files: {file_list(folder, files)}")
    if report_folder is not None:
        card = _make_card(contestants, reading, others)
        (say if json else print_line)(
            f"Report: {file_list(report_folder, report.write(card, report_folder))}"
        )
    if json:
        compared = {"comparison": report.pair_as_json(contestants, reading)} if compare else {}
        print_json(result.as_json() | compared)


def _make_card(contestants: "list[Contestant]", reading: "Reading", others: list[str]) -> "Card":
    """Measure the rest of a report card; on a terminal, tell what is being measured."""
    from rich.text import Text

    from digitcli import report

    with stderr().status("") as status:
        return report.make(contestants, reading, others, lambda words: status.update(Text(words)))


def _print_result(result: "Evaluation", path: Path) -> None:
    low, high = result.accuracy_ci95
    print_facts(
        {
            "Model": model_in_words(path),
            "Data": f"{result.data}, {len(result.probabilities):,} images",
            "Accuracy": f"{percent(result.accuracy)}  (95% interval {percent(low)} to {percent(high)})",
            "Loss": f"{result.loss:.4f}",
            "Time": f"{result.seconds:.2f} s",
        }
    )
    print_table(_class_table(result))
    print_line(_confusions_in_words(result))


def _side_by_side(contestants: "list[Contestant]", reading: "Reading") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from digitcli import report

    table = Table()
    table.add_column("")
    for each in contestants:
        table.add_column(Text(each.name), justify="right")
    for name, *values in report.side_by_side(contestants, reading):
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
    from digitcli.metrics import frequent_confusions

    pairs = frequent_confusions(result.confusion)
    if not pairs:
        return "Every image was read right."
    words = [f"{pair.truth} read as {pair.read} ({_times(pair.count)})" for pair in pairs]
    return f"Most frequent confusions: {', '.join(words)}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
