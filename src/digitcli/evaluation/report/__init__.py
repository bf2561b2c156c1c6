"""The report card of a model: everything that is known of it, as one page and as the same in JSON.

`write` leaves both in a folder. The card holds the figures (`card.py`), `view.py` says them in words, and
the templates show these (`page.py`, in the look of ``page.css``). Jinja2 escapes whatever they are given.
"""

from pathlib import Path

from digitcli import artifacts
from digitcli.evaluation.report.card import Card, EvaluatedModel, SourceEvaluation, evaluate_source, make
from digitcli.evaluation.report.page import render
from digitcli.evaluation.report.pair import as_json as pair_as_json
from digitcli.evaluation.report.pair import in_words, side_by_side

__all__ = [
    "FILES",
    "Card",
    "EvaluatedModel",
    "SourceEvaluation",
    "evaluate_source",
    "in_words",
    "make",
    "pair_as_json",
    "side_by_side",
    "write",
]

PAGE = "report.html"
DATA = "report.json"
FILES = (PAGE, DATA)


def write(card: Card, folder: Path) -> tuple[str, ...]:
    """Write the page and its figures into `folder`, both or neither; return their names."""
    page = render(card)
    with artifacts.replacing(folder) as files:
        files.write(PAGE, page.encode("utf-8", "replace"))
        files.write_json(DATA, card.as_json())
        return files.names()
