"""Pages made of MNIST's test digits: what tests of whole numbers read."""

import cv2
import numpy as np

from digitcli.datasets import Digits


def page(lines: list[str], digits: Digits, *, height: int = 60, gap: int = 14, seed: int = 0) -> np.ndarray:
    """Write `lines` of digits, (H, W) uint8, black on white; every digit is one of `digits`."""
    random = np.random.default_rng(seed)
    rows = []
    for text in lines:
        row = np.zeros((2 * height, 40), np.uint8)
        for character in text:
            mark = _mark(int(character), digits, height, random)
            top = int(height / 2 + random.integers(-3, 4))
            cell = np.zeros((2 * height, mark.shape[1] + max(0, gap)), np.uint8)
            cell[top : top + len(mark), : mark.shape[1]] = mark
            if gap < 0:  # they touch
                over = row[:, gap:]
                np.maximum(over, cell[:, :-gap], out=over)
                cell = cell[:, -gap:]
            row = np.hstack([row, cell])
        rows.append(np.pad(row, ((0, 0), (0, 40))))
    width = max(row.shape[1] for row in rows)
    return 255 - np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])


def _mark(label: int, digits: Digits, height: int, random: np.random.Generator) -> np.ndarray:
    image = digits.images[random.choice(np.flatnonzero(digits.labels == label))]
    rows, columns = np.nonzero(image > 60)
    image = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = height / max(len(image), 1)
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
