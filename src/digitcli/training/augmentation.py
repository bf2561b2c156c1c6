"""Distorting training images, each differently, inside the training graph.

Every image goes through one resampling: an output pixel takes its value from where an affine map
and an elastic displacement (Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis", 2003) send it. Strokes are made thicker or thinner
before that, by grey dilation and erosion.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.config.recipe import Augmentation
from digitcli.datasets import NO_DIGIT, Digits
from digitcli.models.backend import tf
from digitcli.preprocessing.mnist_form import Images

Tensor = Any  # TensorFlow has no type information

_PREVIEWS = 9  # of each digit


@dataclass(frozen=True)
class FieldParameters:
    """The field of elastic displacements.

    Attributes:
        grid: points in a row and in a column, at which displacements are drawn; on 28x28 they lie about
            `smoothness` apart.
        smoothness: pixels, the standard deviation of the Gaussian that spreads them over the image; Simard,
            Steinkraus and Platt found 4 best.
    """

    grid: int = 7
    smoothness: float = 4.0


_FIELD = FieldParameters()


def augment(images: Tensor, strength: Augmentation, seed: Tensor) -> Tensor:
    """Distort each image by an amount of its own, drawn evenly within `strength`.

    Args:
        images: (B, H, W) uint8, H = W.
        strength: how far each kind of distortion goes, either way.
        seed: (2,) int32; the same seed gives the same distortions.

    Returns:
        (B, H, W, 1) float32 0..255, interpolated bilinearly, 0 where nothing was.
    """
    side = images.shape[1]
    if strength.stroke_width:
        images = _change_strokes(images, strength.stroke_width, seed + 1)
    # Where an output pixel comes from is a sum of fixed fields, each with a weight of its own for
    # every image and axis: one matrix product for the affine map and the elastic displacement.
    weights, fields = [_affine(tf.shape(images)[0], strength, seed)], [_ramps(side)]
    if strength.elastic:
        shape = (2 * tf.shape(images)[0], _FIELD.grid * _FIELD.grid)
        weights.append(tf.random.stateless_uniform(shape, seed + 2, -1.0, 1.0))  # variance 1/3
        fields.append(strength.elastic * math.sqrt(3) * _bumps(side))
    places = tf.linalg.matmul(tf.concat(weights, axis=1), tf.constant(np.concatenate(fields)))
    return _sample(images, *tf.split(places + (side - 1) / 2, 2))


def preview(digits: Digits, strength: Augmentation, seed: int) -> tuple[Images, Images]:
    """Distort one image of each digit several times, as training does.

    Returns:
        The images (10, 28, 28), and what became of them (10, 9, 28, 28), both uint8.
    """
    chosen = [
        int(np.flatnonzero(digits.labels == digit)[0])
        for digit in np.unique(digits.labels)
        if digit != NO_DIGIT
    ]
    images = digits.images[chosen]
    repeated = tf.constant(np.repeat(images, _PREVIEWS, axis=0))
    distorted = augment(repeated, strength, tf.constant([seed, 0])).numpy()
    return images, np.rint(distorted).astype(np.uint8).reshape(len(images), _PREVIEWS, *images.shape[1:])


def _affine(count: Tensor, strength: Augmentation, seed: Tensor) -> Tensor:
    """Draw affine maps: the weights of the ramps, (2 B, 3) float32, those for columns first."""
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
    columns = tf.stack([cos * stretch_x, (cos * shear - sin) * stretch_y, shift_x], axis=1)
    rows = tf.stack([sin * stretch_x, (sin * shear + cos) * stretch_y, shift_y], axis=1)
    return tf.concat([columns, rows], axis=0)


def _ramps(side: int) -> NDArray[np.float32]:
    """Each pixel's column and row, from the centre, and 1: (3, H * W)."""
    offsets = np.arange(side, dtype=np.float32) - (side - 1) / 2
    columns, rows = np.meshgrid(offsets, offsets)
    return np.stack([columns.ravel(), rows.ravel(), np.ones(side * side, np.float32)])


def _bumps(side: int) -> NDArray[np.float32]:
    """A Gaussian around each point of a grid: (grid * grid, H * W).

    Scaled so that independent weights of standard deviation 1 give each pixel that deviation.
    """
    points = np.linspace(0, side - 1, _FIELD.grid)
    near = np.exp(-0.5 * ((points[:, np.newaxis] - np.arange(side)) / _FIELD.smoothness) ** 2)  # (grid, side)
    both = np.einsum("ay,bx->abyx", near, near).reshape(_FIELD.grid * _FIELD.grid, side * side)
    scaled: NDArray[np.float32] = (both / np.sqrt((both**2).sum(axis=0))).astype(np.float32)
    return scaled


def _sample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Interpolate `images` (B, H, W) uint8 bilinearly at (x, y); return (B, H, W, 1) float32."""
    side = images.shape[1]
    wide = side + 2
    padded = tf.pad(tf.cast(images, tf.int32), [[0, 0], [1, 2], [1, 2]])  # whatever lies outside is 0
    # A pixel and its neighbours to the right, below and both, as one 32-bit number: one gather
    # brings all four, and shifting takes them apart faster than slicing would.
    pairs = padded[:, :, :-1] + tf.bitwise.left_shift(padded[:, :, 1:], 8)
    packed = pairs[:, :-1] + tf.bitwise.left_shift(pairs[:, 1:], 16)  # (B, wide, wide)
    packed = tf.reshape(packed, (-1, wide * wide))
    x, y = (tf.clip_by_value(place, -1.0, float(side)) + 1.0 for place in (x, y))
    left, top = tf.floor(x), tf.floor(y)
    found = tf.gather(packed, tf.cast(top * wide + left, tf.int32), batch_dims=1)  # (B, H * W)
    first, right, below, across = (
        tf.cast(tf.bitwise.bitwise_and(tf.bitwise.right_shift(found, bits), 255), tf.float32)
        for bits in (0, 8, 16, 24)
    )
    x, y = x - left, y - top
    upper, lower = first + x * (right - first), below + x * (across - below)
    return tf.reshape(upper + y * (lower - upper), (-1, side, side, 1))


def _change_strokes(images: Tensor, strength: float, seed: Tensor) -> Tensor:
    """Blend each image towards its dilation or its erosion by a pixel; `strength` 1 goes all the way."""
    drawn = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1), seed, -strength, strength)
    thick = _neighbours(images, tf.maximum)
    thin = _neighbours(images, tf.minimum)
    here = tf.cast(images, tf.float32)
    there = tf.cast(tf.where(drawn > 0, thick, thin), tf.float32)
    return tf.cast(tf.round(here + tf.abs(drawn) * (there - here)), tf.uint8)


def _neighbours(images: Tensor, choose: Any) -> Tensor:
    """Return the largest (or smallest) of each pixel and the four beside it: (B, H, W) uint8."""
    side = images.shape[1]
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1]])
    result = images
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        result = choose(result, padded[:, dy : dy + side, dx : dx + side])
    return result
