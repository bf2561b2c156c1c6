"""Memory for images: allocated once, filled from a stream, used by TensorFlow in place."""

import math
from typing import IO

import numpy as np

from digitcli.preprocessing.mnist_form import Images

ALIGNMENT = 64  # bytes; the kernels of TensorFlow expect tensors to begin at multiples of it
_CHUNK = 1 << 20  # bytes


def aligned(shape: tuple[int, ...]) -> Images:
    """Return uint8 memory of `shape` that begins at a multiple of `ALIGNMENT`, content undefined."""
    size = math.prod(shape)
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].reshape(shape)


def read_bytes(stream: IO[bytes], shape: tuple[int, ...]) -> tuple[Images, int]:
    """Read `stream` into new aligned memory of `shape`; return it and how many bytes were there.

    Systems give memory only when it is first written to, so a header that promises more than
    follows takes none.
    """
    content = aligned(shape)
    flat, filled = content.reshape(-1), 0
    while filled < len(flat) and (part := stream.read(min(_CHUNK, len(flat) - filled))):
        flat[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    return content, filled
