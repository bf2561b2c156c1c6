"""The detector's network: fully convolutional, with heads at strides 4, 8 and 16 and a foreground head.

A feature pyramid (Lin et al., 2017) on residual blocks (He et al., 2016); centres as in CenterNet (Zhou et
al., 2019). It takes grey values and how colourful each pixel is, and computes contrast itself, so that
whoever reads with it cannot do it differently.
"""

import math
from collections.abc import Callable
from typing import Any

from digitcli.config.detector import FOREGROUND_STRIDE, LEVELS, OUTPUTS
from digitcli.config.recipe import DetectorRecipe
from digitcli.models.backend import keras
from digitcli.models.classifier import DETECTOR_NETWORK
from digitcli.models.detector import CHROMA, FOREGROUND, GREY, level_name

Tensor = Any  # Keras has no type information

_COARSE = 8  # pixels; local means are of squares of this side, and of their neighbours
_AROUND = 5  # such squares in each direction
_FLOOR = 6.0  # grey levels, added to deviations: the noise of good paper


def build_detector(
    recipe: DetectorRecipe, policy: str, batch_norm: Callable[..., Any], side: int | None = None
) -> Any:
    """Build a detector with fresh weights.

    Inputs are ``grey``, (N, H, W, 1) float32, 0..255, and ``chroma``, (N, H/2, W/2, 1), distances from the
    paper's colour in grey levels; H and W are multiples of 16. Outputs, before sigmoid and softmax, are one
    of (N, H/s, W/s, `OUTPUTS`) for each stride s of `LEVELS`, and ``foreground``, (N, H/2, W/2, 1).

    Args:
        recipe: the network's sizes.
        policy: Keras's, of what is not contrast or output.
        batch_norm: makes a batch normalization layer.
        side: of the only pictures that it takes, in pixels; None takes any.
    """
    detector, layers = recipe.detector, keras.layers
    half = side // 2 if side else None
    grey = keras.Input((side, side, 1), name=GREY)
    chroma = keras.Input((half, half, 1), name=CHROMA)

    def convolved(
        x: Tensor, filters: int, size: int, label: str, stride: int = 1, *, active: bool = True
    ) -> Tensor:
        x = layers.Conv2D(
            filters,
            size,
            stride,
            "same",
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=policy,
            name=label,
        )(x)
        x = batch_norm(momentum=0.95, dtype=policy, name=f"{label}_norm")(x)
        return layers.ReLU(dtype=policy, name=f"{label}_relu")(x) if active else x

    def stem(x: Tensor, size: int, stride: int, label: str) -> Tensor:
        return layers.Conv2D(
            detector.channels[0], size, stride, "same", use_bias=False, dtype=policy, name=label
        )(x)

    coloured = layers.Rescaling(1 / 64, dtype=policy, name="chroma_scale")(chroma)
    x = layers.Add(dtype=policy, name="stem")(
        [stem(contrasts(grey), 5, 2, "stem_contrast"), stem(coloured, 3, 1, "stem_chroma")]
    )
    x = layers.ReLU(dtype=policy, name="stem_relu")(
        batch_norm(momentum=0.95, dtype=policy, name="stem_norm")(x)
    )
    fine = x  # stride 2
    stages = []
    for number, (filters, blocks) in enumerate(zip(detector.channels[1:], detector.blocks, strict=True), 1):
        x = convolved(x, filters, 3, f"stage{number}", 2)
        for block in range(1, blocks + 1):
            label = f"stage{number}_block{block}"
            y = convolved(x, filters, 3, f"{label}a")
            y = convolved(y, filters, 3, f"{label}b", active=False)
            x = layers.ReLU(dtype=policy, name=f"{label}_relu")(
                layers.Add(dtype=policy, name=f"{label}_sum")([x, y])
            )
        stages.append(x)

    width = detector.head
    merged: dict[int, Tensor] = {}
    above = None
    for number in range(len(stages), 0, -1):
        x = layers.Conv2D(width, 1, use_bias=True, dtype=policy, name=f"lateral{number}")(stages[number - 1])
        if above is not None:
            up = layers.UpSampling2D(2, dtype=policy, name=f"up{number}")(above)
            x = layers.Add(dtype=policy, name=f"merge{number}")([x, up])
        above = merged[number] = x

    bias = keras.initializers.Constant([-4.0] * 3 + [0.0] * (OUTPUTS - 3))  # marks are rare
    outputs = {}
    for number, stride in enumerate(LEVELS, 1):
        x = convolved(merged[number], width, 3, f"head{stride}")
        outputs[level_name(stride)] = layers.Conv2D(
            OUTPUTS, 1, bias_initializer=bias, dtype="float32", name=level_name(stride)
        )(x)
    # the foreground, from the finest level and what the stem saw: four values of stride 2 a cell
    side = LEVELS[0] // FOREGROUND_STRIDE
    up = layers.UpSampling2D(side, dtype=policy, name="up_foreground")(
        convolved(merged[1], detector.foreground, 1, "to_foreground")
    )
    x = layers.Concatenate(dtype=policy, name="with_fine")([up, fine])
    x = convolved(x, detector.foreground, 3, "foreground_conv")
    outputs[FOREGROUND] = layers.Conv2D(
        1, 1, bias_initializer=keras.initializers.Constant(-2.0), dtype="float32", name=FOREGROUND
    )(x)
    return keras.Model([grey, chroma], outputs, name=DETECTOR_NETWORK)


def contrasts(grey: Tensor) -> Tensor:
    """Return (N, H, W, 2): grey minus its surroundings, over the deviation there, and the page's largest.

    Beside the first, in which light and paper vanish, the second tells ink from what only shows through.
    """
    layers = keras.layers

    def surroundings(x: Tensor, label: str) -> Tensor:
        x = layers.AveragePooling2D(_COARSE, padding="same", dtype="float32", name=f"{label}_squares")(x)
        return layers.AveragePooling2D(_AROUND, 1, "same", dtype="float32", name=f"{label}_around")(x)

    def enlarged(x: Tensor, label: str) -> Tensor:
        for size in range(
            int(math.log2(_COARSE))
        ):  # nearest, then smooth: layers.UpSampling2D's bilinear is not exported
            x = layers.UpSampling2D(2, dtype="float32", name=f"{label}_up{size}")(x)
            x = layers.AveragePooling2D(3, 1, "same", dtype="float32", name=f"{label}_smooth{size}")(x)
        return x

    mean = enlarged(surroundings(grey, "mean"), "mean")
    difference = layers.Subtract(dtype="float32", name="difference")([grey, mean])
    square = layers.Multiply(dtype="float32", name="square")([difference, difference])
    deviation = keras.ops.sqrt(surroundings(square, "variance"))
    largest = layers.GlobalMaxPooling2D(keepdims=True, dtype="float32", name="largest")(deviation)
    local = difference / (enlarged(deviation, "deviation") + _FLOOR)
    of_page = difference / (largest + _FLOOR)
    return layers.Concatenate(dtype="float32", name="contrasts")([local, of_page])
