"""``digitcli export``: a model for other programs and devices."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.commands.console import percent, print_json, print_table, say, tell_error
from digitcli.commands.options import (
    ARTIFACTS,
    AnyModel,
    Artifacts,
    Json,
    Quiet,
    model_in_words,
    say_substitute,
)
from digitcli.errors import ExitCode, OptionError
from digitcli.formats import Format, Target

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.originals import Original
    from digitcli.trials import Measures, Trial
    from digitcli.workshop import Workshop


def export(
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="onnx|litert|saved-model",
            help="onnx unless said otherwise; may be given several times.",
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="8-bit integers, for a quarter of the size; onnx and litert. Their ranges are measured on "
            "500 training images of MNIST.",
        ),
    ] = False,
    model: AnyModel = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the files go, instead of exported/ in the artifacts folder."),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the model as ONNX, LiteRT or SavedModel, and try each file before it is kept.

    Its own runtime reads all 10,000 test images of MNIST with it. A float32 file is kept if no
    probability differs from the original's by more than 0.0001 and as many images are read right; an
    int8 file, if its accuracy is at most 0.2 percentage points lower. Exits with 1 where a file is
    refused; what was there before stays.

    Labels, form of the input, threshold and licence go into each file. TensorFlow is needed for
    litert, saved-model, and .keras files.
    """
    targets = [Target(each, int8) for each in dict.fromkeys(formats or [Format.ONNX])]
    if int8 and Format.SAVED_MODEL in [target.format for target in targets]:
        raise OptionError("--int8: SavedModel has no 8-bit integers; expected --format onnx or litert")

    from digitcli import originals, workshop

    path = model or originals.find(folder)
    workshop.require_runtimes(targets)
    if not quiet:
        say(f"Model: {model_in_words(path)}")
        say_substitute(model, path, folder)
        if path.suffix == ".keras" or any(target.format is not Format.ONNX for target in targets):
            say("Loading TensorFlow ...")
    original = originals.Original(path)
    place = output or folder / workshop.FOLDER
    workshop.require_room(place, targets, original)
    shop = workshop.Workshop(original)
    if any(target.format is not Format.ONNX for target in targets):
        _ = shop.network  # what is wrong with it is said before anything else is done
    if not quiet:
        say("Reading the test images with the model itself ...")
    _ = shop.measures
    trials = []
    for target in targets:
        if not quiet:
            say(f"Writing {target.name} and reading the test images with it ...")
        trials.append(shop.make(target, place))
    if json:
        print_json(_as_json(original, shop, trials, place))
    else:
        print_table(_table(original, shop, trials))
    refused = [trial for trial in trials if trial.problem]
    for trial in refused:
        tell_error(f"{place / trial.target.name}: refused: {trial.problem}; nothing was replaced")
    if refused:
        raise typer.Exit(ExitCode.FAILED)


_RUNTIMES = {
    Format.ONNX: ("ONNX Runtime", "onnxruntime"),
    Format.LITERT: ("LiteRT", "ai-edge-litert"),
    Format.SAVED_MODEL: ("TensorFlow", "tensorflow"),
}
_KERAS = ("Keras", "keras")


def _runtime(original: "Original", target: Target | None) -> str:
    """Say what runs a file, or the original where no target is given, and its version."""
    from digitcli.records import installed

    if target:
        name, package = _RUNTIMES[target.format]
    else:
        name, package = _KERAS if original.is_keras else _RUNTIMES[Format.ONNX]
    return f"{name} {installed(package) or ''}".rstrip()


def _table(original: "Original", shop: "Workshop", trials: "list[Trial]") -> "Table":
    from rich.table import Table

    table = Table()
    table.add_column("file", no_wrap=True)
    for heading in ("accuracy", "largest\ndifference", "size", "images/s", "one image"):
        table.add_column(heading, justify="right")
    table.add_row(
        "the original",
        *_numbers(shop.measures, None, original.path.stat().st_size),
    )
    for trial in trials:
        style = "red" if trial.problem else ""
        table.add_row(trial.target.name, *_numbers(trial.measures, trial.difference, trial.size), style=style)
    return table


def _numbers(measures: "Measures | None", difference: float | None, size: int) -> tuple[str, ...]:
    if measures is None:
        return ("-",) * 5
    return (
        percent(measures.accuracy),
        "-" if difference is None else f"{difference:.2g}",
        f"{size / 1024:,.0f} KiB",
        f"{measures.images_per_second:,.0f}",
        f"{measures.milliseconds:.2f} ms",
    )


def _as_json(original: "Original", shop: "Workshop", trials: "list[Trial]", place: Path) -> dict[str, Any]:
    def numbers(measures: "Measures | None") -> dict[str, Any]:
        if measures is None:
            return {}
        return {
            "accuracy": measures.accuracy,
            "images_per_second": measures.images_per_second,
            "milliseconds_per_image": measures.milliseconds,
        }

    return {
        "data": "mnist",
        "n": len(shop.test),
        "original": {
            "file": str(original.path),
            "runtime": _runtime(original, None),
            "bytes": original.path.stat().st_size,
            **numbers(shop.measures),
        },
        "files": [
            {
                "file": str(place / trial.target.name),
                "format": trial.target.format,
                "int8": trial.target.int8,
                "runtime": _runtime(original, trial.target),
                "bytes": trial.size,
                **numbers(trial.measures),
                "largest_difference": trial.difference,
                "kept": trial.problem is None,
                "problem": trial.problem,
            }
            for trial in trials
        ],
    }
