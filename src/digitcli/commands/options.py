"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from digitcli import artifacts


def complete_data(incomplete: str) -> list[str]:
    """Return the built-in data sources that start so, for shell completion."""
    return [name for name in ("mnist", "sample") if name.startswith(incomplete)]


DATA_HELP = (
    "mnist, sample, a .npz file, a .jsonl file of pen strokes, "
    "or a folder with the four IDX files or with images in subfolders 0 to 9."
)

Data = Annotated[str, typer.Option("--data", metavar="SOURCE", help=DATA_HELP, autocompletion=complete_data)]
Artifacts = Annotated[
    Path, typer.Option("--artifacts", metavar="DIR", help="The folder that holds a run's files.")
]
ARTIFACTS = artifacts.DEFAULT_FOLDER
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="An .onnx file, instead of model.onnx in the artifacts folder or the one in the box.",
    ),
]
AnyModel = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="An .onnx or .keras file, instead of that in the artifacts folder or in the box.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout and no tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing while working.")]


def model_in_words(path: Path) -> str:
    """Say which model reads."""
    from digitcli.recognizer import BOXED_MODEL

    return "the one that comes with digitcli" if path == BOXED_MODEL else str(path)
