"""Logs for TensorBoard, an optional package."""

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from digitcli.errors import MissingError
from digitcli.models.backend import tf
from digitcli.training.progress import Epoch, Reporter, Step

if TYPE_CHECKING:
    from digitcli.training.train import Run

FOLDER = "tensorboard"


def require_tensorboard() -> None:
    """Raise a `MissingError` where TensorBoard is not installed."""
    try:
        installed = find_spec("tensorboard") is not None
    except ValueError:  # it is blocked
        installed = False
    if not installed:
        raise MissingError(
            "--tensorboard needs TensorBoard, which is not installed; install it with: "
            "pip install 'digitcli[tensorboard]'"
        )


class TensorBoard:
    """Writes what it hears to a folder of its own under `folder` and passes it on to `report`.

    Per epoch: the metrics (``train``, ``validation``), the learning rate and the seconds;
    within epochs, a hundred times each: the loss so far and the speed.
    """

    def __init__(self, folder: Path, report: Reporter) -> None:
        self._report = report
        name = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
        self._writers = {
            part: tf.summary.create_file_writer(str(folder / FOLDER / name / part))
            for part in ("train", "validation")
        }
        self._steps = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def start(self, run: "Run") -> None:
        """Pass on."""
        self._report.start(run)

    def warn(self, words: str) -> None:
        """Pass on."""
        self._report.warn(words)

    def stage(self, words: str) -> None:
        """Pass on."""
        self._report.stage(words)

    def step(self, step: Step) -> None:
        """Write the step's values where they are due, and pass on."""
        done = (step.epoch - 1) * step.steps + step.step
        if done - self._steps >= max(1, step.steps // 100):
            self._steps = done
            with self._writers["train"].as_default():
                tf.summary.scalar("within_epochs/loss", step.metrics["loss"], step=done)
                tf.summary.scalar("within_epochs/examples_per_second", step.examples_per_second, step=done)
        self._report.step(step)

    def epoch(self, epoch: Epoch) -> None:
        """Write and pass on."""
        values: dict[str, dict[str, float]] = {"train": {}, "validation": {}}
        for name, value in epoch.metrics.items():
            part = "validation" if name.startswith("val_") else "train"
            values[part][f"epoch/{name.removeprefix('val_')}"] = value
        values["train"] |= {"epoch/learning_rate": epoch.learning_rate, "epoch/seconds": epoch.seconds}
        for part, scalars in values.items():
            with self._writers[part].as_default():
                for name, value in scalars.items():
                    tf.summary.scalar(name, value, step=epoch.epoch)
            self._writers[part].flush()
        self._report.epoch(epoch)
