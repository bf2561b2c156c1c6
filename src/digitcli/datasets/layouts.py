"""How files of named arrays lay digits out: which names go together, and which are of the test set."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from digitcli.datasets.conversion import check_images, check_labels, convert
from digitcli.datasets.digits import Dataset, Digits
from digitcli.errors import DataError

Read = Callable[[str], NDArray[Any]]  # an array, by its name


@dataclass(frozen=True)
class Layout:
    """Names of arrays: images and labels of the training set and the test set, or of one undivided set."""

    train: tuple[str, str] | None
    test: tuple[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return (*(self.train or ()), *self.test)


LAYOUTS = (
    Layout(("x_train", "y_train"), ("x_test", "y_test")),  # Keras
    Layout(("train/data", "train/target"), ("test/data", "test/target")),  # USPS as HDF5
    Layout(("train/images", "train/labels"), ("test/images", "test/labels")),
    Layout(("train_images", "train_labels"), ("test_images", "test_labels")),
    Layout(None, ("x", "y")),
    Layout(None, ("X", "y")),
    Layout(None, ("data", "target")),
    Layout(None, ("images", "labels")),
)


def find(where: str, names: Iterable[str]) -> Layout:
    """Return the layout that a file's arrays have; a `DataError` where it is none that is known."""
    found = set(names)
    if not found:
        raise DataError(f"{where}: empty; {_EXPECTED}")
    for layout in LAYOUTS:
        if found >= set(layout.names):
            return layout
    shown = sorted(found)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    raise DataError(f"{where}: found {', '.join(shown[:8])}{more}; {_EXPECTED}")


_EXPECTED = (
    "expected x_train, y_train, x_test and y_test; or x and y; or data and target; or images and labels"
)


def is_images(name: str) -> bool:
    """Tell whether an array of a layout holds images, and not labels."""
    return any(name == part[0] for layout in LAYOUTS for part in (layout.train, layout.test) if part)


def check(where: str, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse an array that is neither images nor labels, before it is read; a `DataError`."""
    (check_images if is_images(name) else check_labels)(where, shape, dtype)


def dataset(name: str, path: str, layout: Layout, read: Read) -> Dataset:
    """Return what a file holds.

    Args:
        name: of the data source.
        path: of the file, for messages.
        layout: which arrays it has.
        read: returns one of them.
    """
    notes: list[str] = []

    def part(names: tuple[str, str]) -> Digits:
        images, labels = names
        where = path if layout.train is None else f"{path}: {images}, {labels}"
        return convert(where, read(images), read(labels), notes)

    train = part(layout.train) if layout.train else None
    return Dataset(name, test=part(layout.test), train=train, notes=tuple(notes))
