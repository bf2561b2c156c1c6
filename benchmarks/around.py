"""How many pages are read whole on which something is drawn around the digits, or between them.

    python benchmarks/around.py --source digits.jsonl --held-out

Digits are pen strokes of a file as `--data` takes them, each page by one writer; --held-out keeps every
fourth writer. Lines are printed (straight, two pixels) or drawn by hand with the pen of the digits. A page
counts where every digit of it is read, in its line, and nothing else. Prints Markdown.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pens
from measure import in_words, machine, print_table

from digitcli.datasets.strokes import draw_stroke
from digitcli.recognition.pretrained import PRETRAINED, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

PAGES = 40
SIZE = (900, 1200)  # pixels
HEIGHTS = (40, 90)  # pixels of digits
SYMBOLS = {
    ".": [[(0.0, 1.0), (0.02, 1.01)]],
    "+": [[(0.0, 0.5), (0.5, 0.5)], [(0.25, 0.25), (0.25, 0.75)]],
    "=": [[(0.0, 0.4), (0.5, 0.4)], [(0.0, 0.65), (0.5, 0.65)]],
    "/": [[(0.45, -0.15), (0.0, 1.15)]],
    "(": [[(0.2, -0.18), (0.05, 0.15), (0.0, 0.5), (0.05, 0.85), (0.2, 1.18)]],
    ")": [[(0.0, -0.18), (0.15, 0.15), (0.2, 0.5), (0.15, 0.85), (0.0, 1.18)]],
    "v": [[(0.0, 0.55), (0.18, 0.95), (0.7, 0.05)]],  # a tick
}
Drawings = dict[int, list[dict]]


class Page:
    """A sheet that one writer fills; lengths are in heights of its digits."""

    def __init__(self, drawings: Drawings, random: np.random.Generator) -> None:
        self.random = random
        self._drawings = drawings
        self._unit = random.uniform(*HEIGHTS)
        self._pen = max(3, int(self._unit * random.uniform(0.05, 0.11)))
        self._strokes = np.zeros(SIZE, np.uint8)
        self._lines: list[str] = []

    @property
    def image(self) -> np.ndarray:
        return np.asarray(cv2.bitwise_not(self._strokes))

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def digits(self, count: int) -> str:
        return "".join(map(str, self.random.integers(0, 10, count)))

    def write(self, text: str, x: float, y: float, *, size: float = 1.0, same_line: bool = False) -> float:
        """Write digits and symbols with their left upper corner at (x, y); return where they end."""
        for character in text:
            strokes = self._digit(int(character)) if character.isdigit() else self._symbol(character)
            for stroke in strokes:
                draw_stroke(self._strokes, (stroke * size + [x, y]) * self._unit, self._pen)
            width = size * float(np.ptp(np.concatenate(strokes)[:, 0]))
            x += width + self._pen / self._unit + max(0.06, self.random.normal(0.25, 0.07))
        digits = "".join(filter(str.isdigit, text))
        if same_line:
            self._lines[-1] += digits
        else:
            self._lines.append(digits)
        return x

    def print_line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        ends = [tuple(round(value * self._unit) for value in end) for end in ((x0, y0), (x1, y1))]
        cv2.line(self._strokes, *ends, 255, 2, cv2.LINE_AA)

    def draw_line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a line with the pen, a little wavy."""
        start, end = np.array([x0, y0]), np.array([x1, y1])
        share = np.linspace(0, 1, 20)[:, np.newaxis]
        aside = (end - start)[::-1] * [-1, 1] / np.hypot(*(end - start))
        waves = np.interp(share[:, 0], np.linspace(0, 1, 6), self.random.normal(0, 0.012, 6))
        points = start + (end - start) * share + aside * waves[:, np.newaxis]
        draw_stroke(self._strokes, points * self._unit, self._pen)

    def _digit(self, digit: int) -> list[np.ndarray]:
        of_digit = self._drawings[digit]
        strokes = [np.array(s, float) for s in of_digit[int(self.random.integers(len(of_digit)))]["strokes"]]
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = self.random.uniform(0.88, 1.08) / max(extent[1], extent[0] / 2, 1.0)
        down = (1 - extent[1] * scale) / 2 + self.random.normal(0, 0.04)
        return [(stroke - low) * scale + [0, down] for stroke in strokes]

    def _symbol(self, symbol: str) -> list[np.ndarray]:
        size = np.exp(self.random.normal(0, 0.06, 2))  # about its middle
        return [
            (np.array(stroke) - [0, 0.5]) * size + [0, 0.5] + self.random.normal(0, 0.02, (len(stroke), 2))
            for stroke in SYMBOLS[symbol]
        ]


def date(page: Page) -> None:
    page.write(f"{page.digits(2)}.{page.digits(2)}.{page.digits(4)}", 1.2, 2)


def equation(page: Page) -> None:
    page.write(f"{page.digits(2)}+{page.digits(2)}={page.digits(2)}", 1.2, 2)


def slashes(page: Page) -> None:
    page.write(f"{page.digits(2)}/{page.digits(2)}/{page.digits(4)}", 1.2, 2)


def in_brackets(page: Page) -> None:
    page.write(f"({page.digits(3)}){page.digits(4)}", 1.2, 2)


