"""How a training run shows on stderr: a live display in a terminal, plain lines elsewhere."""

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TextColumn

from digitcli.commands.console import say, stderr

if TYPE_CHECKING:
    from digitcli.progress import Epoch, Step


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def stage(self, words: str) -> None: ...

    def step(self, step: "Step") -> None: ...

    def epoch(self, epoch: "Epoch") -> None: ...


class Lines(Silent):
    """A line for every epoch and every stage."""

    def __init__(self, epochs: int | None) -> None:
        self._epochs = epochs
        self._last: Step | None = None

    def stage(self, words: str) -> None:
        say(f"{words} ...")

    def step(self, step: "Step") -> None:
        self._last = step

    def epoch(self, epoch: "Epoch") -> None:
        speed = ""
        if self._last is not None:
            speed = f"  {self._last.images_per_second:,.0f} images/s"
            if epoch.epoch != self._epochs:
                speed += f"  {_clock(self._last.seconds_left)} left"
        say(_in_words(epoch, self._epochs) + speed)


class Live(Silent):
    """An epoch's line as it completes, and below it a bar over the run with the numbers of the moment."""

    def __init__(self, epochs: int | None) -> None:
        self._epochs = epochs
        self._validation = ""
        self._progress = Progress(
            TextColumn("{task.description}", style="bold"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}"),
            console=stderr(),
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("Preparing", total=None, numbers="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def stage(self, words: str) -> None:
        self._progress.update(self._task, description=words, total=None, numbers="")

    def step(self, step: "Step") -> None:
        numbers = (
            f"step {step.step}/{step.steps} loss {step.loss:.4f} acc {step.accuracy:.2%}{self._validation}"
            f" {step.images_per_second:,.0f} img/s {_clock(step.seconds_left)} left"
        )
        self._progress.update(
            self._task,
            description=_count(step.epoch, self._epochs),
            completed=step.share,
            total=1,
            numbers=numbers,
        )

    def epoch(self, epoch: "Epoch") -> None:
        say(_in_words(epoch, self._epochs))
        self._validation = f" val {epoch.val_accuracy:.2%}"


def make_reporter(epochs: int | None, *, quiet: bool) -> Silent:
    """Choose how to show a run of `epochs` epochs; None where time decides on their number."""
    if quiet:
        return Silent()
    return Live(epochs) if stderr().is_terminal else Lines(epochs)


def _count(epoch: int, epochs: int | None) -> str:
    return f"{epoch}/{epochs}" if epochs else str(epoch)


def _in_words(epoch: "Epoch", epochs: int | None) -> str:
    return (
        f"epoch {_count(epoch.epoch, epochs)}  loss {epoch.loss:.4f}  acc {epoch.accuracy:.2%}  "
        f"val_loss {epoch.val_loss:.4f}  val_acc {epoch.val_accuracy:.2%}  {epoch.seconds:.1f} s"
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
