"""The style that all figures share.

Colours are Okabe and Ito's ("Color Universal Design", 2008), which colour-blind readers can tell
apart; curves differ in line style too.
"""

import io
import warnings

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PINK, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#6E6E6E"
DPI = 110
FONT = 11  # points


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file's content."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():  # a name in a script that the font lacks still has its place
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def single_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of one diagram; sizes in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    return figure, figure.subplots()


def plain(name: str) -> str:
    """Keep Matplotlib from taking a name for a formula, or for a label that is not to be shown."""
    name = name.encode("utf-8", "replace").decode().replace("$", r"\$")
    return f" {name}" if name.startswith("_") else name


def tidy(axes: Axes) -> None:
    """Put a light grid behind a diagram, and take away what says nothing."""
    axes.grid(color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
