"""The only factory of Keras networks and optimizers, from the description in a recipe.

Every classifier takes images (N, 28, 28, 1) float32, 0..255, strokes bright, and gives probabilities
(N, 10) float32. Scaling to 0..1 is its first layer, so no caller can feed it another range.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from digitcli.config.detector import PATCH
from digitcli.config.mnist import CLASSES
from digitcli.config.recipe import (
    Adam,
    AnyRecipe,
    BatchNorm,
    Conv,
    Dense,
    DetectorRecipe,
    Dropout,
    Flatten,
    Layer,
    MaxPool,
    Recipe,
    Relu,
    Sgd,
    TrainingRecipe,
)
from digitcli.models.backend import keras
from digitcli.models.batch_normalization import FusedBatchNormalization
from digitcli.models.classifier import CLASSIFIER_NETWORK, INPUT, INPUT_SHAPE, OUTPUT, Weights
from digitcli.models.detector import CHROMA, GREY
from digitcli.models.detector_network import build_detector
from digitcli.models.keras_classifier import Network


def build(recipe: AnyRecipe, *, precision: str | None = None, replicas: int = 1) -> Network:
    """Build one of a recipe's networks with fresh weights; layers are named by kind and place.

    Args:
        recipe: what to build.
        precision: in which it is to be trained: ``bfloat16`` computes in it, all but the first and the last
            layer, with float32 weights; ``float32``. None builds the network that a run keeps, with the same
            weights in the same order.
        replicas: that train together; batch normalization is over all of them.
    """
    batch_norm: Callable[..., Any] = keras.layers.BatchNormalization
    if precision is not None and replicas == 1:
        batch_norm = FusedBatchNormalization
    elif precision is not None:
        batch_norm = functools.partial(keras.layers.BatchNormalization, synchronized=True)
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    if isinstance(recipe, DetectorRecipe):
        return build_detector(recipe, policy, batch_norm)
    return _build_classifier(recipe, policy, batch_norm)


def example_shapes(recipe: AnyRecipe) -> dict[str, tuple[int, ...]]:
    """Return the shape of one example of each input of a recipe's networks; of detectors, that of a patch."""
    if isinstance(recipe, DetectorRecipe):
        return {GREY: (PATCH, PATCH, 1), CHROMA: (PATCH // 2, PATCH // 2, 1)}
    return {INPUT: INPUT_SHAPE}


def build_for_summary(recipe: AnyRecipe) -> Network:
    """Build a recipe's network for examples of one size, so that every layer's output has a shape."""
    if isinstance(recipe, DetectorRecipe):
        return build_detector(recipe, "float32", keras.layers.BatchNormalization, side=PATCH)
    return build(recipe)


def _build_classifier(recipe: Recipe, policy: str, batch_norm: Callable[..., Any]) -> Network:
    count: Counter[str] = Counter()
    layers = [
        keras.Input(INPUT_SHAPE, name=INPUT),
        keras.layers.Rescaling(1 / 255, dtype="float32", name="rescaling"),
    ]
    for description in recipe.network:
        kind = description.type.replace("-", "_")
        count[kind] += 1
        options = {"name": f"{kind}_{count[kind]}", "dtype": policy}
        layers.append(_layer(description, batch_norm, options))
    layers.append(keras.layers.Dense(CLASSES, activation="softmax", dtype="float32", name=OUTPUT))
    return keras.Sequential(layers, name=CLASSIFIER_NETWORK)


def assemble(recipe: AnyRecipe, weights: Sequence[Weights]) -> Network:
    """Build the model that a run keeps: one network, or several classifiers whose probabilities it averages.

    Args:
        recipe: of each network.
        weights: each network's, in the order of `keras.Model.get_weights`.
    """
    networks = [build(recipe) for _ in weights]
    for network, values in zip(networks, weights, strict=True):
        network.set_weights(values)
    if len(networks) == 1:
        return networks[0]
    for number, network in enumerate(networks, start=1):
        network.name = f"member_{number}"
    image = keras.Input(INPUT_SHAPE, name=INPUT)
    mean = keras.layers.Average(name=OUTPUT)([network(image) for network in networks])
    return keras.Model(image, mean, name=CLASSIFIER_NETWORK)


def _layer(description: Layer, batch_norm: Callable[..., Any], options: dict[str, str]) -> Any:
    match description:
        case Conv(filters=filters, kernel=kernel, stride=stride, padding=padding, bias=bias):
            activation = description.activation
            return keras.layers.Conv2D(
                filters, kernel, stride, padding, activation=activation, use_bias=bias, **options
            )
        case MaxPool(size=size):
            return keras.layers.MaxPooling2D(size, **options)
        case BatchNorm(momentum=momentum):
            return batch_norm(momentum=momentum, **options)
        case Relu():
            return keras.layers.ReLU(**options)
        case Dropout(rate=rate):
            return keras.layers.Dropout(rate, **options)
        case Flatten():
            return keras.layers.Flatten(**options)
        case Dense(units=units, activation=activation):
            return keras.layers.Dense(units, activation=activation, **options)


def build_optimizer(recipe: TrainingRecipe) -> Any:
    """Build a recipe's optimizer; its schedule is for the training loop to follow."""
    described = recipe.optimizer
    options = {
        "weight_decay": described.weight_decay or None,
        "global_clipnorm": described.clip_norm or None,
    }
    match described:
        case Sgd(momentum=momentum, nesterov=nesterov):
            optimizer = keras.optimizers.SGD(
                described.learning_rate, momentum=momentum, nesterov=nesterov, **options
            )
        case Adam(beta_1=beta_1, beta_2=beta_2):
            optimizer = keras.optimizers.Adam(described.learning_rate, beta_1, beta_2, **options)
    if described.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


@dataclass(frozen=True)
class LayerSummary:
    """One row of a network's description.

    Attributes:
        name: unique within the network.
        shape: of one image's output, e.g. (28, 28, 32).
        parameters: all of them, trained or not.
        work: multiply-adds for one image; what has no weights to multiply counts as none.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    work: int


def summarize(network: Network) -> list[LayerSummary]:
    """Describe a network's layers in order."""
    return [
        LayerSummary(layer.name, tuple(layer.output.shape[1:]), layer.count_params(), _work(layer))
        for layer in network.layers
    ]


def _work(layer: Any) -> int:
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
        return 0
    # every output value is a sum over one slice of the kernel: (h, w, in, out) or (in, out)
    return int(math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:-1]))
