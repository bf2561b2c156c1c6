"""Where results become words: data on stdout, words on stderr."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(words: str) -> None:
    """Write a line to stderr, never wrapped, so that paths stay whole."""
    err.print(words, soft_wrap=True, markup=False)


def tell_error(words: str) -> None:
    """Write an error to stderr."""
    err.print(f"[bold red]Error:[/] {escape(words)}", soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON object to stdout, on one line."""
    print(json.dumps(value, allow_nan=False))  # noqa: T201


def print_table(table: Table) -> None:
    """Write a table to stdout."""
    out.print(table)


def print_line(words: str) -> None:
    """Write a line to stdout, never wrapped."""
    out.print(words, soft_wrap=True, markup=False)


def facts(rows: dict[str, str]) -> Table:
    """Make a table of names and values."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def file_list(folder: Path, names: tuple[str, ...]) -> str:
    """Say where files are."""
    return f"{', '.join(names)} in {folder}"


def percent(share: float | None) -> str:
    """Say a share as a percentage with two digits, or a dash for None."""
    return "-" if share is None else f"{share:.2%}"
