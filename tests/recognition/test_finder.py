"""Finding marks at several sizes: what a detector sees comes back in pixels of the picture."""

import cv2
import numpy as np
import pytest

from digitcli.config.detector import BOX, BOX_UNIT, DIGIT, LEVELS, OUTPUTS, PRESENCE
from digitcli.models.detector import FOREGROUND, level_name
from digitcli.recognition.detections import join, suppress
from digitcli.recognition.finder import FINDER, look


class BlobDetector:
    """Takes each dark blob of 8 to 40 pixels for a 3; counts the pixels that it is shown."""

    def __init__(self) -> None:
        self.pixels = 0

    def look_at(self, grey: np.ndarray, chroma: np.ndarray) -> dict[str, np.ndarray]:
        assert grey.shape[0] == 1
        self.pixels += grey.size
        height, width = grey.shape[1:]
        outputs = {
            level_name(stride): np.full((1, height // stride, width // stride, OUTPUTS), -9, np.float32)
            for stride in LEVELS
        }
        outputs[FOREGROUND] = np.full((1, height // 2, width // 2, 1), -9, np.float32)
        _, _, stats, middles = cv2.connectedComponentsWithStats((grey[0] < 128).astype(np.uint8))
        for (_, _, across, down, _), (x, y) in zip(stats[1:], middles[1:], strict=True):
            if not 8 <= max(across, down) <= 40:
                continue
            cell = outputs[level_name(4)][0, int(y // 4), int(x // 4)]
            cell[PRESENCE] = (3, -9, -9)
            cell[DIGIT][3] = 9
            offset = np.array([x, y]) / 4 - np.array([int(x // 4), int(y // 4)]) - 0.5
            cell[BOX] = (*offset, *np.log(np.array([across, down]) / (4 * BOX_UNIT)))
        return outputs


def picture(width: int, height: int, *blobs: tuple[int, int, int]) -> np.ndarray:
    """Return paper with dark squares, each of x and y of its middle and its side."""
    page = np.full((height, width), 255, np.uint8)
    for x, y, side in blobs:
        page[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = 0
    return page


@pytest.mark.parametrize(
    ("width", "height", "blobs"),
    [
        (300, 200, [(60, 50, 20), (200, 120, 30)]),
        (28, 28, [(14, 14, 12)]),
        (1600, 1200, [(700, 300, 30), (255, 256, 26), (900, 1100, 400)]),
        (3000, 400, [(2500, 200, 60)]),
    ],
)
def test_marks_come_back_in_pixels_of_the_picture(
    width: int, height: int, blobs: list[tuple[int, int, int]]
) -> None:
    views = look(BlobDetector(), picture(width, height, *blobs))
    found = suppress(join([view.marks for view in views]))
    assert len(found) == len(blobs)
    for x, y, side in blobs:
        box = found.boxes[np.abs(found.boxes[:, 0] + found.boxes[:, 2] / 2 - x).argmin()]
        assert np.abs(box - (x - side / 2, y - side / 2, side, side)).max() < max(3, 0.15 * side)


def test_a_large_picture_is_looked_at_closely_only_where_something_small_is() -> None:
    empty, few = BlobDetector(), BlobDetector()
    look(empty, picture(2048, 1536))
    look(few, picture(2048, 1536, (700, 300, 20)))
    tile = (FINDER.tile + 2 * FINDER.overlap) ** 2
    assert few.pixels - empty.pixels in (tile, 2 * tile, 4 * tile)


def test_a_page_full_of_small_marks_is_looked_at_as_a_whole() -> None:
    blobs = [(x, y, 20) for x in range(64, 2000, 60) for y in range(64, 1500, 60)]
    detector = BlobDetector()
    views = look(detector, picture(2048, 1536, *blobs))
    assert len(suppress(join([view.marks for view in views]))) == len(blobs)
    assert detector.pixels < 1.5 * 2048 * 1536


def test_views_are_of_the_picture_halved_again_and_again() -> None:
    views = look(BlobDetector(), picture(640, 480))
    assert [view.scale for view in views] == [0.125, 0.25, 0.5, 1.0]
    assert views[-1].foreground.shape == (240, 320)
