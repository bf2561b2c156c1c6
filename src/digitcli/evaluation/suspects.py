"""Suspects: the images of a data source whose labels a model most surely disagrees with."""

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import artifacts
from digitcli.datasets import Digits, exclusion
from digitcli.datasets.digits import NamedSet
from digitcli.datasets.split import Indices, held_back
from digitcli.evaluation import plots
from digitcli.evaluation.label_errors import find_label_errors
from digitcli.evaluation.out_of_fold import OutOfFold
from digitcli.evaluation.report import SourceEvaluation
from digitcli.evaluation.wording import percent
from digitcli.models.classifier import Probabilities

MAX_SUSPECTS = 1_000  # a picture of more could not be looked at


@dataclass(frozen=True)
class Suspect:
    """An image whose label may be wrong.

    Attributes:
        index: in its set, from 0.
        file: that holds it; empty where images have no files of their own.
        label, read: digits.
        confidence: probability of the digit that was read.
        label_probability: of its label.
        is_likely: whether confident learning takes the label for wrong.
    """

    index: int
    file: str
    label: int
    read: int
    confidence: float
    label_probability: float
    is_likely: bool


@dataclass(frozen=True)
class Suspects:
    """The suspects of a set of images, the surest first.

    Attributes:
        set_name: of the data source, ``train`` or ``test``; ``all`` where it is one undivided set.
        read_by: whose readings they are by: ``folds.npz``, or the model.
        images: how many were read.
        estimate: how many of their labels confident learning takes for wrong.
        suspects: as many as were asked for, or all of which another digit is likelier than the label.
        digits: their images and labels.
    """

    set_name: str
    read_by: str
    images: int
    estimate: float
    suspects: tuple[Suspect, ...]
    digits: Digits

    def write(self, folder: Path) -> tuple[str, ...]:
        """Write ``suspects.csv`` and ``suspects.png`` to a folder; return their names."""
        with artifacts.replacing(folder) as files:
            files.write(artifacts.SUSPECTS, self._as_csv().encode())
            figure = plots.suspects(
                self.digits,
                [
                    f"{each.index}\n{each.label}, read {each.read}, {percent(each.confidence, digits=0)}"
                    for each in self.suspects
                ],
                [each.is_likely for each in self.suspects],
            )
            files.write(artifacts.SUSPECTS_PICTURE, plots.png(figure))
            return files.names()

    def _as_csv(self) -> str:
        content = io.StringIO()
        table = csv.writer(content, lineterminator="\n")
        table.writerow(exclusion.COLUMNS)
        for each in self.suspects:
            table.writerow(
                [
                    self.set_name,
                    each.index,
                    each.file,
                    each.label,
                    each.read,
                    f"{each.confidence:.4f}",
                    int(each.is_likely),
                ]
            )
        return content.getvalue()

    def as_json(self) -> dict[str, Any]:
        """Return what JSON tells of them."""
        return {
            "set": self.set_name,
            "read_by": self.read_by,
            "n": self.images,
            "estimate": self.estimate,
            "suspects": [asdict(each) for each in self.suspects],
        }


def find_suspects(source: SourceEvaluation, folds: OutOfFold | None, most: int) -> Suspects:
    """Find the images of a data source whose labels may be wrong.

    Args:
        source: as a model read it that was not trained on the images that it read.
        folds: readings that are taken in place of the model's where they are of this data source.
        most: how many, at most `MAX_SUSPECTS`.
    """
    dataset = source.dataset
    trained = dataset.to_train_on
    if folds and folds.sha256 == dataset.sha256 and folds.places.max() < len(trained.digits):
        return _ranked(trained, folds.places, folds.probabilities, artifacts.FOLDS, most)
    first = source.evaluations[0]
    places = held_back(dataset.test.labels) if source.is_part else np.arange(len(dataset.test))
    return _ranked(dataset.to_test_on, places, first.probabilities, first.model, most)


def _ranked(
    among: NamedSet, places: Indices, probabilities: Probabilities, read_by: str, most: int
) -> Suspects:
    """Return the suspects among the images at `places` (N,) of a set, as probabilities (N, 10) tell them."""
    labels = among.digits.labels[places]
    found = find_label_errors(probabilities, labels)
    chosen = found.ranking[:most]
    suspects = tuple(
        Suspect(
            index=int(places[each]),
            file=among.files[places[each]] if among.files else "",
            label=int(labels[each]),
            read=int(probabilities[each].argmax()),
            confidence=float(probabilities[each].max()),
            label_probability=float(probabilities[each, labels[each]]),
            is_likely=bool(found.is_likely[each]),
        )
        for each in chosen
    )
    digits = among.digits.take(places[chosen])
    return Suspects(among.name, read_by, len(places), found.estimate, suspects, digits)
