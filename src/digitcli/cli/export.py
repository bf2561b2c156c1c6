"""``digitcli export``: a model for other programs and devices."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.cli.console import print_json, print_line, print_table, say, tell_error
from digitcli.cli.options import ARTIFACTS, AnyModel, Artifacts, Json, Quiet, say_substitute
from digitcli.errors import ExitCode, OptionError
from digitcli.evaluation.wording import percent
from digitcli.export.formats import Format, Target
from digitcli.recognition.pretrained import model_name

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.export.exporter import Exporter, Measures, Original, Verification
    from digitcli.export.foreign import ForeignModel


def export(
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="onnx|litert|saved-model",
            help="Format of the file; repeatable. Default: onnx.",
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Quantize to 8-bit integers, a quarter of the size; onnx and litert. Ranges are "
            "calibrated on 500 training images of MNIST.",
        ),
    ] = False,
    model: AnyModel = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Output folder. Default: exported/ in the artifacts folder."),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Export the model to ONNX, LiteRT or SavedModel, and verify each file.

    Each file's own runtime reads the 10,000 test images of MNIST. A float32 file is kept if no
    probability differs from the original's by more than 0.0001 and as many images are read right; an
    int8 file, if its accuracy is at most 0.2 percentage points lower. If a file is refused, the one
    before it stays and the exit status is 1.

    Each file holds its labels, input format, rejection threshold and licence. LiteRT, SavedModel and
    .keras files need TensorFlow. A detector is exported to ONNX alone.

    A model from elsewhere (Keras 2 HDF5, .keras, SavedModel, ONNX) reads 1,000 validation images in every
    usual form of input; model.onnx takes digitcli's own, with scaling, layout and softmax put inside.
    """
    targets = [Target(each, int8) for each in dict.fromkeys(formats or [Format.ONNX])]
    if int8 and Format.SAVED_MODEL in [target.format for target in targets]:
        raise OptionError("--int8: SavedModel has no 8-bit integers; expected --format onnx or litert")

    from digitcli.datasets import load_split
    from digitcli.export import exporter, foreign
    from digitcli.models.detector import is_detector

    path = model or exporter.find_original(folder)
    is_foreign = exporter.is_foreign(path)
    if model is not None and not is_foreign and is_detector(model):
        _export_detector(model, targets, output or folder / exporter.FOLDER, json=json)
        return
    exporter.require_runtimes(targets)
    if not quiet:
        say(f"Model: {model_name(path)}")
        say_substitute(model, path, folder)
        if path.suffix != ".onnx" or any(target.format is not Format.ONNX for target in targets):
            say("Loading TensorFlow ...")
    if is_foreign and any(target.format is not Format.ONNX for target in targets):
        raise OptionError(f"{path}: a model from elsewhere is exported to ONNX; expected --format onnx alone")
    split = load_split("mnist")
    original = foreign.load(path, split.validation) if is_foreign else exporter.Original(path)
    if isinstance(original, foreign.ForeignModel):
        for line in original.in_words:
            say(line)
    place = output or folder / exporter.FOLDER
    exporter.require_room(place, targets, original)
    exporter_ = exporter.Exporter(original, split)
    if any(target.format is not Format.ONNX for target in targets):
        _ = exporter_.network  # what is wrong with it is said before anything else is done
    if not quiet:
        say("Reading the test images with the original model ...")
    _ = exporter_.measures
    verifications = []
    for target in targets:
        if not quiet:
            say(f"Writing {target.name} and reading the test images with it ...")
        verifications.append(exporter_.make(target, place))
    if json:
        print_json(_as_json(original, exporter_, verifications, place))
    else:
        print_table(_table(original, exporter_, verifications))
    refused = [verification for verification in verifications if verification.problem]
    for verification in refused:
        tell_error(
            f"{place / verification.target.name}: refused: {verification.problem}; nothing was replaced"
        )
    if refused:
        raise typer.Exit(ExitCode.FAILED)


def _export_detector(model: Path, targets: list[Target], place: Path, *, json: bool) -> None:
    from digitcli.export.detector import export_file

    if any(target.int8 or target.format is not Format.ONNX for target in targets):
        raise OptionError(f"{model}: is a detector; expected --format onnx alone, without --int8")
    name, difference = export_file(model, place)
    if json:
        print_json({"file": str(place / name), "format": "onnx", "largest_difference": difference})
        return
    apart = "" if difference is None else f", which differs from Keras by {difference:.1g} at most"
    print_line(f"{place / name}: {(place / name).stat().st_size / 1024:,.0f} KiB{apart}")


_RUNTIMES = {
    Format.ONNX: ("ONNX Runtime", "onnxruntime"),
    Format.LITERT: ("LiteRT", "ai-edge-litert"),
    Format.SAVED_MODEL: ("TensorFlow", "tensorflow"),
}
_KERAS = ("Keras", "keras")


def _runtime(original: "Original | ForeignModel", target: Target | None) -> str:
    """Say what runs a file, or the original where no target is given, and its version."""
    from digitcli.run_record import installed

    if target:
        name, package = _RUNTIMES[target.format]
    else:
        name, package = _KERAS if original.is_keras else _RUNTIMES[Format.ONNX]
    return f"{name} {installed(package) or ''}".rstrip()


def _table(
    original: "Original | ForeignModel", exporter_: "Exporter", verifications: "list[Verification]"
) -> "Table":
    from rich.table import Table

    from digitcli.export.exporter import size

    table = Table()
    table.add_column("file", no_wrap=True)
    for heading in ("accuracy", "largest\ndifference", "size", "images/s", "one image"):
        table.add_column(heading, justify="right")
    table.add_row(
        "the original",
        *_numbers(exporter_.measures, None, size(original.path)),
    )
    for verification in verifications:
        style = "red" if verification.problem else ""
        table.add_row(
            verification.target.name,
            *_numbers(verification.measures, verification.difference, verification.size),
            style=style,
        )
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


def _as_json(
    original: "Original | ForeignModel",
    exporter_: "Exporter",
    verifications: "list[Verification]",
    place: Path,
) -> dict[str, Any]:
    from digitcli.export.exporter import size

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
        "n": len(exporter_.test),
        "original": {
            "file": str(original.path),
            "runtime": _runtime(original, None),
            "bytes": size(original.path),
            **numbers(exporter_.measures),
        },
        "files": [
            {
                "file": str(place / verification.target.name),
                "format": verification.target.format,
                "int8": verification.target.int8,
                "runtime": _runtime(original, verification.target),
                "bytes": verification.size,
                **numbers(verification.measures),
                "largest_difference": verification.difference,
                "kept": verification.problem is None,
                "problem": verification.problem,
            }
            for verification in verifications
        ],
    }
