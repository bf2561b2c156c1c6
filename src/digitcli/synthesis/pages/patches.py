"""Examples of generated pages as training takes them, 256x256 pixels each.

Most are one page, so that a network sees what is around a mark. Some are a few pages without a border between
them: tight crops, which are lower than an example, and digits that fill small pictures.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitcli.config.detector import PATCH
from digitcli.preprocessing.detector_form import detector_form
from digitcli.preprocessing.mnist_form import Images
from digitcli.synthesis.pages import Page, draw_page
from digitcli.synthesis.pages.marks import Library

MOST_MARKS = 192  # of an example; a page with more ends there
CLEAR, DOUBTFUL = 1, 2  # a mark's state; 0 is none


@dataclass(frozen=True)
class PatchParameters:
    """Which pages examples are of.

    Attributes:
        shares: how often each kind is drawn.
        heights: of digits, in pixels, least and most; their logarithms are drawn evenly.
        low, small: how often a page is one of several: of tight crops one of two to five below each other, of
            digits that fill the picture one of four.
    """

    shares: tuple[tuple[str, float], ...] = (
        ("numbers", 0.11),
        ("signs", 0.2),
        ("cells", 0.11),
        ("table", 0.06),
        ("ruled", 0.05),
        ("tight", 0.13),
        ("large", 0.05),
        ("close-up", 0.03),
        ("printed", 0.03),
        ("letters", 0.13),
        ("no digits", 0.05),
        ("things", 0.07),
    )
    heights: tuple[float, float] = (11, 130)
    low: float = 0.9
    small: float = 0.4


PATCHES = PatchParameters()


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples for a detector.

    Attributes:
        grey: (N, 256, 256) uint8.
        chroma: (N, 128, 128) uint8; see `detector_form`.
        ink: (N, 128, 128) uint8, how much of a pixel digits cover, of 255.
        marks: (N, `MOST_MARKS`, 6) float32: x, y, width, height in pixels, kind, state; those of state 0 are
            none.
    """

    grey: Images
    chroma: Images
    ink: Images
    marks: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.grey)


def draw_examples(library: Library, seeds: list[tuple[int, ...]]) -> Examples:
    """Draw one example for each seed; the same seed draws the same."""
    count = len(seeds)
    found = Examples(
        np.empty((count, PATCH, PATCH), np.uint8),
        np.empty((count, PATCH // 2, PATCH // 2), np.uint8),
        np.empty((count, PATCH // 2, PATCH // 2), np.uint8),
        np.zeros((count, MOST_MARKS, 6), np.float32),
    )
    names = [name for name, _ in PATCHES.shares]
    shares = np.array([share for _, share in PATCHES.shares])
    for place, seed in enumerate(seeds):
        random = np.random.default_rng(seed)
        kind = names[int(random.choice(len(names), p=shares / shares.sum()))]
        parts = _parts(kind, random)
        for left, top, width, height in parts:
            digit_height = float(np.exp(random.uniform(*np.log(PATCHES.heights))))
            page = draw_page(
                library, kind, height, width, random, digit_height, most=MOST_MARKS // len(parts)
            )
            _put(found, place, left, top, page)
    return found


def _parts(kind: str, random: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Return left, top, width and height of the pages of an example; even numbers."""
    if kind == "tight" and random.random() < PATCHES.low:
        edges = np.linspace(0, PATCH // 2, int(random.integers(2, 6)) + 1).astype(int) * 2
        return [(0, int(top), PATCH, int(low - top)) for top, low in pairwise(edges)]
    if kind == "large" and random.random() < PATCHES.small:
        half = PATCH // 2
        return [(left, top, half, half) for top in (0, half) for left in (0, half)]
    return [(0, 0, PATCH, PATCH)]


def _put(examples: Examples, place: int, left: int, top: int, page: Page) -> None:
    """Put a page into an example, its marks behind those that are there already."""
    grey, chroma = detector_form(page.image)
    height, width = grey.shape
    examples.grey[place, top : top + height, left : left + width] = grey
    halves = (place, slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2))
    examples.chroma[halves] = chroma
    pairs = page.digit_ink.reshape(height // 2, 2, width // 2, 2)
    examples.ink[halves] = pairs.mean(axis=(1, 3)).astype(np.uint8)
    marks = examples.marks[place]
    free = int(np.count_nonzero(marks[:, 5]))
    rows = label_rows(page)
    marks[free : free + len(rows)] = rows + np.array([left, top, 0, 0, 0, 0], np.float32)


def label_rows(page: Page) -> NDArray[np.float32]:
    """Return a page's marks as `Examples.marks` has them, (M, 6)."""
    labels = [*((each, CLEAR) for each in page.labels), *((each, DOUBTFUL) for each in page.doubtful)]
    return np.array([(*each.box, each.kind, state) for each, state in labels], np.float32).reshape(-1, 6)
