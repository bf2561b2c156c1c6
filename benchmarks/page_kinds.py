"""All kinds of generated pages on which readers are measured, in one order that does not change.

Nothing is ever trained on them. The kinds of `around` and `photographs` come first, with the seeds and counts
that they have there; those of `forms` and `scenes` follow, each page with a seed of its own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import around
import forms
import numpy as np
import pens
import photographs
import scenes

MORE_PAGES = 200  # of each kind of `forms` and `scenes`
OLD_PHOTOGRAPHS = 20

Drawings = dict[int, list[dict]]  # of one writer, by digit
Page = tuple[np.ndarray, str]  # (H, W) or (H, W, 3) uint8, blue first; the digits in reading order


@dataclass(frozen=True)
class Kind:
    """A kind of page.

    Attributes:
        name: as tables show it.
        count: of pages.
        pages: gives them one after the other, the same in every run.
    """

    name: str
    count: int
    pages: Callable[[], Iterator[Page]]


def all_kinds(source: Path, *, held_out: bool) -> list[Kind]:
    """Return every kind, written with the pen strokes of a file; `held_out` keeps every fourth writer."""
    by_writer: dict[str, Drawings] = defaultdict(lambda: defaultdict(list))
    in_order: dict[str, list[dict]] = defaultdict(list)
    for drawing in pens.read(source, held_out=held_out):
        by_writer[drawing["writer"]][drawing["label"]].append(drawing)
        in_order[drawing["writer"]].append(drawing)
    writers = [by_writer[name] for name in sorted(by_writer)]
    kinds = [
        Kind(name, around.PAGES, _around(draw, seed, writers))
        for seed, (name, draw) in enumerate(around.KINDS.items())
    ]
    kinds += [
        Kind(f"photo: {name}", OLD_PHOTOGRAPHS, _photographs(condition, list(in_order.values())))
        for name, condition in photographs.conditions().items()
    ]
    compositions = {**forms.KINDS, **{f"photo: {name}": kind for name, kind in scenes.KINDS.items()}}
    kinds += [
        Kind(name, MORE_PAGES, _composed(compose, number, writers))
        for number, (name, compose) in enumerate(compositions.items())
    ]
    return kinds


def _around(
    draw: Callable[[around.Page], None], seed: int, writers: list[Drawings]
) -> Callable[[], Iterator[Page]]:
    def pages() -> Iterator[Page]:
        random = np.random.default_rng(seed)
        for _ in range(around.PAGES):
            page = around.Page(writers[int(random.integers(len(writers)))], random)
            draw(page)
            yield page.image, page.text

    return pages


def _photographs(condition: tuple, writers: list[list[dict]]) -> Callable[[], Iterator[Page]]:
    writing, happens, quality, blur = condition

    def pages() -> Iterator[Page]:
        random = np.random.default_rng(1)
        for _ in range(OLD_PHOTOGRAPHS):
            texts, sheet = photographs.page(writers, random, **writing)
            yield photographs.photograph(happens(sheet, random), quality, blur), "\n".join(texts)

    return pages


def _composed(
    compose: Callable[[list[Drawings], np.random.Generator], Page], number: int, writers: list[Drawings]
) -> Callable[[], Iterator[Page]]:
    return lambda: (compose(writers, np.random.default_rng([number, page])) for page in range(MORE_PAGES))
