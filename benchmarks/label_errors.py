"""How many of MNIST's known wrong labels are among the suspects.

    python benchmarks/label_errors.py --models artifacts/model.onnx

Northcutt, Athalye and Mueller ("Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks",
NeurIPS 2021) had five people each look at 100 test images that confident learning suspected; of 15, most of
the five did not agree with the label. This counts how many of the 15 are among the first suspects of
`digitcli evaluate --suspects`, for the pretrained model and for others. Prints Markdown.
"""

import argparse
from pathlib import Path

import numpy as np
from measure import in_words, machine, print_table

from digitcli import models
from digitcli.datasets import load
from digitcli.evaluation.label_errors import find_label_errors
from digitcli.recognition import tta
from digitcli.recognition.pretrained import PRETRAINED, PRETRAINED_MODEL

# Places in MNIST's test set, of https://github.com/cleanlab/label-errors, mturk/mnist_mturk.json: at most two
# of five people chose the label.
CONFIRMED = (
    947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729,
)  # fmt: skip
FIRST = (10, 20, 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    digits = load("mnist").test
    rows = []
    for path in (PRETRAINED_MODEL, *options.models):
        found = find_label_errors(tta.predict(models.load(path), digits.images), digits.labels)
        suspects = found.ranking.tolist()
        counts = [str(len(set(suspects[:first]) & set(CONFIRMED))) for first in FIRST]
        likely = found.is_likely[list(CONFIRMED)].sum()
        rows.append(
            [
                PRETRAINED if path == PRETRAINED_MODEL else str(path),
                str(len(suspects)),
                *counts,
                f"{likely} of {np.sum(found.is_likely)}",
                f"{found.estimate:.0f}",
            ]
        )
    headings = [f"of {len(CONFIRMED)} among the first {first}" for first in FIRST]
    print_table(["model", "suspects", *headings, "of 15 among likely errors", "estimate"], rows)
    print(f"\n{in_words(machine())}")


if __name__ == "__main__":
    main()
