"""The command line: the commands' names, the options of all of them, and the one error boundary."""

import errno
import io
import sys
import traceback
from typing import Annotated

import typer

from digitcli import __version__
from digitcli.cli.console import say, tell_error
from digitcli.cli.draw import draw
from digitcli.cli.evaluate import evaluate
from digitcli.cli.export import export
from digitcli.cli.plot import plot
from digitcli.cli.predict import predict
from digitcli.cli.serve import serve
from digitcli.cli.train import train
from digitcli.errors import DigitcliError, ExitCode

app = typer.Typer(
    name="digitcli",
    help="Train a handwritten-digit reader on MNIST, evaluate it, and read your own images.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Typer's Rich help costs more time than all the rest of the start-up
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(evaluate)
app.command()(plot)
app.command()(predict)
app.command()(draw)
app.command()(serve)
app.command()(export)


class _Settings:
    debug = False


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"digitcli {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    context.obj.debug = debug


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; every error ends here, as a line of words."""
    settings = _Settings()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a path that the terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="digitcli", obj=settings)
    except SystemExit as exit_:  # how Typer ends, well or not
        return exit_.code if isinstance(exit_.code, int) else ExitCode.FAILED
    except DigitcliError as error:
        if settings.debug:
            traceback.print_exc()
        (say if error.exit_code == ExitCode.INTERRUPTED else tell_error)(str(error))
        return error.exit_code
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            tell_error(f"{error.filename or 'the output'}: cannot be written: no space is left")
            return ExitCode.FAILED
        tell_error(f"{type(error).__name__}: {error}")
        say("This is unexpected. For the traceback, run it again as: digitcli --debug ...")
        return ExitCode.FAILED
    return ExitCode.DONE
