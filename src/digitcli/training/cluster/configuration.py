"""The workers of a cluster, from the command line, ``TF_CONFIG`` or Slurm's variables."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from digitcli.errors import OptionError

_SLURM_PORT = 12_345  # of each node's first worker; the next ones on a node count up
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*):(\d{1,5})")
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
    if environment.get("SLURM_STEP_NUM_TASKS", "1") != "1":
        return _from_slurm(environment)
    return None


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``."""
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
    if not 0 <= index < len(chiefs if kind == "chief" else workers):
        raise OptionError(f"TF_CONFIG: there is no {kind} {index}; {kind}s count from 0")
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
