"""Several workers: what describes them, and real processes that train together on loopback."""

import contextlib
import json
import signal
import socket
import threading
import time
from pathlib import Path

import forkserver
import numpy as np
import pytest
from conftest import Command
from forkserver import Process

from digitcli.errors import OptionError, TrainingError
from digitcli.training.cluster.configuration import Cluster, find_cluster
from digitcli.training.cluster.rendezvous import rendezvous

TWO = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'
CHIEF = '{"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "%s", "index": 0}}'


def test_options_come_before_the_environment() -> None:
    assert find_cluster("x:5,y:6", 0, {"TF_CONFIG": TWO}) == Cluster(("x:5", "y:6"), 0)
    assert find_cluster(None, None, {"TF_CONFIG": TWO}) == Cluster(("a:1", "b:2"), 1)
    assert find_cluster(None, None, {}) is None
    assert find_cluster("alone:1", 0, {}) is None


def test_the_chief_of_kubernetes_comes_first() -> None:
    assert find_cluster(None, None, {"TF_CONFIG": CHIEF % "chief"}) == Cluster(("c:1", "a:1"), 0)
    assert find_cluster(None, None, {"TF_CONFIG": CHIEF % "worker"}) == Cluster(("c:1", "a:1"), 1)


@pytest.mark.parametrize(
    ("nodes", "tasks", "expected"),
    [
        ("node[01-03]", "1(x3)", ("node01:12345", "node02:12345", "node03:12345")),
        ("gpu-[9-10],cpu", "1(x3)", ("gpu-9:12345", "gpu-10:12345", "cpu:12345")),
        ("a[2,10]x,b", "1,1(x2)", ("a2x:12345", "a10x:12345", "b:12345")),
        ("one", "3", ("one:12345", "one:12346", "one:12347")),
        ("n[1-2]", "2,1", ("n1:12345", "n1:12346", "n2:12345")),
    ],
)
def test_slurms_variables(nodes: str, tasks: str, expected: tuple[str, ...]) -> None:
    """As srun sets them in a job step; nodes and tasks are in Slurm's short form."""
    environment = {
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_PROCID": "2",
        "SLURM_STEP_NODELIST": nodes,
        "SLURM_STEP_TASKS_PER_NODE": tasks,
    }
    assert find_cluster(None, None, environment) == Cluster(expected, 2)
    with pytest.raises(OptionError, match="start them with srun"):
        find_cluster(None, None, environment | {"SLURM_STEP_TASKS_PER_NODE": "9(x"})
    with pytest.raises(OptionError, match="SLURM_STEP_NODELIST"):
        find_cluster(None, None, {k: v for k, v in environment.items() if "NODELIST" not in k})


def test_the_script_of_a_slurm_job_is_no_worker() -> None:
    assert find_cluster(None, None, {"SLURM_NTASKS": "3", "SLURM_PROCID": "0"}) is None


@pytest.mark.parametrize(
    ("addresses", "task", "config", "words"),
    [
        ("a:1,b:2", None, "", "--cluster and --task belong together"),
        (None, 0, "", "--cluster and --task belong together"),
        ("a,b:2", 0, "", "--cluster: found 'a'; expected host:port"),
        ("a:99999,b:2", 0, "", "--cluster: found 'a:99999'"),
        ("a:1,a:1", 0, "", "an address occurs twice"),
        ("a:1,b:2", 2, "", "task 2 is none of the 2 workers"),
        (None, None, "{", "TF_CONFIG cannot be understood"),
        (None, None, "[]", "TF_CONFIG cannot be understood"),
        (None, None, TWO.replace('"worker", "index"', '"ps", "index"'), "only chiefs and workers train"),
        (None, None, TWO.replace('"index": 1', '"index": 7'), "there is no worker 7"),
        (None, None, CHIEF.replace('"index": 0', '"index": -1') % "worker", "there is no worker -1"),
    ],
)
def test_what_describes_no_cluster_is_refused(
    addresses: str | None, task: int | None, config: str, words: str
) -> None:
    with pytest.raises(OptionError) as error:
        find_cluster(addresses, task, {"TF_CONFIG": config})
    assert words in str(error.value)


def free_addresses(count: int) -> str:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def test_who_does_not_come_is_named() -> None:
    addresses = tuple(free_addresses(2).split(","))
    start = time.monotonic()
    with pytest.raises(TrainingError, match=f"{addresses[1]} did not come within 1 s"):
        rendezvous(Cluster(addresses, 0), "task", 1)
    assert time.monotonic() - start < 4


def test_a_port_in_use_is_said() -> None:
    addresses = tuple(free_addresses(2).split(","))
    with socket.socket() as other:
        other.bind(("", int(addresses[0].rpartition(":")[2])))
        other.listen()
        with pytest.raises(OptionError, match="cannot listen there"):
            rendezvous(Cluster(addresses, 0), "task", 1)


