"""The machines and devices that train together, through TensorFlow's distribution strategies."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import OptionError, TrainingError
from digitcli.models.backend import tf
from digitcli.training.cluster.configuration import Cluster
from digitcli.training.cluster.rendezvous import rendezvous

_SILENCE = 120.0  # seconds without a word from the others, after which a step is given up


class Distribution:
    """Who trains: one device, the GPUs of one machine, or the workers of a cluster.

    Attributes:
        strategy: TensorFlow's, for building variables and running steps.
        workers: processes that train together.
        task: this one's number, from 0; 0 is the chief, which alone writes files.
        replicas: copies of the network over all workers, one a device.
    """

    def __init__(self, strategy: Any, cluster: Cluster | None = None) -> None:
        self.strategy = strategy
        self.workers = len(cluster.addresses) if cluster else 1
        self.task = cluster.task if cluster else 0
        self.replicas: int = strategy.num_replicas_in_sync
        self._mean = tf.function(self._reduce, autograph=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run's files and results."""
        return self.task == 0

    def agree(self, value: float) -> float:
        """Return the mean of every worker's `value`, the same on all of them."""
        if self.workers == 1:
            return value
        return float(self._mean(tf.constant(value, tf.float64)))

    def agree_all(self, wish: bool) -> bool:
        """Return whether every worker wishes it."""
        return self.agree(float(wish)) == 1.0

    def shard(self, examples: int) -> NDArray[np.int32]:
        """Return the indices of this worker's examples: every `workers`-th, as many for each replica.

        Where they do not come out even, the first are dealt once more.
        """
        each = math.ceil(examples / self.replicas) * (self.replicas // self.workers)
        return (np.arange(self.task, each * self.workers, self.workers) % examples).astype(np.int32)

    def share_of_batch(self, batch_size: int) -> int:
        """Return this worker's part of a step; an `OptionError` where replicas would get unlike shares."""
        if batch_size % self.replicas:
            raise OptionError(
                f"--batch-size {batch_size}: expected a multiple of {self.replicas}, "
                "as so many devices share each step"
            )
        return batch_size // self.workers

    @contextlib.contextmanager
    def noticing_losses(self) -> Iterator[None]:
        """Turn what TensorFlow says when another worker is gone into one `TrainingError`."""
        try:
            yield
        except (tf.errors.OpError, RuntimeError) as error:
            if self.workers == 1:
                raise
            raise TrainingError(
                f"worker {self.task} of {self.workers} lost another worker "
                f"({type(error).__name__}); start all of them again with --resume"
            ) from error

    def _reduce(self, value: Any) -> Any:
        values = self.strategy.run(lambda: tf.identity(value))
        return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)


def on_this_machine(batch_size: int) -> Distribution:
    """Use as many GPUs of this machine as divide a step evenly, or else its processor."""
    devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    count = max((n for n in range(1, len(devices) + 1) if batch_size % n == 0), default=0)
    if count > 1:
        return Distribution(tf.distribute.MirroredStrategy(devices[:count]))
    return Distribution(tf.distribute.get_strategy())


def join(cluster: Cluster, task: str, patience: float) -> Distribution:
    """Meet the other workers of `cluster`; must come before anything else is computed.

    Raises `TrainingError` where one of them has not come after `patience` seconds or `task`, what
    there is to do, is something else there.
    """
    rendezvous(cluster, task, patience)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
        task_type="worker",
        task_id=cluster.task,
        rpc_layer="grpc",
    )
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=_SILENCE)
    strategy = tf.distribute.MultiWorkerMirroredStrategy(
        cluster_resolver=resolver, communication_options=options
    )
    return Distribution(strategy, cluster)
