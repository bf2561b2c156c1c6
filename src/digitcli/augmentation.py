"""Distorting training images, each differently, inside the training graph."""

import math
from typing import Any

from digitcli.backend import tf
from digitcli.config import Augmentation

Tensor = Any  # TensorFlow has no type information


def augment(images: Tensor, strength: Augmentation, seed: Tensor) -> Tensor:
    """Apply to each image an affine map of its own, drawn evenly within `strength`.

    Args:
        images: (B, H, W, 1) float32.
        strength: how far each kind of distortion goes, either way.
        seed: (2,) int32; the same seed gives the same distortions.

    Returns:
        (B, H, W, 1) float32, interpolated bilinearly, 0 where nothing was.
    """
    count = tf.shape(images)[0]
    size = tf.cast(tf.shape(images)[1:3], tf.float32)
    limits = [
        math.radians(strength.rotation),
        strength.scale,
        strength.scale,
        strength.shear,
        strength.shift,
        strength.shift,
    ]
    drawn = tf.random.stateless_uniform((6, count), seed, -1.0, 1.0) * tf.constant(limits)[:, tf.newaxis]
    angle, stretch_x, stretch_y, shear, shift_x, shift_y = tf.unstack(drawn)  # (B,) each
    # From an output pixel back to where it comes from: rotation times shear times stretch, about
    # the centre, then the shift.
    stretch_x, stretch_y = tf.exp(stretch_x), tf.exp(stretch_y)
    cos, sin = tf.cos(angle), tf.sin(angle)
    a, b = cos * stretch_x, (cos * shear - sin) * stretch_y
    c, d = sin * stretch_x, (sin * shear + cos) * stretch_y
    centre_y, centre_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    x = centre_x - a * centre_x - b * centre_y + shift_x
    y = centre_y - c * centre_x - d * centre_y + shift_y
    none = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, x, c, d, y, none, none], axis=1),  # (B, 8)
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
