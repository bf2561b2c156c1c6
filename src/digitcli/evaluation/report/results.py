"""What of the page tells how the images were read as they are."""

from digitcli.evaluation import plots
from digitcli.evaluation.metrics import frequent_confusions, reliability_bins
from digitcli.evaluation.report.card import Card, SourceEvaluation
from digitcli.evaluation.report.markup import Markup, Part, element, join, picture, table
from digitcli.evaluation.wording import interval, percent


def sources(card: Card) -> Markup:
    """Show how each data source is read."""
    headings = ["source", "images", "accuracy", "95% interval", "wrong", "loss", "calibration error"]
    return join(
        element(
            "p",
            "How many test images of each source are read right. The accuracy on endlessly many images of "
            "the same kind lies in the interval with a confidence of 95% (Wilson's score interval).",
        ),
        table(headings, [_source(source) for source in card.sources], "Accuracy on each source"),
    )


def _source(source: SourceEvaluation) -> list[Part]:
    first = source.evaluations[0]
    part = element("span", "what training left out of it", class_="unit") if source.is_part else None
    return [
        join(first.data, part),
        f"{len(first.right):,}",
        percent(first.accuracy),
        interval(first.accuracy_ci95),
        f"{int((~first.right).sum()):,}",
        f"{first.loss:.4f}",
        percent(first.calibration_error),
    ]


def confusions(card: Card) -> Markup:
    """Show what is taken for what in the main source."""
    first = card.sources[0].evaluations[0]
    rows: list[list[Part]] = [
        [
            str(each.digit),
            percent(each.precision),
            percent(each.recall),
            percent(each.f1),
            f"{each.support:,}",
        ]
        for each in first.per_class
    ]
    pairs = [
        f"{pair.truth} read as {pair.read} ({pair.count:,})" for pair in frequent_confusions(first.confusion)
    ]
    words = f"Most frequent on {first.data}: {', '.join(pairs)}." if pairs else "Every image was read right."
    return join(
        element("p", words),
        _figure(
            plots.confusion(first),
            f"Confusion matrix of {first.data}. {words}",
            "Rows are what a digit is, columns what was read; mistakes are coloured.",
        ),
        table(["digit", "precision", "recall", "F1", "images"], rows, "Each digit"),
        element(
            "p",
            "Precision: of the images read as this digit, the share that show it. Recall: of the images that "
            "show it, the share read as it. F1 is the harmonic mean of the two.",
            class_="soft",
        ),
    )


def mistakes(card: Card) -> Markup:
    """Show the worst-read images of the main source."""
    source = card.sources[0]
    first = source.evaluations[0]
    wrong = int((~first.right).sum())
    return join(
        element("p", f"{wrong:,} of {len(first.right):,} images of {first.data} are read wrong."),
        _figure(
            plots.mistakes(first, source.digits),
            "Pictures of digits; over each what it is, what was read, and how sure the model was.",
            "report.json lists all mistakes with their places in the source.",
        ),
    )


def calibration(card: Card) -> Markup:
    """Show what the model's confidence is worth on the main source."""
    first = card.sources[0].evaluations[0]
    bins = reliability_bins(first.probabilities, first.right)
    rows: list[list[Part]] = [
        [percent(each.confidence), percent(each.accuracy), interval(each.accuracy_ci95), f"{each.count:,}"]
        for each in bins
    ]
    return join(
        element(
            "p",
            f"On {first.data}, confidence and accuracy differ by {percent(first.calibration_error)} in the "
            "mean (expected calibration error over 15 intervals of confidence).",
        ),
        _figure(
            plots.reliability(first),
            "Reliability diagram: accuracy against confidence; its points are in the table below.",
            "On the dotted line a model is as often right as it says.",
        ),
        element(
            "details",
            element("summary", "The points of the diagram"),
            table(["confidence", "accuracy", "95% interval", "images"], rows, "Accuracy by confidence"),
        ),
    )


def _figure(figure: plots.Figure, alt: str, caption: str) -> Markup:
    return element("figure", picture(plots.png(figure), alt), element("figcaption", caption))
