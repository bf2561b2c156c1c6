"""Many image files read one after the other, with decoding, preparing and inference overlapping."""

import glob
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from digitcli import artifacts
from digitcli.errors import DigitcliError, ImageError, first_line
from digitcli.preprocessing import image_files
from digitcli.preprocessing.threads import thread_count
from digitcli.recognition.annotation import annotate
from digitcli.recognition.reading import Reading
from digitcli.recognition.recognizer import Prepared, Recognizer

STDIN = "-"
# bytes; one more than is accepted, so that more is noticed
MAX_STDIN = image_files.IMAGE_LIMITS.file_bytes + 1


@dataclass(frozen=True)
class FileReaderParameters:
    """How many files are read at a time; bounds on memory, by convention.

    Attributes:
        waiting_files: that may be decoded, or be about to be, before the first of them are read.
        batch_files: that go through the network together.
    """

    waiting_files: int = 128
    batch_files: int = 64


FILE_READER = FileReaderParameters()


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a reading, or why there is none.

    Attributes:
        file: as the user named it, or as it was found in a folder.
        size: width and height of the picture, in pixels.
    """

    file: str
    reading: Reading | None
    error: DigitcliError | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A picture that is ready to be read, and its width and height in pixels."""

    page: Prepared
    size: tuple[int, int]


def find_files(names: Sequence[str]) -> Iterator[str | Outcome]:
    """Return the files that `names` stand for: files, folders, patterns with ``*``, or ``-``.

    What stands for none comes as an `Outcome` with its error.
    """
    for name in names:
        path = Path(name)
        if not name:  # an unset variable, and not the folder one is in
            yield Outcome(name, None, ImageError("found an empty name; expected a file, a folder or -"))
        elif name == STDIN or os.path.isfile(path):
            yield name
        elif os.path.isdir(path):
            yield from _in_folder(path)
        elif glob.has_magic(name) and not os.path.lexists(path):
            found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path's takes no absolute pattern
            if "**" in name:  # which finds what is in folders by itself
                found = [each for each in found if Path(each).suffix.lower() in image_files.SUFFIXES]
            if not found:
                yield Outcome(name, None, ImageError(f"{name}: no file matches it"))
            for each in found:
                yield from _in_folder(Path(each)) if os.path.isdir(each) else [each]
        else:
            yield name  # what is wrong with it is told where it is opened


def _in_folder(folder: Path) -> list[str | Outcome]:
    files, unreadable = image_files.image_files(folder)
    found: list[str | Outcome] = [str(file) for file in files]
    for error in unreadable:
        problem = ImageError(f"{error.filename}: cannot be read: {error.strerror}")
        found.append(Outcome(str(error.filename), None, problem))
    if not found:
        problem = ImageError(f"{folder}: no images in it; expected {image_files.EXPECTED}")
        found.append(Outcome(str(folder), None, problem))
    return found


def read_files(
    recognizer: Recognizer, files: Iterable[str | Outcome], *, single: bool, stdin: bytes = b""
) -> Iterator[Outcome]:
    """Read every file, in their order; an unreadable one does not keep the others from being read.

    Args:
        recognizer: reads them.
        files: as `find_files` gives them.
        single: take all that is written in a file for one digit.
        stdin: the content of ``-``.
    """

    def load(name: str) -> _Loaded | DigitcliError:
        try:
            picture = _decode(name, stdin)
            height, width = (round(side * picture.scale) for side in picture.pixels.shape[:2])
            page = recognizer.prepare(picture.pixels, single=single, scale=picture.scale)
            return _Loaded(page, (width, height))
        except DigitcliError as error:
            return error
        except Exception as error:  # nothing that is in a file keeps the other files from being read
            return ImageError(f"{name}: cannot be read ({first_line(error)})")

    waiting: deque[tuple[str, Future[_Loaded | DigitcliError] | Outcome]] = deque()
    with ThreadPoolExecutor(thread_count()) as pool:
        try:
            for file in files:
                if isinstance(file, Outcome):
                    waiting.append((file.file, file))
                else:
                    waiting.append((file, pool.submit(load, file)))
                if len(waiting) >= FILE_READER.waiting_files:
                    yield from _read(recognizer, [waiting.popleft() for _ in range(FILE_READER.batch_files)])
            while waiting:
                count = min(FILE_READER.batch_files, len(waiting))
                yield from _read(recognizer, [waiting.popleft() for _ in range(count)])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _decode(name: str, stdin: bytes) -> image_files.Picture:
    return image_files.decode(stdin, "standard input") if name == STDIN else image_files.read(Path(name))


def _read(
    recognizer: Recognizer, group: list[tuple[str, Future[_Loaded | DigitcliError] | Outcome]]
) -> Iterator[Outcome]:
    loaded = [(file, each if isinstance(each, Outcome) else each.result()) for file, each in group]
    readings = recognizer.read_pages([each.page for _, each in loaded if isinstance(each, _Loaded)])
    for file, each in loaded:
        if isinstance(each, Outcome):
            yield each
        elif isinstance(each, DigitcliError):
            yield Outcome(file, None, each)
        else:
            yield Outcome(file, next(readings), size=each.size)


def annotated(
    outcomes: Iterable[Outcome], folder: Path, files: Sequence[str | Outcome], stdin: bytes
) -> Iterator[Outcome]:
    """Pass on `outcomes`, writing a copy of each image that was read, with the reading, to `folder`.

    The copies appear together, at the end; none takes the place of one of the `files` that are read.
    """
    taken = {Path(file).resolve() for file in files if isinstance(file, str)}
    with artifacts.replacing(folder) as copies:
        for outcome in outcomes:
            if outcome.reading is not None:
                name = _free_name(
                    "stdin" if outcome.file == STDIN else Path(outcome.file).stem, folder, taken
                )
                copies.write(name, image_files.png(annotate(_decode(outcome.file, stdin), outcome.reading)))
            yield outcome


def _free_name(stem: str, folder: Path, taken: set[Path]) -> str:
    """Return a file name that neither an image nor another copy has."""
    name, number = f"{stem}-read.png", 1
    while (folder / name).resolve() in taken:
        number += 1
        name = f"{stem}-read-{number}.png"
    taken.add((folder / name).resolve())
    return name
