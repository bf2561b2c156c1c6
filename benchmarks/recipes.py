"""Train recipes through the command line, several seeds each, and print README's result table.

    python benchmarks/recipes.py                       # those that take minutes
    python benchmarks/recipes.py --recipes quick       # one; the rest of the table stays
    python benchmarks/recipes.py --recipes pretrained best ensemble --keep runs   # those that take hours
    python benchmarks/recipes.py --table               # only the table, from what was measured

Nothing else should run meanwhile. Prints a Markdown table and the machine; every run goes as JSON
to benchmarks/results/recipes.json, where it replaces the recipe's earlier ones.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import RESULTS, in_words, machine, print_table, write

ORDER = ("ci", "quick", "default", "classic", "best", "ensemble", "pretrained")
LONG = ("best", "ensemble", "pretrained")
SEEDS = {"quick": 5, "classic": 1, "ensemble": 1, "pretrained": 1}  # three of the others
DEFAULT_SEEDS = 3
HEADINGS = ["recipe", "epochs", "test accuracy", "training", "parameters", "ONNX file"]


def train(recipe: str, seed: int, keep: Path | None) -> dict[str, Any]:
    print(f"{recipe}, seed {seed} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = str(keep / f"{recipe}-{seed}") if keep else temporary
        command = [sys.executable, "-m", "digitcli", "train", "--config", recipe, "--seed", str(seed)]
        command += ["--artifacts", folder, "--json", "--quiet"]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        run = json.loads((Path(folder) / "run.json").read_text())
    return {
        "recipe": recipe,
        "seed": seed,
        "data": run["data"]["name"],
        "ensemble_size": run["recipe"]["ensemble_size"],
        "epochs": len(report["history"]["epoch"]),
        "test_accuracy": report["test"]["accuracy"],
        "val_accuracy": report["validation"]["accuracy"],
        "val_loss": report["validation"]["loss"],
        "precision": report["precision"],
        "training_seconds": report["durations"]["training"],
        "parameters": report["parameters"],
        "model_bytes": run["onnx"]["model_bytes"],
    }


def row(runs: list[dict[str, Any]]) -> list[str]:
    first = runs[0]
    accuracies = [run["test_accuracy"] for run in runs]
    seconds = statistics.mean(run["training_seconds"] for run in runs)
    spread = f" ({min(accuracies):.2%} to {max(accuracies):.2%}, {len(runs)} seeds)" if len(runs) > 1 else ""
    epochs, members = first["epochs"], first["ensemble_size"]
    return [
        f"`{first['recipe']}`" + ("" if first["data"] == "mnist" else f" (on {first['data']})"),
        f"{members} x {epochs // members}" if members > 1 else str(epochs),
        f"{statistics.mean(accuracies):.2%}{spread}",
        f"{seconds:.0f} s" if seconds < 300 else f"{seconds / 60:.0f} min",
        f"{first['parameters']:,}",
        f"{first['model_bytes'] / 1024:,.0f} KiB",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=[name for name in ORDER if name not in LONG])
    parser.add_argument("--seeds", type=int, help="for every recipe")
    parser.add_argument("--keep", type=Path, help="a folder for what the runs write, one folder each")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    path = RESULTS / "recipes.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for recipe in [] if options.table else options.recipes:
        seeds = options.seeds or SEEDS.get(recipe, DEFAULT_SEEDS)
        runs = [train(recipe, seed, options.keep) for seed in range(seeds)]
        results[recipe] = {"runs": runs, "machine": machine()}
        write("recipes", results)
    shown = [recipe for recipe in ORDER if recipe in results]
    print_table(HEADINGS, [row(results[recipe]["runs"]) for recipe in shown])
    for words in dict.fromkeys(in_words(results[recipe]["machine"]) for recipe in shown):
        print(f"\n{words}")


if __name__ == "__main__":
    main()
