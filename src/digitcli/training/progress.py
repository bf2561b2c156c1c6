"""The progress of a training run: what is reported on the way, and what is complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from numpy.typing import NDArray

from digitcli.models.classifier import Weights
from digitcli.training.task import Metrics

if TYPE_CHECKING:
    from digitcli.training.train import Run

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Step:
    """Where a run is, between two chunks of steps.

    Attributes:
        epoch, step: from 1; `step` counts within the epoch, of `steps`.
        metrics: means over the epoch so far, the loss first.
        examples_per_second: over the last steps.
        share: of the run that is done, 0..1; of one network of several, that one's.
        seconds_left: of training.
    """

    epoch: int
    step: int
    steps: int
    metrics: Metrics
    examples_per_second: float
    share: float
    seconds_left: float


@dataclass(frozen=True)
class Epoch:
    """A complete epoch: what was measured, the learning rate of its last step, wall-clock seconds.

    `epoch` counts through all networks, of which it trained number `member`, from 1. `metrics` begins with
    ``loss`` and the task's other training metrics, means over the epoch's batches as they were trained on,
    dropout and distortions included; ``val_loss`` and what else begins with ``val_`` is measured after it.
    """

    epoch: int
    member: int
    metrics: Metrics
    learning_rate: float
    seconds: float

    @property
    def val_loss(self) -> float:
        """The validation loss."""
        return self.metrics["val_loss"]

    def row(self) -> dict[str, int | float]:
        """Return its numbers by the column of the history that they belong to."""
        return {
            "epoch": self.epoch,
            "member": self.member,
            **self.metrics,
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, int | float]) -> Self:
        """Return the epoch of which `row` came; a `ValueError` where it is that of none."""
        metrics = {name: value for name, value in row.items() if name not in cls.__dataclass_fields__}
        if not {"epoch", "member", "loss", "val_loss", "learning_rate", "seconds"} <= set(row):
            raise ValueError("an epoch without its numbers")
        return cls(int(row["epoch"]), int(row["member"]), metrics, row["learning_rate"], row["seconds"])


class Reporter(Protocol):
    """Hears how a run goes."""

    def start(self, run: "Run") -> None:
        """Recipe and data are known; TensorFlow is about to be loaded."""

    def warn(self, words: str) -> None:
        """Something is not as the user may think it is."""

    def stage(self, words: str) -> None:
        """Something that is neither step nor epoch begins."""

    def step(self, step: Step) -> None:
        """A chunk of steps is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is complete."""


class SilentReporter:
    """Hears, and does nothing."""

    def start(self, run: "Run") -> None:
        """Do nothing."""

    def warn(self, words: str) -> None:
        """Do nothing."""

    def stage(self, words: str) -> None:
        """Do nothing."""

    def step(self, step: Step) -> None:
        """Do nothing."""

    def epoch(self, epoch: Epoch) -> None:
        """Do nothing."""


@dataclass
class Progress:
    """What is complete of a run, enough to continue it.

    Attributes:
        epochs: so far, of all networks.
        members: the weights of each finished network.
        kept: those that would be kept of the network in training; empty between networks.
        state: every variable of the network in training, after its last complete epoch.
        seconds: of training so far.
        building: seconds of those in which this process built and traced networks.
    """

    epochs: list[Epoch] = field(default_factory=list)
    members: list[Weights] = field(default_factory=list)
    kept: Weights = field(default_factory=list)
    state: Arrays = field(default_factory=dict)
    seconds: float = 0.0
    building: float = 0.0

    def advance(self, epoch: Epoch, kept: Weights, state: Arrays, seconds: float) -> None:
        """Add a complete epoch."""
        self.kept, self.state, self.seconds = kept, state, seconds
        self.epochs.append(epoch)

    def complete_member(self) -> None:
        """Count the network in training among the finished ones."""
        self.members.append(self.kept)
        self.kept, self.state = [], {}

    def weights(self) -> list[Weights]:
        """The weights of every network so far, the one in training included."""
        return [*self.members, self.kept] if self.kept else self.members

    def history(self) -> dict[str, list[float]]:
        """Return one list per quantity, in Keras's layout."""
        rows = [epoch.row() for epoch in self.epochs]
        return {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}
