"""Pages made of MNIST's test digits: what tests of whole numbers read."""

import cv2
import numpy as np

from digitcli.datasets import Digits


def page(lines: list[str], digits: Digits, *, height: int = 60, gap: int = 14, seed: int = 0) -> np.ndarray:
    """Write `lines` of digits and the signs . - /, (H, W) uint8, black on white; digits are of `digits`."""
    random = np.random.default_rng(seed)
    rows = []
    for text in lines:
        row = np.zeros((2 * height, 40), np.uint8)
        for character in text:
            is_digit = character.isdigit()
            mark = _mark(int(character), digits, height, random) if is_digit else _sign(character, height)
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


def _sign(sign: str, height: int) -> np.ndarray:
    """Draw a decimal point, a minus or a slash in a field of `height` pixels, beside digits as high."""
    pen = max(2, height // 9)
    width = {".": 2 * pen, "-": height // 2, "/": height // 2}[sign]
    field = np.zeros((height, width), np.uint8)
    ends = {
        ".": ((pen, height - pen), (pen, height - pen)),
        "-": ((pen, height // 2), (width - pen, height // 2)),
        "/": ((width - pen, 0), (pen, height - 1)),
    }[sign]
    cv2.line(field, *ends, 255, pen, cv2.LINE_AA)
    return field
