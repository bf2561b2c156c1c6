"""One of our recipes on the clock of the peers: the test images are read after every epoch, outside it.

Prints one JSON object.
"""

import argparse
import sys
import time

import numpy as np
from measure import print_peer, training_operations

from digitcli.config.recipe import load_recipe
from digitcli.datasets import load_split
from digitcli.models.backend import seed_everything
from digitcli.models.factory import assemble, build, summarize
from digitcli.models.keras_classifier import KerasClassifier
from digitcli.models.precision import choose_precision
from digitcli.training.classification import Classification
from digitcli.training.cluster.distribution import on_this_machine
from digitcli.training.loop import fit
from digitcli.training.progress import Epoch, Progress, Step


class Silent:
    def stage(self, words: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def epoch(self, epoch: Epoch) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    _, recipe = load_recipe(options.recipe)
    recipe = recipe.override(seed=options.seed)
    split = load_split(recipe.data)
    rows: list[dict[str, float]] = []
    outside = 0.0

    def test(progress: Progress) -> None:
        nonlocal outside
        if len(rows) == len(progress.epochs):
            return
        stopped = time.perf_counter()
        probabilities = KerasClassifier(assemble(recipe, progress.weights())).predict(split.test.images)
        accuracy = float(np.mean(probabilities.argmax(axis=1) == split.test.labels))
        rows.append({"seconds": stopped - start - outside, "test_accuracy": accuracy})
        words = f"{options.recipe} epoch {len(rows)}: {rows[-1]['seconds']:.1f} s, {accuracy:.2%}"
        print(words, file=sys.stderr, flush=True)
        outside += time.perf_counter() - stopped

    start = time.perf_counter()
    seed_everything(recipe.seed)
    precision = choose_precision(recipe)
    fit(
        recipe, Classification(recipe, split), Progress(), Silent(),
        distribution=on_this_machine(recipe.batch_size), precision=precision.precision, save=test,
    )  # fmt: skip
    network = build(recipe)
    print_peer(
        f"digitcli, recipe {options.recipe}",
        rows,
        images=len(split.train),
        precision=precision.precision,
        operations=training_operations(summarize(network)),
        parameters=network.count_params(),
    )


if __name__ == "__main__":
    main()
