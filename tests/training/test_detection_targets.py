"""What a detector is to say, and that saying it costs nothing."""

import numpy as np
import pytest

from digitcli.config.detector import BOX, BOX_UNIT, DIGIT, LEVELS, OUTPUTS, PRESENCE, SIZES, SYMBOL
from digitcli.config.marks import PLUS
from digitcli.models.backend import tf
from digitcli.models.detector import level_name
from digitcli.recognition.detections import decode, suppress
from digitcli.training.detection_targets import level_loss, level_targets

SIDE = 256
MARKS = np.zeros((1, 8, 6), np.float32)
# x, y, width, height, kind, state
MARKS[0, :5] = [
    (20, 30, 18, 28, 7, 1),
    (60, 32, 14, 12, PLUS, 1),
    (100, 100, 90, 140, 3, 1),
    (200, 20, 20, 25, 17, 1),
    (20, 200, 20, 25, 5, 2),
]


def perfect(level: int) -> np.ndarray:
    """Return outputs that say exactly what the targets are."""
    wanted = level_targets(tf.constant(MARKS), SIDE, level)
    heat = np.clip(wanted.heat.numpy(), 1e-6, 1 - 1e-6)
    cells = SIDE // LEVELS[level]
    outputs = np.zeros((1, cells, cells, OUTPUTS), np.float32)
    outputs[..., PRESENCE] = np.where(heat > 0.99, 12, np.log(heat / (1 - heat)) - 4)
    outputs[..., DIGIT] = 20 * wanted.kind.numpy()[..., :10]
    outputs[..., SYMBOL] = 20 * wanted.kind.numpy()[..., 10:]
    outputs[..., BOX] = wanted.box.numpy()
    return outputs


def test_what_is_right_is_decoded_as_it_was_labelled() -> None:
    found = suppress(decode({level_name(stride): perfect(level) for level, stride in enumerate(LEVELS)}))
    digits = found.select(found.kinds < 10)
    assert sorted(digits.kinds.tolist()) == [3, 7]
    for kind, row in ((7, 0), (3, 2)):
        box = digits.boxes[digits.kinds.tolist().index(kind)]
        assert box == pytest.approx(MARKS[0, row, :4], abs=0.5)
    assert PLUS in found.kinds


def test_each_size_belongs_to_its_levels() -> None:
    for level, (least, most) in enumerate(SIZES):
        heat = level_targets(tf.constant(MARKS), SIDE, level).heat.numpy()
        peaks = int((heat[..., 0] >= 0.999).sum())
        sizes = [max(row[2], row[3]) for row in MARKS[0] if row[5] == 1 and row[4] < 10]
        assert peaks == sum(least <= size < most for size in sizes)


def test_what_is_doubtful_counts_neither_way() -> None:
    wanted = level_targets(tf.constant(MARKS), SIDE, 0)
    row, column = 212 // 4, 30 // 4
    assert wanted.counted.numpy()[0, row, column, 0] == 0
    assert wanted.heat.numpy()[0, row, column].max() == 0
    assert wanted.counted.numpy()[0, 0, 0, 0] == 1


def test_the_loss_is_least_where_all_is_right() -> None:
    for level in range(len(LEVELS)):
        wanted = level_targets(tf.constant(MARKS), SIDE, level)
        right = [float(each) for each in level_loss(wanted, tf.constant(perfect(level)))]
        wrong = perfect(level)
        wrong[..., PRESENCE] *= -1
        wrong[..., BOX] += 1
        worse = [float(each) for each in level_loss(wanted, tf.constant(wrong))]
        assert right[0] < 0.2
        assert worse[0] > 10 * right[0] + 1
        if right[3]:
            assert worse[1] > right[1]
            assert right[2] == pytest.approx(right[3], rel=1e-3)


def test_boxes_are_in_units_that_suit_a_level() -> None:
    box = level_targets(tf.constant(MARKS), SIDE, 0).box.numpy()[0, 44 // 4, 29 // 4]
    assert np.exp(box[2:]) * 4 * BOX_UNIT == pytest.approx([18, 28], rel=0.01)
