"""``digitcli serve``: the canvas as a web page, and a JSON API."""

from pathlib import Path
from typing import Annotated

import typer

from digitcli.cli.console import say
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


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 accepts other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8000,
    model: Model = None,
    folder: Artifacts = ARTIFACTS,
    detector: DetectorFile = None,
    collect: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Append corrections from the page to this file; none are kept without."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of server processes.")] = 1,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Serve a web page that reads while you draw, and a JSON API.

    Only this machine can connect unless --host says otherwise. The page loads nothing from other
    sites. /docs describes the API. Ctrl-C finishes open requests and stops the server.
    """
    from digitcli.recognition.pretrained import find_detector, find_model
    from digitcli.recognition.recognizer import Recognizer
    from digitcli.web import server
    from digitcli.web.app import Settings

    path = model or find_model(folder)
    finder = detector or find_detector(folder)
    Recognizer.load(path, detector=finder)  # what is wrong with it is told before anything listens
    if collect:
        server.require_appendable(collect)
    socket = server.listen(host, port)
    address = server.address(socket)
    if not quiet:
        say_model(path)
        say_detector(finder)
        say_substitute(model, path, folder)
        if not server.is_loopback(host):
            say("Note: everybody who can reach this machine can use the server; there is no password.")
        say(f"The page is at {address} and the API at {address}/docs; Ctrl-C stops it.")
    server.run(Settings(path, host, collect, finder), socket, workers=workers, opens=opens)
