"""Two models side by side: what of it is on the page and, without a report, on the terminal."""

from collections.abc import Sequence
from typing import Any

from digitcli.evaluation.comparison import p_in_words, points
from digitcli.evaluation.report.card import Card, EvaluatedModel, SourceEvaluation, images_a_second, names_of
from digitcli.evaluation.report.markup import Markup, Part, element, join, table
from digitcli.evaluation.wording import interval, milliseconds, percent, size


def comparison(card: Card) -> Markup:
    """Show the first model against the second."""
    names = card.names
    main = card.sources[0]
    rows: list[list[Part]] = [[*row] for row in side_by_side(card.models, main)]
    rows += [
        [f"accuracy under corruption, {way}", *(percent(each[way].mean) for each in card.robustness)]
        for way in card.robustness[0]
    ]
    rows.append(["one image", *(milliseconds(each) for each in card.milliseconds)])
    headings = ["source", "images", "difference", "95% interval", "first alone", "second alone", "p"]
    return join(
        element(
            "p",
            in_words(card.models, main),
            class_="verdict real" if main.pair.is_real else "verdict",
        ),
        table(["", f"first: {names[0]}", f"second: {names[1]}"], rows, "Side by side"),
        table(
            headings,
            [_pair(source) for source in card.sources],
            "Accuracy of the first less that of the second",
        ),
        element(
            "p",
            "Both models read the same images. Only those that one of them alone reads right tell them "
            "apart: p is how often chance would divide these so unevenly if both models were equally good "
            "(McNemar's exact test). Below 0.05 the difference counts as real. The interval, in percentage "
            "points like the difference, is Newcombe's for paired shares. Of many sources, one in twenty "
            "falls below 0.05 by chance.",
            class_="soft",
        ),
    )


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


def _pair(source: SourceEvaluation) -> list[Part]:
    pair = source.pair
    low, high = pair.difference_ci95
    p_value = p_in_words(pair.p_value).removeprefix("p = ").removeprefix("p ")
    return [
        source.evaluations[0].data,
        f"{pair.n:,}",
        points(pair.difference),
        f"{points(low)} to {points(high)}",
        f"{pair.only_first:,}",
        f"{pair.only_second:,}",
        element("strong", p_value) if pair.is_real else p_value,
    ]
