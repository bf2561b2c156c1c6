"""Fine-tuning on corrections: the initial model, the images to train on, and the check of the new model."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from digitcli import artifacts
from digitcli.config.mnist import MNIST_IMAGES
from digitcli.config.recipe import Augmentation, Recipe
from digitcli.datasets import Digits, Split, concatenate
from digitcli.datasets.split import balanced
from digitcli.errors import MissingError, TrainingError
from digitcli.evaluation.wording import percent
from digitcli.models.classifier import no_classifier
from digitcli.models.detector import is_detector
from digitcli.models.model_files import training_recipe
from digitcli.recognition.pretrained import PRETRAINED, PRETRAINED_MODEL


@dataclass(frozen=True)
class FineTuningParameters:
    """How a model learns corrections without forgetting; chosen so that it takes seconds, not minutes.

    Attributes:
        margin: by how much the accuracy on the validation images may fall.
        least_images: that this is at least, where there are few.
        epochs: where none are asked for.
        rate_share: of the recipe's learning rate.
        images: of those that the model was trained on, so that it forgets nothing.
        drawn_share: of their part of the recipe's synthetic images that is drawn; drawing takes longer than
            training on it.
        corrections_share: of what is shown in an epoch.
        most_repeats: of a correction in an epoch, each distorted differently.
        augmentation: where the recipe has none.
    """

    margin: float = 0.002
    least_images: int = 2
    epochs: int = 2
    rate_share: float = 0.1
    images: int = 6_000
    drawn_share: float = 0.5
    corrections_share: float = 0.15
    most_repeats: int = 60
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(
            rotation=10, scale=0.1, shear=0.1, shift=1.5, elastic=0.4, stroke_width=0.3
        )
    )


FINE_TUNING = FineTuningParameters()


@dataclass(frozen=True)
class InitialModel:
    """A trained model from which training continues.

    Attributes:
        name: as the user named it.
        file: ``.keras`` or ``.onnx``.
        recipe_name, recipe: that it was trained with.
    """

    name: str
    file: Path
    recipe_name: str
    recipe: Recipe

    def describe(self) -> dict[str, Any]:
        """Return what ``run.json`` says about it."""
        return {"model": self.name, "sha256": _checksum(self.file)}


@dataclass(frozen=True)
class Comparison:
    """How a model reads before and after; accuracies 0..1, None where there is nothing to read.

    Attributes:
        corrections: on the drawings that were trained on.
        validation, test: on images that were not.
    """

    corrections: tuple[float, float] | None
    validation: tuple[float, float]
    test: tuple[float, float]


def find(name: str) -> InitialModel:
    """Find a model and the recipe beside it.

    Args:
        name: a run's folder, a ``.keras`` or ``.onnx`` file in one, or ``pretrained``.

    Raises `MissingError` where there is no model, `ModelError` where it is a detector, `InputError` where its
    recipe is unknown.
    """
    if name == PRETRAINED:
        file = PRETRAINED_MODEL
    else:
        file = Path(name)
        if os.path.isdir(file):
            models = [file / each for each in (artifacts.KERAS_MODEL, artifacts.MODEL)]
            file = next((each for each in models if os.path.isfile(each)), models[0])
    if not os.path.isfile(file):
        raise MissingError(
            f"--init {name}: no model {file}; expected a run's folder, a model file in one, or {PRETRAINED}"
        )
    if is_detector(file):
        raise no_classifier(file)
    return InitialModel(name, file, *training_recipe(file))


def gentle(recipe: Recipe) -> Recipe:
    """Return the recipe for going on with a model: short, slow, and with distorted images."""
    values = recipe.model_dump()
    values["epochs"] = FINE_TUNING.epochs
    values["patience"] = None
    values["ema"] = 0.0
    values["optimizer"]["learning_rate"] *= FINE_TUNING.rate_share
    if recipe.augmentation == Augmentation():
        values["augmentation"] = FINE_TUNING.augmentation.model_dump()
    share = FINE_TUNING.drawn_share * FINE_TUNING.images / MNIST_IMAGES
    values["synthesis"] = recipe.synthesis.part(share).model_dump()
    return Recipe.model_validate(values)


def mix(split: Split, extra: Digits, seed: int) -> Split:
    """Return a split whose training images are some of `split`'s and the corrections, repeated."""
    train = split.train
    if len(train) > FINE_TUNING.images:
        train = train.take(balanced(train.labels, FINE_TUNING.images, seed))
    share = FINE_TUNING.corrections_share
    wanted = share * len(train) / (1 - share)  # corrections in an epoch
    repeats = min(max(1, round(wanted / len(extra))), FINE_TUNING.most_repeats)
    repeated = Digits(np.repeat(extra.images, repeats, axis=0), np.repeat(extra.labels, repeats))
    mixed = concatenate([train, repeated])
    return replace(split, train=mixed)


def describe_extra(file: Path, extra: Digits) -> dict[str, Any]:
    """Return what ``run.json`` says about the corrections."""
    checksum = hashlib.sha256(extra.images.tobytes() + extra.labels.tobytes())
    return {"file": str(file), "drawings": len(extra), "sha256": checksum.hexdigest()}


def require_kept(before: float, after: float, images: int) -> None:
    """Raise a `TrainingError` where the validation accuracy fell too far for the model to be replaced."""
    allowed = max(FINE_TUNING.margin, FINE_TUNING.least_images / images)
    if before - after > allowed + 1e-9:
        raise TrainingError(
            f"the new model reads {percent(after)} of the {images:,} validation images, the one before "
            f"{percent(before)}; it may fall by {percent(allowed)} at most; nothing was replaced; "
            "lower --learning-rate, or check the labels of the corrections"
        )


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
