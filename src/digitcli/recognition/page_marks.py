"""What a detector cuts out of generated pages, with what it is: digits, and marks that are none.

The classifier that reads pages must have seen digits as they are cut out of them, with a neighbour's rest or
without an end, and what a detector takes for digits wrongly; MNIST has only digits that stood alone. The
same marks, of held-out hands and fonts, are what `scoring` is fitted on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.datasets import NO_DIGIT, Digits
from digitcli.models.classifier import Floats
from digitcli.models.detector import Detector
from digitcli.preprocessing.cleaning import HALF
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.detections import overlaps, shared_areas
from digitcli.recognition.finder import look
from digitcli.recognition.forms import cut_out
from digitcli.recognition.marks import gather
from digitcli.recognition.page_reader import forms_of
from digitcli.recognition.scoring import Scoring, load_scoring
from digitcli.synthesis.pages import Page, draw_page, marks
from digitcli.synthesis.pages.marks import Library
from digitcli.synthesis.pages.patches import CLEAR, DOUBTFUL, MOST_MARKS, PATCHES, label_rows

UNCERTAIN = -1  # of a mark that may be a digit or none


@dataclass(frozen=True)
class PageMarkParameters:
    """Which marks are taken of a page.

    Attributes:
        sides: pixels of a page's height, least and most; their logarithms are drawn evenly.
        aspect: width to height, likewise.
        tight_sides, tight_aspect: the same, of tight crops.
        large_sides: the same, of digits that fill the picture.
        heights: of digits, least in pixels, and most as a share of the page's shorter side.
        hit: intersection over union from which a mark is the digit.
        near: from which it may be.
        doubtful: from which it may be a mark that is hidden or barely to be seen; also the share of a mark
            from which it may show a digit that another mark is of.
        candidate: how likely a digit, from which a mark is cut out.
        of_page: digits, and others, of a page, at most.
        wrong: how often a digit is cut out wrongly besides: together with the next one, or a part of it.
        part: of a digit's width, between which such a part lies.
        straight: spread of ink across to that along; what is straighter could be a 1.
    """

    sides: tuple[float, float] = (128, 420)
    aspect: tuple[float, float] = (0.8, 1.6)
    tight_sides: tuple[float, float] = (28, 130)
    tight_aspect: tuple[float, float] = (1, 5)
    large_sides: tuple[float, float] = (24, 500)
    heights: tuple[float, float] = (11, 0.45)
    hit: float = 0.5
    near: float = 0.35
    doubtful: float = 0.2
    candidate: float = 0.02
    of_page: int = 14
    wrong: float = 0.3
    part: tuple[float, float] = (0.35, 0.65)
    straight: float = 0.32


PAGE_MARKS = PageMarkParameters()


def page_marks(count: int, seed: int, source: Digits, detector: Detector) -> Digits:
    """Cut marks out of generated pages; the same seed cuts out the same.

    Args:
        count: how many.
        seed: where chance comes from.
        source: MNIST's digits, with which some of the pages are written.
        detector: finds them.

    Returns:
        Digits, and with label `NO_DIGIT` other marks: letters, signs, lines and textures that the detector
        takes for digits, two digits in one, parts of digits.
    """
    library = marks.build(source, seed)
    scoring = load_scoring()
    images = np.zeros((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.zeros(count, np.uint8)
    filled = 0
    for number, page in enumerate(pages(library, [seed, 5])):
        random = np.random.default_rng([seed, 6, number])
        forms, found = _marks_of(page, detector, scoring, random)
        taken = min(len(forms), count - filled)
        images[filled : filled + taken] = forms[:taken]
        labels[filled : filled + taken] = found[:taken]
        filled += taken
        if filled == count:
            break
    return Digits(images, labels)


def pages(library: Library, seed: list[int], most: float = PAGE_MARKS.sides[1]) -> Iterator[Page]:
    """Draw pages of all kinds, without end.

    Args:
        library: the marks.
        seed: where chance comes from.
        most: pixels of their height.
    """
    names, shares = zip(*PATCHES.shares, strict=True)
    likely = np.array(shares) / sum(shares)
    number = 0
    while True:
        random = np.random.default_rng([*seed, number])
        kind = names[int(random.choice(len(names), p=likely))]
        (least, largest), aspect = {
            "tight": (PAGE_MARKS.tight_sides, PAGE_MARKS.tight_aspect),
            "large": (PAGE_MARKS.large_sides, PAGE_MARKS.aspect),
        }.get(kind, ((PAGE_MARKS.sides[0], most), PAGE_MARKS.aspect))
        height = 2 * int(np.exp(random.uniform(np.log(least / 2), np.log(largest / 2))))
        width = 2 * int(height / 2 * np.exp(random.uniform(*np.log(aspect))))
        low, high = PAGE_MARKS.heights
        tallest = max(2 * low, high * min(height, width))
        digit_height = float(np.exp(random.uniform(np.log(low), np.log(tallest))))
        yield draw_page(library, kind, height, width, random, digit_height, most=MOST_MARKS)
        number += 1


def labelled(page: Page, boxes: Floats, evidence: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each mark 1 if it is a digit, 0 if it is none, `UNCERTAIN`; and which digit, or -1.

    Args:
        page: where they are.
        boxes: (N, 4).
        evidence: (N,), how likely each is a digit; of several on one digit, the likeliest is the digit.
    """
    rows = label_rows(page)
    digits = rows[(rows[:, 4] < CLASSES) & (rows[:, 5] == CLEAR)]
    is_digit, which = np.zeros(len(boxes), np.int64), np.full(len(boxes), -1)
    shares = overlaps(boxes, digits[:, :4])
    taken = np.zeros(len(digits), bool)
    for place in np.argsort(-evidence, kind="stable") if len(digits) else ():
        best = int(np.where(taken, 0, shares[place]).argmax())
        if shares[place, best] >= PAGE_MARKS.hit and not taken[best]:
            is_digit[place], which[place], taken[best] = 1, digits[best, 4], True
        elif shares[place].max() >= PAGE_MARKS.near:
            is_digit[place] = UNCERTAIN
    doubtful = rows[rows[:, 5] == DOUBTFUL]
    if len(doubtful) and len(boxes):
        may_be = overlaps(boxes, doubtful[:, :4]).max(axis=1) > PAGE_MARKS.doubtful
        is_digit[may_be & (is_digit == 0)] = UNCERTAIN
    return is_digit, which


