"""Which arithmetic to train in: float32, or bfloat16 where the machine has it and gains by it."""

import time
from dataclasses import dataclass
from pathlib import Path

from digitcli.backend import tf
from digitcli.config import Recipe
from digitcli.models import INPUT_SHAPE, build_trainee
from digitcli.preprocessing import CLASSES

_PROBE_STEPS = 4
_PROBE_BATCH = 128  # at most; enough for the ratio between the two
_GAIN = 1.05  # how much faster bfloat16 must be: its sums are rougher
_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "avx_ne_convert"}  # as Linux names them
_GPU_GENERATION = (8, 0)  # NVIDIA's compute capability from which bfloat16 is fast


@dataclass(frozen=True)
class Choice:
    """What a network is trained in.

    Attributes:
        precision: ``float32`` or ``bfloat16``.
        reason: in words.
    """

    precision: str
    reason: str


def choose_precision(recipe: Recipe) -> Choice:
    """Settle a recipe's precision on this machine; ``auto`` tries a few steps in both."""
    if recipe.precision != "auto":
        return Choice(recipe.precision, "as asked")
    if not has_bfloat16():
        return Choice("float32", "this machine has no arithmetic for bfloat16")
    ratio = _step_seconds(recipe, "float32") / _step_seconds(recipe, "bfloat16")
    words = f"a bfloat16 step takes {1 / ratio:.2f} times as long as one in float32"
    return Choice("bfloat16" if ratio >= _GAIN else "float32", words)


def has_bfloat16() -> bool:
    """Return whether the GPU, or else the processor, computes in bfloat16; no where none can tell."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        details = [tf.config.experimental.get_device_details(device) for device in devices]
        return all(detail.get("compute_capability", (0, 0)) >= _GPU_GENERATION for detail in details)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return bool(_CPU_FLAGS & set(flags))


def _step_seconds(recipe: Recipe, precision: str) -> float:
    """Return how long the gradients of a batch take, at best of a few tries."""
    network = build_trainee(recipe, precision, replicas=1)
    batch = min(recipe.batch_size, _PROBE_BATCH)
    images = tf.random.stateless_uniform((batch, *INPUT_SHAPE), (0, 0), 0, 255)

    def gradients() -> object:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(network(images, training=True)[:, CLASSES // 2])
        return tape.gradient(loss, network.trainable_variables)

    step = tf.function(gradients, autograph=False)
    step()
    best = float("inf")
    for _ in range(_PROBE_STEPS):
        start = time.perf_counter()
        [value.numpy() for value in step()]
        best = min(best, time.perf_counter() - start)
    return best
