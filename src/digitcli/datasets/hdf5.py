"""HDF5 files with images and labels, such as USPS is passed around as."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets import layouts
from digitcli.datasets.digits import Dataset
from digitcli.errors import DataError, first_line

SUFFIXES = (".h5", ".hdf5", ".hdf")


def load(path: Path) -> Dataset:
    """Read a file; what it links to elsewhere is never opened. Raises `DataError`."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "model_weights" in file or "model_config" in file.attrs:
                raise DataError(f"{path}: holds a Keras model; expected images and labels")
            arrays = dict(_arrays(file))
            layout = layouts.find(str(path), arrays)
            for name in layout.names:
                found = arrays[name]
                layouts.check(f"{path}: {name}", name, found.shape, found.dtype)

            def read(name: str) -> NDArray[Any]:
                return np.asarray(arrays[name][()])

            return layouts.dataset(str(path), str(path), layout, read)
    except DataError:
        raise
    except Exception as error:  # HDF5 has no common base for what a damaged file raises
        raise DataError(f"{path}: cut off, damaged or no HDF5 file ({first_line(error)})") from error


def _arrays(group: Any, prefix: str = "") -> Any:
    """Give the arrays of a file and of its groups, by path; links to other files are left alone."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        found = group[name]
        if isinstance(found, h5py.Group) and not prefix:  # no layout has groups within groups
            yield from _arrays(found, f"{name}/")
        elif isinstance(found, h5py.Dataset) and not found.is_virtual and not found.external:
            yield prefix + name, found