def _on_digits(page: Page, boxes: Floats) -> Floats:
    """Return which share of each box (N, 4) a digit covers, one that may not be seen among them."""
    rows = label_rows(page)
    digits = rows[(rows[:, 4] < CLASSES) | (rows[:, 5] == DOUBTFUL)]
    shared = shared_areas(boxes, digits[:, :4]) / np.prod(boxes[:, 2:], axis=1)[:, np.newaxis]
    return np.asarray(shared.max(axis=1, initial=0), np.float32)


def _marks_of(
    page: Page, detector: Detector, scoring: Scoring, random: np.random.Generator
) -> tuple[Images, NDArray[np.uint8]]:
    """Return forms (N, 28, 28) and labels (N,) of some of a page's marks."""
    views = look(detector, page.image)
    found = gather(views)
    likely = scoring.candidates(found)
    candidates = np.flatnonzero(likely >= PAGE_MARKS.candidate)
    boxes, likely = found.found.boxes[candidates], likely[candidates]
    is_digit, which = labelled(page, boxes, found.found.evidence[candidates])
    is_other = (is_digit == 0) & (_on_digits(page, boxes) < PAGE_MARKS.doubtful)
    digits, others = (random.permutation(np.flatnonzero(kind)) for kind in (is_digit == 1, is_other))
    chosen = np.sort(np.concatenate([each[: PAGE_MARKS.of_page] for each in (digits, others)]))
    forms = forms_of(page.image, views, boxes, likely)[chosen]
    labels = np.where(is_digit[chosen] == 1, which[chosen], NO_DIGIT).astype(np.uint8)
    wrong = [
        form
        for box in _wrong_boxes(page, random)
        if (form := cut_out(page.image, views, box, np.empty((0, 4), np.float32))) is not None
    ]
    forms = np.concatenate([forms, np.stack(wrong)]) if wrong else forms
    labels = np.concatenate([labels, np.full(len(wrong), NO_DIGIT, np.uint8)])
    shown = np.array([form.any() for form in forms], bool)
    could_be_one = np.array([_is_straight(form) for form in forms], bool)
    kept = shown & ~((labels == NO_DIGIT) & could_be_one)
    return forms[kept], labels[kept]


def _wrong_boxes(page: Page, random: np.random.Generator) -> Iterator[Floats]:
    """Give boxes of two neighbouring digits, and of left and right parts of digits."""
    boxes = np.array([label.box for label in page.digits], np.float32).reshape(-1, 4)
    for place in range(min(len(boxes), PAGE_MARKS.of_page)):
        if random.random() >= PAGE_MARKS.wrong:
            continue
        x, y, width, height = boxes[place]
        if random.random() < 0.5:
            share = random.uniform(*PAGE_MARKS.part)
            left = x if random.random() < 0.5 else x + (1 - share) * width
            yield np.array([left, y, share * width, height], np.float32)
            continue
        gaps = boxes[:, 0] - (x + width)
        is_next = (np.abs(boxes[:, 1] - y) < 0.5 * height) & (np.abs(gaps) < 0.4 * height)
        is_next &= boxes[:, 0] > x
        if is_next.any():
            other = boxes[np.flatnonzero(is_next)[gaps[is_next].argmin()]]
            top, low = min(y, other[1]), max(y + height, other[1] + other[3])
            yield np.array([x, top, other[0] + other[2] - x, low - top], np.float32)


def _is_straight(form: Images) -> bool:
    """Tell whether a form's ink is a line, nearly."""
    places = np.nonzero(form >= HALF)
    if len(places[0]) < 3:
        return True
    spreads = np.linalg.eigvalsh(np.cov(places))  # variances, ascending
    return bool(spreads[0] < PAGE_MARKS.straight**2 * spreads[1])
