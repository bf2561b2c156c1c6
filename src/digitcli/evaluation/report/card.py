"""The measurements of a report card."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import datasets
from digitcli.config.mnist import CLASSES
from digitcli.datasets import Dataset, Digits
from digitcli.evaluation import measuring, robustness
from digitcli.evaluation.comparison import ModelComparison, compare
from digitcli.evaluation.corruptions import CORRUPTIONS
from digitcli.evaluation.image_form import require_usual
from digitcli.evaluation.metrics import Evaluation, hardest, reliability_bins
from digitcli.evaluation.robustness import Classify, Flips, OnStep, Robustness, with_preprocessing
from digitcli.models import model_files
from digitcli.models.classifier import Classifier, Probabilities
from digitcli.models.model_files import ModelFile
from digitcli.models.onnx_classifier import OnnxClassifier
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition import tta
from digitcli.recognition.recognizer import Recognizer
from digitcli.run_record import describe_environment

STANDARD = "mnist"  # the source that every report has, and whose images are corrupted
_TIMED = 200  # images read one by one

WAYS = ("prepared", "as they are")  # in which corrupted pictures reach the network


@dataclass(frozen=True)
class EvaluatedModel:
    """A model that is measured.

    Attributes:
        name: what it is called in words.
        path: its file.
        classifier: classifies with it.
    """

    name: str
    path: Path
    classifier: Classifier

    @cached_property
    def file(self) -> ModelFile:
        """What is known of its file."""
        return model_files.describe(self.path)


@dataclass(frozen=True)
class SourceEvaluation:
    """What the models made of a data source.

    Attributes:
        dataset: the source.
        digits: that were read.
        evaluations: one a model.
    """

    dataset: Dataset
    digits: Digits
    evaluations: tuple[Evaluation, ...]

    @property
    def is_part(self) -> bool:
        """Whether the images that were read are only what a training left out of the source."""
        return self.digits is not self.dataset.test

    @cached_property
    def pair(self) -> ModelComparison:
        """The first model against the second, where there are two."""
        first, second = self.evaluations
        return compare(first, second)


@dataclass(frozen=True)
class Card:
    """A report card; all but the second model's own figures is about the first.

    Attributes:
        models: one model, or two to be compared.
        sources: each data source as read, the main one first.
        robustness: of each model, by way: the one for whom pictures are prepared, and as they are.
        flips: the smallest corruptions that flip readings, by way.
        examples: a digit for each corruption, to be shown with it.
        milliseconds: the median time of one image from pixels to its reading; None where the reader
            takes only what is prepared.
        environment: versions, machine and time.
    """

    models: tuple[EvaluatedModel, ...]
    sources: tuple[SourceEvaluation, ...]
    robustness: tuple[dict[str, Robustness], ...]
    flips: dict[str, tuple[Flips, ...]]
    examples: Digits
    milliseconds: tuple[float | None, ...]
    environment: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models, each different."""
        return names_of(self.models)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "made": self.environment,
            "models": [self._model_as_json(number) for number in range(len(self.models))],
            "sources": [_source_as_json(source) for source in self.sources],
            "flips": {_key(way): [each.as_json() for each in flips] for way, flips in self.flips.items()},
        }

    def _model_as_json(self, number: int) -> dict[str, Any]:
        model = self.models[number]
        return {
            "name": model.name,
            **model.file.as_json(),
            "milliseconds_an_image": self.milliseconds[number],
            "images_a_second": images_a_second(self.sources[0].evaluations[number]),
            "robustness": {_key(way): each.as_json() for way, each in self.robustness[number].items()},
            "run": model.file.run,
        }


def names_of(models: Sequence[EvaluatedModel]) -> tuple[str, ...]:
    """Return the names of the models, each different."""
    names = tuple(each.name for each in models)
    return names if len(set(names)) == len(names) else ("the first", "the second")


def _key(way: str) -> str:
    return way.replace(" ", "_")


