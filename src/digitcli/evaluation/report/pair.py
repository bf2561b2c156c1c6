"""Two models side by side, in words and as JSON, for the page and for the terminal."""

from collections.abc import Sequence
from typing import Any

from digitcli.evaluation.report.card import EvaluatedModel, SourceEvaluation, images_a_second, names_of
from digitcli.evaluation.wording import interval, percent, size


def side_by_side(models: Sequence[EvaluatedModel], source: SourceEvaluation) -> list[list[str]]:
    """Return what tells two models apart: a name, and a value for each."""
    results, files = source.evaluations, [each.file for each in models]
    return [
        [f"accuracy on {results[0].data}", *(percent(each.accuracy) for each in results)],
        ["95% interval", *(interval(each.accuracy_ci95) for each in results)],
        ["loss", *(f"{each.loss:.4f}" for each in results)],
        ["calibration error", *(percent(each.calibration_error) for each in results)],
        ["size of the file", *(size(each.size) for each in files)],
        ["parameters", *(f"{each.parameters:,}" for each in files)],
        ["images a second", *(f"{images_a_second(each):,.0f}" for each in results)],
    ]


def in_words(models: Sequence[EvaluatedModel], source: SourceEvaluation) -> str:
    """Say whether two models differ, and by how much."""
    return source.pair.in_words(*names_of(models))


def as_json(models: Sequence[EvaluatedModel], source: SourceEvaluation) -> dict[str, Any]:
    """Return the comparison as JSON can hold it, with all that is known of the second model."""
    return {
        "with": source.evaluations[1].as_json(),
        **source.pair.as_json(),
        "bytes": [each.file.size for each in models],
        "parameters": [each.file.parameters for each in models],
        "images_a_second": [images_a_second(each) for each in source.evaluations],
        "words": in_words(models, source),
    }
