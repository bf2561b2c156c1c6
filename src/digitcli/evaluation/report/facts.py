"""What of the page tells how fast and how large a model is, and how it was trained."""

import json
from typing import Any

from digitcli.evaluation.report.card import Card, images_a_second
from digitcli.evaluation.report.markup import Markup, Part, element, join, table
from digitcli.evaluation.wording import milliseconds, size

_LONGEST = 200  # characters of a fact


def speed(card: Card) -> Markup:
    """Show times and sizes."""
    first, model, machine = card.sources[0].evaluations[0], card.models[0], card.environment["machine"]
    rows: list[list[Part]] = [
        ["one image, from its pixels to the digit", milliseconds(card.milliseconds[0])],
        [
            f"{len(first.right):,} images together, the network alone",
            f"{images_a_second(first):,.0f} images a second",
        ],
        ["size of the file", f"{size(model.file.size)} ({model.file.size:,} bytes)"],
        ["parameters", f"{model.file.parameters:,}"],
    ]
    return join(
        table(["", "measured"], rows, f"Of {card.models[0].name}"),
        element(
            "p",
            "One image is the median of 200 pictures of 28x28 pixels, preparation included. Measured on "
            f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, with whatever "
            "else ran there.",
            class_="soft",
        ),
    )


def training(run: dict[str, Any] | None) -> Markup:
    """Show what the ``run.json`` beside the model says; it may be anybody's and hold anything."""
    if run is None:
        return element("p", "Not known: there is no run.json beside the model that could be read.")
    facts = {name: value for name, value in _facts(run).items() if value}
    return join(
        element(
            "dl",
            *(join(element("dt", name), element("dd", value)) for name, value in facts.items()),
            class_="facts",
        )
        if facts
        else element("p", "There is a run.json beside the model, but not as digitcli train writes it."),
        element(
            "details",
            element("summary", "All of run.json"),
            element("pre", json.dumps(run, indent=2, ensure_ascii=False)),
        ),
    )


def _facts(run: dict[str, Any]) -> dict[str, str]:
    """Return what is most worth knowing of a run, empty where it is not told."""
    seconds = _at(run, "durations", "training")
    data = (_at(run, "data", "name"), _counted(_at(run, "data", "train"), "training images"))
    return {
        "Recipe": _listed(_at(run, "recipe", "name"), _at(run, "recipe", "description")),
        "Data": _listed(*data),
        "Drawn by the program": _pairs(_at(run, "recipe", "synthesis")),
        "Distortions": _pairs(_at(run, "recipe", "augmentation")),
        "Epochs": _listed(_at(run, "recipe", "epochs")),
        "Batch size": _listed(_at(run, "recipe", "batch_size")),
        "Optimizer": _pairs(_at(run, "recipe", "optimizer")),
        "Schedule": _pairs(_at(run, "recipe", "schedule")),
        "Precision": _listed(_at(run, "precision", "trained_in")),
        "Seed": _listed(_at(run, "seed")),
        "Parameters": _counted(_at(run, "parameters"), "in training"),
        "Training took": f"{seconds:,.0f} s" if isinstance(seconds, float) else "",
        "Machine": _listed(_at(run, "machine", "processor"), _counted(_at(run, "machine", "cores"), "cores")),
        "Packages": _pairs(_at(run, "packages")),
        "Finished": _listed(_at(run, "finished")),
        "digitcli": _listed(_at(run, "digitcli")),
    }


def _at(record: Any, *keys: str) -> Any:
    """Return what is in nested objects under `keys`, None where there is nothing or no object."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _counted(value: Any, what: str) -> str:
    return f"{value:,} {what}" if isinstance(value, int) else ""


def _listed(*values: Any) -> str:
    return _shortened(", ".join(str(value) for value in values if value not in (None, "")))


def _pairs(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return _shortened(", ".join(f"{key} {each}" for key, each in value.items() if each is not None))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
