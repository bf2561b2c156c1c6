"""Which way up a page lies, told by a detector's look at a part of it in each of its quarter turns."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from digitcli.models.classifier import Floats
from digitcli.models.detector import MULTIPLE, Detector
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.finder import View, look_at_all


@dataclass(frozen=True)
class OrientationParameters:
    """When a page is turned, chosen on the development photographs, each in its four quarter turns.

    Attributes:
        side: longest, of the part that is looked at, in pixels; a multiple of `models.detector.MULTIPLE`.
        height: of its digits, in pixels, at least.
        large: percentile of the sizes of what seems to be a digit that tells how large digits are; on a page
            that lies on a side much of it are letters.
        digits: on a page that may be turned.
        seen: digits on the part that is looked at, in the turn in which it shows most.
        margin: so many times as many must they be as upright; development photographs that are upright stay
            below 1.
    """

    side: int = 384
    height: float = 12
    large: float = 75
    digits: int = 8
    seen: float = 4
    margin: float = 1.25


ORIENTATION = OrientationParameters()


def quarter_turns(
    detector: Detector, image: Images, boxes: Floats, weigh: Callable[[View], tuple[float, float]]
) -> int:
    """Return after how many quarter turns, counterclockwise, an image is upright.

    6 and 9 take each other's place in half a turn, so one alone does not tell; a page of many digits does.

    Args:
        detector: what looks.
        image: (H, W) or (H, W, 3) uint8.
        boxes: (N, 4), x, y, width, height of what seem to be digits on it, in pixels.
        weigh: tells how many digits a view shows, and how many other marks.
    """
    if len(boxes) < ORIENTATION.digits:
        return 0
    part = _densest(image, boxes)
    turned = [np.ascontiguousarray(np.rot90(part, turn)) for turn in range(4)]
    upright, lying = (look_at_all(detector, turned[first::2]) for first in (0, 1))
    views = (upright[0], lying[0], upright[1], lying[1])
    digits, others = zip(*map(weigh, views), strict=True)
    best = int(np.argmax(digits))
    # letters look like digits where they stand on their heads
    as_it_is = max(digits[0], others[0])
    return best if digits[best] >= max(ORIENTATION.seen, ORIENTATION.margin * as_it_is) else 0


def _densest(image: Images, boxes: Floats) -> Images:
    """Return the page, or as much of it as shows digits at `ORIENTATION.height`, where most boxes are."""
    size = float(np.percentile(boxes[:, 2:].max(axis=1), ORIENTATION.large))
    shape = np.array(image.shape[1::-1])
    scale = min(1.0, max(ORIENTATION.side / shape.max(), ORIENTATION.height / size))
    reach = np.minimum(np.ceil(ORIENTATION.side / scale), shape).astype(int)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    near = (np.abs(middles[:, np.newaxis] - middles) < (reach - size) / 2).all(axis=2)
    around = middles[int(near.sum(axis=1).argmax())]
    left, top = np.clip(around - reach / 2, 0, shape - reach).astype(int)
    part = image[top : top + reach[1], left : left + reach[0]]
    small = [min(ORIENTATION.side, max(1, round(each * scale))) for each in reach]
    part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
    below, right = (-each % MULTIPLE for each in part.shape[:2])
    return np.asarray(cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
