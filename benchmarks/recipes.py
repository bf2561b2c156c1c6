"""Train recipes through the command line, several seeds each, and print README's result table.

    python benchmarks/recipes.py                       # what README shows
    python benchmarks/recipes.py --recipes ci --seeds 1

Nothing else should run meanwhile. Prints a Markdown table and the machine; the same, with every
run, goes as JSON to benchmarks/results/recipes.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "recipes.json"
SEEDS = {"quick": 5, "classic": 1, "ensemble": 1}
DEFAULT_SEEDS = 3


def train(recipe: str, seed: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "digitcli", "train", "--config", recipe, "--seed", str(seed)]
    command += ["--artifacts", str(folder), "--json", "--quiet"]
    print(f"{recipe}, seed {seed} ...", file=sys.stderr, flush=True)
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    run = json.loads((folder / "run.json").read_text())
    return {
        "recipe": recipe,
        "seed": seed,
        "data": run["data"]["name"],
        "epochs": len(report["history"]["epoch"]),
        "test_accuracy": report["test"]["accuracy"],
        "val_accuracy": report["history"]["val_accuracy"][-1],
        "training_seconds": report["durations"]["training"],
        "parameters": report["parameters"],
        "model_bytes": run["onnx"]["model_bytes"],
        "machine": run["machine"],
        "packages": run["packages"],
    }


def row(runs: list[dict[str, Any]]) -> str:
    first = runs[0]
    accuracies = [run["test_accuracy"] for run in runs]
    seconds = statistics.mean(run["training_seconds"] for run in runs)
    spread = f" ({min(accuracies):.2%} to {max(accuracies):.2%})" if len(runs) > 1 else ""
    seeds = f"{len(runs)} seeds" if len(runs) > 1 else "1 seed"
    return (
        f"| `{first['recipe']}` | {first['data']} | {first['epochs']} "
        f"| {statistics.mean(accuracies):.2%}{spread}, {seeds} | {seconds:.0f} s "
        f"| {first['parameters']:,} | {first['model_bytes'] / 1024:,.0f} KiB |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["ci", "default", "classic"])
    parser.add_argument("--seeds", type=int, help="for every recipe")
    options = parser.parse_args()
    print("| recipe | data | epochs | test accuracy | training | parameters | ONNX file |")
    print("|---|---|---|---|---|---|---|")
    everything = []
    for recipe in options.recipes:
        seeds = options.seeds or SEEDS.get(recipe, DEFAULT_SEEDS)
        with tempfile.TemporaryDirectory() as folder:
            runs = [train(recipe, seed, Path(folder)) for seed in range(seeds)]
        print(row(runs), flush=True)
        everything += runs
    machine, packages = everything[0]["machine"], everything[0]["packages"]
    print(
        f"\n{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, "
        f"TensorFlow {packages['tensorflow']}, Keras {packages['keras']}, {datetime.now(UTC):%Y-%m-%d}"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(everything, indent=2) + "\n")


if __name__ == "__main__":
    main()
