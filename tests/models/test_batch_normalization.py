"""The fused layer and Keras's own are held to each other."""

import numpy as np
import pytest

from digitcli.models.backend import keras, tf
from digitcli.models.batch_normalization import FusedBatchNormalization


def both(**options: object) -> list[keras.layers.BatchNormalization]:
    layers = [FusedBatchNormalization(momentum=0.8, **options), keras.layers.BatchNormalization(momentum=0.8)]
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 2, 16).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build((None, 5, 5, 16))
        layer.set_weights(weights)
    return layers


FEW = (1, 2, 2)  # values of a channel: biased and unbiased variance differ by a third
IMAGES = np.random.default_rng(1).normal(3, 2, (8, 5, 5, 16)).astype(np.float32)


def test_results_gradients_and_statistics_are_keras_s() -> None:
    results = []
    for layer in both():
        images = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=True)
            loss = tf.reduce_sum(outputs**3)
        gradients = tape.gradient(loss, [images, *(v.value for v in layer.trainable_variables)])
        results.append([outputs, *gradients, *layer.get_weights()])
    for one, other in zip(*results, strict=True):
        assert np.allclose(one, other, rtol=1e-3, atol=1e-2), np.abs(one - other).max()
    fused, kerass = both()
    assert np.allclose(fused(IMAGES, training=False), kerass(IMAGES, training=False), atol=1e-5)


def test_the_moving_variance_is_the_biased_one() -> None:
    fused, kerass = both()
    images = np.random.default_rng(2).normal(0, 5, (*FEW, 16)).astype(np.float32)
    for layer in (fused, kerass):
        layer(images, training=True)
    for one, other in zip(fused.get_weights(), kerass.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=1e-4)


def test_in_bfloat16_weights_and_statistics_stay_float32() -> None:
    fused, exact = both(dtype="mixed_bfloat16")
    outputs = fused(tf.cast(IMAGES, tf.bfloat16), training=True)
    assert outputs.dtype == tf.bfloat16
    assert {weights.dtype for weights in fused.get_weights()} == {np.dtype("float32")}
    expected = exact(IMAGES, training=True)
    assert np.abs(tf.cast(outputs, tf.float32) - expected).max() < 0.1
    for one, other in zip(fused.get_weights(), exact.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=0.02)


def test_flat_inputs_are_left_to_keras() -> None:
    layer = FusedBatchNormalization()
    outputs = layer(tf.constant(IMAGES.reshape(-1, 16)), training=True)
    assert np.abs(np.mean(outputs, axis=0)).max() < 1e-4
