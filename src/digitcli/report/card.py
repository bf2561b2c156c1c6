"""Everything that a report card says of a model, measured."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import datasets, evaluation, modelfile, records, robustness
from digitcli.comparison import Comparison, compare
from digitcli.damage import DAMAGES
from digitcli.datasets import Digits
from digitcli.metrics import Evaluation, hardest, reliability_bins
from digitcli.modelfile import ModelFile
from digitcli.preprocessing import CLASSES
from digitcli.recognizer import Recognizer
from digitcli.robustness import Flips, OnStep, PreparingReader, Robustness
from digitcli.second_look import DigitReader

STANDARD = "mnist"  # the source that every report has, and whose images are damaged
_TIMED = 200  # images read one by one

WAYS = ("prepared", "as they are")  # in which damaged pictures reach the network


@dataclass(frozen=True)
class Contestant:
    """A model that is measured.

    Attributes:
        name: what it is called in words.
        path: its file.
        reader: that reads with it.
    """

    name: str
    path: Path
    reader: DigitReader

    @cached_property
    def file(self) -> ModelFile:
        """What is known of its file."""
        return modelfile.describe(self.path)


@dataclass(frozen=True)
class Reading:
    """What the models made of a data source.

    Attributes:
        digits: that were read.
        is_part: whether they are only what a training left out of the source.
        evaluations: one a model.
    """

    digits: Digits
    is_part: bool
    evaluations: tuple[Evaluation, ...]

    @cached_property
    def pair(self) -> Comparison:
        """The first model against the second, where there are two."""
        first, second = self.evaluations
        return compare(first, second)


@dataclass(frozen=True)
class Card:
    """A report card; all but the second model's own figures is about the first.

    Attributes:
        contestants: one model, or two to be compared.
        readings: of each source, the main one first.
        robustness: of each model, by way: the one for whom pictures are prepared, and as they are.
        flips: the smallest damages that flip readings, by way.
        examples: a digit for each damage, to be shown with it.
        milliseconds: the median time of one image from pixels to its reading; None where the reader
            takes only what is prepared.
        surroundings: versions, machine and time.
    """

    contestants: tuple[Contestant, ...]
    readings: tuple[Reading, ...]
    robustness: tuple[dict[str, Robustness], ...]
    flips: dict[str, tuple[Flips, ...]]
    examples: Digits
    milliseconds: tuple[float | None, ...]
    surroundings: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """What the models are called, each otherwise."""
        return names_of(self.contestants)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "made": self.surroundings,
            "models": [self._model_as_json(number) for number in range(len(self.contestants))],
            "sources": [_source_as_json(reading) for reading in self.readings],
            "flips": {_key(way): [each.as_json() for each in flips] for way, flips in self.flips.items()},
        }

    def _model_as_json(self, number: int) -> dict[str, Any]:
        contestant = self.contestants[number]
        return {
            "name": contestant.name,
            **contestant.file.as_json(),
            "milliseconds_an_image": self.milliseconds[number],
            "images_a_second": images_a_second(self.readings[0].evaluations[number]),
            "robustness": {_key(way): each.as_json() for way, each in self.robustness[number].items()},
            "run": contestant.file.run,
        }


def names_of(contestants: Sequence[Contestant]) -> tuple[str, ...]:
    """Return what the models are called, each otherwise."""
    names = tuple(each.name for each in contestants)
    return names if len(set(names)) == len(names) else ("the first", "the second")


def _key(way: str) -> str:
    return way.replace(" ", "_")


def _source_as_json(reading: Reading) -> dict[str, Any]:
    first = reading.evaluations[0]
    bins = reliability_bins(first.probabilities, first.right)
    wrong = hardest(first, reading.digits, int((~first.right).sum()))
    return {
        "is_part": reading.is_part,
        "evaluations": [each.as_json() for each in reading.evaluations],
        "comparison": reading.pair.as_json() if len(reading.evaluations) > 1 else None,
        "reliability": [vars(each) | {"accuracy_ci95": list(each.accuracy_ci95)} for each in bins],
        "mistakes": [
            {
                "index": int(place),
                "label": int(reading.digits.labels[place]),
                "read": int(first.probabilities[place].argmax()),
                "confidence": float(first.probabilities[place].max()),
            }
            for place in wrong
        ],
    }


def read(contestants: Sequence[Contestant], source: str) -> Reading:
    """Read a data source's test images with every model; as `datasets.load` and `evaluation.evaluate`."""
    dataset = datasets.load(source)
    digits = evaluation.unseen(dataset, *(each.path for each in contestants))
    return Reading(
        digits=digits,
        is_part=digits is not dataset.test,
        evaluations=tuple(
            evaluation.evaluate(each.reader, digits, data=dataset.name, model=str(each.path))
            for each in contestants
        ),
    )


def make(contestants: Sequence[Contestant], main: Reading, others: Sequence[str], on_step: OnStep) -> Card:
    """Measure the rest of what a report card says.

    Args:
        contestants: one model or two.
        main: what they made of the main data source.
        others: more sources.
        on_step: is told what is being measured.
    """
    readings = [main]
    done = {main.evaluations[0].data}
    for source in (*others, STANDARD):
        if source not in done:
            on_step(f"reading {source}")
            readings.append(read(contestants, source))
            done.add(source)
    standard = next(each for each in readings if each.evaluations[0].data == STANDARD).digits
    damaged = robustness.subset(standard, robustness.IMAGES)
    ways = [dict(zip(WAYS, (PreparingReader(each.reader), each.reader), strict=True)) for each in contestants]
    few = robustness.subset(standard, robustness.FLIPPED_IMAGES)
    return Card(
        contestants=tuple(contestants),
        readings=tuple(readings),
        robustness=tuple(
            {way: robustness.measure(reader, damaged, on_step) for way, reader in each.items()}
            for each in ways
        ),
        flips={way: robustness.find_flips(reader, few, on_step) for way, reader in ways[0].items()},
        examples=_examples(damaged),
        milliseconds=tuple(_milliseconds(each.reader, standard) for each in contestants),
        surroundings=records.describe_surroundings(),
    )


def _examples(digits: Digits) -> Digits:
    """Choose a digit for each damage: 0 for the first, 1 for the second, and so on."""
    wanted = [number % CLASSES for number in range(len(DAMAGES))]
    places = [
        np.flatnonzero(digits.labels == label)[number // CLASSES] for number, label in enumerate(wanted)
    ]
    return digits.take(np.array(places))


def _milliseconds(reader: DigitReader, digits: Digits) -> float | None:
    if not isinstance(reader, Recognizer):
        return None
    times = []
    for image in digits.images[np.arange(_TIMED) % len(digits)]:
        start = time.perf_counter()
        reader.read(image, single=True)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def images_a_second(result: Evaluation) -> float:
    """How fast many images were read together."""
    return len(result.probabilities) / max(result.seconds, 1e-9)
