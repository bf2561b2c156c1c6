"""How well whole pages are read from photographs: numbers by many writers, photographed in many ways.

    python benchmarks/photographs.py --source digits.jsonl
    python benchmarks/photographs.py --source digits.jsonl --pages 50 --only desk corner --keep pictures

The photographs are made by the program from pen strokes: paper with a grain, light from one side, a pen's
colour, a turn, JPEG, and what each condition adds. A line counts where it is read to the last digit. Prints
Markdown.
"""

import argparse
import time
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

Random = np.random.Generator
Picture = np.ndarray  # (H, W, 3) float32, 0..1, blue first
BALLPOINT, PENCIL, RED = (0.35, 0.13, 0.1), (0.6, 0.6, 0.6), (0.3, 0.25, 0.85)
WOOD, GREY, LIGHT_WOOD = (0.12, 0.2, 0.3), (0.45, 0.5, 0.55), (0.35, 0.55, 0.72)
RULES = (0.86, 0.72, 0.6)


def page(
    writers: list[list[dict]],
    random: Random,
    *,
    lines: int = 3,
    height: float = 60,
    pen: int = 6,
    stroke_colour: tuple[float, ...] = BALLPOINT,
    paper: tuple[float, ...] = (0.93, 0.92, 0.88),
    rules: int = 0,
    is_grid: bool = False,
) -> tuple[list[str], Picture]:
    """Write lines of 3 to 6 digits, each by one writer; return what they say and the sheet."""
    margin, texts, strokes, width = 1.3 * height, [], [], 0.0
    for number in range(lines):
        drawings = writers[int(random.integers(len(writers)))]
        x, y, text = margin + random.uniform(0, 0.7 * height), margin + 2 * height * number, ""
        for place in random.integers(len(drawings), size=int(random.integers(3, 7))):
            digit = [np.array(stroke, float) for stroke in drawings[int(place)]["strokes"]]
            points = np.concatenate(digit)
            low, extent = points.min(axis=0), np.ptp(points, axis=0)
            scale = height * random.uniform(0.85, 1.1) / max(extent[1], extent[0] / 2, 1.0)
            down = random.normal(0, 0.05 * height) + (height - extent[1] * scale) / 2
            strokes += [(stroke - low) * scale + [x, y + down] for stroke in digit]
            text += str(drawings[int(place)]["label"])
            x += extent[0] * scale + pen + max(3, height * random.normal(random.uniform(0.25, 0.6), 0.06))
        texts.append(text)
        width = max(width, x)
    written = np.zeros((int(margin + 2 * height * lines + 0.3 * height), int(width + margin)), np.uint8)
    for stroke in strokes:
        draw_stroke(written, stroke, pen)
    sheet = np.empty((*written.shape, 3), np.float32)
    sheet[:] = paper
    for y in range(int(random.integers(8, 50)), sheet.shape[0], rules or sheet.shape[0]):
        cv2.line(sheet, (0, y), (sheet.shape[1], y), RULES if rules else paper, 2)
    for x in range(5, sheet.shape[1] if is_grid else 0, rules or 1):
        cv2.line(sheet, (x, 0), (x, sheet.shape[0]), RULES, 2)
    share = 0.9 * (written / np.float32(255))[..., np.newaxis]
    return texts, lit(sheet * (1 - share) + np.array(stroke_colour, np.float32) * share, random)


def lit(sheet: Picture, random: Random) -> Picture:
    """Give paper a grain, and light from somewhere."""
    height, width = sheet.shape[:2]
    y, x = np.mgrid[:height, :width]
    far = ((x - random.uniform(0, width)) / width) ** 2 + ((y - random.uniform(0, height)) / height) ** 2
    grain = cv2.GaussianBlur(random.normal(0, 0.06, (height, width)).astype(np.float32), (0, 0), 1.1)
    return (sheet + grain[..., np.newaxis]) * (0.65 + 0.35 * np.exp(-1.5 * far))[..., np.newaxis]


def shaded(sheet: Picture, random: Random, softness: float) -> Picture:
    """Let a shadow fall over half of the sheet; its edge fades over about four times `softness` pixels."""
    height, width = sheet.shape[:2]
    y, x = np.mgrid[:height, :width]
    angle = random.uniform(0, np.pi)
    reach = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle)
    reach -= random.uniform(-0.2, 0.2) * width
    return sheet * (1 - 0.5 / (1 + np.exp(-np.clip(reach / softness, -50, 50))))[..., np.newaxis]


def on_desk(
    sheet: Picture, random: Random, colour: tuple[float, ...], margins: list[float], turn: float = 6
) -> Picture:
    """Lay a sheet on a desk that is to be seen above, left, below and right of it, in shares of its width."""
    above, left, below, right = (int(margin * sheet.shape[1]) for margin in margins)
    height, width = sheet.shape[:2]
    desk = np.empty((height + above + below, width + left + right, 3), np.float32)
    grain = cv2.GaussianBlur(random.normal(0, 0.5, desk.shape[:2]).astype(np.float32), (0, 0), 3)
    desk[:] = np.array(colour) * (1 + grain[..., np.newaxis])
    desk += random.normal(0, 0.02, desk.shape).astype(np.float32)
    desk[above : above + height, left : left + width] = sheet
    return turned(desk, random, turn)


