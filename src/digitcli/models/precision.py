"""The training precision: float32, or bfloat16 where the machine has it and gains by it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitcli.config.recipe import AnyRecipe
from digitcli.models.backend import tf
from digitcli.models.factory import build, example_shapes

_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "avx_ne_convert"}  # as Linux names them
_GPU_GENERATION = (8, 0)  # NVIDIA's compute capability from which bfloat16 is fast


@dataclass(frozen=True)
class ProbeParameters:
    """How the two precisions are compared.

    Attributes:
        steps: timed in each; the fastest counts.
        batch: examples a step at most; enough for the ratio between the two.
        gain: how many times as fast bfloat16 must be, as its sums are rougher.
    """

    steps: int = 8
    batch: int = 128
    gain: float = 1.05


PROBE = ProbeParameters()


@dataclass(frozen=True)
class PrecisionChoice:
    """What a network is trained in.

    Attributes:
        precision: ``float32`` or ``bfloat16``.
        reason: in words.
    """

    precision: str
    reason: str


def choose_precision(recipe: AnyRecipe, *, deterministic: bool = False) -> PrecisionChoice:
    """Settle a recipe's precision on this machine; ``auto`` tries a few steps in both.

    With `deterministic` it does not, as a stopwatch's word may be another next time.
    """
    if recipe.precision != "auto":
        return PrecisionChoice(recipe.precision, "as asked")
    if deterministic:
        return PrecisionChoice("float32", "as nothing may depend on a stopwatch")
    if not has_bfloat16():
        return PrecisionChoice("float32", "this machine has no arithmetic for bfloat16")
    steps = {precision: _make_step(recipe, precision) for precision in ("float32", "bfloat16")}
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(PROBE.steps):
        for precision, step in steps.items():  # in turn: what else the machine does meets both
            best[precision] = min(best[precision], _seconds(step))
    ratio = best["bfloat16"] / best["float32"]
    words = f"a bfloat16 step takes {ratio:.2f} times as long as one in float32"
    return PrecisionChoice("bfloat16" if ratio * PROBE.gain <= 1 else "float32", words)


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


def _make_step(recipe: AnyRecipe, precision: str) -> Callable[[], Any]:
    """Return a compiled function that gives the gradients for a batch."""
    network = build(recipe, precision=precision)
    batch = min(recipe.batch_size, PROBE.batch)
    random = {
        name: tf.random.stateless_uniform((batch, *shape), (0, 0), 0, 255)
        for name, shape in example_shapes(recipe).items()
    }
    inputs = random if len(random) > 1 else next(iter(random.values()))

    def gradients() -> Any:
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(network(inputs, training=True))
            loss = tf.add_n([tf.reduce_mean(each[..., each.shape[-1] // 2]) for each in outputs])
        return tape.gradient(loss, network.trainable_variables)

    step: Callable[[], Any] = tf.function(gradients, autograph=False)
    step()
    return step


def _seconds(step: Callable[[], Any]) -> float:
    start = time.perf_counter()
    [gradient.numpy() for gradient in step()]
    return time.perf_counter() - start
