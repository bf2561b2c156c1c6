"""The only import of TensorFlow and Keras, with their log output suppressed.

Everything else gets them from here: ``from digitcli.models.backend import keras, tf``.
"""

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator

from digitcli.errors import MissingError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
# Keras writes a file of settings into its home, ~/.keras, as it is imported. In a home that is no folder it
# writes nothing, and passes over that in silence. A home that the user has chosen stays.
os.environ.setdefault("KERAS_HOME", os.devnull)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere: what C++ writes before its log level is set ignores the level.

    Python's own `sys.stderr` goes on where it was: another thread may have something to say.
    """
    before = sys.stderr
    try:
        before.flush()
        words = os.fdopen(
            os.dup(2), "w", buffering=1, encoding=before.encoding, errors=before.errors, closefd=False
        )
    except (OSError, AttributeError):  # no stderr at all, as under pythonw
        yield
        return
    sys.stderr = words  # never closed: somebody may be writing to it at any moment
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(words.fileno(), 2)
        sys.stderr = before


@contextlib.contextmanager
def _no_ipv6() -> Iterator[None]:
    """Deny IPv6 for a while: urllib3, which TensorFlow imports, opens a socket to see if it works."""
    before = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        yield
    finally:
        socket.has_ipv6 = before


try:
    with silent_stderr(), _no_ipv6():
        import keras
        import tensorflow as tf
        from tensorflow.core.protobuf import saved_model_pb2
except ModuleNotFoundError as error:
    raise MissingError(f"{error.name} is not installed; install it with: pip install tensorflow") from error

for _logger in ("tensorflow", "tf2onnx", "absl"):
    logging.getLogger(_logger).setLevel(logging.ERROR)

__all__ = ["be_deterministic", "keras", "saved_model_pb2", "seed_everything", "silent_stderr", "tf"]


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy, TensorFlow and Keras."""
    keras.utils.set_random_seed(seed)


def be_deterministic() -> None:
    """Replace operations whose result depends on the order of threads, for the rest of the process.

    Those that take their place are slower; TensorFlow then refuses to draw without a seed.
    """
    tf.config.experimental.enable_op_determinism()
