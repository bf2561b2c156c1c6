"""What an image says: digits, signs, lines, as Python objects and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from digitcli.models.classifier import Probabilities
from digitcli.preprocessing.geometry import Box
from digitcli.preprocessing.mnist_form import Images

# how signs are written in a text; the others are told, and not written
WRITTEN: Final = {"decimal": ".", "minus": "-", "slash": "/"}


@dataclass(frozen=True)
class Digit:
    """One digit as read.

    Attributes:
        digit: 0..9, or None for a mark that is no digit.
        confidence: the largest of the probabilities, 0..1.
        box: x and y of the left upper corner, width and height, in pixels of the image.
        probabilities: of all ten digits; they sum to 1.
        form: (28, 28) uint8, the very image in MNIST form that was classified.
        line: number of its line in `Reading.lines`; None for a mark that is no digit.
    """

    digit: int | None
    confidence: float
    box: Box
    probabilities: tuple[float, ...]
    form: Images = field(repr=False, compare=False)
    line: int | None = None

    @classmethod
    def of(cls, box: Box, probabilities: Probabilities, form: Images, line: int | None) -> Self:
        """Return the likeliest digit, of a line; without one, a mark that is none."""
        best = int(probabilities.argmax())
        return cls(
            None if line is None else best,
            float(probabilities[best]),
            box,
            tuple(float(value) for value in probabilities),
            form,
            line,
        )


@dataclass(frozen=True)
class Symbol:
    """One sign that stands beside digits, as found by a detector.

    Attributes:
        symbol: one of `config.marks.SYMBOLS`.
        confidence: how likely it is this sign, 0..1.
        box: x and y of the left upper corner, width and height, in pixels of the image.
        line: number of the line beside whose digits it stands; None where there are none.
        place: number of digits of that line before it.
    """

    symbol: str
    confidence: float
    box: Box
    line: int | None
    place: int


@dataclass(frozen=True)
class Reading:
    """What an image says.

    Attributes:
        text: the digits in reading order, lines apart by line breaks; empty where there is none.
        digits: the same with all that is known of them, and the marks that are no digits.
        symbols: the signs beside them.
    """

    text: str
    digits: tuple[Digit, ...]
    symbols: tuple[Symbol, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n") if self.text else []

    @property
    def lines_with_symbols(self) -> list[str]:
        """The lines with the signs that are `WRITTEN`: 12.5, -42, 12/05."""
        return [
            with_symbols(line, [each for each in self.symbols if each.line == number])
            for number, line in enumerate(self.lines)
        ]

    def as_json(self, *, symbols: bool = False) -> dict[str, Any]:
        """Return it as every command and page gives it to programs.

        Args:
            symbols: whether signs are written in text and lines.
        """
        lines = self.lines_with_symbols if symbols else self.lines
        return {
            "text": "\n".join(lines),
            "lines": lines,
            "digits": [
                {
                    "digit": digit.digit,
                    "confidence": digit.confidence,
                    "box": list(digit.box),
                    "line": digit.line,
                    "probabilities": list(digit.probabilities),
                }
                for digit in self.digits
            ],
            "symbols": [
                {
                    "symbol": symbol.symbol,
                    "confidence": symbol.confidence,
                    "box": list(symbol.box),
                    "line": symbol.line,
                }
                for symbol in self.symbols
            ],
        }


def with_symbols(digits: str, symbols: Sequence[Symbol]) -> str:
    """Write signs between the digits of a line: a minus before a digit, others between two.

    Args:
        digits: of the line.
        symbols: of the line, from left to right.
    """
    written = ""
    for place in range(len(digits) + 1):
        here = [each.symbol for each in symbols if each.place == place and each.symbol in WRITTEN]
        if here and place < len(digits):
            sign = here[-1]
            written += WRITTEN[sign] if sign == "minus" or place else ""
        written += digits[place : place + 1]
    return written
