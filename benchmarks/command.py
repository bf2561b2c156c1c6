"""Time the whole command from the shell's prompt to the saved model, and its parts.

    python benchmarks/command.py                         # digitcli train --config quick, three times

Nothing else should run meanwhile. Prints Markdown; the same goes as JSON to
benchmarks/results/command.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from measure import in_words, machine, print_table, write

PARTS = {
    "loading": "importing TensorFlow and the rest and reading the data",
    "probe": "choosing the precision",
    "building": "building the network and tracing its training steps",
    "training": "training itself",
    "export": "export to ONNX and its check",
    "test": "reading validation and test images",
    "drawing": "drawing",
}


def once(recipe: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "digitcli", "train", "--config", recipe, "--artifacts", folder]
        start = time.perf_counter()
        done = subprocess.run([*command, "--json", "--quiet"], check=True, stdout=subprocess.PIPE, text=True)
        whole = time.perf_counter() - start
    report = json.loads(done.stdout)
    parts = dict(report["durations"])
    parts["training"] -= parts["building"]
    return {"whole": whole, "parts": parts, "test_accuracy": report["test"]["accuracy"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    runs = [once(options.recipe) for _ in range(options.times)]
    means = {part: statistics.mean(run["parts"].get(part, 0.0) for run in runs) for part in PARTS}
    whole = statistics.mean(run["whole"] for run in runs)
    rows = [[words, f"{means[part]:.1f} s"] for part, words in PARTS.items() if means[part]]
    rows.append(["starting Python, options, ending", f"{whole - sum(means.values()):.1f} s"])
    rows.append([f"**`digitcli train --config {options.recipe}`**", f"**{whole:.1f} s**"])
    print_table(["part", f"mean of {options.times} runs"], rows)
    found = machine()
    print(f"\n{in_words(found)}")
    write("command", {"machine": found, "recipe": options.recipe, "runs": runs})


if __name__ == "__main__":
    main()
