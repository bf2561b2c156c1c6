"""From a model file back to the weights of a recipe's networks, so that training can continue.

A ``.keras`` file holds them as they are. An ``.onnx`` file holds what a converter made of them: batch
normalization has become a factor and a summand for each channel, or a part of the convolution before
it. Any such pair is put back as a layer with the statistics that its inputs really have, which gives
the same outputs, and in training behaves as if it had never been away.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from digitcli.config.recipe import BatchNorm, Conv, Dense, Recipe
from digitcli.datasets import Digits
from digitcli.errors import ModelError
from digitcli.models import onnx_classifier
from digitcli.models.backend import keras, tf
from digitcli.models.classifier import TOLERANCE, Weights, batches
from digitcli.models.factory import assemble, build
from digitcli.models.keras_classifier import KerasClassifier, Network, load_network
from digitcli.preprocessing.mnist_form import network_input

Values = NDArray[np.float32]

_BATCH_SIZE = 250  # images; bounds the memory that a layer's outputs take


def restore(path: Path, recipe: Recipe, digits: Digits) -> list[Weights]:
    """Return the weights of each of a recipe's networks from a model file.

    Args:
        path: ``.keras``, or ``.onnx`` as `export` writes it.
        recipe: that it was trained with.
        digits: some images as it was trained on, for statistics and for comparing.

    Raises `ModelError` where the file is not of that recipe.
    """
    if path.suffix == ".keras":
        members = _from_keras(path)
        expected = None
    else:
        try:
            members = [_from_onnx(path, recipe, digits)]
        except (ValueError, KeyError, StopIteration) as error:  # weights of other shapes, or none
            raise _unfit(path) from error
        expected = onnx_classifier.load(path).predict(digits.images)
    shapes = [tuple(weight.shape) for weight in build(recipe).weights]
    if len(members) != recipe.ensemble_size or any([w.shape for w in each] != shapes for each in members):
        raise _unfit(path)
    if expected is not None:
        found = KerasClassifier(assemble(recipe, members)).predict(digits.images)
        difference = float(np.abs(found - expected).max())
        if not difference <= TOLERANCE:
            raise ModelError(
                f"{path}: its weights, put back into the recipe's network, read differently (by "
                f"{difference:.2g}); expected a file that digitcli train wrote"
            )
    return members


def _unfit(path: Path) -> ModelError:
    return ModelError(f"{path}: not the network of the recipe in the run.json beside it")


def _from_keras(path: Path) -> list[Weights]:
    network = load_network(path)
    inner = [layer for layer in network.layers if isinstance(layer, keras.Sequential)]
    return [each.get_weights() for each in inner or [network]]


def _from_onnx(path: Path, recipe: Recipe, digits: Digits) -> Weights:
    if recipe.ensemble_size != 1:
        raise ModelError(f"{path}: holds several networks; expected the model.keras of the same run")
    steps = _Steps(onnx.load(path), path)
    network = build(recipe)
    images: Any = network_input(digits.images)
    layers = iter(network.layers)
    shift: Values | None = None  # what was merged into the convolution before
    images = next(layers)(images)  # the rescaling
    for description, layer in zip(recipe.network, layers, strict=False):
        match description:
            case Conv():
                kernel, bias = steps.convolution()
                if description.bias:
                    layer.set_weights(
                        [kernel, np.zeros(kernel.shape[-1], np.float32) if bias is None else bias]
                    )
                    shift = None
                else:
                    layer.set_weights([kernel])
                    shift = bias
            case BatchNorm():
                scale, offset = steps.factor_and_summand() if shift is None else (np.ones_like(shift), shift)
                shift = None
                layer.set_weights(_as_batch_norm(images, scale, offset, layer.epsilon))
            case Dense():
                layer.set_weights(list(steps.product()))
        images = _in_batches(layer, images)
    network.layers[-1].set_weights(list(steps.product()))
    weights: Weights = network.get_weights()
    return weights


def _as_batch_norm(inputs: Any, scale: Values, offset: Values, epsilon: float) -> list[Values]:
    """Return gamma, beta, mean and variance of a normalization that is `inputs * scale + offset`."""
    axes = tuple(range(inputs.ndim - 1))
    mean, variance = np.mean(inputs, axes, np.float64), np.var(inputs, axes, np.float64)
    gamma = scale * np.sqrt(variance + epsilon)
    values = (gamma, offset + mean * scale, mean, variance)
    return [np.asarray(value, np.float32) for value in values]


def _in_batches(layer: Network, images: Any) -> NDArray[np.float32]:
    parts = [layer(tf.constant(images[batch]), training=False) for batch in batches(len(images), _BATCH_SIZE)]
    return np.concatenate([part.numpy() for part in parts])


class _Steps:
    """An ONNX graph's operations with weights, one after the other."""

    def __init__(self, model: Any, path: Path) -> None:
        self._path = path
        self._constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
        self._nodes = list(model.graph.node)

    def convolution(self) -> tuple[Values, Values | None]:
        """Return the next convolution's kernel (h, w, in, out), and its bias if there is one."""
        node = self._next("Conv")
        kernel = self._constants[node.input[1]].transpose(2, 3, 1, 0)
        bias = self._constants[node.input[2]] if len(node.input) > 2 else None
        return kernel, bias

    def factor_and_summand(self) -> tuple[Values, Values]:
        """Return what the next operations multiply each channel by and add to it."""
        return self._constant(self._next("Mul")).ravel(), self._constant(self._next("Add")).ravel()

    def product(self) -> tuple[Values, Values]:
        """Return the next matrix (in, out) and the summand after it."""
        return self._constant(self._next("MatMul")), self._constant(self._next("Add")).ravel()

    def _constant(self, node: Any) -> Values:
        return next(self._constants[name] for name in node.input if name in self._constants)

    def _next(self, kind: str) -> Any:
        """Return the next operation of a kind with a constant of several values."""
        while self._nodes:
            node = self._nodes.pop(0)
            sizes = [self._constants[name].size for name in node.input if name in self._constants]
            if node.op_type == kind and max(sizes, default=0) > 1:
                return node
        raise ModelError(f"{self._path}: has fewer layers than the recipe in the run.json beside it")
