"""Console output: data on stdout, messages on stderr.

Rich is imported on first use: ``--help`` and ``--version`` need none of it.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@cache
def stdout() -> "Console":
    """Return the console for data."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)


@cache
def stderr() -> "Console":
    """Return the console for words."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def say(words: str) -> None:
    """Write a line to stderr, never wrapped, so that paths stay whole."""
    stderr().print(words, soft_wrap=True, markup=False)


def tell_error(words: str) -> None:
    """Write an error to stderr."""
    from rich.text import Text

    stderr().print(Text.assemble(("Error: ", "bold red"), words), soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON object to stdout, on one line."""
    print(json.dumps(value, allow_nan=False))  # noqa: T201


def print_table(table: "Table") -> None:
    """Write a table to stdout; in a narrow terminal words and figures are broken, never cut."""
    for column in table.columns:
        column.overflow = "fold"
    stdout().print(table)


def print_line(words: str) -> None:
    """Write a line to stdout, never wrapped."""
    stdout().print(words, soft_wrap=True, markup=False)


def print_facts(rows: dict[str, str]) -> None:
    """Write names and values to stdout, a line each, never wrapped."""
    width = max(len(name) for name in rows) + 2
    for name, value in rows.items():
        print_line(f"{name:{width}}{value}")


def file_list(folder: Path, names: tuple[str, ...]) -> str:
    """Say where files are."""
    return f"{', '.join(names)} in {folder}"
