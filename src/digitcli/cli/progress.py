"""Training progress on stderr: a live display in a terminal, plain lines elsewhere."""

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TextColumn

from digitcli import artifacts
from digitcli.cli.console import say, stderr
from digitcli.cli.options import say_missing
from digitcli.config.recipe import DetectorRecipe
from digitcli.evaluation.wording import percent
from digitcli.training.progress import SilentReporter

if TYPE_CHECKING:
    from digitcli.training.progress import Epoch, Step
    from digitcli.training.train import Run

_SOON, _LONG = 60, 300  # seconds: that nobody needs to be told of; after which a shorter training is offered
_HOUR = 60  # minutes


class Silent(SilentReporter):
    """Shows nothing but warnings."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def warn(self, words: str) -> None:
        say(words)


class Lines(Silent):
    """A line for every epoch and every stage; of a worker that is not the chief, how it begins."""

    def __init__(self) -> None:
        self._is_chief = True
        self._unit = "images"
        self._epochs: int | None = None  # None where time decides on their number
        self._last: Step | None = None
        self._is_first = True

    def start(self, run: "Run") -> None:
        self._is_chief = run.is_chief
        self._unit = "pages" if run.recipe.task == "detect" else "images"
        if run.settings.time_budget is None:
            self._epochs = run.recipe.epochs * run.recipe.ensemble_size
        _announce(run)

    def stage(self, words: str) -> None:
        if self._is_chief:
            say(f"{words} ...")

    def step(self, step: "Step") -> None:
        self._last = step

    def epoch(self, epoch: "Epoch") -> None:
        if not self._is_chief:
            return
        speed = ""
        if self._last is not None:
            speed = f"  {self._last.examples_per_second:,.0f} {self._unit}/s"
            if epoch.epoch != self._epochs:
                speed += f"  {_clock(self._last.seconds_left)} left"
        say(_in_words(epoch, self._epochs) + speed)
        self._say_rest()

    def _say_rest(self) -> None:
        """Say after the first epoch how long the others take, where their number is known."""
        if self._is_first and self._epochs is not None and self._last and self._last.seconds_left >= _SOON:
            left = self._last.seconds_left
            advice = f"; --time-budget {_LONG} trains for {_minutes(_LONG)}" if left > _LONG else ""
            say(f"The rest takes about {_minutes(left)}{advice}")
        self._is_first = False


class Live(Lines):
    """An epoch's line as it completes, and below it a bar over the run with the current numbers."""

    def __init__(self) -> None:
        super().__init__()
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

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def start(self, run: "Run") -> None:
        super().start(run)
        if self._is_chief:
            self._progress.start()

    def stage(self, words: str) -> None:
        self._progress.update(self._task, description=words, total=None, numbers="")

    def step(self, step: "Step") -> None:
        super().step(step)
        numbers = (
            f"step {step.step}/{step.steps} {' '.join(_measured(step.metrics))}"
            f"{self._validation} {step.examples_per_second:,.0f} {self._unit}/s "
            f"{_clock(step.seconds_left)} left"
        )
        self._progress.update(
            self._task,
            description=_count(step.epoch, self._epochs),
            completed=step.share,
            total=1,
            numbers=numbers,
        )

    def epoch(self, epoch: "Epoch") -> None:
        if self._is_chief:
            say(_in_words(epoch, self._epochs))
            self._say_rest()
        validated = [value for name, value in epoch.metrics.items() if name.startswith("val_")]
        self._validation = f" val {percent(validated[1])}"  # the main metric


def make_reporter(*, quiet: bool) -> Silent:
    """Choose how to show a run."""
    if quiet:
        return Silent()
    return Live() if stderr().is_terminal else Lines()


def _announce(run: "Run") -> None:
    split, folder, recipe = run.split, run.folder, run.recipe
    name = run.settings.recipe["name"]
    if isinstance(recipe, DetectorRecipe):
        say(f"Recipe {name} on {recipe.pages.patches:,} generated pages, some of them new in every epoch")
    else:
        say(
            f"Recipe {name} on {split.name}: {len(split.train):,} training, "
            f"{len(split.validation):,} validation, {len(split.test):,} test images"
        )
        say_missing(split.train.labels)
    if run.is_chief and not run.checkpoint and artifacts.has_checkpoint(folder, recipe.task):
        say(f"An unfinished run's checkpoint in {folder} will be replaced; --resume would continue it.")
    say("Loading TensorFlow ...")


def _count(epoch: int, epochs: int | None) -> str:
    return f"{epoch}/{epochs}" if epochs else str(epoch)


def _in_words(epoch: "Epoch", epochs: int | None) -> str:
    return (
        f"epoch {_count(epoch.epoch, epochs)}  {'  '.join(_measured(epoch.metrics))}  {epoch.seconds:.1f} s"
    )


def _measured(metrics: dict[str, float]) -> list[str]:
    """Return each metric in words; all but losses are shares."""
    return [
        f"{name.replace('accuracy', 'acc')} {f'{value:.4f}' if name.endswith('loss') else percent(value)}"
        for name, value in metrics.items()
    ]


def _minutes(seconds: float) -> str:
    """Say a duration of a minute or more, roughly."""
    minutes = round(seconds / 60)
    if minutes < _HOUR:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes / _HOUR:.1f} hours"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