def listed(page: Page) -> None:
    for row in range(4):
        end = page.write(f"{row + 1})", 1, 0.7 + 1.7 * row)
        page.write(page.digits(3), end + 0.6, 0.7 + 1.7 * row, same_line=True)


def ticked(page: Page) -> None:
    for row in range(3):
        end = page.write(page.digits(3), 1, 0.7 + 1.9 * row)
        page.write("v", end + 0.8, 0.7 + 1.9 * row, same_line=True)


def underlined(page: Page) -> None:
    end = page.write(page.digits(4), 2, 2)
    page.draw_line(1.9, 3.25, end, 3.2)


def fraction(page: Page) -> None:
    page.write(page.digits(1), 4, 2)
    page.draw_line(3.7, 3.3, 5.2, 3.28)
    page.write(page.digits(1), 4, 3.6)


def addition(page: Page) -> None:
    for row in range(3):
        page.write(page.digits(3), 3.5, 1.2 + 1.6 * row)
    page.draw_line(2.4, 5.75, 6.6, 5.7)
    page.write(page.digits(3), 3.5, 6.05)


def blanks(page: Page) -> None:
    for row in range(4):
        page.write(page.digits(3), 3.5, 0.7 + 2 * row)
        page.print_line(2.8, 1.75 + 2 * row, 7.5, 1.75 + 2 * row)


def boxes(page: Page) -> None:
    number = page.digits(5)
    for place, digit in enumerate(number):
        page.write(digit, 1.45 + 1.6 * place, 2.3, size=0.95, same_line=place > 0)
    _lattice(page.print_line, 1, 2, columns=[1.6] * 5, rows=[1.6])


def comb(page: Page) -> None:
    for place, digit in enumerate(page.digits(5)):
        page.write(digit, 1.4 + 1.4 * place, 2.15, size=0.95, same_line=place > 0)
    page.print_line(1, 3.3, 8, 3.3)
    for place in range(6):
        page.print_line(1 + 1.4 * place, 2.9, 1 + 1.4 * place, 3.3)


def table(page: Page) -> None:
    rows, columns = (int(value) for value in page.random.integers(2, 5, 2))
    _fill(page, page.print_line, rows, columns)


def drawn_table(page: Page) -> None:
    _fill(page, page.draw_line, 2, 3)


def drawn_box(page: Page) -> None:
    end = page.write(page.digits(3), 2.5, 2.5)
    _lattice(page.draw_line, 2, 2.05, columns=[end - 1.8], rows=[1.9])


def margin(page: Page) -> None:
    for row in range(4):
        page.write(page.digits(4), 3.6, 0.7 + 1.7 * row)
    page.print_line(2.4, 0.3, 2.4, 9)


def _fill(page: Page, line: Callable[..., None], rows: int, columns: int) -> None:
    for row in range(rows):
        for column in range(columns):
            page.write(page.digits(2), 1.5 + 2.6 * column, 1 + 1.8 * row, size=0.85, same_line=column > 0)
    _lattice(line, 1.1, 0.6, columns=[2.6] * columns, rows=[1.8] * rows)


def _lattice(
    line: Callable[..., None], x: float, y: float, *, columns: list[float], rows: list[float]
) -> None:
    right, bottom = x + sum(columns), y + sum(rows)
    for level in np.cumsum([y, *rows]):
        line(x, level, right, level)
    for upright in np.cumsum([x, *columns]):
        line(upright, y, upright, bottom)


KINDS: dict[str, Callable[[Page], None]] = {
    "a date with dots": date,
    "a sum in a line, with + and =": equation,
    "a number underlined": underlined,
    "a fraction": fraction,
    "numbers added up, with a line": addition,
    "numbers on printed lines": blanks,
    "a form's boxes": boxes,
    "a form's comb": comb,
    "a printed table": table,
    "a table drawn by hand": drawn_table,
    "a box drawn by hand": drawn_box,
    "a line down the margin": margin,
    "a date with slashes": slashes,
    "a number with brackets": in_brackets,
    "a list, 1) to 4)": listed,
    "numbers with ticks": ticked,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--detector", default=PRETRAINED, help="a file, or none for rules alone")
    options = parser.parse_args()
    by_writer: dict[str, Drawings] = defaultdict(lambda: defaultdict(list))
    for drawing in pens.read(options.source, held_out=options.held_out):
        by_writer[drawing["writer"]][drawing["label"]].append(drawing)
    writers = sorted(by_writer)
    recognizer = Recognizer.load(PRETRAINED_MODEL, detector=options.detector)
    rows = []
    for seed, (kind, draw) in enumerate(KINDS.items()):
        random = np.random.default_rng(seed)
        pages = []
        for _ in range(PAGES):
            pages.append(Page(by_writer[writers[int(random.integers(len(writers)))]], random))
            draw(pages[-1])
        read = recognizer.read_many(page.image for page in pages)
        right = sum(reading.text == page.text for reading, page in zip(read, pages, strict=True))
        digits = sum(len(page.text.replace("\n", "")) for page in pages) / PAGES
        rows.append([kind, f"{digits:.1f}", f"{right} of {PAGES}"])
    print_table(["page", "digits on it", "read right"], rows)
    print(f"\n{in_words(machine())}")


if __name__ == "__main__":
    main()
