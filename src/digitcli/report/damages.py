"""What of the page tells how much damage the readings bear."""

from bisect import bisect_right

from digitcli.damage import STRENGTHS, damaged
from digitcli.report.card import WAYS, Card
from digitcli.report.markup import Markup, Part, digit, element, join, table
from digitcli.report.wording import measure, percent
from digitcli.robustness import Flip, Flips, UnderDamage

_LOSSES = (0.01, 0.03, 0.1, 0.25, 0.5)  # of accuracy, from which on a cell has the next colour


def robustness(card: Card) -> Markup:
    """Show accuracy at every strength of every damage."""
    prepared, as_they_are = (card.robustness[0][way] for way in WAYS)
    rows: list[list[Part]] = [
        [_name(one), *_cells(card, number, one, other, prepared.undamaged)]
        for number, (one, other) in enumerate(zip(prepared.rows, as_they_are.rows, strict=True))
    ]
    return join(
        element(
            "p",
            f"{prepared.n:,} of MNIST's test images, as many of each digit, damaged in {len(rows)} ways at five "
            "strengths. The upper figure is for pictures that are prepared before the network sees them, as "
            "digitcli predict does; the lower one for pictures that the network sees as they are.",
        ),
        element(
            "p",
            f"In the mean over all damages and strengths {percent(prepared.mean)} are read right prepared, and "
            f"{percent(as_they_are.mean)} as they are; undamaged it is {percent(prepared.undamaged)} and "
            f"{percent(as_they_are.undamaged)}.",
        ),
        table(
            ["damage", *(f"strength {strength}" for strength in STRENGTHS)],
            rows,
            "Accuracy under damage; the darker, the more is lost of the upper figure",
            class_="heat",
        ),
    )


def _name(row: UnderDamage) -> Markup:
    return join(row.damage.name, element("span", row.damage.unit, class_="unit"))


def _cells(card: Card, number: int, one: UnderDamage, other: UnderDamage, undamaged: float) -> list[Part]:
    example = card.examples.images[number : number + 1]
    cells: list[Part] = []
    for strength, amount, upper, lower in zip(
        STRENGTHS, one.damage.amounts, one.accuracy, other.accuracy, strict=True
    ):
        image = damaged(example, one.damage, strength)[0]
        alt = f"a {card.examples.labels[number]}, {one.damage.name} {measure(amount)}"
        cells.append(
            element(
                "div",
                digit(image, alt),
                element("span", f"{upper:.1%}", class_="both"),
                element("span", f"{lower:.1%}", class_="soft"),
                class_=f"h{bisect_right(_LOSSES, undamaged - upper)}",
                title=f"{measure(amount)} {one.damage.unit}",
            )
        )
    return cells


def flips(card: Card) -> Markup:
    """Show the smallest damage that flips a reading."""
    prepared, as_they_are = (card.flips[way] for way in WAYS)
    rows: list[list[Part]] = [
        [
            join(one.damage.name, element("span", one.damage.unit, class_="unit")),
            _median(one),
            percent(one.unflipped),
            _median(other),
            percent(other.unflipped),
            _first(one.first),
        ]
        for one, other in zip(prepared, as_they_are, strict=True)
    ]
    headings = [
        "damage",
        "median, prepared",
        "never flips",
        "median, as they are",
        "never flips",
        "takes least, prepared",
    ]
    return join(
        element(
            "p",
            f"Of {len(prepared[0].strengths)} test images that are read right, each was damaged more and more until "
            "it was read otherwise. The median is the amount at which half of them are; those that are still "
            "read right at strength 5 never flip. Last comes the image that takes least.",
        ),
        table(headings, rows, "The smallest damage that flips a reading", class_="flips"),
    )


def _median(found: Flips) -> Part:
    if found.median is None:
        return "-"
    strength = element("span", f"strength {found.median:.1f}", class_="unit")
    return join(measure(found.damage.amount(found.median)), strength)


def _first(flip: Flip | None) -> Part:
    if flip is None:
        return element("div", "none flips", class_="flip")
    return element(
        "div",
        digit(flip.original, f"a {flip.label}"),
        digit(flip.picture, "the same, damaged"),
        element("span", f"{flip.label} read as {flip.read} at {measure(flip.amount)}"),
        class_="flip",
    )
