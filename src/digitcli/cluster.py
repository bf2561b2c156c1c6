"""Which workers train together: from the command line, ``TF_CONFIG`` or Slurm's variables."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from digitcli.errors import OptionError, TrainingError

_SLURM_PORT = 12_345  # of each node's first worker; the next ones on a node count up
_POLL = 0.2  # seconds
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:]+\]|[\w.-]+):(\d{1,5})")
_TF_CONFIG = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """Workers that train together, and which of them this process is.

    Attributes:
        addresses: ``host:port`` of each, two at least; the first is the chief.
        task: this process's place among them, from 0.
    """

    addresses: tuple[str, ...]
    task: int


def find_cluster(addresses: str | None, task: int | None, environment: Mapping[str, str]) -> Cluster | None:
    """Return the cluster that this process belongs to, if any.

    Args:
        addresses: the option ``--cluster``; it comes first.
        task: the option ``--task``.
        environment: the process's; ``TF_CONFIG`` comes before Slurm's variables.

    Raises `OptionError` where what is given does not describe a cluster.
    """
    if (addresses is None) != (task is None):
        raise OptionError("--cluster and --task belong together; found only one of them")
    if addresses is not None and task is not None:
        return _checked(addresses.split(","), task, "--cluster")
    if environment.get("TF_CONFIG", "").strip():
        return _from_tf_config(environment["TF_CONFIG"])
    if int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        return _from_slurm(environment)
    return None


def await_workers(cluster: Cluster, patience: float) -> None:
    """Wait until every other worker has come.

    Each listens on its own port meanwhile, so that the others see it; afterwards TensorFlow does.
    Raises `TrainingError` naming those that have not come after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    missing = [address for place, address in enumerate(cluster.addresses) if place != cluster.task]
    own = cluster.addresses[cluster.task]
    with socket.socket(socket.AF_INET6 if own.startswith("[") else socket.AF_INET) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("", _split(own)[1]))
            door.listen(len(cluster.addresses))
        except OSError as error:
            raise OptionError(f"{own}: cannot listen there: {error.strerror}; choose another port") from error
        while missing:
            missing = [address for address in missing if not _answers(address)]
            if missing and time.monotonic() > deadline:
                raise TrainingError(
                    f"{', '.join(missing)} did not come within {patience:g} s; "
                    "start every worker with the same list of addresses"
                )
            time.sleep(_POLL if missing else 0)


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(_split(address), timeout=1):
        return True
    return False


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _checked(addresses: list[str], task: int, origin: str) -> Cluster | None:
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if not match or not 0 < int(match[2]) < 65_536:
            raise OptionError(f"{origin}: found {address!r}; expected host:port")
    if len(set(addresses)) < len(addresses):
        raise OptionError(f"{origin}: an address occurs twice; each worker needs one of its own")
    if not 0 <= task < len(addresses):
        raise OptionError(f"{origin}: task {task} is none of the {len(addresses)} workers; they count from 0")
    return Cluster(tuple(addresses), task) if len(addresses) > 1 else None


def _from_tf_config(text: str) -> Cluster | None:
    try:
        config = json.loads(text)
        jobs, task = config.get("cluster", {}), config.get("task", {})
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
        chiefs, workers = list(jobs.get("chief", [])), list(jobs.get("worker", []))
        addresses = [str(address) for address in chiefs + workers]
    except (ValueError, TypeError, AttributeError) as error:
        raise OptionError(f"TF_CONFIG cannot be understood ({error}); expected {_TF_CONFIG}") from error
    if kind not in ("chief", "worker") or (kind == "chief" and not chiefs):
        raise OptionError(f"TF_CONFIG: this task is a {kind!r}; only chiefs and workers train")
    if not addresses:
        return None
    return _checked(addresses, index + (len(chiefs) if kind == "worker" else 0), "TF_CONFIG")


def _from_slurm(environment: Mapping[str, str]) -> Cluster | None:
    """From ``srun``'s variables; its tasks fill one node after the other, as they do by default.

    TensorFlow's own resolver sorts the nodes by name, which puts node10 before node2 and not where
    Slurm counts them.
    """
    try:
        nodes = _expand_nodes(environment["SLURM_STEP_NODELIST"])
        tasks = _expand_counts(environment["SLURM_STEP_TASKS_PER_NODE"])
        addresses = [
            f"{node}:{_SLURM_PORT + place}"
            for node, count in zip(nodes, tasks, strict=True)
            for place in range(count)
        ]
        if len(addresses) != int(environment["SLURM_STEP_NUM_TASKS"]):
            raise ValueError(f"{len(addresses)} tasks on {len(nodes)} nodes")
        return _checked(addresses, int(environment["SLURM_PROCID"]), "Slurm")
    except (KeyError, ValueError) as error:
        raise OptionError(
            f"Slurm's variables do not describe the workers ({error}); start them with srun, "
            "or name them with --cluster and --task"
        ) from error


def _expand_nodes(text: str) -> list[str]:
    """``n[01-02,7],m`` becomes ``n01 n02 n7 m``."""
    nodes = []
    for prefix, ranges, suffix in re.findall(r"([^,\[]*)(?:\[([^\]]*)\])?([^,]*)(?:,|$)", text):
        if not ranges:
            nodes += [prefix + suffix] if prefix + suffix else []
            continue
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            numbers = range(int(first), int(last or first) + 1)
            nodes += [f"{prefix}{number:0{len(first)}d}{suffix}" for number in numbers]
    return nodes


def _expand_counts(text: str) -> list[int]:
    """``2(x3),1`` becomes ``2 2 2 1``."""
    counts: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if not match:
            raise ValueError(f"found {part!r}; expected a count such as 2(x3)")
        counts += [int(match[1])] * int(match[2] or 1)
    return counts
