"""Every picture, as a Matplotlib figure without a window or global state."""

from matplotlib.figure import Figure

from digitcli.plotting.curves import History, comparison, curves
from digitcli.plotting.gallery import GALLERY_COLUMNS, GALLERY_ROWS, augmentation, mistakes, samples
from digitcli.plotting.results import confusion, reliability
from digitcli.plotting.style import png

__all__ = [
    "GALLERY_COLUMNS",
    "GALLERY_ROWS",
    "Figure",
    "History",
    "augmentation",
    "comparison",
    "confusion",
    "curves",
    "mistakes",
    "png",
    "reliability",
    "samples",
]
