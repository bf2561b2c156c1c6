"""The report card as one HTML page: no script, nothing from elsewhere, all pictures inside."""

from pathlib import Path

from digitcli.evaluation.report import facts, pair, results, robustness_tables
from digitcli.evaluation.report.card import Card, images_a_second
from digitcli.evaluation.report.markup import Markup, element, join
from digitcli.evaluation.wording import interval, milliseconds, percent, size

_STYLE = Path(__file__).with_name("page.css")
# Whatever a page were made to hold, a browser loads nothing for it and runs nothing in it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render(card: Card) -> str:
    """Return the page of a report card."""
    sections = {
        "Sources": results.sources(card),
        **({"Comparison": pair.comparison(card)} if len(card.models) > 1 else {}),
        "Confusions": results.confusions(card),
        "Mistakes": results.mistakes(card),
        "Calibration": results.calibration(card),
        "Robustness": robustness_tables.robustness(card),
        "Smallest corruption": robustness_tables.flips(card),
        "Speed and size": facts.speed(card),
        "Training": facts.training(card.models[0].file.run),
    }
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", f"Report card: {card.models[0].name}"),
        element("style", Markup(_STYLE.read_text(encoding="utf-8"))),
    )
    body = element(
        "body",
        element("header", *_heading(card), _contents(list(sections))),
        element("main", *(_section(name, content) for name, content in sections.items())),
        element("footer", _closing(card)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _heading(card: Card) -> list[Markup]:
    against = f", compared with {card.models[1].name}" if len(card.models) > 1 else ""
    return [
        element("h1", "Report card"),
        element("p", f"Model: {card.models[0].name}{against}", class_="lead"),
        element("dl", *(_headline(*each) for each in _headlines(card)), class_="figures"),
    ]


def _headlines(card: Card) -> list[tuple[str, str, str]]:
    """Return the main figures: what it is, its value, and a note."""
    first, file = card.sources[0].evaluations[0], card.models[0].file
    prepared, as_they_are = card.robustness[0].values()
    return [
        (
            f"Accuracy on {first.data}",
            percent(first.accuracy),
            f"95% interval {interval(first.accuracy_ci95)}",
        ),
        (
            "Accuracy under corruption",
            percent(prepared.mean),
            f"{percent(as_they_are.mean)} without preparation",
        ),
        ("Calibration error", percent(first.calibration_error), "confidence against accuracy"),
        ("One image", milliseconds(card.milliseconds[0]), f"{images_a_second(first):,.0f} images/s together"),
        ("Size", size(file.size), f"{file.parameters:,} parameters"),
    ]


def _headline(name: str, value: str, note: str) -> Markup:
    return element(
        "div",
        element("dt", name),
        element("dd", value, class_="value"),
        element("dd", note, class_="note"),
    )


def _contents(names: list[str]) -> Markup:
    links = (element("li", element("a", name, href=f"#{_anchor(name)}")) for name in names)
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(name: str, content: Markup) -> Markup:
    return element("section", element("h2", name, id=_anchor(name)), content, aria_labelledby=_anchor(name))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _closing(card: Card) -> Markup:
    made = card.environment
    words = f"Made by digitcli {made['digitcli']} on {made['finished'][:10]}. "
    return element("p", join(words, "report.json beside this page holds the same figures."), class_="soft")
