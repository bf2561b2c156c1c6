"""What a recipe may say of a network: its kinds of layers, and whether they fit one another."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from digitcli.preprocessing import IMAGE_SIZE

Weights = list[NDArray[np.float32]]  # of a network, in Keras's order
MAX_WEIGHTS = 20_000_000  # of a network; far over what digits need, well under a laptop's memory


class Table(BaseModel):
    """A table of a recipe: frozen, unknown keys refused, no value turned into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Activation = Literal["linear", "relu"]


class Conv(Table):
    """2-D convolution, stride 1."""

    type: Literal["conv"]
    filters: int = Field(ge=1, le=1024, description="a whole number")
    kernel: int = Field(default=3, ge=1, le=IMAGE_SIZE)
    padding: Literal["same", "valid"] = "same"
    activation: Activation = "linear"
    bias: bool = True


class MaxPool(Table):
    """Maximum over windows of size x size that do not overlap."""

    type: Literal["max-pool"]
    size: int = Field(default=2, ge=2, le=IMAGE_SIZE)


class BatchNorm(Table):
    """Batch normalisation over the channels; `momentum` is that of its moving averages."""

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
