"""Learning-rate schedules: the share of the optimizer's rate that is due at each fraction of a run.

A fraction, 0..1, is of the whole run, so that a schedule fits a number of steps as well as a number
of seconds.
"""

import math
from typing import Annotated, Literal

from pydantic import Field

from digitcli.config.validation import Table

_CYCLE_START = 1 / 20  # of the highest rate, where one-cycle begins


class Constant(Table):
    """The optimizer's learning rate throughout, after a linear `warmup` from zero."""

    type: Literal["constant"]
    warmup: float = Field(default=0.0, ge=0, lt=1)


class Cosine(Table):
    """A cosine fall from the optimizer's learning rate to the share `final` of it.

    Loshchilov and Hutter, "SGDR" (2017), without restarts; `warmup` is a linear rise from zero before.
    """

    type: Literal["cosine"]
    warmup: float = Field(default=0.0, ge=0, lt=1)
    final: float = Field(default=0.0, ge=0, le=1)


class OneCycle(Table):
    """Linear rise to the optimizer's learning rate, then a cosine fall to zero.

    One cycle as in Smith and Topin, "Super-Convergence" (2018); `warmup` is the rise's share
    of all steps.
    """

    type: Literal["one-cycle"]
    warmup: float = Field(default=0.2, gt=0, lt=1)


Schedule = Annotated[Constant | Cosine | OneCycle, Field(discriminator="type")]

SCHEDULES: dict[int | str, type[Table]] = {"constant": Constant, "cosine": Cosine, "one-cycle": OneCycle}


def rate_share(schedule: Schedule, fraction: float) -> float:
    """Return the share of the optimizer's learning rate after `fraction`, 0..1, of a run."""
    if fraction < schedule.warmup:
        start = _CYCLE_START if isinstance(schedule, OneCycle) else 0.0
        return start + (1 - start) * fraction / schedule.warmup
    falling = (fraction - schedule.warmup) / (1 - schedule.warmup)
    match schedule:
        case Constant():
            return 1.0
        case Cosine(final=final):
            return final + (1 - final) * _cosine(falling)
        case OneCycle():
            return _cosine(falling)


def _cosine(fraction: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return 0.5 + 0.5 * math.cos(math.pi * min(fraction, 1.0))
