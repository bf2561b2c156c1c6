"""``digitcli plot``: the figures of a run, redrawn from its files."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from digitcli.cli.console import file_list, print_line
from digitcli.cli.options import ARTIFACTS, DATA_HELP, Artifacts, complete_data
from digitcli.errors import MissingError, OptionError


def plot(
    more: Annotated[list[Path] | None, typer.Argument(metavar="DIR", hidden=True)] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR...", help="Plot the curves of these runs' folders together, as comparison.png."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help=f"Data source, instead of the one that the run was trained on: {DATA_HELP}",
            autocompletion=complete_data,
        ),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Redraw the plots of a run: loss, accuracy, samples, confusion, mistakes and reliability.

    Needs the run's history.json and model.onnx, but not TensorFlow.
    """
    if more and not compare:
        raise OptionError(
            f"found {more[0]} without --compare; for one run's folder use --artifacts {more[0]}"
        )

    if compare and data:
        raise OptionError(f"--data {data} with --compare: curves need no data; leave one of them out")

    from digitcli import artifacts
    from digitcli.evaluation.plots import redraw

    if show:
        _require_display()
    if compare or os.path.exists(folder):  # else what is missing is the run
        artifacts.require_writable(folder)
    files = redraw.compare([*compare, *(more or [])], folder) if compare else redraw.redraw(folder, data)
    print_line(file_list(folder, files))
    if show:
        for name in files:
            _open(folder / name)


def _require_display() -> None:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise MissingError(
            "--show needs a display, and there is none; leave it out to only write the pictures"
        )


def _open(picture: Path) -> None:
    try:
        status = typer.launch(str(picture))
    except OSError:
        status = 1
    if status:
        raise MissingError(f"found no program to open {picture}; the picture is written, open it by hand")
