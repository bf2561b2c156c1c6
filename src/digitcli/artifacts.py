"""Writing files whole or not at all, one by one or several together."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from digitcli.errors import DigitcliError, InputError, MissingError, OptionError

DEFAULT_FOLDER = Path("artifacts")
MODEL = "model.onnx"
KERAS_MODEL = "model.keras"
HISTORY = "history.json"
METRICS = "metrics.json"
RUN = "run.json"
LOSS = "loss.png"
ACCURACY = "accuracy.png"
SAMPLES = "samples.png"
AUGMENTATION = "augmentation.png"
CONFUSION = "confusion.png"
MISTAKES = "mistakes.png"
RELIABILITY = "reliability.png"
COMPARISON = "comparison.png"
CHECKPOINT = "checkpoint.npz"
FOLDS = "folds.npz"
SUSPECTS = "suspects.csv"
SUSPECTS_PICTURE = "suspects.png"


@dataclass(frozen=True)
class RunFiles:
    """Names of the files that every training run has, whatever its network learns."""

    model: str
    keras: str
    history: str
    run: str
    loss: str
    checkpoint: str


CLASSIFIER = RunFiles(MODEL, KERAS_MODEL, HISTORY, RUN, LOSS, CHECKPOINT)
DETECTOR = RunFiles(
    "detector.onnx",
    "detector.keras",
    "detector-history.json",
    "detector-run.json",
    "detector-loss.png",
    "detector-checkpoint.npz",
)
OF_TASK = {"classify": CLASSIFIER, "detect": DETECTOR}
PAGES = "pages.png"
FILES = (
    MODEL,
    KERAS_MODEL,
    HISTORY,
    METRICS,
    RUN,
    LOSS,
    ACCURACY,
    SAMPLES,
    AUGMENTATION,
    CONFUSION,
    MISTAKES,
    RELIABILITY,
    COMPARISON,
    CHECKPOINT,
    FOLDS,
    SUSPECTS,
    SUSPECTS_PICTURE,
    *astuple(DETECTOR),
    PAGES,
)
OF_RESULTS = (CONFUSION, MISTAKES, RELIABILITY)  # pictures that evaluate and plot draw
INTERRUPTED = "interrupted"  # a folder
DRAWINGS = "drawings"  # a folder, of those that were saved
CORRECTIONS = "corrections.jsonl"

MEMBER = "member"  # which of several networks an epoch trained
HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
DETECTOR_COLUMNS = tuple(name.replace("val_accuracy", "val_average_precision") for name in HISTORY_COLUMNS)

_PARTIAL = ".partial-"
_STALE_AFTER = 3600.0  # seconds; what a killed process left behind is removed after this long


def option(folder: Path) -> str:
    """Return what names `folder` on the command line, with a space before; nothing for the usual one."""
    return "" if folder == DEFAULT_FOLDER else f" --artifacts {shlex.quote(str(folder))}"


def read_history(folder: Path, task: str = "classify") -> dict[str, list[float]]:
    """Return the history of a run of a task: one list per quantity, all of one length, at least 1;
    ``member`` is all ones where the run does not tell it.

    Raises `MissingError` where there is none, `InputError` where it is damaged.
    """
    path = folder / OF_TASK[task].history
    known = HISTORY_COLUMNS if task == "classify" else DETECTOR_COLUMNS
    if not os.path.isfile(path):
        config = "" if task == "classify" else " --config detector"
        raise MissingError(
            f"{path}: no such history; make one with: digitcli train{config} --artifacts {folder}"
        )
    history = read_json_object(path)
    columns = [history.get(name) for name in known]
    lengths = {len(column) if isinstance(column, list) and _numbers(column) else 0 for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(f"{path}: expected lists of numbers of one length for {', '.join(known)}")
    members = history.get(MEMBER)
    if not isinstance(members, list) or not _numbers(members) or len(members) != len(history["epoch"]):
        members = [1] * len(history["epoch"])  # a run of one network
    return {name: history[name] for name in known} | {MEMBER: members}


def read_json_object(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file; an `InputError` where it holds none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: found a JSON {type(value).__name__}; expected an object")
    return value


def _numbers(values: list[Any]) -> bool:
    return all(type(value) in (int, float) for value in values)


def has_checkpoint(folder: Path, task: str = "classify") -> bool:
    """Return whether an unfinished run of a task has left its checkpoint in `folder`."""
    return os.path.isfile(folder / OF_TASK[task].checkpoint)


def require_writable(folder: Path) -> None:
    """Create `folder` if need be and prove that a run's files can be put there; `OptionError` if not."""
    require_room(folder, FILES, "the artifacts folder", "--artifacts")
    if (folder / INTERRUPTED).exists() and not (folder / INTERRUPTED).is_dir():
        raise OptionError(f"{folder / INTERRUPTED} is a file; expected a folder or nothing")


