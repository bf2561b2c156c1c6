"""Figures of classification results: the confusion matrix and the reliability diagram."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from digitcli.config.mnist import CLASSES
from digitcli.evaluation.metrics import Evaluation, reliability_bins
from digitcli.evaluation.plots.style import BLUE, FONT, GREY, plain, single_axes, tidy
from digitcli.evaluation.wording import percent


def confusion(evaluation: Evaluation) -> Figure:
    """Draw the confusion matrix; colour shows mistakes only, on a logarithmic scale."""
    figure, axes = single_axes(7, 6.2)
    counts = evaluation.confusion
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    mistakes[mistakes == 0] = np.nan
    most = max(2.0, np.nanmax(mistakes)) if np.isfinite(mistakes).any() else 2.0
    axes.imshow(mistakes, cmap="YlOrBr", norm=LogNorm(0.7, most * 1.6))
    for truth in range(CLASSES):
        for read in range(CLASSES):
            count = counts[truth, read]
            if truth == read:
                axes.add_patch(_cell(read, truth))
            if count or truth == read:
                dark = truth != read and count > 0.5 * most
                axes.text(
                    read,
                    truth,
                    f"{count:,}",
                    ha="center",
                    va="center",
                    fontsize=10.5,
                    color="white" if dark else "black",
                    weight="bold" if truth == read else "normal",
                )
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#DDDDDD", linewidth=0.8)
    axes.tick_params(which="both", length=0, labelsize=11)
    axes.set_xlabel("what was read", fontsize=FONT)
    axes.set_ylabel("what it is", fontsize=FONT)
    wrong = int(counts.sum() - np.trace(counts))
    axes.set_title(
        f"{plain(evaluation.data)}: {percent(evaluation.accuracy)} right, "
        f"{wrong:,} of {counts.sum():,} wrong",
        fontsize=FONT,
    )
    return figure


def reliability(evaluation: Evaluation) -> Figure:
    """Draw how often a model is right against how sure it says it is (a reliability diagram).

    Points on the diagonal are honest; bars are 95% intervals of the share that was right.
    """
    figure, axes = single_axes(7, 5.6)
    bins = reliability_bins(evaluation.probabilities, evaluation.right)
    axes.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1.8, label="as sure as right")
    confidence, accuracy = ([getattr(each, key) for each in bins] for key in ("confidence", "accuracy"))
    reach = [
        [each.accuracy - each.accuracy_ci95[0] for each in bins],
        [each.accuracy_ci95[1] - each.accuracy for each in bins],
    ]
    axes.errorbar(
        confidence, accuracy, yerr=reach, fmt="o", color=BLUE, capsize=3, label="images, 95% interval"
    )
    for each in bins:
        axes.annotate(
            f"{each.count:,}",
            (each.confidence, each.accuracy_ci95[0]),
            xytext=(0, -5),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9,
            color=GREY,
        )
    axes.set_xlim(0, 1.03)
    axes.set_ylim(-0.06, 1.03)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("how sure it says it is (confidence)", fontsize=FONT)
    axes.set_ylabel("how often it is right (accuracy)", fontsize=FONT)
    axes.set_title(
        f"{plain(evaluation.data)}: expected calibration error {percent(evaluation.calibration_error)}",
        fontsize=FONT,
    )
    tidy(axes)
    axes.legend(frameon=False, fontsize=10, loc="upper left")
    return figure


def _cell(column: int, row: int) -> Rectangle:
    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="#E8F1F8", edgecolor="none")
