"""Where a training step's time goes, operation by operation, and its share of the matmul peak.

    python benchmarks/operations.py                      # the recipe classic in float32
    python benchmarks/operations.py default --precision bfloat16

Nothing else should run meanwhile. Follows the recipe's own compiled steps with TensorFlow's
profiler. Prints Markdown; the same goes as JSON to benchmarks/results/operations.json.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from measure import RESULTS, in_words, machine, matmul_peak, print_table, training_operations, write
from our_recipe import Silent

from digitcli.config.recipe import load_recipe
from digitcli.datasets import load, split_dataset
from digitcli.models.backend import seed_everything, tf
from digitcli.models.factory import build, summarize
from digitcli.training.classification import Classification
from digitcli.training.clock import TrainingClock
from digitcli.training.cluster.distribution import on_this_machine
from digitcli.training.loop import _Loop

IMAGES = 8_192
NAMES = {  # oneDNN's and Eigen's, in words
    "Conv2DBackpropFilter": "convolution, gradient of its filters",
    "Conv2DBackpropInput": "convolution, gradient of its input",
    "Conv2D": "convolution, forward",
    "MatMul": "dense layers",
    "MaxPoolGrad": "max-pooling, gradient",
    "MaxPool": "max-pooling, forward",
}


def operation_seconds(recipe: Any, precision: str) -> tuple[Counter[str], float, int]:
    """Return the busy seconds of each kind of operation, the wall seconds and the steps of an epoch."""
    seed_everything(0)
    task = Classification(recipe, split_dataset(load(recipe.data), IMAGES + IMAGES // 10))
    loop = _Loop(recipe, task, 0, on_this_machine(recipe.batch_size), precision, None)
    for _ in range(2):  # the second without compiling
        loop.train_epoch(1, 1, TrainingClock(recipe, loop.steps, 0, 0.0, None, 1, float), Silent())
    clock = TrainingClock(recipe, loop.steps, 0, 0.0, None, 1, float)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        loop.train_epoch(1, 1, clock, Silent())
        tf.profiler.experimental.stop()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        content = trace.read_bytes()

    plain = TrainingClock(recipe, loop.steps, 0, 0.0, None, 1, float)
    start = time.perf_counter()
    loop.train_epoch(1, 1, plain, Silent())
    return busy(content), time.perf_counter() - start, loop.steps


def busy(trace: bytes) -> Counter[str]:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(trace)
    seconds: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if ":" in name and "::" not in name and "__inference" not in name:  # "node:Operation"
                    operation = name.rpartition(":")[2]
                    for prefix in ("_MklNative", "_Mkl", "_Fused"):
                        operation = operation.removeprefix(prefix)
                    seconds[operation] += event.duration_ps / 1e12
    for outer in ("While", "PartitionedCall", "StatefulPartitionedCall"):
        seconds.pop(outer, None)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="classic")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    options = parser.parse_args()
    _, recipe = load_recipe(options.recipe)
    peak = matmul_peak(options.precision)
    seconds, wall, steps = operation_seconds(recipe, options.precision)
    total = sum(seconds.values())
    rows = [
        [NAMES.get(name, name), f"{1e3 * value / steps:.2f} ms", f"{value / total:.1%}"]
        for name, value in seconds.most_common(14)
    ]
    rest = total - sum(value for _, value in seconds.most_common(14))
    rows.append(["all others", f"{1e3 * rest / steps:.2f} ms", f"{rest / total:.1%}"])
    print(f"Recipe {options.recipe}, {options.precision}, batches of {recipe.batch_size}\n")
    print_table(["operation", "a step", "share"], rows)
    work = training_operations(summarize(build(recipe))) * recipe.batch_size * steps
    share = work / wall / peak
    print(
        f"\nA step takes {1e3 * wall / steps:.2f} ms by the clock; its layers' arithmetic reaches "
        f"{work / wall / 1e9:.0f} of {peak / 1e9:.0f} GFLOP/s, {share:.0%} of the matmul peak."
    )
    found = machine()
    print(in_words(found))
    path = RESULTS / "operations.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[f"{options.recipe} {options.precision}"] = {
        "machine": found,
        "milliseconds_a_step": {name: 1e3 * value / steps for name, value in seconds.most_common()},
        "wall_milliseconds_a_step": 1e3 * wall / steps,
        "share_of_matmul_peak": share,
    }
    write("operations", results)


if __name__ == "__main__":
    main()
