"""How a detector alone reads, with a plain decoder, beside the reader: one table over photographs and pages.

    python benchmarks/detector.py --photos photographs/ negatives/
    python benchmarks/detector.py --source digits.jsonl.gz --held-out --pages 10
    python benchmarks/detector.py --photos photographs/ --pictures found/

The decoder is a yardstick, not the reader: a pyramid of halves, suppression of overlapping marks, one
threshold for all digits, lines by nearness, digits as the detector tells them, and a quarter turn where much
more is found that way. Folders and columns are those of `pages.py`. --pictures draws the first image of each
source with what was found and the foreground's mask. Prints Markdown, and what a look at pages of three sizes
costs.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import page_kinds
import pages
from measure import in_words, machine

from digitcli.config.marks import MARKS
from digitcli.config.mnist import CLASSES
from digitcli.evaluation.detection import SURE
from digitcli.models import load
from digitcli.models.detector import FOREGROUND, MULTIPLE, load_detector
from digitcli.preprocessing.detector_form import detector_form
from digitcli.recognition.detections import Detections, decode, join, suppress
from digitcli.recognition.page_reader import PageReader
from digitcli.recognition.pretrained import NO_DETECTOR, PRETRAINED_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.recognition.scoring import SCORING_FILE

SIZES = ((256, 256), (2000, 1500), (4000, 3000))  # of pages whose cost is told
SMALLEST, LARGEST = 64, 2048  # longer side of the pyramid's pictures
TINY = 96  # longer side up to which a picture is enlarged twice, so that a digit of 28 pixels has 56
LEAST = 0.2  # score of a mark that is looked at
LEAST_OTHER = 0.4  # score of another mark that speaks for a page's being upright
TURNED_SIDE = 1024  # longer side at which the quarter turns of a page are compared
# a turn is believed from so many digits, weighed by how sure they are, where they are so many times as many
# as the upright ones, and as the upright marks of other kinds
LEAST_TURNED, MARGIN = 8.0, 1.5


class PlainReader:
    """Finds and reads digits with a detector alone."""

    def __init__(self, path: Path, score: float = SURE) -> None:
        self._detector = load_detector(path, threads=2)
        self._score = score

    def look_at(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs for an image, padded at its right and lower edge."""
        height, width = image.shape[:2]
        below, right = -height % MULTIPLE, -width % MULTIPLE
        grey, chroma = detector_form(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE))
        return self._detector.look_at(grey[np.newaxis], chroma[np.newaxis])

    def detect(self, image: np.ndarray, largest: int = LARGEST) -> Detections:
        """Return the marks that are found at any scale, the likeliest first."""
        parts = []
        side = max(image.shape[:2])
        scale = min(1.0, largest / side) if side > TINY else 2.0
        while True:
            size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
            seen = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            found = decode(self.look_at(seen), least_score=LEAST)
            parts.append(found.scaled(1 / scale))
            scale /= 2
            if max(size) / 2 < SMALLEST:
                return suppress(join(parts))

    def turned(self, image: np.ndarray) -> int:
        """Return by how many quarter turns, counterclockwise, a page is to be turned to be read."""
        found = [self.detect(np.rot90(image, turn), TURNED_SIDE) for turn in range(4)]
        digits = [self._weight(each, each.kinds < CLASSES) for each in found]
        upright = max(digits[0], self._weight(found[0], found[0].kinds >= CLASSES))
        best = int(np.argmax(digits))
        return best if digits[best] >= max(LEAST_TURNED, MARGIN * upright) else 0

    def _weight(self, found: Detections, which: np.ndarray) -> float:
        is_digit = found.kinds < CLASSES
        enough = np.where(is_digit, found.evidence >= self._score, found.scores >= LEAST_OTHER)
        sure = np.where(is_digit, found.digits.max(axis=1, initial=0) ** 2, 1)
        return float((found.scores * sure)[which & enough].sum())

    def read(self, image: np.ndarray) -> str:
        """Return the digits in reading order."""
        found = self.digits(image)
        if len(found) >= LEAST_TURNED:
            turn = self.turned(image)
            found = self.digits(np.rot90(image, turn)) if turn else found
        return "\n".join("".join(str(found.kinds[place]) for place in line) for line in lines(found))

    def digits(self, image: np.ndarray) -> Detections:
        """Return the digits that count."""
        found = self.detect(image)
        return found.select((found.kinds < CLASSES) & (found.evidence >= self._score))

    def draw(self, image: np.ndarray) -> np.ndarray:
        """Return an image with what is found on it, beside the foreground's mask."""
        scale = min(1.0, LARGEST / 2 / max(image.shape[:2])) if max(image.shape[:2]) > TINY else 2.0
        image = image if image.ndim == 2 else image[..., :3]
        seen = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        seen = seen if seen.ndim == 3 else cv2.cvtColor(seen, cv2.COLOR_GRAY2BGR)
        mask = 255 / (1 + np.exp(-self.look_at(seen)[FOREGROUND][0, :, :, 0]))
        mask = cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2)[: seen.shape[0], : seen.shape[1]]
        found = self.detect(image)
        is_digit = found.kinds < CLASSES
        for place in np.flatnonzero(
            np.where(is_digit, found.evidence >= self._score, found.scores >= LEAST_OTHER)
        ):
            x, y, width, height = (round(float(value) * scale) for value in found.boxes[place])
            colour = (0, 150, 0) if found.kinds[place] < CLASSES else (210, 110, 0)
            cv2.rectangle(seen, (x, y), (x + width, y + height), colour, 1)
            name = MARKS[found.kinds[place]]
            cv2.putText(
                seen, name, (x, max(10, y - 2)), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA
            )
        return np.hstack([seen, cv2.cvtColor(255 - mask, cv2.COLOR_GRAY2BGR)])


