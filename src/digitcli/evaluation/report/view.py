"""What the page's templates show: a card's numbers as text, its figures as data URIs."""

import base64
import json
from bisect import bisect_right
from typing import Any

import cv2

from digitcli.evaluation import plots, robustness
from digitcli.evaluation.comparison import p_in_words, points
from digitcli.evaluation.corruptions import SEVERITIES, corrupt
from digitcli.evaluation.metrics import frequent_confusions, reliability_bins
from digitcli.evaluation.report.card import WAYS, Card, SourceEvaluation, images_a_second
from digitcli.evaluation.report.pair import in_words, side_by_side
from digitcli.evaluation.robustness import HALF, TENTH, CorruptionAccuracy, Flip, Flips
from digitcli.evaluation.wording import interval, measure, milliseconds, percent, size
from digitcli.preprocessing.mnist_form import Images
from digitcli.run_record import Machine, RunRecord, TrainedData, TrainedPrecision

_LOSSES = (0.01, 0.03, 0.1, 0.25, 0.5)  # of accuracy, from which on a cell has the next colour
_LONGEST = 200  # characters of a fact

View = dict[str, Any]  # of str, int, bool, None, and lists and objects of these


def of_card(card: Card) -> View:
    """Return all that ``page.html.j2`` shows of a card."""
    sources = [_source(each) for each in card.sources]
    return {
        "models": [each.name for each in card.models],
        "made": card.environment,
        "main": sources[0],
        "sources": sources,
        "comparison": _comparison(card) if len(card.models) > 1 else None,
        "confusions": _confusions(card.sources[0]),
        "mistakes": _figure(plots.mistakes(card.sources[0].evaluations[0], card.sources[0].digits)),
        "calibration": _calibration(card.sources[0]),
        "robustness": _robustness(card),
        "flips": _flips(card),
        "speed": _speed(card),
        "training": of_run(card.models[0].file.run),
    }


def _source(source: SourceEvaluation) -> View:
    first = source.evaluations[0]
    return {
        "data": first.data,
        "is_part": source.is_part,
        "images": f"{len(first.right):,}",
        "accuracy": percent(first.accuracy),
        "interval": interval(first.accuracy_ci95),
        "wrong": f"{int((~first.right).sum()):,}",
        "loss": f"{first.loss:.4f}",
        "calibration_error": percent(first.calibration_error),
    }


def _comparison(card: Card) -> View:
    main = card.sources[0]
    corrupted = [
        [f"accuracy under corruption, {way}", *(percent(each[way].mean) for each in card.robustness)]
        for way in card.robustness[0]
    ]
    times = ["one image", *(milliseconds(each) for each in card.milliseconds)]
    return {
        "names": card.names,
        "words": in_words(card.models, main),
        "is_real": main.pair.is_real,
        "rows": [*side_by_side(card.models, main), *corrupted, times],
        "sources": [_compared_source(each) for each in card.sources],
    }


def _compared_source(source: SourceEvaluation) -> View:
    pair = source.pair
    low, high = pair.difference_ci95
    return {
        "data": source.evaluations[0].data,
        "images": f"{pair.n:,}",
        "difference": points(pair.difference),
        "interval": f"{points(low)} to {points(high)}",
        "only_first": f"{pair.only_first:,}",
        "only_second": f"{pair.only_second:,}",
        "p": p_in_words(pair.p_value).removeprefix("p = ").removeprefix("p "),
        "is_real": pair.is_real,
    }


def _confusions(source: SourceEvaluation) -> View:
    first = source.evaluations[0]
    pairs = [
        f"{each.truth} read as {each.read} ({each.count:,})" for each in frequent_confusions(first.confusion)
    ]
    return {
        "words": f"Most frequent on {first.data}: {', '.join(pairs)}."
        if pairs
        else "Every image was read right.",
        "figure": _figure(plots.confusion(first)),
        "rows": [
            [each.digit, percent(each.precision), percent(each.recall), percent(each.f1), f"{each.support:,}"]
            for each in first.per_class
        ],
    }


def _calibration(source: SourceEvaluation) -> View:
    first = source.evaluations[0]
    return {
        "figure": _figure(plots.reliability(first)),
        "rows": [
            [
                percent(each.confidence),
                percent(each.accuracy),
                interval(each.accuracy_ci95),
                f"{each.count:,}",
            ]
            for each in reliability_bins(first.probabilities, first.right)
        ],
    }


def _robustness(card: Card) -> View:
    prepared, as_they_are = (card.robustness[0][way] for way in WAYS)
    return {
        "images": f"{prepared.n:,}",
        "severities": SEVERITIES,
        "prepared": {"mean": percent(prepared.mean), "uncorrupted": percent(prepared.uncorrupted)},
        "as_they_are": {"mean": percent(as_they_are.mean), "uncorrupted": percent(as_they_are.uncorrupted)},
        "rows": [
            {
                "name": one.corruption.name,
                "unit": one.corruption.unit,
                "cells": _cells(card, number, one, other, prepared.uncorrupted),
            }
            for number, (one, other) in enumerate(zip(prepared.rows, as_they_are.rows, strict=True))
        ],
    }


