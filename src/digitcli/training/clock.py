"""The training clock: how far one network's training is, in steps or seconds, and its learning rate."""

import contextlib
import time
from collections.abc import Callable, Iterator

from digitcli.config.recipe import TrainingRecipe
from digitcli.config.schedules import rate_share

_NEWEST = 0.2  # weight of the last steps in the mean time of a step; by eye, so that the display rests


class TrainingClock:
    """Follows one network's training from its first step to its last.

    Args:
        recipe: with the schedule and, where there is no time limit, the number of epochs.
        steps: of an epoch.
        epochs_done, seconds_done: of this network, before a resumed run continues.
        until: when training of all networks still to come has to be over, as `time.perf_counter`
            tells it; None follows the epochs.
        networks: still to come, this one included; they share the time.
        agree: makes one number of every worker's, so that all of them take the same decisions.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        steps: int,
        epochs_done: int,
        seconds_done: float,
        until: float | None,
        networks: int,
        agree: Callable[[float], float],
    ) -> None:
        self._schedule = recipe.schedule
        self._agree = agree
        self._done = steps * epochs_done
        self._total = steps * recipe.epochs
        self._networks = networks
        self._start = self._last = time.perf_counter()
        self._before = seconds_done
        self._limit: float | None = None
        if until is not None:  # this network's part; what it has used of it already counts
            self._limit = agree(max(1e-9, (seconds_done + max(0.0, until - self._start)) / networks))
        self._step_seconds = 0.0
        self._chunks = 0
        self._validation_seconds = 0.0
        self.fraction = self._fraction()

    @property
    def is_over(self) -> bool:
        """Whether the last step is done, or the time is up after one step at least."""
        return self._done > 0 and self.fraction >= 1

    @property
    def steps_per_second(self) -> float:
        """Over the last steps."""
        return 1 / self._step_seconds if self._step_seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """Of the training of all networks to come."""
        later = self._networks - 1
        if self._limit is None:
            return (self._total * (1 + later) - self._done) * self._step_seconds
        return self._limit * (1 - self.fraction + later)

    def rate_shares(self, count: int) -> list[float]:
        """Return the schedule's share of the learning rate for each of the next `count` steps."""
        if self._limit is None:
            places = [(self._done + ahead) / self._total for ahead in range(count)]
        else:
            each = self._step_seconds / self._limit
            places = [self.fraction + ahead * each for ahead in range(count)]
        return [rate_share(self._schedule, min(place, 1.0)) for place in places]

    def advance(self, steps: int) -> None:
        """Count `steps` more, done just now."""
        now = time.perf_counter()
        seconds = (now - self._last) / steps
        if self._limit is not None:  # learning rates depend on it, which must be the same everywhere
            seconds = self._agree(seconds)
        if self._chunks >= 2:  # the first chunk is compiled on the way; later ones are smoothed
            seconds = (1 - _NEWEST) * self._step_seconds + _NEWEST * seconds
        self._step_seconds = seconds
        self._chunks += 1
        self._last = now
        self._done += steps
        self.fraction = self._fraction()

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Stop the clock: what is done inside comes on top of a time budget."""
        start = time.perf_counter()
        yield
        now = time.perf_counter()
        self._start += now - start
        self._last = now

    @contextlib.contextmanager
    def validating(self) -> Iterator[None]:
        """Keep the time of a validation apart, and as much in reserve for the last one."""
        start = time.perf_counter()
        yield
        self._last = time.perf_counter()
        self._validation_seconds = self._last - start

    def _fraction(self) -> float:
        if self._limit is None:
            return self._done / self._total
        spent = self._before + time.perf_counter() - self._start + self._validation_seconds
        return min(1.0, self._agree(spent / self._limit))
