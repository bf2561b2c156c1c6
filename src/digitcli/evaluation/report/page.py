"""The report card as one HTML page: no script, no external resources, all figures embedded."""

import unicodedata
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from digitcli.evaluation.report import view
from digitcli.evaluation.report.card import Card

_FOLDER = Path(__file__).parent
_ALLOWED_CONTROLS = "\n\t"


def _without_forbidden(value: Any) -> Any:
    """Replace what HTML forbids: controls, and halves of characters from broken file names."""
    if isinstance(value, Markup):  # made by the templates, of parts that came by here
        return value
    return "".join(
        "\ufffd"
        if unicodedata.category(character) in ("Cc", "Cs") and character not in _ALLOWED_CONTROLS
        else character
        for character in str(value)
    )


templates = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_without_forbidden,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(card: Card) -> str:
    """Return the page of a report card."""
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return templates.get_template("page.html.j2").render(view.of_card(card), style=style)


def training(run: dict[str, Any] | None) -> str:
    """Return what the page says of the ``run.json`` beside a model; it may be anybody's and hold anything."""
    return templates.get_template("training.html.j2").render(training=view.of_run(run))
