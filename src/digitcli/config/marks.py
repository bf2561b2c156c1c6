"""The classes of marks that a detector tells apart; the numbers are those in its files."""

from typing import Final

from digitcli.config.mnist import CLASSES

SYMBOLS: Final = ("decimal", "minus", "slash", "plus", "equals", "colon")
MARKS: Final = (*map(str, range(CLASSES)), *SYMBOLS, "letter", "other")

DECIMAL, MINUS, SLASH, PLUS, EQUALS, COLON = range(CLASSES, CLASSES + len(SYMBOLS))
LETTER: Final = MARKS.index("letter")
OTHER: Final = MARKS.index("other")  # compact marks that are none of the others: brackets, ticks, arrows, ...