def _cells(
    card: Card, number: int, one: CorruptionAccuracy, other: CorruptionAccuracy, uncorrupted: float
) -> list[View]:
    example = card.examples.images[number : number + 1]  # (1, 28, 28)
    return [
        {
            "picture": _digit(corrupt(example, one.corruption, severity)[0]),
            "alt": f"a {card.examples.labels[number]}, {one.corruption.name} {measure(amount)}",
            "amount": measure(amount),
            "upper": percent(upper, digits=1),
            "lower": percent(lower, digits=1),
            "heat": bisect_right(_LOSSES, uncorrupted - upper),
        }
        for severity, amount, upper, lower in zip(
            SEVERITIES, one.corruption.amounts, one.accuracy, other.accuracy, strict=True
        )
    ]


def _flips(card: Card) -> View:
    return {
        "images": robustness.ROBUSTNESS.flipped_images,
        "rows": [
            {
                "name": ways[0].corruption.name,
                "unit": ways[0].corruption.unit,
                "ways": [
                    {
                        "reached": [_reached(each, share) for share in (TENTH, HALF)],
                        "never": percent(each.unflipped, digits=0),
                    }
                    for each in ways
                ],
                "first": _first(ways[0].first),
            }
            for ways in zip(*(card.flips[way] for way in WAYS), strict=True)
        ],
    }


def _reached(found: Flips, share: float) -> View | None:
    severity, amount = found.reached(share), found.amount(share)
    if severity is None or amount is None:
        return None
    return {"amount": measure(amount), "severity": f"{severity:.1f}"}


def _first(flip: Flip | None) -> View | None:
    if flip is None:
        return None
    return {
        "original": _digit(flip.original),
        "picture": _digit(flip.picture),
        "label": flip.label,
        "read": flip.read,
        "amount": measure(flip.amount),
    }


def _speed(card: Card) -> View:
    file = card.models[0].file
    return {
        "one_image": milliseconds(card.milliseconds[0]),
        "together": f"{images_a_second(card.sources[0].evaluations[0]):,.0f}",
        "size": size(file.size),
        "bytes": f"{file.size:,}",
        "parameters": f"{file.parameters:,}",
    }


def of_run(run: dict[str, Any] | None) -> View | None:
    """Return what ``training.html.j2`` shows of a ``run.json``, which may hold anything; None of none."""
    if run is None:
        return None
    facts = {name: value for name, value in _facts(run).items() if value}
    return {"facts": facts, "run": json.dumps(run, indent=2, ensure_ascii=False)}


def _facts(run: dict[str, Any]) -> dict[str, str]:
    """Return what is most worth knowing of a run, empty where it is not told."""
    record = RunRecord.from_mapping(run)
    recipe, data, machine = record.recipe or {}, record.data or TrainedData(), record.machine or Machine()
    seconds = (record.durations or {}).get("training")
    return {
        "Recipe": _listed(recipe.get("name"), recipe.get("description")),
        "Data": _listed(data.name, _counted(data.train, "training images")),
        "Generated images": _pairs(recipe.get("synthesis")),
        "Augmentation": _pairs(recipe.get("augmentation")),
        "Epochs": _listed(recipe.get("epochs")),
        "Batch size": _listed(recipe.get("batch_size")),
        "Optimizer": _pairs(recipe.get("optimizer")),
        "Schedule": _pairs(recipe.get("schedule")),
        "Precision": _listed((record.precision or TrainedPrecision()).trained_in),
        "Seed": _listed(record.seed),
        "Parameters": _counted(record.parameters, "in training"),
        "Training time": "" if seconds is None else f"{seconds:,.0f} s",
        "Machine": _listed(machine.processor, _counted(machine.cores, "cores")),
        "Packages": _pairs(record.packages),
        "Finished": _listed(record.finished),
        "digitcli": _listed(record.digitcli),
    }


def _counted(value: int | None, what: str) -> str:
    return "" if value is None else f"{value:,} {what}"


def _listed(*values: Any) -> str:
    return _shortened(", ".join(str(value) for value in values if value not in (None, "")))


def _pairs(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return _shortened(", ".join(f"{key} {each}" for key, each in value.items() if each is not None))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _figure(figure: plots.Figure) -> str:
    return _data_uri(plots.png(figure))


def _digit(image: Images) -> str:
    """Return a picture (28, 28) uint8, strokes bright, as it looks on paper."""
    return _data_uri(cv2.imencode(".png", 255 - image)[1].tobytes())


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