def lines(found: Detections) -> list[list[int]]:
    """Gather marks into lines by nearness of their middles, in heights."""
    rows: list[list[int]] = []
    middles = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    for place in np.argsort(middles[:, 0]) if len(found) else []:
        best, least = None, 0.6
        for row in rows:
            last = row[-1]
            height = max(found.boxes[place, 3], found.boxes[last, 3])
            apart = abs(middles[place, 1] - middles[last, 1]) / height
            if apart < least:
                best, least = row, apart
        if best is None:
            rows.append([int(place)])
        else:
            best.append(int(place))
    return sorted(rows, key=lambda row: float(np.mean(middles[row, 1])))


def gigaflops(width: int, height: int) -> float:
    """Return the floating-point operations, in billions, that a picture and its pyramid take."""
    from digitcli.config.detector import PATCH
    from digitcli.config.recipe import load_recipe
    from digitcli.models.factory import build_for_summary, summarize

    _, recipe = load_recipe("detector")
    multiply_adds = sum(layer.work for layer in summarize(build_for_summary(recipe)))
    return 2 * multiply_adds * (width * height / PATCH**2) * 4 / 3 / 1e9


def sources(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[page_kinds.Page]]]:
    for folder in options.photos:
        yield from pages.photographed(
            argparse.Namespace(photos=folder, only=options.only, pages=options.pages)
        )
    if options.source:
        yield from pages.generated(options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--detector", type=Path, default=PRETRAINED_DETECTOR)
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="folders of labelled photographs")
    parser.add_argument("--source", type=Path, help="pen strokes with a writer, for generated pages")
    parser.add_argument("--held-out", action="store_true", help="every fourth writer alone")
    parser.add_argument("--pages", type=int, help="of each kind or source at most")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="kinds or sources whose names hold this")
    parser.add_argument("--score", type=float, default=SURE, help="evidence from which a digit counts")
    parser.add_argument("--alone", action="store_true", help="without digitcli's reader")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw the first image of each source")
    options = parser.parse_args()
    plain = PlainReader(options.detector, options.score)
    by = {"detector": plain.read}
    if SCORING_FILE.exists():
        pages_read = PageReader(
            load_detector(options.detector, threads=2), load(PRETRAINED_MODEL), is_pretrained=True
        )
        by["page reader"] = pages_read.text
    if not options.alone:
        recognizer = Recognizer.load(PRETRAINED_MODEL, detector=NO_DETECTOR)
        by["reader"] = lambda image: recognizer.read(image).text
    found = {}
    start = time.perf_counter()
    for name, each in sources(options):
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(options.pictures / f"{name.replace(' ', '-')}.png"), plain.draw(next(each)[0]))
            continue
        found[name] = pages.measure(each, by)
        print(f"{name}: {', '.join(pages.cells(found[name]['detector']))}", file=sys.stderr, flush=True)
    if options.pictures:
        return
    pages.show(found, merge_small=not options.source)
    costs = (f"{width}x{height} {gigaflops(width, height):.2f}" for width, height in SIZES)
    print(f"\nGFLOP for a picture and its pyramid: {', '.join(costs)}.")
    print(f"{time.perf_counter() - start:.0f} s. {in_words(machine())}")


if __name__ == "__main__":
    main()
