"""What a detector is to say about a batch of marks, and how wrong it is: targets and losses, in TensorFlow.

Centres by Gaussian heat maps with the focal loss of CornerNet and CenterNet (Law and Deng, 2018; Zhou et al.,
2019); box and class wherever the heat of a mark is high, weighted by it.
"""

from dataclasses import dataclass
from typing import Any

from digitcli.config.detector import BOX, BOX_UNIT, DIGIT, LEVELS, PRESENCE, SIZES, SYMBOL
from digitcli.config.marks import SYMBOLS
from digitcli.config.mnist import CLASSES
from digitcli.models.backend import tf
from digitcli.synthesis.pages.patches import CLEAR, DOUBTFUL

Tensor = Any  # TensorFlow has no type information


@dataclass(frozen=True)
class TargetParameters:
    """How targets are made and losses weighed; after a prototype, and by trial.

    Attributes:
        spread: standard deviation of a mark's heat, as a share of its width and height.
        least_spread: at least so many cells.
        least_heat: of a mark in a cell that is to tell its box and class.
        negative_power, focus: the powers of CornerNet's focal loss (4 and 2).
        smoothing: of classes (Szegedy et al., 2016).
        class_weight, box_weight, foreground_weight: of the losses, beside that of presence.
        usual_marks: what the losses of a batch without marks are divided by, in each example.
    """

    spread: float = 0.13
    least_spread: float = 0.6
    least_heat: float = 0.3
    negative_power: float = 4.0
    focus: float = 2.0
    smoothing: float = 0.05
    class_weight: float = 2.0
    box_weight: float = 1.0
    foreground_weight: float = 30.0
    usual_marks: float = 4.0


TARGETS = TargetParameters()
_NEARER = 4  # power of the heats by which marks share a cell


@dataclass(frozen=True)
class LevelTargets:
    """What one level is to say; cells are (B, H, W).

    Attributes:
        heat: (B, H, W, 3), of digits, symbols and others.
        counted: (B, H, W, 1), 0 where what is said about presence does not matter.
        weight: (B, H, W), heat of the mark whose box and class a cell is to tell, 0 where there is none.
        kind: (B, H, W, 16), which digit or symbol that mark is; all 0 for others.
        box: (B, H, W, 4), offset in cells, and logarithms of width and height.
    """

    heat: Tensor
    counted: Tensor
    weight: Tensor
    kind: Tensor
    box: Tensor


