"""What of the page tells how much corruption the readings bear."""

from bisect import bisect_right

from digitcli.evaluation.corruptions import SEVERITIES, Corruption, corrupt
from digitcli.evaluation.report.card import WAYS, Card
from digitcli.evaluation.report.markup import Markup, Part, cell, digit, element, join, table
from digitcli.evaluation.robustness import FLIPPED_IMAGES, HALF, TENTH, CorruptionAccuracy, Flip, Flips
from digitcli.evaluation.wording import measure, percent

_LOSSES = (0.01, 0.03, 0.1, 0.25, 0.5)  # of accuracy, from which on a cell has the next colour


def robustness(card: Card) -> Markup:
    """Show accuracy at every severity of every corruption."""
    prepared, as_they_are = (card.robustness[0][way] for way in WAYS)
    rows: list[list[Part]] = [
        [_name(one.corruption), *_cells(card, number, one, other, prepared.uncorrupted)]
        for number, (one, other) in enumerate(zip(prepared.rows, as_they_are.rows, strict=True))
    ]
    return join(
        element(
            "p",
            f"{prepared.n:,} of MNIST's test images, as many of each digit, corrupted in {len(rows)} ways at "
            "five severities. The upper figure is for pictures that are prepared before the network sees "
            "them, as digitcli predict does; the lower one for pictures that it sees as they are.",
        ),
        element(
            "p",
            f"In the mean over all corruptions and severities {percent(prepared.mean)} are read right "
            f"prepared, and {percent(as_they_are.mean)} as they are; uncorrupted it is "
            f"{percent(prepared.uncorrupted)} and {percent(as_they_are.uncorrupted)}.",
        ),
        table(
            ["corruption", *(f"severity {severity}" for severity in SEVERITIES)],
            rows,
            "Accuracy under corruption; the stronger the colour, the more of the upper figure is lost",
            class_="heat",
        ),
    )


def _name(corruption: Corruption) -> Markup:
    return join(corruption.name, element("span", corruption.unit, class_="unit"))


def _cells(
    card: Card, number: int, one: CorruptionAccuracy, other: CorruptionAccuracy, uncorrupted: float
) -> list[Part]:
    example = card.examples.images[number : number + 1]
    cells: list[Part] = []
    for severity, amount, upper, lower in zip(
        SEVERITIES, one.corruption.amounts, one.accuracy, other.accuracy, strict=True
    ):
        image = corrupt(example, one.corruption, severity)[0]
        alt = f"a {card.examples.labels[number]}, {one.corruption.name} {measure(amount)}"
        cells.append(
            cell(
                digit(image, alt),
                element("span", f"{upper:.1%}", class_="upper"),
                element("span", f"{lower:.1%}", class_="lower"),
                class_=f"h{bisect_right(_LOSSES, uncorrupted - upper)}",
                title=f"{measure(amount)} {one.corruption.unit}",
            )
        )
    return cells


def flips(card: Card) -> Markup:
    """Show the smallest corruption that flips a reading."""
    prepared, as_they_are = (card.flips[way] for way in WAYS)
    rows: list[list[Part]] = [
        [
            _name(one.corruption),
            _flipped(one, TENTH),
            _flipped(one, HALF),
            f"{one.unflipped:.0%}",
            _flipped(other, TENTH),
            _flipped(other, HALF),
            f"{other.unflipped:.0%}",
            _first(one.first),
        ]
        for one, other in zip(prepared, as_they_are, strict=True)
    ]
    groups = [
        element("td"),
        element("th", "prepared", colspan=3, scope="colgroup"),
        element("th", "as they are", colspan=3, scope="colgroup"),
        element("th", "takes least, prepared", rowspan=2, scope="col", class_="words"),
    ]
    headings = ["corruption", *(["a tenth flip at", "half flip at", "never flip"] * 2)]
    return join(
        element(
            "p",
            f"Of {FLIPPED_IMAGES} of MNIST's test images, those that are read right uncorrupted: each was "
            "corrupted more and more until it was read otherwise. A tenth and half of them have flipped at "
            "the amounts given; some never flip up to severity 5. Last comes the image that takes least.",
        ),
        table(headings, rows, "The smallest corruption that flips a reading", groups),
    )


def _flipped(found: Flips, share: float) -> Part:
    severity, amount = found.reached(share), found.amount(share)
    if severity is None or amount is None:
        return element("span", "beyond 5", class_="unit")
    return join(measure(amount), element("span", f"severity {severity:.1f}", class_="unit"))


def _first(flip: Flip | None) -> Part:
    if flip is None:
        return element("div", "none flips", class_="flip")
    return element(
        "div",
        digit(flip.original, f"a {flip.label}"),
        digit(flip.picture, "the same, corrupted"),
        element("span", f"{flip.label} read as {flip.read} at {measure(flip.amount)}"),
        class_="flip",
    )
