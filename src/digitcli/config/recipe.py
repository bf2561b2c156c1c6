"""Recipes: what to train and how, read from TOML and validated as a whole.

A recipe is data only. Those in ``configs/`` ship inside the package and are found by name; any
other is given by its path. `Recipe` is frozen: `Recipe.override` returns a changed, validated copy.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from digitcli.artifacts import OF_TASK
from digitcli.config import validation
from digitcli.config.detector_tables import DetectorLayers, Pages
from digitcli.config.mnist import IMAGE_SIZE
from digitcli.config.recipe_files import find, names
from digitcli.config.schedules import SCHEDULES, Schedule
from digitcli.config.validation import Table
from digitcli.errors import OptionError, RecipeError

MAX_RECIPE_BYTES = 100_000
MAX_EPOCHS = 1_000
MAX_BATCH_SIZE = 10_000
MAX_LEARNING_RATE = 1_000.0  # absurd already, but low enough for "it diverged" to be shown
MAX_ENSEMBLE_SIZE = 20
MAX_SEED = 2**31 - 1 - MAX_ENSEMBLE_SIZE  # each network of several has a seed of its own
MAX_WEIGHTS = 20_000_000  # of a network; far over what digits need, well under a laptop's memory

LearningRate = Annotated[float, Field(gt=0, le=MAX_LEARNING_RATE, description="a number over 0")]


class Sgd(Table):
    """Stochastic gradient descent.

    Attributes:
        weight_decay: decoupled; spares biases and norms.
        clip_norm: Euclidean norm of all gradients together beyond which they are scaled down to it; 0
            leaves them as they are.
    """

    type: Literal["sgd"]
    learning_rate: LearningRate
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    clip_norm: float = Field(default=0.0, ge=0, le=1_000_000)


class Adam(Table):
    """Adam (Kingma and Ba, 2015), with decoupled weight decay and clipping as for `Sgd`.

    Attributes:
        beta_1, beta_2: decay of the moving averages of the gradients and of their squares.
    """

    type: Literal["adam"]
    learning_rate: LearningRate
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    clip_norm: float = Field(default=0.0, ge=0, le=1_000_000)


Optimizer = Annotated[Sgd | Adam, Field(discriminator="type")]


Activation = Literal["linear", "relu"]


class Conv(Table):
    """2-D convolution."""

    type: Literal["conv"]
    filters: int = Field(ge=1, le=1024, description="a whole number")
    kernel: int = Field(default=3, ge=1, le=IMAGE_SIZE)
    stride: int = Field(default=1, ge=1, le=IMAGE_SIZE)
    padding: Literal["same", "valid"] = "same"
    activation: Activation = "linear"
    bias: bool = True


class MaxPool(Table):
    """Maximum over windows of size x size that do not overlap."""

    type: Literal["max-pool"]
    size: int = Field(default=2, ge=2, le=IMAGE_SIZE)


class BatchNorm(Table):
    """Batch normalization over the channels; `momentum` is that of its moving averages."""

    type: Literal["batch-norm"]
    momentum: float = Field(default=0.99, ge=0, lt=1)


class Relu(Table):
    """Rectified linear unit as a layer of its own."""

    type: Literal["relu"]


class Dropout(Table):
    """Sets a share `rate` of its inputs to zero while training."""

    type: Literal["dropout"]
    rate: float = Field(gt=0, lt=1, description="a share between 0 and 1")


class Flatten(Table):
    """(height, width, channels) to one vector."""

    type: Literal["flatten"]


class Dense(Table):
    """Fully connected layer; its input must be flat."""

    type: Literal["dense"]
    units: int = Field(ge=1, le=4096, description="a whole number")
    activation: Activation = "linear"


Layer = Annotated[Conv | MaxPool | BatchNorm | Relu | Dropout | Flatten | Dense, Field(discriminator="type")]

LAYERS: dict[int | str, type[BaseModel]] = {
    "conv": Conv,
    "max-pool": MaxPool,
    "batch-norm": BatchNorm,
    "relu": Relu,
    "dropout": Dropout,
    "flatten": Flatten,
    "dense": Dense,
}


class Augmentation(Table):
    """How far training images are distorted, either way; nothing by default.

    rotation in degrees; scale and shear as shares; shift in pixels; elastic as the standard
    deviation, in pixels, of smooth displacements; stroke_width as the share of a pixel by which strokes
    get thicker or thinner on each side.
    """

    rotation: float = Field(default=0.0, ge=0, le=45)
    scale: float = Field(default=0.0, ge=0, le=0.5)
    shear: float = Field(default=0.0, ge=0, le=1)
    shift: float = Field(default=0.0, ge=0, le=8)
    elastic: float = Field(default=0.0, ge=0, le=4)
    stroke_width: float = Field(default=0.0, ge=0, le=1)


class Synthesis(Table):
    """Images drawn by the program and trained on beside the real ones, for the 55,000 of MNIST.

    Attributes:
        digits: in the forms of many schools, as many of each form.
        pen_strokes: digits of twenty writers, drawn anew from the packaged strokes of their pens.
        crops: digits of all these kinds in pictures as people crop them.
        touching: digits cut from others that they touch.
        page_marks: what the pretrained detector cuts out of generated pages, digits and marks that are none.
        non_digits: marks that are no digits, of which the network is to be uncertain.
    """

    digits: int = Field(default=0, ge=0, le=1_000_000)
    pen_strokes: int = Field(default=0, ge=0, le=1_000_000)
    crops: int = Field(default=0, ge=0, le=1_000_000)
    touching: int = Field(default=0, ge=0, le=1_000_000)
    page_marks: int = Field(default=0, ge=0, le=1_000_000)
    non_digits: int = Field(default=0, ge=0, le=1_000_000)

    def part(self, share: float) -> "Synthesis":
        """Return a share, 0..1, of each kind; at least one image of each that there is."""
        return Synthesis(**{kind: math.ceil(count * share) for kind, count in self.model_dump().items()})


Precision = Literal["auto", "float32", "bfloat16"]


class TrainingRecipe(Table):
    """What every task's recipe has.

    Attributes:
        task: what the network learns: to ``classify`` digits, or to ``detect`` them on pages.
        batch_size: examples a step, over all machines together.
        precision: of the arithmetic in training; ``auto`` is settled on the machine.
        ema: momentum of the exponential moving average of the weights that is judged and
            kept in place of the last ones; 0 keeps the last ones.
        patience: epochs without a lower validation loss after which training stops and the best
            epoch's weights are kept; none by default.
        ensemble_size: networks trained in turn, from seeds `seed`, `seed` + 1, ...; the model averages
            their probabilities.
    """

    description: str = Field(min_length=1, max_length=200, description="a line of text")
    task: Literal["classify", "detect"] = "classify"
    data: str = Field(default="mnist", min_length=1)
    epochs: int = Field(ge=1, le=MAX_EPOCHS, description="a whole number")
    batch_size: int = Field(ge=1, le=MAX_BATCH_SIZE, description="a whole number")
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    precision: Precision = "auto"
    ema: float = Field(default=0.0, ge=0, lt=1)
    patience: int | None = Field(default=None, ge=1, le=MAX_EPOCHS)
    ensemble_size: int = Field(default=1, ge=1, le=MAX_ENSEMBLE_SIZE)
    optimizer: Optimizer = Field(description="a table with type sgd or adam")
    schedule: Schedule = Field(description="a table with type constant, cosine or one-cycle")

    def override(
        self,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        seed: int | None = None,
        data: str | None = None,
        precision: str | None = None,
    ) -> Self:
        """Return a validated copy in which every given value replaces the recipe's."""
        values = self.model_dump()
        changes = {
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": seed,
            "data": data,
            "precision": precision,
        }
        values.update({key: value for key, value in changes.items() if value is not None})
        if learning_rate is not None:
            values["optimizer"]["learning_rate"] = learning_rate
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            # the recipe was valid before, so every problem is with an option's value
            raise OptionError("; ".join(validation.as_options(error))) from error


