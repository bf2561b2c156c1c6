"""``digitcli predict``: image files, folders and photographs; one digit or whole numbers."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.cli.console import print_json, print_line, print_table, say, stderr, tell_error
from digitcli.cli.options import (
    ARTIFACTS,
    Artifacts,
    DetectorFile,
    Model,
    Quiet,
    say_detector,
    say_model,
    say_substitute,
)
from digitcli.errors import ExitCode, OptionError
from digitcli.evaluation.wording import percent

if TYPE_CHECKING:
    from digitcli.recognition.file_reader import Outcome
    from digitcli.recognition.recognizer import Recognizer

_TABLES = (".csv", ".csv.gz")
_MANY = 50  # files from which a bar shows how far it is


def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Image files, folders, patterns, or - for stdin.")
    ],
    model: Model = None,
    folder: Artifacts = ARTIFACTS,
    detector: DetectorFile = None,
    single: Annotated[bool, typer.Option("--single", help="Treat each image as one digit.")] = False,
    symbols: Annotated[
        bool,
        typer.Option("--symbols", help="Write decimal signs, minuses and slashes, too."),
    ] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write copies with boxes, digits and confidences."),
    ] = None,
    quiet: Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per image.")] = False,
) -> None:
    """Read the digits in images: drawings, scans, photographs of paper.

    Reads PNG, JPEG, WebP, BMP, TIFF and PGM files. Handles ruled and squared paper, shadows, inverted
    colours and EXIF orientation. If an image cannot be read, reads the others and exits with 3.

    Of a CSV file with a digit a row, as Kaggle's digit recognizer has them, writes ImageId,Label.
    """
    from digitcli.recognition import file_reader
    from digitcli.recognition.pretrained import NO_DETECTOR, find_detector, find_model, model_name
    from digitcli.recognition.recognizer import Recognizer

    path = model or find_model(folder)
    tables = [name for name in images if name.lower().endswith(_TABLES)]
    if tables:
        options: dict[str, object] = {
            "--annotate": annotate,
            "--symbols": symbols,
            "--json": json,
            "--detector": detector,
        }
        _require_alone(tables[0], images, options)
        if not quiet:
            say_model(path)
        _label_rows(Path(tables[0]), Recognizer.load(path, detector=NO_DETECTOR))
        return
    if single and detector:
        raise OptionError("--detector: it finds digits on pages; with --single each image is one digit")
    finder = Path(NO_DETECTOR) if single else detector or find_detector(folder)
    has_detector = str(finder) != NO_DETECTOR
    if symbols and not has_detector:
        reason = "--single" if single else f"--detector {NO_DETECTOR}"
        raise OptionError(f"--symbols: a detector finds signs on pages; found {reason}")
    recognizer = Recognizer.load(path, detector=finder)
    if not quiet:
        say_model(path)
        say_detector(finder)
        say_substitute(model, path, folder)
    if annotate and not _can_be_folder(annotate):
        raise OptionError(f"--annotate {annotate}: is a file; expected a folder or nothing")
    stdin = sys.stdin.buffer.read(file_reader.MAX_STDIN) if file_reader.STDIN in images else b""
    files = list(file_reader.find_files(images))
    outcomes = file_reader.read_files(recognizer, files, single=single, stdin=stdin)
    if annotate:
        outcomes = file_reader.annotated(outcomes, annotate, files, stdin)
    shows_bar = not (quiet or json) and len(files) >= _MANY and stderr().is_terminal
    with _bar(outcomes, len(files)) if shows_bar else contextlib.nullcontext(outcomes) as going:
        if json:
            names = {"model": model_name(path)} | ({"detector": model_name(finder)} if has_detector else {})
            failures = _print_lines(going, names, symbols=symbols)
        else:
            failures = _print_table(going, symbols=symbols)
    if annotate and not quiet:
        say(f"Annotated copies are in {annotate}")
    if failures:
        raise typer.Exit(ExitCode.INPUT)


def _require_alone(table: str, images: list[str], options: dict[str, object]) -> None:
    """Raise an `OptionError` for what cannot be together with a CSV file."""
    if len(images) > 1:
        raise OptionError(f"{table}: a CSV file is read alone; found {len(images)} files")
    for name, value in options.items():
        if value:
            raise OptionError(f"{name}: {table} holds single digits, whose labels are written; leave it out")


def _label_rows(table: Path, recognizer: "Recognizer") -> None:
    """Write the digit of each row of a CSV file, as Kaggle's digit recognizer wants them."""
    from digitcli.datasets import csv_files

    digits = recognizer.classify(csv_files.read_images(table)).argmax(axis=1)
    rows = (f"{number},{digit}" for number, digit in enumerate(digits.tolist(), 1))
    print_line("\n".join(["ImageId,Label", *rows]))


def _can_be_folder(path: Path) -> bool:
    return path.is_dir() or not path.exists()


@contextlib.contextmanager
def _bar(outcomes: Iterable["Outcome"], count: int) -> Iterator[Iterable["Outcome"]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr(), transient=True) as progress:
        yield progress.track(outcomes, total=count)


def _print_lines(outcomes: Iterable["Outcome"], names: dict[str, str], *, symbols: bool) -> int:
    """Write a JSON object for each file, `names` of the networks in it; return how many could not be."""
    failures = 0
    for outcome in outcomes:
        print_json(_as_json(outcome, names, symbols=symbols))
        failures += outcome.error is not None
    return failures


def _as_json(outcome: "Outcome", names: dict[str, str], *, symbols: bool) -> dict[str, Any]:
    if outcome.reading is None:
        return {"file": outcome.file, "error": str(outcome.error)}
    size = {"image": list(outcome.size)} if outcome.size else {}
    return {"file": outcome.file, **size, **outcome.reading.as_json(symbols=symbols), **names}


def _print_table(outcomes: Iterable["Outcome"], *, symbols: bool) -> int:
    """Write a table of what was read, then the errors; return how many those are."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("image")
    table.add_column("reads")
    table.add_column("least sure", justify="right")
    errors = []
    for outcome in outcomes:
        if outcome.reading is None:
            errors.append(str(outcome.error))
            continue
        known = [digit.confidence for digit in outcome.reading.digits if digit.digit is not None]
        others = len(outcome.reading.digits) - len(known)
        lines = outcome.reading.lines_with_symbols if symbols else outcome.reading.lines
        words = "\n".join(lines) or ("no digit" if others else "nothing written")
        notes = [f"and {others} that {'is' if others == 1 else 'are'} no digit"] if others and known else []
        if outcome.reading.lines_with_symbols != lines:
            notes.append("symbols left out: --symbols writes them")
        note = f"  ({'; '.join(notes)})" if notes else ""
        style = "" if known else "dim"
        table.add_row(
            Text(outcome.file),
            Text(words + note, style=style),
            percent(min(known), digits=1) if known else "-",
        )
    if table.row_count:
        print_table(table)
    for error in errors:
        tell_error(error)
    return len(errors)
