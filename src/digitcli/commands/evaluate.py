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
)
from digitcli.commands.options import ARTIFACTS, Artifacts, Data, Json, model_in_words

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.metrics import Evaluation


def evaluate(
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An .onnx or .keras file, instead of that in the artifacts folder or in the box.",
        ),
    ] = None,
    data: Data = "mnist",
    folder: Artifacts = ARTIFACTS,
    json: Json = False,
) -> None:
    """Read a data source's test images and report how well that went.

    Writes metrics.json, confusion.png, mistakes.png and reliability.png. TensorFlow is needed for
    .keras files only.
    """
    from digitcli import artifacts, datasets, evaluation
    from digitcli.recognizer import find_model

    path = model or find_model(folder)
    reader = evaluation.load_reader(path)
    artifacts.require_writable(folder)
    dataset = datasets.load(data)
    digits = evaluation.unseen(dataset, path)
    if digits is not dataset.test:
        say(f"Note: this model was trained on {dataset.name}; only what training left out of it is read.")
    result = evaluation.evaluate(reader, digits, data=dataset.name, model=str(path))
    files = evaluation.save_report(result, digits, folder)
    if json:
        print_json(result.as_json())
        return
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
    print_line(f"Files: {file_list(folder, files)}")


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