class Recipe(TrainingRecipe):
    """Everything that decides what the training of a classifier computes, but the images and the machine.

    Attributes:
        label_smoothing: share of each label spread over all ten digits (Szegedy et al., 2016).
    """

    task: Literal["classify"] = "classify"
    label_smoothing: float = Field(default=0.0, ge=0, le=0.5)
    augmentation: Augmentation = Augmentation()
    synthesis: Synthesis = Synthesis()
    network: tuple[Layer, ...] = Field(strict=False, max_length=200, description="a list of layers")

    @model_validator(mode="after")
    def _layers_fit(self) -> "Recipe":
        require_fit(self.network)
        return self


class DetectorRecipe(TrainingRecipe):
    """Everything that decides what the training of a detector computes, but the images and the machine.

    Attributes:
        ensemble_size: one; a page is looked at once.
    """

    task: Literal["detect"]
    ensemble_size: int = Field(default=1, ge=1, le=1)
    detector: DetectorLayers = Field(description="a table")
    pages: Pages = Pages()


AnyRecipe = Recipe | DetectorRecipe


_TABLES: dict[int | str, type[BaseModel]] = {
    **LAYERS,
    **SCHEDULES,
    "sgd": Sgd,
    "adam": Adam,
    "augmentation": Augmentation,
    "synthesis": Synthesis,
    "detector": DetectorLayers,
    "pages": Pages,
}