def require_room(folder: Path, files: Iterable[str], called: str, option: str) -> None:
    """Create `folder` if need be and prove that files can be put there; `OptionError` if not.

    Args:
        folder: where they go.
        files: their names.
        called: what the folder is to the user.
        option: that names another folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _partial(folder, "probe.txt")
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OptionError(
            f"cannot write to {called} {folder}: {error.strerror}; name a folder of your own with {option}"
        ) from error
    for name in files:
        if (folder / name).is_dir():
            raise OptionError(
                f"{folder / name} is a folder; expected a file or nothing, as a file goes there"
            )


class Replacement:
    """Files that take their places together, once all of them are complete.

    Until then each is written under a temporary name in the folder in which it will be. A folder may
    stand for a file: it replaces a whole folder.
    """

    def __init__(self, folder: Path, *, is_last: bool = False) -> None:
        self._folder = folder
        self._is_last = is_last
        self._written: dict[str, Path] = {}
        self._removed: list[str] = []

    def path(self, name: str) -> Path:
        """Return where to write the file that will be called `name`."""
        if name not in self._written:
            self._written[name] = _partial(self._folder, name)
        return self._written[name]

    def write(self, name: str, content: bytes) -> None:
        """Write `content` as the file that will be called `name`."""
        self.path(name).write_bytes(content)

    def write_json(self, name: str, value: Any) -> None:
        """Write `value` as JSON; NaN and infinity, which JSON lacks, are a `ValueError`."""
        self.write(name, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())

    def remove(self, name: str) -> None:
        """Let the file `name`, if there is one, go when the others take their places."""
        self._removed.append(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of the files so far, in the order in which they were begun."""
        return tuple(self._written)

    def _commit(self) -> None:
        for temporary in self._written.values():
            for each in (temporary, *temporary.rglob("*")):
                _flush(each)
        # for some milliseconds: half of the files would be of another run
        with _interrupts_deferred(is_dropped=self._is_last):
            for name, temporary in self._written.items():
                _put(temporary, self._folder / name)
            for name in self._removed:
                (self._folder / name).unlink(missing_ok=True)
            _flush(self._folder)

    def _discard(self) -> None:
        for temporary in self._written.values():
            _remove(temporary)


@contextlib.contextmanager
def replacing(folder: Path, *, is_last: bool = False) -> Iterator[Replacement]:
    """Give a `Replacement` whose files appear at the end, or not at all after an exception.

    Args:
        folder: where they appear.
        is_last: whether a job is done with them: a Ctrl-C while they take their places is too late then,
            and is ignored. Otherwise it comes when they are in place.

    Raises `DigitcliError` where the disk is full or the folder cannot be written to any more.
    """
    files = Replacement(folder, is_last=is_last)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        yield files
        files._commit()
    except OSError as error:
        files._discard()
        raise DigitcliError(
            f"cannot write to {folder}: {error.strerror or error}; nothing was replaced"
        ) from error
    except BaseException:
        files._discard()
        raise


@contextlib.contextmanager
def _interrupts_deferred(*, is_dropped: bool) -> Iterator[None]:
    """Let Ctrl-C come after the block, or not at all."""
    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and not is_dropped:
        signal.raise_signal(signal.SIGINT)


def _partial(folder: Path, name: str) -> Path:
    # the suffix stays last: Keras tells its file format by it
    return folder / f"{_PARTIAL}{os.urandom(4).hex()}-{name}"


def _sweep(folder: Path) -> None:
    for leftover in folder.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER:
                _remove(leftover)


def _put(temporary: Path, place: Path) -> None:
    """Let a complete file or folder take its place; no system replaces a folder in one step."""
    if not (temporary.is_dir() and place.is_dir()):
        temporary.replace(place)
        return
    before = _partial(place.parent, place.name)
    place.replace(before)
    try:
        temporary.replace(place)
    except OSError:
        before.replace(place)
        raise
    _remove(before)


def _remove(path: Path) -> None:
    """Remove a file or a folder as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Make sure that a file, or a folder's list of files, is on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
