"""NumPy archives, in any of the known `layouts`."""

import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from digitcli.datasets import layouts
from digitcli.datasets.digits import Dataset
from digitcli.datasets.memory import read_bytes
from digitcli.errors import DataError


def load(path: Path, name: str | None = None) -> Dataset:
    """Read a ``.npz`` file; pickled content is refused, never run. Raises `DataError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_all(path, archive, name or str(path))
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # zipfile and NumPy have no common base for what damage can cause
        raise DataError(
            f"{path}: damaged, cut off, encrypted or not a .npz file ({error}); expected a NumPy archive"
        ) from error


def _read_all(path: Path, archive: zipfile.ZipFile, name: str) -> Dataset:
    found = {each.removesuffix(".npy") for each in archive.namelist() if each.endswith(".npy")}
    layout = layouts.find(str(path), found)
    arrays = {key: _read(f"{path}: {key}", archive, key) for key in layout.names}
    return layouts.dataset(name, str(path), layout, arrays.__getitem__)


def _read(where: str, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """Read one array, its header first, so that nothing unfit is decoded or given memory."""
    with archive.open(f"{key}.npy") as stream:
        shape, dtype, is_fortran_order = _header(where, stream)
    if dtype.hasobject:
        raise DataError(f"{where}: holds pickled objects, which are never loaded; expected numbers")
    layouts.check(where, key, shape, dtype)
    with archive.open(f"{key}.npy") as stream:
        if dtype == np.uint8 and not is_fortran_order:
            _header(where, stream)
            content, found = read_bytes(stream, shape)
            if found != content.size:
                raise DataError(f"{where}: cut off; found {found:,} bytes; expected {content.size:,}")
            return content
        try:
            return npy.read_array(stream, allow_pickle=False)
        except ValueError as error:
            raise DataError(f"{where}: cut off or damaged ({error})") from error


def _header(where: str, stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Return shape, dtype and whether the first axis varies fastest."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy warns of headers that only Python 2 wrote
            version = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, is_fortran_order, dtype = read(stream)
    except Exception as error:  # the header is Python text: many errors are possible
        raise DataError(f"{where}: not a NumPy array ({error})") from error
    return shape, dtype, is_fortran_order