def load_recipe(name_or_path: str) -> tuple[str, AnyRecipe]:
    """Return a recipe's name and the recipe.

    Raises `OptionError` for an unknown name, `RecipeError` for a file that cannot be read or has
    problems, all of which are listed.
    """
    path = find(name_or_path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_RECIPE_BYTES + 1)
        if len(text) > MAX_RECIPE_BYTES:
            raise RecipeError(f"{path}: over {MAX_RECIPE_BYTES:,} bytes; expected a recipe in TOML")
        values = tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        known = ", ".join(names())
        raise RecipeError(
            f"{path}: {error.strerror}; expected a recipe in TOML, or one of the names {known}"
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 text; expected a recipe in TOML") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, absurdly long numbers, deep nesting
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    return path.stem, parse_recipe(values, str(path))


def parse_recipe(values: Mapping[str, Any], origin: str) -> AnyRecipe:
    """Validate `values`; a `RecipeError` lists every problem, with `origin` and the key."""
    task = values.get("task", "classify")
    kind = DetectorRecipe if task == "detect" else Recipe
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = validation.in_words(error, kind, _TABLES)
        if task not in list(OF_TASK):
            found = [line for line in found if not line.startswith("task:")]
            found.insert(0, f"task: found {task!r}; expected {' or '.join(map(repr, OF_TASK))}")
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise RecipeError("\n".join([f"{origin}: {count}", *(f"  {line}" for line in found)])) from error


def require_fit(network: Sequence[Layer]) -> None:
    """Follow one image through the layers; a `ValueError` names the first that it does not fit."""
    size: int | None = IMAGE_SIZE  # height = width; None once flat
    width, weights = 1, 0  # channels, or values once flat
    for number, layer in enumerate(network, start=1):
        place = f"network layer {number} ({layer.type})"
        match layer:
            case Conv() | MaxPool() | Flatten() if size is None:
                raise ValueError(f"{place}: its input is flat already; expected an image")
            case Dense() if size is not None:
                raise ValueError(f"{place}: its input is an image; expected a flatten before it")
            case Conv(kernel=kernel, filters=filters) if size is not None:
                size = size - kernel + 1 if layer.padding == "valid" else size
                size = math.ceil(size / layer.stride)
                weights += kernel * kernel * width * filters
                width = filters
            case MaxPool(size=window) if size is not None:
                size = size // window
            case Flatten() if size is not None:
                width, size = size * size * width, None
            case Dense(units=units):
                weights += width * units
                width = units
        if size is not None and size < 1:
            raise ValueError(f"{place}: nothing is left of the {IMAGE_SIZE}x{IMAGE_SIZE} image")
        if weights > MAX_WEIGHTS:
            raise ValueError(f"{place}: {weights:,} weights so far; expected at most {MAX_WEIGHTS:,}")
    if size is not None:
        raise ValueError("network: it ends with an image; expected a flatten among its layers")
