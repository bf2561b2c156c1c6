"""Recipes: what to train and how, read from TOML and validated as a whole.

A recipe is data only. Those in ``configs/`` ship inside the package and are found by name; any
other is given by its path. `Recipe` is frozen: `Recipe.override` returns a changed, validated copy.
"""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from digitcli import problems
from digitcli.errors import OptionError, RecipeError
from digitcli.layers import LAYERS, Layer, Table, require_fit
from digitcli.recipes import find, names
from digitcli.schedules import SCHEDULES, Schedule

MAX_RECIPE_BYTES = 100_000
MAX_EPOCHS = 1_000
MAX_BATCH_SIZE = 10_000
MAX_LEARNING_RATE = 1_000.0  # absurd already, but low enough for "it diverged" to be shown
MAX_MEMBERS = 20
MAX_SEED = 2**31 - 1 - MAX_MEMBERS  # each network of several has a seed of its own

LearningRate = Annotated[float, Field(gt=0, le=MAX_LEARNING_RATE, description="a number over 0")]


class Sgd(Table):
    """Stochastic gradient descent; `weight_decay` is decoupled and spares biases and norms."""

    type: Literal["sgd"]
    learning_rate: LearningRate
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=0.0, ge=0, le=1)


class Adam(Table):
    """Adam (Kingma and Ba, 2015), with decoupled weight decay as for `Sgd`."""

    type: Literal["adam"]
    learning_rate: LearningRate
    weight_decay: float = Field(default=0.0, ge=0, le=1)


Optimizer = Annotated[Sgd | Adam, Field(discriminator="type")]


class Augmentation(Table):
    """How far training images are distorted, either way; nothing by default.

    rotation in degrees; scale and shear as shares; shift in pixels; elastic as the standard
    deviation, in pixels, of smooth displacements; stroke as the share of a pixel by which strokes
    get thicker or thinner on each side.
    """

    rotation: float = Field(default=0.0, ge=0, le=45)
    scale: float = Field(default=0.0, ge=0, le=0.5)
    shear: float = Field(default=0.0, ge=0, le=1)
    shift: float = Field(default=0.0, ge=0, le=8)
    elastic: float = Field(default=0.0, ge=0, le=4)
    stroke: float = Field(default=0.0, ge=0, le=1)


class Synthesis(Table):
    """Images drawn by the program and trained on beside the real ones.

    Attributes:
        digits: in the forms of many schools, as many of each form.
        touching: digits cut from others that they touch.
        others: marks that are no digits, of which the network is to be unsure.
    """

    digits: int = Field(default=0, ge=0, le=1_000_000)
    touching: int = Field(default=0, ge=0, le=1_000_000)
    others: int = Field(default=0, ge=0, le=1_000_000)


Precision = Literal["auto", "float32", "bfloat16"]


class Recipe(Table):
    """Everything that decides what a training run computes, but the images and the machine.

    Attributes:
        batch_size: images a step, over all machines together.
        precision: of the arithmetic in training; ``auto`` is settled on the machine.
        label_smoothing: share of each label spread over all ten digits (Szegedy et al., 2016).
        average: momentum of the exponential moving average of the weights that is judged and
            kept in place of the last ones; 0 keeps the last ones.
        patience: epochs without a lower validation loss after which training stops and the best
            epoch's weights are kept; none by default.
        members: networks trained in turn, from seeds `seed`, `seed` + 1, ...; the model averages
            their probabilities.
    """

    description: str = Field(min_length=1, max_length=200, description="a line of text")
    data: str = Field(default="mnist", min_length=1)
    epochs: int = Field(ge=1, le=MAX_EPOCHS, description="a whole number")
    batch_size: int = Field(ge=1, le=MAX_BATCH_SIZE, description="a whole number")
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    precision: Precision = "auto"
    label_smoothing: float = Field(default=0.0, ge=0, le=0.5)
    average: float = Field(default=0.0, ge=0, lt=1)
    patience: int | None = Field(default=None, ge=1, le=MAX_EPOCHS)
    members: int = Field(default=1, ge=1, le=MAX_MEMBERS)
    optimizer: Optimizer = Field(description="a table with type sgd or adam")
    schedule: Schedule = Field(description="a table with type constant, cosine or one-cycle")
    augmentation: Augmentation = Augmentation()
    synthesis: Synthesis = Synthesis()
    network: tuple[Layer, ...] = Field(strict=False, max_length=200, description="a list of layers")

    @model_validator(mode="after")
    def _layers_fit(self) -> "Recipe":
        require_fit(self.network)
        return self

    def override(
        self,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        seed: int | None = None,
        data: str | None = None,
        precision: str | None = None,
    ) -> "Recipe":
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
            return Recipe.model_validate(values)
        except ValidationError as error:
            # the recipe was valid before, so every problem is with an option's value
            raise OptionError("; ".join(problems.as_options(error))) from error


_TABLES: dict[int | str, type[BaseModel]] = {
    **LAYERS,
    **SCHEDULES,
    "sgd": Sgd,
    "adam": Adam,
    "augmentation": Augmentation,
    "synthesis": Synthesis,
}


def load_recipe(name_or_path: str) -> tuple[str, Recipe]:
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


def parse_recipe(values: Mapping[str, Any], origin: str) -> Recipe:
    """Validate `values`; a `RecipeError` lists every problem, with `origin` and the key."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        found = problems.in_words(error, Recipe, _TABLES)
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise RecipeError("\n".join([f"{origin}: {count}", *(f"  {line}" for line in found)])) from error
