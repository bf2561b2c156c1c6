"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli import artifacts
from digitcli.commands.console import say

if TYPE_CHECKING:
    from digitcli.datasets.digits import Labels


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


def or_box(path: Path | None) -> Path | None:
    """Let the word box stand for the model that comes with digitcli."""
    if path is None or str(path) != artifacts.BOX:
        return path
    from digitcli.recognizer import BOXED_MODEL

    return BOXED_MODEL


Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE|box",
        help="An .onnx file, or the one in the box, instead of model.onnx in the artifacts folder.",
        callback=or_box,
    ),
]
AnyModel = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE|box",
        help="An .onnx or .keras file, or the one in the box, instead of that in the artifacts folder.",
        callback=or_box,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout and no tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing while working.")]


def say_missing(labels: "Labels") -> None:
    """Say which digits a data source has no image of, if any: its folders may be misnamed."""
    from digitcli.preprocessing import CLASSES

    missing = sorted(set(range(CLASSES)) - set(labels.tolist()))
    if missing:
        say(f"Note: the data has no image of {', '.join(map(str, missing))}")


def model_in_words(path: Path) -> str:
    """Say which model reads."""
    from digitcli.recognizer import BOXED_MODEL

    return "the one that comes with digitcli" if path == BOXED_MODEL else str(path)


def say_substitute(model: Path | None, path: Path, folder: Path) -> None:
    """Say so where `path` is the model in the box because the folder that was named holds none."""
    from digitcli.recognizer import BOXED_MODEL

    if model is None and path == BOXED_MODEL and folder != ARTIFACTS:
        say(f"Note: {folder} holds no {artifacts.MODEL}; the model that comes with digitcli is taken.")


def say_model(path: Path) -> None:
    """Say which model reads, and where another would read strangers better."""
    from digitcli.recognizer import BOXED_MODEL

    say(f"Model: {model_in_words(path)}")
    if path != BOXED_MODEL and _knows_digits_alone(path):
        say(
            "Note: it was trained on a data set's digits alone; the model that comes with digitcli knows "
            f"more hands, and what is no digit: --model {artifacts.BOX}"
        )


def _knows_digits_alone(path: Path) -> bool:
    """Tell whether a model's record says that it never saw what is no digit."""
    recipe = (artifacts.record_beside(path) or {}).get("recipe")
    if not isinstance(recipe, dict):
        return False
    synthesis = recipe.get("synthesis")
    return not (isinstance(synthesis, dict) and synthesis.get("others"))