def meet(addresses: str, tasks: list[str], patience: float = 10) -> list[BaseException | None]:
    """Let a thread for each worker meet the others; return how each ended."""
    ends: list[BaseException | None] = [None] * len(tasks)

    def run(place: int) -> None:
        try:
            rendezvous(Cluster(tuple(addresses.split(",")), place), tasks[place], patience)
        except TrainingError as error:
            ends[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_workers_with_the_same_task_meet() -> None:
    assert meet(free_addresses(3), ["same"] * 3) == [None] * 3


def test_workers_that_mean_different_runs_are_told() -> None:
    ends = meet(free_addresses(2), ["one", "other"], patience=2)
    assert all("is to do something else" in str(end) for end in ends)


def test_a_stranger_at_the_address_is_no_worker() -> None:
    addresses = free_addresses(2)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", int(addresses.rpartition(":")[2])))
        stranger.listen()
        with pytest.raises(TrainingError, match="did not come within 1 s"):
            rendezvous(Cluster(tuple(addresses.split(",")), 0), "task", 1)


def test_nonsense_at_the_door_is_ignored() -> None:
    addresses = free_addresses(2)
    host, port = addresses.split(",")[0].split(":")

    def knock() -> None:
        for _ in range(20):
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1) as door:
                door.sendall(b"\xff" * 1000 + b"\n")
            time.sleep(0.02)

    thread = threading.Thread(target=knock)
    thread.start()
    assert meet(addresses, ["same", "same"]) == [None, None]
    thread.join()


def start_workers(folder: Path, *options: object, count: int = 2) -> list[Process]:
    addresses = free_addresses(count)
    return [
        forkserver.start(
            "train", "--config", "ci", "--json", "--precision", "float32",
            "--cluster", addresses, "--task", task, *options,
            cwd=folder,
        )
        for task in range(count)
    ]  # fmt: skip


@pytest.mark.slow(seconds=50)
def test_two_processes_train_one_network(tmp_path: Path, digitcli: Command) -> None:
    """Their weights are equal to the bit, and as good as those of one process; only the chief writes."""
    workers = start_workers(tmp_path, "--artifacts", "together", "--quiet")
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    chief, other = (json.loads(stdout) for stdout, _ in outputs)
    assert [stderr for _, stderr in outputs] == ["", ""]
    assert chief["weights_sha256"] == other["weights_sha256"]
    assert chief["history"]["val_loss"] == other["history"]["val_loss"]
    assert (chief["worker"], other["worker"]) == (0, 1)
    assert "test" not in other
    run = json.loads((tmp_path / "together" / "run.json").read_text())
    assert run["workers"] == 2
    assert run["weights_sha256"] == chief["weights_sha256"]
    assert not list(tmp_path.glob("together/.partial*"))
    alone = digitcli("train", "--config", "ci", "--precision", "float32", "--json", "--quiet").json()
    assert chief["test"]["accuracy"] == pytest.approx(alone["test"]["accuracy"], abs=0.03)
    assert chief["history"]["loss"][0] == pytest.approx(alone["history"]["loss"][0], rel=0.15)
    assert np.mean(chief["history"]["loss"]) == pytest.approx(np.mean(alone["history"]["loss"]), rel=0.2)


@pytest.mark.slow
def test_a_time_budget_and_tensorboard_with_two_processes(tmp_path: Path) -> None:
    workers = start_workers(tmp_path, "--time-budget", 12, "--tensorboard", "--quiet")
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    chief, other = (json.loads(stdout) for stdout, _ in outputs)
    assert chief["weights_sha256"] == other["weights_sha256"]
    assert chief["durations"]["training"] == pytest.approx(12, abs=5)
    assert len(list((tmp_path / "artifacts" / "tensorboard").iterdir())) == 1


def test_workers_with_other_options_are_refused_at_once(tmp_path: Path) -> None:
    addresses = free_addresses(2)
    options = ("train", "-c", "ci", "--cluster", addresses, "--cluster-wait", 30)
    workers = [
        forkserver.start(*options, "--task", task, "--epochs", 2 + task, cwd=tmp_path) for task in range(2)
    ]
    words = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [1, 1]
    assert all("is to do something else" in each for each in words)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_dies_ends_the_others(tmp_path: Path, victim: int) -> None:
    workers = start_workers(tmp_path, "--epochs", 500)
    for line in workers[0].stderr:
        if line.startswith("epoch 2/"):
            break
    killed = time.monotonic()
    workers[victim].send_signal(signal.SIGKILL)
    _, stderr = workers[1 - victim].communicate(timeout=120)
    workers[victim].communicate()
    assert time.monotonic() - killed < 60
    assert workers[1 - victim].returncode == 1
    words = stderr.splitlines()[-1]
    assert f"Error: worker {1 - victim} of 2 lost another worker" in words
    assert "--resume" in words
    assert "Traceback" not in stderr
    assert (tmp_path / "artifacts" / "checkpoint.npz").is_file()


@pytest.mark.slow
def test_lost_workers_resume_together(tmp_path: Path) -> None:
    workers = start_workers(tmp_path, "--epochs", 4)
    for line in workers[0].stderr:
        if line.startswith("epoch 2/"):
            break
    workers[1].kill()
    for worker in workers:
        worker.communicate(timeout=120)
    workers = start_workers(tmp_path, "--epochs", 4, "--resume")
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    chief, other = (json.loads(stdout) for stdout, _ in outputs)
    assert chief["history"]["epoch"] == [1, 2, 3, 4]
    assert chief["weights_sha256"] == other["weights_sha256"]


def test_a_worker_that_never_comes_is_waited_for_no_longer_than_said(
    tmp_path: Path, digitcli: Command
) -> None:
    addresses = free_addresses(2)
    outcome = digitcli(
        "train", "-c", "ci", "--cluster", addresses, "--task", 0, "--cluster-wait", 2
    )  # fmt: skip
    assert outcome.status == 1
    assert f"Error: {addresses.split(',')[1]} did not come within 2 s" in outcome.stderr
    assert "Traceback" not in outcome.stderr