def _source_as_json(source: SourceEvaluation) -> dict[str, Any]:
    first = source.evaluations[0]
    bins = reliability_bins(first.probabilities, first.right)
    wrong = hardest(first, source.digits, int((~first.right).sum()))
    return {
        "is_part": source.is_part,
        "evaluations": [each.as_json() for each in source.evaluations],
        "comparison": source.pair.as_json() if len(source.evaluations) > 1 else None,
        "reliability": [vars(each) | {"accuracy_ci95": list(each.accuracy_ci95)} for each in bins],
        "mistakes": [
            {
                "index": int(place),
                "label": int(source.digits.labels[place]),
                "read": int(first.probabilities[place].argmax()),
                "confidence": float(first.probabilities[place].max()),
            }
            for place in wrong
        ],
    }


def evaluate_source(
    models: Sequence[EvaluatedModel], source: str, form: datasets.Form = datasets.AS_USUAL
) -> SourceEvaluation:
    """Read a data source's test images with every model; as `datasets.load` and `measuring.evaluate`.

    Raises `DataError`, too, where the images seem to have another form.
    """
    dataset = datasets.load(source, form)
    require_usual(dataset, form)
    digits = measuring.unseen(dataset, *(each.path for each in models))
    return SourceEvaluation(
        dataset=dataset,
        digits=digits,
        evaluations=tuple(
            measuring.evaluate(each.classifier, digits, data=dataset.name, model=str(each.path))
            for each in models
        ),
    )


def make(
    models: Sequence[EvaluatedModel],
    main: SourceEvaluation,
    others: Sequence[str],
    on_step: OnStep,
    form: datasets.Form = datasets.AS_USUAL,
) -> Card:
    """Measure the rest of what a report card says.

    Args:
        models: one model or two.
        main: what they made of the main data source.
        others: more sources.
        on_step: called with a description of each measurement.
        form: of the images of the other sources.
    """
    sources = [main]
    done = {main.evaluations[0].data}
    for source in (*others, STANDARD):
        if source not in done:
            on_step(f"reading {source}")
            is_named = source in others
            sources.append(evaluate_source(models, source, form if is_named else datasets.AS_USUAL))
            done.add(source)
    standard = next(each for each in sources if each.evaluations[0].data == STANDARD).digits
    corrupted = robustness.subset(standard, robustness.ROBUSTNESS.images)
    ways = [_ways(each.classifier) for each in models]
    few = robustness.subset(standard, robustness.ROBUSTNESS.flipped_images)
    return Card(
        models=tuple(models),
        sources=tuple(sources),
        robustness=tuple(
            {way: robustness.measure(classify, corrupted, on_step) for way, classify in each.items()}
            for each in ways
        ),
        flips={way: robustness.find_flips(classify, few, on_step) for way, classify in ways[0].items()},
        examples=_examples(corrupted),
        milliseconds=tuple(_milliseconds(each.classifier, standard) for each in models),
        environment=describe_environment(),
    )


def _ways(classifier: Classifier) -> dict[str, Classify]:
    """Return how corrupted images are classified: prepared first, and as they are."""

    def as_they_are(images: Images) -> Probabilities:
        return tta.predict(classifier, images)

    return dict(zip(WAYS, (with_preprocessing(as_they_are), as_they_are), strict=True))


def _examples(digits: Digits) -> Digits:
    """Choose a digit for each corruption: 0 for the first, 1 for the second, and so on."""
    wanted = [number % CLASSES for number in range(len(CORRUPTIONS))]
    places = [
        np.flatnonzero(digits.labels == label)[number // CLASSES] for number, label in enumerate(wanted)
    ]
    return digits.take(np.array(places))


def _milliseconds(classifier: Classifier, digits: Digits) -> float | None:
    if not isinstance(classifier, OnnxClassifier):
        return None
    recognizer = Recognizer(classifier)
    times = []
    for image in digits.images[np.arange(_TIMED) % len(digits)]:
        start = time.perf_counter()
        recognizer.read(image, single=True)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def images_a_second(result: Evaluation) -> float:
    """How fast many images were read together."""
    return len(result.probabilities) / max(result.seconds, 1e-9)
