"""Figures of loss and accuracy over the epochs, of one run or several."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from digitcli.evaluation.plots.style import (
    BLACK,
    BLUE,
    DPI,
    FONT,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    VERMILION,
    plain,
    single_axes,
    tidy,
)
from digitcli.evaluation.wording import percent

History = Mapping[str, Sequence[float]]

_CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY, BLACK)
_NAME = 28  # characters of a run in a legend


def curves(history: History, quantity: str, test: float | None = None) -> Figure:
    """Draw training and validation curves over the epochs.

    Args:
        history: columns ``epoch``, `quantity` and ``val_`` + `quantity`.
        quantity: ``loss`` or ``accuracy``.
        test: the result on the test images, drawn as a level line, where there are such images.
    """
    figure, axes = single_axes(7, 4.2)
    epochs, training, validation = (history[key] for key in ("epoch", quantity, f"val_{quantity}"))
    size = 5 if len(epochs) <= 40 else 2.5
    axes.plot(*_broken(history, training), "o--", color=ORANGE, label="training", markersize=size)
    axes.plot(*_broken(history, validation), "s-", color=BLUE, label="validation", markersize=size)
    best = int(np.argmax(validation) if quantity == "accuracy" else np.argmin(validation))
    axes.plot(
        epochs[best],
        validation[best],
        "*",
        color=GREEN,
        markersize=17,
        markeredgecolor="white",
        label=f"best epoch: {epochs[best]:.0f} ({_value(quantity, validation[best])})",
    )
    if test is not None:
        axes.axhline(test, color=GREY, linestyle=":", linewidth=1.8, label=f"test: {_value(quantity, test)}")
    _finish_curves(axes, quantity, "loss" if test is None else "loss (cross-entropy)")
    return figure


def comparison(histories: Mapping[str, History]) -> Figure:
    """Draw the validation loss and accuracy of several runs, by name, side by side."""
    figure = Figure(figsize=(11, 4.4), dpi=DPI, layout="constrained")
    pair = figure.subplots(1, 2)
    for axes, quantity in zip(pair, ("loss", "accuracy"), strict=True):
        looks = zip(cycle(_CYCLE), cycle(("-", "--", "-.", ":")), cycle("os^Dv"), strict=False)
        for (name, history), (colour, line, marker) in zip(histories.items(), looks, strict=False):
            values = history[f"val_{quantity}"]
            axes.plot(
                *_broken(history, values),
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=5,
                label=plain(f"{_shortened(name)} ({_value(quantity, values[-1])})"),
            )
        _finish_curves(axes, quantity)
        axes.set_ylabel(f"validation {quantity}", fontsize=FONT)
    return figure


def _shortened(name: str) -> str:
    """Leave out the middle of a long name: folders of runs differ at their ends."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 3]}...{name[-(_NAME - _NAME // 3 - 3) :]}"


def _broken(history: History, values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return a curve's points with a gap where one network's training ends and the next one's begins."""
    members = history.get("member", [1] * len(values))
    x: list[float] = []
    y: list[float] = []
    for epoch, value, member, before in zip(
        history["epoch"], values, members, [members[0], *members], strict=False
    ):
        if member != before:
            x.append(epoch)
            y.append(math.nan)
        x.append(epoch)
        y.append(value)
    return x, y


def _finish_curves(axes: Axes, quantity: str, loss: str = "loss (cross-entropy)") -> None:
    axes.set_xlabel("epoch", fontsize=FONT)
    axes.set_ylabel(quantity if quantity == "accuracy" else loss, fontsize=FONT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if quantity == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    else:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    tidy(axes)
    axes.legend(frameon=False, fontsize=10)


def _value(quantity: str, value: float) -> str:
    return percent(value) if quantity == "accuracy" else f"{value:.4f}"
