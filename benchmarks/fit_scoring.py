"""Fit how marks are scored (`recognition/scoring.py`) on generated pages of held-out marks.

    python benchmarks/fit_scoring.py --source digits.jsonl.gz --pages 700

With --source, a file of pen strokes that names writers, three of its writers that nothing is trained on write
on the pages, too. Writes `scoring.json` beside the pretrained models, to which it is fitted, and prints how
well it fits.
"""

import argparse
import json
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pens
from measure import in_words, machine

from digitcli.config.mnist import CLASSES
from digitcli.datasets import load_split
from digitcli.models import load
from digitcli.models.detector import load_detector
from digitcli.recognition.finder import look
from digitcli.recognition.marks import FEATURES, gather
from digitcli.recognition.page_marks import labelled, pages
from digitcli.recognition.page_reader import PAGE_READER, forms_of
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.scoring import (
    CLASSIFIED,
    IN_CONTEXT,
    SCORING_FILE,
    LogisticRegression,
    Scoring,
    in_context,
    of_classes,
)
from digitcli.synthesis.pages import marks
from digitcli.synthesis.pages.marks import LibraryParameters

RIDGE = 1e-4  # times the number of marks
LARGEST = 900  # pixels of a page's height
SEED = 77
# few schools and sets of MNIST, so that the writers of a source write a part of the pages
SIZES = LibraryParameters(of_writer=20, of_mnist=20, schools=6, sets=9)
# added to the log odds of what looks like a 1: people write more of them, and fewer slashes and brackets,
# than generated pages show; chosen on the development photographs, of 0, 0.7, 1, 1.3 and 2
MORE_ONES = 0.7
POWERS = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.3, 1.6)


def fitted(features, labels, weights):
    """Fit a logistic regression by Newton's method, with a ridge on standardized weights."""
    counted = labels >= 0
    features, labels, weights = features[counted].astype(np.float64), labels[counted], weights[counted]
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.c_[(features - mean) / deviation, np.ones(len(features))]
    penalty = np.full(design.shape[1], RIDGE * len(labels))
    penalty[-1] = 0
    found = np.zeros(design.shape[1])
    for _ in range(30):
        likely = 1 / (1 + np.exp(-design @ found))
        gradient = design.T @ (weights * (likely - labels)) + penalty * found
        curvature = (design * (weights * likely * (1 - likely))[:, np.newaxis]).T @ design
        found -= np.linalg.solve(curvature + np.diag(penalty + 1e-9), gradient)
    plain = found[:-1] / deviation
    return LogisticRegression(plain.astype(np.float32), float(found[-1] - plain @ mean))


def log_loss(likely, labels, weights):
    counted = labels >= 0
    told = np.where(labels == 1, likely, 1 - likely)[counted]
    return float(-np.average(np.log(told + 1e-9), weights=weights[counted]))


def per_page(parts):
    """Weigh marks so that pages with many of them do not count for all."""
    return np.concatenate([np.full(len(part), 1 / np.sqrt(max(1, len(part)))) for part in parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--detector", type=Path, default=PRETRAINED_DETECTOR)
    parser.add_argument("--model", type=Path, default=PRETRAINED_MODEL)
    parser.add_argument("--source", type=Path, help="pen strokes with a writer")
    parser.add_argument("--pages", type=int, default=700)
    parser.add_argument("--output", type=Path, default=SCORING_FILE)
    options = parser.parse_args()
    start = time.perf_counter()
    detector, classifier = load_detector(options.detector), load(options.model)
    seen = []
    writers = pens.validation(options.source) if options.source else None
    validation = load_split("mnist").validation
    library = marks.build(validation, 0, SIZES, held_out=True, writers=writers)
    for page in islice(pages(library, [SEED], LARGEST), options.pages):
        views = look(detector, page.image)
        found = gather(views)
        seen.append((page.image, views, found, *labelled(page, found.found.boxes, found.found.evidence)))
    labels = np.concatenate([each[3] for each in seen])
    features = np.concatenate([each[2].features for each in seen])
    weights = per_page([each[3] for each in seen])
    first = fitted(features, labels, weights)
    print(
        f"first: {len(labels):,} marks, log loss {log_loss(first.predict(features), labels, weights):.4f}",
        file=sys.stderr,
    )
    chosen = []
    for image, views, found, is_digit, which in seen:
        likely = first.predict(found.features)
        kept = np.flatnonzero(likely >= PAGE_READER.candidate)
        forms = forms_of(image, views, found.found.boxes[kept], likely[kept])
        classified = classifier.predict(forms) if len(kept) else np.empty((0, CLASSES), np.float32)
        chosen.append((found.found.select(kept), likely[kept], classified, is_digit[kept], which[kept]))
    classified, detected, which = (
        np.concatenate(parts)
        for parts in zip(*((each[2], each[0].digits, each[4]) for each in chosen), strict=True)
    )
    is_known = which >= 0

    def fusion_loss(classifier_power, detector_power):
        scoring = Scoring(first, first, first, classifier_power, detector_power)
        fused = scoring.fused(classified[is_known], detected[is_known])
        return float(-np.log(fused[np.arange(len(fused)), which[is_known]] + 1e-9).mean())

    loss, of_classifier, of_detector = min((fusion_loss(a, b), a, b) for a in POWERS for b in POWERS)
    print(f"fusion: powers {of_classifier} and {of_detector}, log loss {loss:.4f}", file=sys.stderr)
    partial = Scoring(first, first, first, of_classifier, of_detector)
    labels, weights = np.concatenate([each[3] for each in chosen]), per_page([each[3] for each in chosen])
    context = np.concatenate([in_context(each[0], each[1]) for each in chosen])
    classes = np.concatenate(
        [
            of_classes(each[0], each[2], partial.fused(each[2], each[0].digits))
            for each in chosen
            if len(each[0])
        ]
    )
    both = np.concatenate([context, classes], axis=1)
    alone, together = fitted(context, labels, weights), fitted(both, labels, weights)
    for name, regression, values in (("alone", alone, context), ("together", together, both)):
        print(
            f"{name}: log loss {log_loss(regression.predict(values), labels, weights):.4f}", file=sys.stderr
        )

    def named(regression, *names):
        return {
            name: round(float(value), 5) for name, value in zip(names, regression.weights, strict=True)
        } | {"bias": round(regression.bias, 5)}

    content = {
        "first": named(first, *FEATURES),
        "alone": named(alone, *IN_CONTEXT),
        "together": named(together, *IN_CONTEXT, *CLASSIFIED),
        "fusion": {"classifier": of_classifier, "detector": of_detector},
    }
    content["first"]["one"] = round(content["first"]["one"] + MORE_ONES, 5)
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{options.output}: {time.perf_counter() - start:.0f} s. {in_words(machine())}")


if __name__ == "__main__":
    main()
