"""How well a detector finds digits on generated pages of held-out marks: other images, forms and fonts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from digitcli.config.detector import PATCH
from digitcli.datasets import load_split
from digitcli.evaluation.detection import DetectionResult, Score, measure
from digitcli.models.detector import Detector, load_detector
from digitcli.preprocessing.detector_form import detector_form
from digitcli.recognition.detections import decode, suppress
from digitcli.run_record import RunRecord
from digitcli.synthesis.pages import KINDS, Page, draw_page, marks
from digitcli.synthesis.pages.patches import PATCHES, Examples, draw_examples, label_rows

_PAGES = 20  # of each kind
_SHOWN = 24  # on a sheet
_DATA = "generated pages"
_SHARE = 0.3  # of the usual number of marks, at most: enough for the pages of an evaluation
_IN_TRAINING, _OF_KINDS, _SHEET = 21, 23, 24  # seeds of what pages are for


class PagesToFind:
    """Generated pages on which detectors are validated; no mark on them is one that they are trained on.

    Drawing the marks takes some seconds; the same arguments give the same pages.
    """

    def __init__(self, data: str = "mnist", seed: int = 0, share: float = 1.0) -> None:
        """Draw the marks.

        Args:
            data: whose validation images digits are taken from, beside those in forms of schools and in
                fonts.
            seed: where chance comes from.
            share: how many marks the detector is trained on, of the usual number.
        """
        self._seed = seed
        sizes = marks.sized(min(_SHARE, share))
        self._library = marks.build(load_split(data).validation, seed, sizes, held_out=True)

    @classmethod
    def of(cls, record: RunRecord) -> Self:
        """Draw the marks of a run's validation pages; of an unknown one the usual ones."""
        recipe = record.recipe or {}
        pages = recipe.get("pages")
        share = pages.get("marks") if isinstance(pages, dict) else None
        data = (record.data.name if record.data else None) or "mnist"
        return cls(data, record.seed or 0, share if isinstance(share, int | float) else 1.0)

    def examples(self, count: int) -> Examples:
        """Draw pages as they are trained on, in the same shares."""
        return draw_examples(self._library, [(self._seed, _IN_TRAINING, 0, place) for place in range(count)])

    def page(self, kind: str, purpose: int, number: int) -> Page:
        """Draw one page of a kind, of 256x256 pixels."""
        random = np.random.default_rng([self._seed, purpose, list(KINDS).index(kind), number])
        height = float(np.exp(random.uniform(*np.log(PATCHES.heights))))
        return draw_page(self._library, kind, PATCH, PATCH, random, height)

    def shown(self) -> list[Page]:
        """Draw the pages of a sheet that shows what pages are like, every kind in turn."""
        kinds = list(KINDS)
        return [self.page(kinds[place % len(kinds)], _SHEET, place // len(kinds)) for place in range(_SHOWN)]


@dataclass(frozen=True)
class DetectorEvaluation:
    """What a detector found.

    Attributes:
        model: its name.
        by_kind: figures of each kind of page.
        together: of all pages.
        seconds: that finding took.
    """

    model: str
    by_kind: dict[str, DetectionResult]
    together: DetectionResult
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "data": _DATA,
            "model": self.model,
            **self.together.as_json(),
            "per_kind": [{"kind": kind, **result.as_json()} for kind, result in self.by_kind.items()],
            "seconds": self.seconds,
        }


def evaluate_pages(
    detector: Detector, pages: PagesToFind, *, model: str, count: int = _PAGES
) -> DetectorEvaluation:
    """Find the digits on `count` pages of each kind."""
    by_kind, seconds = {}, 0.0
    scores: list[Score] = []
    for kind in KINDS:
        of_kind = []
        for number in range(count):
            page = pages.page(kind, _OF_KINDS, number)
            grey, chroma = detector_form(page.image)
            start = time.perf_counter()
            found = suppress(decode(detector.look_at(grey[np.newaxis], chroma[np.newaxis])))
            seconds += time.perf_counter() - start
            of_kind.append(Score.of(found, label_rows(page)))
        by_kind[kind] = measure(of_kind)
        scores += of_kind
    return DetectorEvaluation(model, by_kind, measure(scores), seconds)


def evaluate_detector(model: Path, on_step: Callable[[str], None] = lambda words: None) -> DetectorEvaluation:
    """Find the digits on generated pages with a detector.

    Args:
        model: an ``.onnx`` or ``.keras`` file.
        on_step: called with a description of each step.

    Raises:
        MissingError: a model that is not there.
        ModelError: a file that is no detector.
    """
    detector = load_detector(model)
    on_step("Drawing pages")
    pages = PagesToFind()
    on_step("Finding digits")
    return evaluate_pages(detector, pages, model=str(model))
