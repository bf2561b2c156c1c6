"""What a detector's files and its recipe agree on: strides, sizes, and what each cell tells."""

from typing import Final

from digitcli.config.marks import SYMBOLS
from digitcli.config.mnist import CLASSES

# stride of a level's cells, in pixels, and the longer sides of the marks that it finds: neighbours overlap
LEVELS: Final = (4, 8, 16)
SIZES: Final = ((0, 40), (32, 88), (72, 1000))
FOREGROUND_STRIDE: Final = 2
PATCH: Final = 256  # pixels, each side of the pages that it is trained on

# what a cell tells, in this order: how likely a digit, a symbol, another mark has its centre there; which
# digit; which symbol; the centre's offset in cells; logarithms of width and height in units of `BOX_UNIT`
# cells
PRESENCE: Final = slice(0, 3)
DIGIT: Final = slice(3, 3 + CLASSES)
SYMBOL: Final = slice(3 + CLASSES, 3 + CLASSES + len(SYMBOLS))
BOX: Final = slice(3 + CLASSES + len(SYMBOLS), 3 + CLASSES + len(SYMBOLS) + 4)
OUTPUTS: Final = BOX.stop
BOX_UNIT: Final = 5.0
