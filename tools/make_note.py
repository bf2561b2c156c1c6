"""Make docs/images/note.jpg, MNIST's test digits on a photographed page, and what is read on it.

    python tools/make_note.py

Nobody's handwriting but MNIST's (CC BY-SA 3.0) is in it.
"""

from pathlib import Path

import cv2
import numpy as np

from digitcli.datasets import load
from digitcli.preprocessing.image_files import read
from digitcli.recognition.annotation import annotate
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

LINES = ("2026 11 22", "4815 1623", "0799 3510")
FOLDER = Path(__file__).parents[1] / "docs" / "images"
HEIGHT, SPACING = 64, 110  # pixels, of a digit and of the page's lines
WIDTH = 900


def main() -> None:
    random = np.random.default_rng(7)
    test = load("mnist").test
    strokes = np.zeros((SPACING * (len(LINES) + 1), WIDTH), np.float32)
    for number, line in enumerate(LINES, start=1):
        x = 70
        for character in line:
            if character == " ":
                x += 70
                continue
            image = test.images[random.choice(np.flatnonzero(test.labels == int(character)))]
            mark = cv2.resize(image, None, fx=HEIGHT / 20, fy=HEIGHT / 20, interpolation=cv2.INTER_CUBIC)
            columns = np.flatnonzero(mark.max(axis=0) > 60)
            mark = mark[:, columns[0] : columns[-1] + 1] / 255
            y = number * SPACING - int(0.8 * len(mark)) + int(random.integers(-4, 5))
            part = strokes[y : y + len(mark), x : x + mark.shape[1]]
            np.maximum(part, mark, out=part)
            x += mark.shape[1] + int(random.integers(10, 22))
    height, width = strokes.shape
    page = np.empty((height, width, 3), np.float32)
    page[:] = (0.93, 0.92, 0.88)
    for number in range(1, len(LINES) + 1):
        cv2.line(page, (0, number * SPACING + 6), (width, number * SPACING + 4), (0.6, 0.72, 0.86), 2)
    share = (0.9 * strokes)[..., np.newaxis]
    page = page * (1 - share) + np.array((0.1, 0.13, 0.35), np.float32) * share
    y, x = np.mgrid[:height, :width]
    light = 0.62 + 0.38 * np.exp(-(((x - 250) / 600) ** 2 + ((y - 100) / 420) ** 2))
    grain = cv2.GaussianBlur(random.normal(0, 0.05, (height, width)).astype(np.float32), (0, 0), 1.1)
    page = (page + grain[..., np.newaxis]) * light[..., np.newaxis]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2.0, 1.06)
    page = cv2.warpAffine(page, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    page = cv2.GaussianBlur(page, (0, 0), 0.8)
    seen = np.clip(page * 255, 0, 255).astype(np.uint8)
    save("note.jpg", seen)
    picture = read(FOLDER / "note.jpg")
    reading = Recognizer.load(PRETRAINED_MODEL).read(picture.pixels)
    save("note-read.jpg", annotate(picture, reading))


def save(name: str, pixels: np.ndarray) -> None:
    cv2.imwrite(str(FOLDER / name), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
