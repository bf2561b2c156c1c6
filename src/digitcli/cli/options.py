"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli import artifacts
from digitcli.cli.console import say
from digitcli.config.mnist import Orientation, Polarity
from digitcli.evaluation.wording import percent
from digitcli.recognition.pretrained import (
    NO_DETECTOR,
    PRETRAINED_MODEL,
    detector_file,
    model_file,
    model_name,
)

if TYPE_CHECKING:
    from digitcli.datasets.digits import Labels


def complete_data(incomplete: str) -> list[str]:
    """Return the built-in data sources that start so, for shell completion."""
    return [name for name in ("mnist", "sample") if name.startswith(incomplete)]


DATA_HELP = (
    "mnist, sample, a .npz, .h5, .csv or .parquet file, a .jsonl file of pen strokes, "
    "or a folder with the four IDX files or with images in subfolders 0 to 9."
)
DataOrientation = Annotated[
    Orientation | None,
    typer.Option(
        "--orientation", help="How the images of --data lie; EMNIST's are transposed.", show_default="upright"
    ),
]
DataPolarity = Annotated[
    Polarity | None,
    typer.Option("--polarity", help="Whether their ink is bright or dark.", show_default="bright"),
]

Data = Annotated[str, typer.Option("--data", metavar="SOURCE", help=DATA_HELP, autocompletion=complete_data)]
Artifacts = Annotated[
    Path, typer.Option("--artifacts", metavar="DIR", help="Folder with the files of a run.")
]
ARTIFACTS = artifacts.DEFAULT_FOLDER
_SPECIALISTS = ("best", "ensemble")  # recipes that are after the last hundredth on MNIST


def resolve_pretrained(path: Path | None) -> Path | None:
    """Let the word ``pretrained`` stand for the pretrained model."""
    return None if path is None else model_file(path)


Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE|pretrained",
        help="ONNX file, or pretrained. Default: model.onnx in the artifacts folder, else the pretrained "
        "model.",
        callback=resolve_pretrained,
    ),
]


def resolve_pretrained_detector(path: Path | None) -> Path | None:
    """Let the word ``pretrained`` stand for the pretrained detector."""
    return None if path is None else detector_file(path)


DetectorFile = Annotated[
    Path | None,
    typer.Option(
        "--detector",
        metavar="FILE|pretrained|none",
        help="ONNX file of a detector, which tells digits from what is none; pretrained; or none, which is "
        "faster. Default: detector.onnx in the artifacts folder, else the pretrained one.",
        callback=resolve_pretrained_detector,
    ),
]
AnyModel = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE|pretrained",
        help="ONNX or Keras file, or pretrained. Default: the model in the artifacts folder, else the "
        "pretrained model.",
        callback=resolve_pretrained,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def say_missing(labels: "Labels") -> None:
    """Say which digits a data source has no image of, if any: its folders may be misnamed."""
    from digitcli.config.mnist import CLASSES

    missing = sorted(set(range(CLASSES)) - set(labels.tolist()))
    if missing:
        say(f"Note: the data has no image of {', '.join(map(str, missing))}")


def say_substitute(model: Path | None, path: Path, folder: Path) -> None:
    """Say so where the pretrained model takes the place of one that is not in the folder that was named."""
    if model is None and path == PRETRAINED_MODEL and folder != ARTIFACTS:
        say(f"Note: {folder} holds no {artifacts.MODEL}; the pretrained model is used.")


def say_model(path: Path) -> None:
    """Say which model is used, and where it is one that knows MNIST alone."""
    say(f"Model: {model_name(path)}")
    if path == PRETRAINED_MODEL:
        return
    from digitcli.run_record import RunRecord

    record = RunRecord.beside(path)
    if record and record.recipe_name in _SPECIALISTS:
        name = record.data.name if record.data else None
        accuracy = (record.test or {}).get("accuracy")
        result = f" ({percent(accuracy)} of its test images)" if accuracy is not None else ""
        trained = f"{record.recipe_name} is trained on {name or 'single digits'} alone{result}"
        say(f"Note: {trained}; the pretrained model is better on drawings")


def say_detector(path: Path) -> None:
    """Say which detector helps to find digits, if one does."""
    if str(path) != NO_DETECTOR:
        say(f"Detector: {model_name(path)}")
