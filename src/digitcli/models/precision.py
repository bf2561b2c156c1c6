"""The training precision: float32, or bfloat16 where the machine has it and gains by it.

Which is faster is found out by a trial of some steps, and remembered in the user's cache.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitcli import artifacts
from digitcli.config.recipe import AnyRecipe
from digitcli.errors import DigitcliError, InputError
from digitcli.models.backend import tf
from digitcli.models.factory import build, example_shapes
from digitcli.run_record import describe_environment

_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "avx_ne_convert"}  # as Linux names them
# oneDNN's settings that keep it to older instructions, and what is in the names of those with bfloat16
_CAPS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_WITH_BFLOAT16 = ("BF16", "FP16", "AMX", "AVX10", "AVX2_VNNI_2", "DEFAULT", "ALL")
_TRIALS = "precision.json"  # in the cache
_GPU_GENERATION = (8, 0)  # NVIDIA's compute capability from which bfloat16 is fast


@dataclass(frozen=True)
class ProbeParameters:
    """How the two precisions are compared.

    Attributes:
        steps: timed in each; the fastest counts.
        batch: examples a step at most; enough for the ratio between the two.
        gain: how many times as fast bfloat16 must be, as its sums are rougher.
        clear: ratios from this factor on are remembered; with smaller ones, the next trial may say otherwise.
        remembered: trials at most.
    """

    steps: int = 8
    batch: int = 128
    gain: float = 1.05
    clear: float = 1.2
    remembered: int = 100


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
    """Settle a recipe's precision on this machine; ``auto`` tries a few steps in both, once on a machine.

    With `deterministic` it does not, as a stopwatch's word may be another next time.
    """
    if recipe.precision != "auto":
        return PrecisionChoice(recipe.precision, "as asked")
    if deterministic:
        return PrecisionChoice("float32", "as nothing may depend on a stopwatch")
    if not has_bfloat16():
        return PrecisionChoice("float32", "this machine has no arithmetic for bfloat16")
    key = _trial_key(recipe)
    ratio = _remembered().get(key)
    if ratio is None:
        try:
            ratio = _ratio(recipe)
        except tf.errors.OpError:  # oneDNN may be kept from the instructions that the processor has
            return PrecisionChoice("float32", "TensorFlow does not compute in bfloat16 here")
        if not 1 / PROBE.clear < ratio < PROBE.clear:
            _remember(key, ratio)
    words = f"a bfloat16 step takes {ratio:.2f} times as long as one in float32"
    return PrecisionChoice("bfloat16" if ratio * PROBE.gain <= 1 else "float32", words)


def _ratio(recipe: AnyRecipe) -> float:
    """Return how many times as long as in float32 a step takes in bfloat16."""
    steps = {precision: _make_step(recipe, precision) for precision in ("float32", "bfloat16")}
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(PROBE.steps):
        for precision, step in steps.items():  # in turn: what else the machine does meets both
            best[precision] = min(best[precision], _seconds(step))
    return best["bfloat16"] / best["float32"]


def _trial_key(recipe: AnyRecipe) -> str:
    """Return what tells a trial from others: network, batch, machine, versions, and oneDNN's settings."""
    environment = describe_environment()
    told = [
        {
            key: value
            for key, value in recipe.model_dump(mode="json").items()
            if key in ("network", "detector")
        },
        recipe.batch_size,
        environment["machine"],
        environment["packages"],
        [device.name for device in tf.config.list_physical_devices()],
        sorted((name, value) for name, value in os.environ.items() if "ONEDNN" in name or "DNNL" in name),
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _cache() -> Path:
    """Return the folder for what can be found out again, by the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "digitcli"


def _remembered() -> dict[str, float]:
    """Return the ratios of earlier trials; of a file that is missing or damaged, none."""
    try:
        found = artifacts.read_json_object(_cache() / _TRIALS)
    except (InputError, RuntimeError):  # no home folder, either
        return {}
    return {key: ratio for key, ratio in found.items() if type(ratio) is float and ratio > 0}


def _remember(key: str, ratio: float) -> None:
    """Add a trial to the cache, if that can be written to."""
    trials = [*_remembered().items(), (key, ratio)][-PROBE.remembered :]
    try:
        with artifacts.replacing(_cache()) as files:
            files.write_json(_TRIALS, dict(trials))
    except (DigitcliError, RuntimeError):
        return


def has_bfloat16() -> bool:
    """Return whether the GPU, or else the processor, computes in bfloat16; no where none can tell."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        details = [tf.config.experimental.get_device_details(device) for device in devices]
        return all(detail.get("compute_capability", (0, 0)) >= _GPU_GENERATION for detail in details)
    cap = next((os.environ[name].upper() for name in _CAPS if os.environ.get(name)), "ALL")
    if not any(part in cap for part in _WITH_BFLOAT16):
        return False  # it would not merely be slow: oneDNN ends the process
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
