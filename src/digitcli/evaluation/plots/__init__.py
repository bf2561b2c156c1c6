"""All figures, drawn with Matplotlib without a window or global state.

- `curves`: loss and accuracy over the epochs, of one run or several
- `classification`: confusion matrix and reliability diagram
- `image_grids`: samples, augmentation, mistakes, suspects
- `pages`: generated pages and their labels
- `redraw`: all figures of a run that is done
- `style`: colours, sizes, PNG files
"""

from matplotlib.figure import Figure

from digitcli.evaluation.plots.classification import confusion, reliability
from digitcli.evaluation.plots.curves import History, comparison, curves
from digitcli.evaluation.plots.image_grids import (
    GRID_COLUMNS,
    GRID_ROWS,
    augmentation,
    mistakes,
    samples,
    suspects,
)
from digitcli.evaluation.plots.pages import page_sheet
from digitcli.evaluation.plots.style import png

__all__ = [
    "GRID_COLUMNS",
    "GRID_ROWS",
    "Figure",
    "History",
    "augmentation",
    "comparison",
    "confusion",
    "curves",
    "mistakes",
    "page_sheet",
    "png",
    "reliability",
    "samples",
    "suspects",
]