def level_targets(marks: Tensor, side: int, level: int) -> LevelTargets:
    """Make one level's targets from marks (B, M, 6); see `patches.Examples`.

    A Gaussian is a product of one along x and one along y, so a sum over marks is a product of matrices: no
    tensor holds every mark's every cell.
    """
    stride, (least, most) = LEVELS[level], SIZES[level]
    left, top, width, height, kind, state = (marks[:, :, place] for place in range(6))  # each (B, M)
    middle_x, middle_y = (left + width / 2) / stride, (top + height / 2) / stride  # in cells
    size = tf.maximum(width, height)
    is_ours = tf.logical_and(state == float(CLEAR), tf.logical_and(size >= least, size < most))
    places = tf.range(side // stride, dtype=tf.float32)

    def along(middle: Tensor, extent: Tensor) -> Tensor:
        spread = tf.maximum(TARGETS.spread * extent / stride, TARGETS.least_spread)[..., tf.newaxis]
        # the heat's peak is a cell, not a point between two
        return tf.exp(
            -0.5 * tf.square((places - tf.floor(middle)[..., tf.newaxis]) / spread)
        )  # (B, M, cells)

    across = along(middle_x, width) * tf.cast(is_ours, tf.float32)[..., tf.newaxis]
    down = along(middle_y, height)
    is_kind = tf.one_hot(tf.cast(kind, tf.int32), CLASSES + len(SYMBOLS))  # (B, M, 16)
    is_digit = tf.reduce_sum(is_kind[..., :CLASSES], axis=-1)
    is_symbol = tf.reduce_sum(is_kind[..., CLASSES:], axis=-1)
    groups = tf.stack([is_digit, is_symbol, 1 - is_digit - is_symbol], axis=-1)
    heat = tf.minimum(_over_cells(down, across, groups), 1.0)
    weight = tf.reduce_max(heat, axis=-1)
    weight = tf.where(weight >= TARGETS.least_heat, weight, 0.0)
    # where two marks' heats overlap, the nearer one's box and class count almost alone
    extents = tf.math.log(tf.maximum(tf.stack([width, height], axis=-1), 1.0) / (stride * BOX_UNIT))
    middles = tf.stack([middle_x, middle_y, tf.ones_like(middle_x)], axis=-1)
    told = _over_cells(down**_NEARER, across**_NEARER, tf.concat([middles, extents, is_kind], axis=-1))
    told /= tf.maximum(told[..., 2:3], 1e-12)
    offset_x = told[..., 0] - 0.5 - places[tf.newaxis, tf.newaxis, :]
    offset_y = told[..., 1] - 0.5 - places[tf.newaxis, :, tf.newaxis]
    box = tf.concat([tf.stack([offset_x, offset_y], axis=-1), told[..., 3:5]], axis=-1)

    def inside(middle: Tensor, extent: Tensor) -> Tensor:
        is_inside = (
            tf.abs(places + 0.5 - middle[..., tf.newaxis]) <= extent[..., tf.newaxis] / (2 * stride) + 0.5
        )
        return tf.cast(is_inside, tf.float32)

    is_doubtful = tf.cast(state == float(DOUBTFUL), tf.float32)[..., tf.newaxis]
    doubtful = _over_cells(inside(middle_y, height), inside(middle_x, width), is_doubtful)[..., 0]
    counted = tf.cast(tf.logical_or(doubtful < 0.5, weight > 0), tf.float32)[..., tf.newaxis]
    return LevelTargets(heat, counted, weight, told[..., 5:], box)


def _over_cells(down: Tensor, across: Tensor, values: Tensor) -> Tensor:
    """Return each cell's sum of marks' values (B, M, C), weighted by `down` and `across`, (B, M, cells)."""
    cells, channels = across.shape[2], values.shape[2]
    rows = across[..., tf.newaxis] * values[:, :, tf.newaxis, :]  # (B, M, W, C)
    rows = tf.reshape(rows, (-1, tf.shape(across)[1], cells * channels))
    return tf.reshape(tf.matmul(down, rows, transpose_a=True), (-1, cells, cells, channels))


def level_loss(targets: LevelTargets, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the summed losses of presence and of boxes and classes, right digits and all, each by weight.

    Args:
        targets: of a level.
        outputs: (B, H, W, `OUTPUTS`) float32.
    """
    presence = outputs[..., PRESENCE]
    likely = tf.sigmoid(presence)
    positive = tf.cast(targets.heat >= 0.999, tf.float32)
    found = -tf.math.log_sigmoid(presence) * tf.pow(1 - likely, TARGETS.focus) * positive
    elsewhere = tf.nn.softplus(presence) * tf.pow(likely, TARGETS.focus)
    elsewhere *= tf.pow(1 - targets.heat, TARGETS.negative_power) * (1 - positive)
    of_presence = tf.reduce_sum((found + elsewhere) * targets.counted)
    error = tf.abs(outputs[..., BOX] - targets.box)
    huber = tf.where(error < 0.5, tf.square(error), error - 0.25)
    of_box = TARGETS.box_weight * tf.reduce_sum(tf.reduce_sum(huber, axis=-1) * targets.weight)
    digit, symbol = targets.kind[..., :CLASSES], targets.kind[..., CLASSES:]
    of_class = 0.0
    for wanted, logits in ((digit, outputs[..., DIGIT]), (symbol, outputs[..., SYMBOL])):
        of_class += tf.reduce_sum(_cross_entropy(wanted, logits) * targets.weight)
    is_digit = tf.reduce_sum(digit, axis=-1) * targets.weight
    right = tf.reduce_sum(digit * tf.one_hot(tf.argmax(outputs[..., DIGIT], axis=-1), CLASSES), axis=-1)
    return (
        of_presence,
        of_box + TARGETS.class_weight * of_class,
        tf.reduce_sum(right * targets.weight),
        tf.reduce_sum(is_digit),
    )


def _cross_entropy(wanted: Tensor, logits: Tensor) -> Tensor:
    """Return the cross-entropy with smoothed labels; 0 where `wanted` is, as for marks of another group."""
    count = logits.shape[-1]
    total = tf.reduce_sum(wanted, axis=-1, keepdims=True)
    smooth = wanted * (1 - TARGETS.smoothing) + total * (TARGETS.smoothing / count)
    return -tf.reduce_sum(smooth * tf.nn.log_softmax(logits), axis=-1)


def foreground_loss(ink: Tensor, logits: Tensor) -> Tensor:
    """Return the summed mean cross-entropies of the foreground; ink (B, H, W) uint8, logits (B, H, W, 1)."""
    wanted = tf.cast(ink, tf.float32)[..., tf.newaxis] / 255
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits)
    return TARGETS.foreground_weight * tf.reduce_sum(tf.reduce_mean(each, axis=(1, 2, 3)))
