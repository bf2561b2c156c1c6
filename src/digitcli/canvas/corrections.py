"""Corrections: drawings that people labelled, appended to a file for training."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from digitcli.errors import DigitcliError


class Corrections:
    """A file of labelled drawings to which lines are added; what is there already stays as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: tuple[int, bytes] | None = None  # where our last line begins, and the line

    def add(self, strokes: Sequence[Sequence[Sequence[float]]], label: int, read: str) -> None:
        """Add a drawing.

        Args:
            strokes: points x, y.
            label: what it is, 0..9.
            read: what it was read as; kept for the curious.

        Raises `DigitcliError` where it cannot be written; the file is then as it was.
        """
        line = json.dumps({"label": label, "read": read, "strokes": strokes}).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                end = file.seek(0, os.SEEK_END)
                if end:
                    file.seek(end - 1)
                    if file.read(1) != b"\n":  # somebody's last line was cut off; ours is not to join it
                        line = b"\n" + line
                try:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(end)
                    raise
        except OSError as error:
            raise DigitcliError(f"{self.path}: cannot be written: {error.strerror}") from error
        self._last = (end, line)

    def take_back(self) -> bool:
        """Remove the line that was added last, if it still is the file's last; return whether it was."""
        if self._last is None:
            return False
        start, line = self._last
        self._last = None
        try:
            with self.path.open("rb+") as file:
                file.seek(start)
                if file.read() != line:
                    return False
                file.truncate(start)
        except OSError:
            return False
        return True
