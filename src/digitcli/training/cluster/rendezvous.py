"""The rendezvous of workers, before TensorFlow connects them, and the check that all train the same run."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass

from digitcli.errors import OptionError, TrainingError
from digitcli.training.cluster.configuration import Cluster, split_address

_GREETING = "digitcli-worker"
_UNLIKE = (
    "{} is to do something else: another recipe, other data, another checkpoint or place among the "
    "workers; start all of them with the same options and the same artifacts folder"
)


@dataclass(frozen=True)
class RendezvousParameters:
    """How workers wait for each other.

    Attributes:
        poll: seconds between two tries to reach the others.
        answer: seconds in which a greeting has to come.
        most_bytes: of a greeting; whatever else knocks at the port may send without end.
    """

    poll: float = 0.2
    answer: float = 2.0
    most_bytes: int = 256


_TIMING = RendezvousParameters()


def rendezvous(cluster: Cluster, task: str, patience: float) -> None:
    """Wait until all workers have seen each other and know that they are to do the same.

    Each listens on its own port, which TensorFlow takes over afterwards, and answers the others
    there with its number and `task`.

    Args:
        cluster: the workers, and which of them this is.
        task: a word for what there is to do; it must be the same on all of them.
        patience: seconds to wait for the others.

    Raises:
        TrainingError: some have not come in time, or one is to do something else.
        OptionError: this worker's port cannot be listened on.
    """
    deadline = time.monotonic() + patience
    others = {place: address for place, address in enumerate(cluster.addresses) if place != cluster.task}
    seen: set[int] = set()
    with _Listener(cluster, task) as door:
        while True:
            for place, address in others.items():
                if place not in seen and _greet(address, place, cluster.task, task):
                    seen.add(place)
            missing = [address for place, address in others.items() if place not in seen & door.seen_by]
            if door.unlike is not None:
                raise TrainingError(_UNLIKE.format(cluster.addresses[door.unlike]))
            if not missing:
                return
            if time.monotonic() > deadline:
                raise TrainingError(
                    f"{', '.join(missing)} did not come within {patience:g} s; "
                    "start every worker with the same list of addresses"
                )
            time.sleep(_TIMING.poll)


class _Listener:
    """Answers whoever knocks at this worker's port, and remembers which workers did."""

    def __init__(self, cluster: Cluster, task: str) -> None:
        self.seen_by: set[int] = set()
        self.unlike: int | None = None  # a worker that is to do something else
        self._task, self._count = task, len(cluster.addresses)
        self._answer = f"{_GREETING} {cluster.task} {task}\n".encode()
        own = cluster.addresses[cluster.task]
        self._socket = socket.socket(socket.AF_INET6 if own.startswith("[") else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("", split_address(own)[1]))
            self._socket.listen(len(cluster.addresses))
        except OSError as error:
            self._socket.close()
            raise OptionError(f"{own}: cannot listen there: {error.strerror}; choose another port") from error
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread up
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:  # the door is closed
                return
            with visitor, contextlib.suppress(OSError, ValueError):
                visitor.settimeout(_TIMING.answer)
                place, theirs = _read_greeting(visitor)
                visitor.sendall(self._answer)
                if 0 <= place < self._count:
                    self.seen_by.add(place)
                    self.unlike = self.unlike if theirs == self._task else place


def _greet(address: str, place: int, own: int, task: str) -> bool:
    """Return whether worker `place` is there; raise a `TrainingError` where it is to do something else."""
    try:
        with socket.create_connection(split_address(address), timeout=1) as there:
            there.settimeout(_TIMING.answer)
            there.sendall(f"{_GREETING} {own} {task}\n".encode())
            found, theirs = _read_greeting(there)
    except (OSError, ValueError):
        return False
    if (found, theirs) != (place, task):
        raise TrainingError(_UNLIKE.format(address))
    return True


def _read_greeting(connection: socket.socket) -> tuple[int, str]:
    """Return a worker's number and task; a `ValueError` where it is no worker of ours."""
    line = b""
    while not line.endswith(b"\n") and len(line) < _TIMING.most_bytes:
        part = connection.recv(_TIMING.most_bytes - len(line))
        if not part:
            break
        line += part
    greeting, place, task = line.decode("ascii").split()
    if greeting != _GREETING:
        raise ValueError(greeting)
    return int(place), task
