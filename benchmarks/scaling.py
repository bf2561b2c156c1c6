"""How time and memory grow with the number of images: MNIST repeated, up to a million.

    python benchmarks/scaling.py

Nothing else should run meanwhile. Each size is read from a file, divided, and trained on for
one epoch of the recipe ci, in a process of its own. Prints Markdown; the same goes as JSON to
benchmarks/results/scaling.json.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import in_words, machine, peak_memory, print_table, write

SIZES = (62_500, 250_000, 1_000_000)
IMAGE_BYTES = 28 * 28


def train(file: str) -> None:
    from our_recipe import Silent

    from digitcli.config.recipe import load_recipe
    from digitcli.datasets import load_split
    from digitcli.training.classification import Classification
    from digitcli.training.cluster.distribution import on_this_machine
    from digitcli.training.loop import fit
    from digitcli.training.progress import Progress

    split = load_split(file)
    recipe = load_recipe("ci")[1].override(epochs=1, batch_size=125, precision="float32")
    start = time.perf_counter()
    task = Classification(recipe, split)
    fit(recipe, task, Progress(), Silent(), distribution=on_this_machine(recipe.batch_size))
    print(json.dumps({"seconds": time.perf_counter() - start, "peak_bytes": peak_memory()}))


def save(file: Path, count: int) -> None:
    """Write `count` training images, MNIST's repeated, and 1,000 test images."""
    from digitcli.datasets import load

    data = load("mnist")
    train = data.train.take(np.arange(count) % len(data.train))
    test = data.test.part(0, 1000)
    np.savez(file, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)


def main() -> None:
    if len(sys.argv) > 1:
        train(sys.argv[1])
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            file = Path(folder) / "digits.npz"
            save(file, size)
            command = [sys.executable, __file__, str(file)]
            outcome = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            runs.append({"images": size, **json.loads(outcome.stdout)})
    rows = []
    for before, run in zip([None, *runs], runs, strict=False):
        growth = "-"
        if before:
            more = run["images"] - before["images"]
            growth = f"{(run['peak_bytes'] - before['peak_bytes']) / more:.0f}"
        rows.append(
            [
                f"{run['images']:,}",
                f"{run['seconds']:.1f} s",
                f"{run['seconds'] / run['images'] * 1e6:.1f}",
                f"{run['peak_bytes'] / 1e6:,.0f} MB",
                growth,
            ]
        )
    print_table(["images", "one epoch", "µs an image", "peak memory", "bytes per additional image"], rows)
    found = machine()
    print(f"\nAn image is {IMAGE_BYTES} bytes. {in_words(found)}")
    write("scaling", {"machine": found, "runs": runs})


if __name__ == "__main__":
    main()
