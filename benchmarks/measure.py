"""What the benchmarks share: the machine in words, its matmul peak, memory, tables and results."""

import json
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("tensorflow", "keras", "torch", "numpy", "onnxruntime")
MATMUL_SIDE = 2048
TRIES = 6


def machine() -> dict[str, Any]:
    from digitcli.run_record import describe_environment

    found = describe_environment()["machine"]
    packages = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "packages": packages, "date": f"{datetime.now(UTC):%Y-%m-%d}"}


def in_words(found: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in found["packages"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, Python {found['python']}, {packages}, {found['date']}"
    )


def matmul_peak(precision: str = "float32") -> float:
    """Return the machine's best multiplying large square matrices, in operations a second."""
    from digitcli.models.backend import tf

    a = tf.cast(tf.random.stateless_normal((MATMUL_SIDE, MATMUL_SIDE), (0, 0)), precision)
    multiply = tf.function(lambda x: tf.linalg.matmul(x, x), autograph=False)
    multiply(a)
    best = float("inf")
    for _ in range(TRIES):
        start = time.perf_counter()
        multiply(a).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * MATMUL_SIDE**3 / best


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else most * 1024


def training_operations(layers: list[Any]) -> int:
    """Return the operations of training on one image: a multiplication and an addition count as two.

    Forward, gradient of the weights, gradient of the input; the first layer needs no gradient of
    its input. Only layers with weights count.
    """
    works = [layer.work for layer in layers if layer.work]
    return 6 * sum(works) - 2 * works[0]


def print_peer(
    name: str,
    epochs: list[dict[str, float]],
    *,
    images: int,
    precision: str,
    operations: int,
    parameters: int,
) -> None:
    """Print, as one JSON object, what a training on the clock of the peers came to.

    Args:
        epochs: of each, ``seconds`` of training so far and ``test_accuracy``.
        images: trained on in an epoch.
        operations: of training on one image.
    """
    result = {
        "name": name,
        "epochs": epochs,
        "images": images,
        "precision": precision,
        "peak_bytes": peak_memory(),
        "operations": operations,
        "parameters": parameters,
    }
    print(json.dumps(result))


def print_table(headings: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(headings) + " |")
    print("|" + "---|" * len(headings))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def write(name: str, value: Any) -> None:
    RESULTS.mkdir(exist_ok=True)
    temporary = RESULTS / f"{name}.{os.getpid()}"
    temporary.write_text(json.dumps(value, indent=1) + "\n")
    temporary.replace(RESULTS / f"{name}.json")
