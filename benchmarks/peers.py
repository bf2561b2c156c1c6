"""Train our recipes and the peers' examples in turn, on the same data, and compare.

    python benchmarks/peers.py                           # about 25 minutes on 2 cores
    python benchmarks/peers.py --recipes quick --pytorch-epochs 0
    ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/peers.py --recipes quick --pytorch-epochs 0

Nothing else should run meanwhile. Each trains in a process of its own; times include compilation
and, for ours, the probe for the precision, but neither imports nor the reading of test images.
PyTorch's is left out where it is not installed. Prints Markdown; the same, epoch by epoch, goes as
JSON to benchmarks/results/peers.json.
"""

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from measure import in_words, machine, matmul_peak, print_table, write

from digitcli.models.precision import has_bfloat16

HERE = Path(__file__).parent
GOALS = (0.98, 0.99, 0.995)
HEADINGS = [
    "training",
    *(f"seconds to {goal:.1%}".replace(".0%", "%") for goal in GOALS),
    "epochs",
    "final accuracy",
    "whole training",
    "an epoch",
    "images/s",
    "of matmul peak",
    "peak memory",
    "parameters",
]


def run(script: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / script), *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def row(result: dict[str, Any], peaks: dict[str, float]) -> list[str]:
    epochs = result["epochs"]
    goals = [next((e["seconds"] for e in epochs if e["test_accuracy"] >= goal), None) for goal in GOALS]
    steady = steady_seconds(epochs)
    speed = result["images"] / steady
    share = speed * result["operations"] / peaks[result["precision"]]
    return [
        result["name"],
        *("-" if goal is None else f"{goal:.1f}" for goal in goals),
        str(len(epochs)),
        f"{epochs[-1]['test_accuracy']:.2%}",
        f"{epochs[-1]['seconds']:.1f} s",
        f"{steady:.1f} s",
        f"{speed:,.0f}",
        f"{share:.0%} ({result['precision']})",
        f"{result['peak_bytes'] / 1e6:,.0f} MB",
        f"{result['parameters']:,}",
    ]


def steady_seconds(epochs: list[dict[str, float]]) -> float:
    """The mean epoch after the first, which compiles; of a single one, that."""
    if len(epochs) == 1:
        return epochs[0]["seconds"]
    return (epochs[-1]["seconds"] - epochs[0]["seconds"]) / (len(epochs) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--recipes", nargs="*", default=["quick", "default", "classic"])
    parser.add_argument("--pytorch-epochs", type=int, default=14, help="0 leaves PyTorch's example out")
    options = parser.parse_args()
    precisions = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    peaks = {precision: matmul_peak(precision) for precision in precisions}
    results = [run("our_recipe.py", recipe) for recipe in options.recipes]
    results.append(run("keras_example.py"))
    if find_spec("torch") and options.pytorch_epochs:
        results.append(run("pytorch_example.py", "--epochs", str(options.pytorch_epochs)))
    found = machine()
    print_table(HEADINGS, [row(result, peaks) for result in results])
    words = ", ".join(f"{peak / 1e9:.0f} GFLOP/s {precision}" for precision, peak in peaks.items())
    print(f"\nMatmul peak: {words}. {in_words(found)}")
    write("peers", {"machine": found, "matmul_peak": peaks, "runs": results})


if __name__ == "__main__":
    main()