def turned(picture: Picture, random: Random, degrees: float) -> Picture:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-degrees, degrees), 1.0)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def photograph(picture: Picture, quality: int, blur: float) -> np.ndarray:
    """Return (H, W, 3) uint8 as a camera would, in JPEG and back."""
    seen = np.clip(cv2.GaussianBlur(picture, (0, 0), blur) * 255, 0, 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(file, cv2.IMREAD_COLOR)


def conditions() -> dict[str, tuple[dict, Callable[[Picture, Random], Picture], int, float]]:
    """Return for each condition how the page is written, what is done to it, and JPEG's quality and blur."""

    def flat(sheet: Picture, random: Random) -> Picture:
        return turned(sheet, random, 3)

    def desk(colour: tuple[float, ...], low: float, high: float, sides: str = "0123") -> Callable:
        def lay(sheet: Picture, random: Random) -> Picture:
            margins = [random.uniform(low, high) if str(side) in sides else 0.0 for side in range(4)]
            return on_desk(sheet, random, colour, margins, 3 if len(sides) == 1 else 6)

        return lay

    return {
        "plain paper": ({}, flat, 80, 0.8),
        "ruled": ({"rules": 60}, flat, 80, 0.8),
        "squared": ({"rules": 30, "is_grid": True}, flat, 80, 0.8),
        "soft shadow": ({}, lambda s, r: shaded(s, r, 8), 80, 0.8),
        "hard shadow": ({}, lambda s, r: shaded(s, r, 1), 80, 0.8),
        "pencil": ({"stroke_colour": PENCIL, "pen": 4}, flat, 80, 0.8),
        "red pen": ({"stroke_colour": RED, "pen": 5}, flat, 80, 0.8),
        "hair-thin pen": ({"pen": 2}, flat, 80, 0.6),
        "digits of 24 pixels": ({"height": 24, "pen": 3}, flat, 80, 0.6),
        "JPEG at 20": ({}, flat, 20, 0.8),
        "chalk": ({"stroke_colour": (0.8, 0.83, 0.8), "paper": (0.25, 0.35, 0.2), "pen": 7}, flat, 80, 0.8),
        "desk": ({}, desk(WOOD, 0.1, 0.2), 80, 0.8),
        "grey desk": ({}, desk(GREY, 0.03, 0.3), 80, 0.8),
        "light desk": ({}, desk(LIGHT_WOOD, 0.03, 0.3), 80, 0.8),
        "desk, from far": ({}, desk(WOOD, 0.6, 0.6), 80, 0.8),
        "desk, ruled": ({"rules": 60}, desk(WOOD, 0.05, 0.2), 80, 0.8),
        "desk at a corner": ({}, desk(WOOD, 0.08, 0.25, "01"), 80, 0.8),
        "desk at one side": ({}, desk(WOOD, 0.08, 0.35, "3"), 80, 0.8),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="pen strokes with a writer")
    parser.add_argument("--held-out", action="store_true", help="every fourth writer alone")
    parser.add_argument("--pages", type=int, default=20, help="of each condition")
    parser.add_argument("--only", nargs="*", help="conditions")
    parser.add_argument("--model", type=Path, default=PRETRAINED_MODEL)
    parser.add_argument("--keep", type=Path, help="a folder for the first picture of each condition")
    parser.add_argument("--detector", default=PRETRAINED, help="a file, or none for rules alone")
    options = parser.parse_args()
    by_writer = defaultdict(list)
    for drawing in pens.read(options.source, held_out=options.held_out):
        by_writer[drawing["writer"]].append(drawing)
    writers, rows = list(by_writer.values()), []
    recognizer = Recognizer.load(options.model, detector=options.detector)
    for name, (writing, happens, quality, blur) in conditions().items():
        if options.only and name not in options.only:
            continue
        random, right, lines, spent = np.random.default_rng(1), 0, 0, 0.0
        for number in range(options.pages):
            texts, sheet = page(writers, random, **writing)
            seen = photograph(happens(sheet, random), quality, blur)
            if options.keep and number == 0:
                options.keep.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(options.keep / f"{name}.png"), seen)
            start = time.perf_counter()
            found = recognizer.read(seen).text.split("\n")
            spent += time.perf_counter() - start
            if len(found) == len(texts):
                right += sum(one == other for one, other in zip(found, texts, strict=True))
            lines += len(texts)
        rows.append([name, f"{right / lines:.1%}", f"{1000 * spent / options.pages:.0f} ms"])
    print_table(["photograph", "lines right", "a page"], rows)
    print(f"\n{options.pages} pages of three lines each. {in_words(machine())}")


if __name__ == "__main__":
    main()
