"""Make docs/images/pages-read.jpg and pages-misread.jpg: generated pages, and what is read on each.

    python tools/make_pages_read.py

The pages are of kinds on which nothing is measured, written with MNIST's validation images (CC BY-SA 3.0),
digits in the forms of schools, and fonts that no training sees.
"""

from pathlib import Path

import cv2
import numpy as np

from digitcli.datasets import load_split
from digitcli.preprocessing.image_files import Picture
from digitcli.recognition.annotation import annotate
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.synthesis.pages import draw_page, marks

FOLDER = Path(__file__).parents[1] / "docs" / "images"
HEIGHT, WIDTH, GAP = 400, 560, 12  # pixels of a page, and between pages
COLUMNS = 2
# the kind of each page, the height of its digits in pixels, and its seed, chosen by eye to show six subjects
PAGES = (
    ("numbers", 48.0, 3),
    ("cells", 40.0, 4),
    ("ruled", 40.0, 2),
    ("signs", 40.0, 5),
    ("letters", 34.0, 6),
    ("printed", 34.0, 1),
)
MISREAD = (("signs", 40.0, 13), ("table", 34.0, 14), ("letters", 34.0, 14), ("things", 40.0, 12))


def main() -> None:
    library = marks.build(load_split("mnist").validation, 0, marks.sized(0.1), held_out=True)
    recognizer = Recognizer.load(PRETRAINED_MODEL, detector=PRETRAINED_DETECTOR)
    for name, pages in (("pages-read.jpg", PAGES), ("pages-misread.jpg", MISREAD)):
        read = []
        for kind, digit_height, seed in pages:
            random = np.random.default_rng([31, seed])
            page = draw_page(library, kind, HEIGHT, WIDTH, random, digit_height).image
            pixels = cv2.cvtColor(page, cv2.COLOR_BGR2RGB) if page.ndim == 3 else page
            reading = recognizer.read(page)
            print(f"{kind}: {reading.text!r}")
            read.append(annotate(Picture(pixels, 1.0), reading))
        padded = [np.pad(each, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=255) for each in read]
        rows = [np.hstack(padded[start : start + COLUMNS]) for start in range(0, len(padded), COLUMNS)]
        cv2.imwrite(str(FOLDER / name), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
