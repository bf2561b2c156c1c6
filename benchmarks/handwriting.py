"""How well models read people who are not in MNIST: accuracy for each source, and time an image.

    python benchmarks/handwriting.py --sources mnist digits.jsonl folder/ --models artifacts/model.onnx
    python benchmarks/handwriting.py --sources mnist digits.jsonl --held-out --as-pages
    python benchmarks/handwriting.py --sources digits.jsonl --held-out --tutorial runs/classic/model.onnx

Sources are what `--data` takes. Pen strokes are drawn at mixed sizes and places with mixed pens; of
those with a writer, --held-out keeps every fourth writer. The pretrained model is always measured.
With --as-pages, they are read as pages of any number of digits, too.
With --tutorial, so is that model behind the tutorial's own pipeline: the whole canvas shrunk to
28x28. From pen strokes, numbers of 2 to 8 digits are made as well, read as drawing, as the strokes that
programs send, and drawn across the canvas with its usual brush. Last comes what the threshold
between digits and other marks costs: digits given up against marks taken for digits by the classifier alone;
then, kind by kind, in how many pictures of such marks `predict` reads a digit, with its detector and by rules
alone (two digits that are taken for a wrong cut are read, and rightly). Prints Markdown.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pens
from measure import in_words, machine, print_table

from digitcli.canvas.canvas import SIDE
from digitcli.canvas.canvas_reading import read as read_canvas
from digitcli.canvas.canvas_reading import read_many
from digitcli.canvas.session import Session
from digitcli.datasets import folder, load, load_split, stroke_files
from digitcli.datasets.strokes import Drawing
from digitcli.preprocessing.image_files import image_files, read
from digitcli.recognition.pretrained import NO_DETECTOR, PRETRAINED_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.recognition.rules.cuttings import miscut
from digitcli.synthesis import drawing
from digitcli.web.drawings import read as read_drawings

LENGTHS = ((2, 3), (4, 5), (6, 8))  # digits of a number, fewest and most
ACROSS = 0.8  # of the canvas's side
OTHERS, OF_KIND = 2_000, 300
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Images = list[np.ndarray]
Read = Callable[[Images], list[str]]


def images_of(source: str, *, held_out: bool) -> tuple[Images, list[str]]:
    """Return a source's images as people would hand them in, and what they say."""
    path = Path(source)
    if path.name.endswith(stroke_files.SUFFIXES):
        random = np.random.default_rng(0)
        drawings = pens.read(path, held_out=held_out)
        return [pens.on_canvas(each, random) for each in drawings], [str(each["label"]) for each in drawings]
    if folder.is_one(path):
        files = [(file, name) for name in folder.NAMES for file in image_files(path / name)[0]]
        return [read(file).pixels for file, _ in files], [label for _, label in files]
    digits = load(source).test
    return list(digits.images), [str(label) for label in digits.labels]


def tutorial(recognizer: Recognizer) -> Read:
    def run(images: Images) -> list[str]:
        grey = [
            image if image.ndim == 2 else image[..., :3].mean(axis=2).astype(np.uint8) for image in images
        ]
        # its canvas is black; pictures of paper are inverted for it
        grey = [image if image.mean() < 128 else cv2.bitwise_not(image) for image in grey]
        small = np.stack([cv2.resize(image, (28, 28), interpolation=cv2.INTER_AREA) for image in grey])
        return [str(best) for best in recognizer.classify(small).argmax(axis=1)]

    return run


def single(recognizer: Recognizer) -> Read:
    """Read one digit an image; the likeliest, also where it is no digit to the model."""

    def run(images: Images) -> list[str]:
        read = recognizer.read_many(images, single=True)
        return [str(int(np.argmax(each.digits[0].probabilities))) if each.digits else "" for each in read]

    return run


def as_pages(recognizer: Recognizer) -> Read:
    """Read any number of digits an image, lines one after the other."""
    return lambda images: [each.text.replace("\n", "") for each in recognizer.read_many(images)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sources", nargs="+", default=["mnist"])
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--tutorial", help="a model of the recipe classic")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--as-pages", action="store_true", help="read the sources without --single, too")
    parser.add_argument("--numbers", type=int, default=1_000, metavar="N", help="how many are made")
    options = parser.parse_args()
    models = {"pretrained": PRETRAINED_MODEL, **{name: Path(name) for name in options.models}}
    recognizers = {name: Recognizer.load(path, detector=NO_DETECTOR) for name, path in models.items()}
    readers = {name: single(each) for name, each in recognizers.items()}
    if options.as_pages:
        readers |= {f"{name}, as pages": as_pages(each) for name, each in recognizers.items()}
    if options.tutorial:
        readers["the tutorial's pipeline"] = tutorial(Recognizer.load(options.tutorial))
    rows = []
    for source in options.sources:
        drawing, truth = images_of(source, held_out=options.held_out)
        for name, reader in readers.items():
            start = time.perf_counter()
            found = reader(drawing)
            spent = (time.perf_counter() - start) / len(drawing) * 1000
            right = np.mean([one == other for one, other in zip(found, truth, strict=True)])
            rows.append([Path(source).name, f"{len(drawing):,}", name, f"{right:.2%}", f"{spent:.2f} ms"])
    print_table(["source", "images", "read by", "right", "an image"], rows)
    for source in options.sources:
        if source.endswith(stroke_files.SUFFIXES):
            drawings = pens.read(Path(source), held_out=options.held_out)
            made = pens.numbers(drawings, options.numbers, seed=0)
            print(f"\n{len(made):,} numbers of 2 to 8 digits from {Path(source).name}:\n")
            numbers(made, recognizers)
            canvases(made, recognizers)
    trade_off(recognizers)
    other_marks(models, recognizers)
    print(f"\n{in_words(machine())}")


def numbers(made: list[pens.Number], recognizers: dict[str, Recognizer]) -> None:
    images = [pens.drawn(strokes, width) for _, _, strokes, width in made]
    rows = []
    for name, recognizer in recognizers.items():
        start = time.perf_counter()
        found = [each.text for each in recognizer.read_many(images)]
        spent = (time.perf_counter() - start) / len(made) * 1000
        right = np.array([one == text for one, (text, *_) in zip(found, made, strict=True)])
        touching = np.array([touches for _, touches, *_ in made])
        rows.append(
            [name, f"{right.mean():.1%}", f"{right[~touching].mean():.1%}", f"{right[touching].mean():.1%}",
             f"{spent:.1f} ms"]
        )  # fmt: skip
    print_table(["read by", "right", "apart", "touching", "a number"], rows)


def canvases(made: list[pens.Number], recognizers: dict[str, Recognizer]) -> None:
    """Read numbers whose digits stand apart as the API reads strokes, and as `draw` reads its canvas."""
    made = [each for each in made if not each[1]]
    lengths = np.array([len(text) for text, *_ in made])
    rows = []
    for name, recognizer in recognizers.items():
        for way, find in (("as strokes", as_strokes), ("on the canvas", on_the_canvas)):
            right = np.array([find(recognizer, strokes) == text for text, _, strokes, _ in made])
            shares = [right[(lengths >= low) & (lengths <= high)].mean() for low, high in LENGTHS]
            rows.append([name, way, *(f"{share:.1%}" for share in shares)])
    print(f"\n{len(made):,} of them, whose digits stand apart, by their number of digits:\n")
    print_table(["read by", "", *(f"{low} to {high}" for low, high in LENGTHS)], rows)


def as_strokes(recognizer: Recognizer, strokes: list[np.ndarray]) -> str:
    sent = Drawing(strokes=[stroke.tolist() for stroke in strokes])
    (reading,) = read_drawings([sent], single=None, read_canvases=partial(read_many, recognizer))
    return reading.text


def on_the_canvas(recognizer: Recognizer, strokes: list[np.ndarray]) -> str:
    """Draw across a canvas with the brush that it begins with."""
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = ACROSS * SIDE / max(extent)
    session = Session(partial(read_canvas, recognizer))
    placed = [((stroke - low - extent / 2) * scale + SIDE / 2).tolist() for stroke in strokes]
    session.canvas.load(placed, session.canvas.brush)
    session.refresh()
    return session.canvas_reading.reading.text if session.canvas_reading else ""


def trade_off(recognizers: dict[str, Recognizer]) -> None:
    """Tell digits from marks that are drawn by the program with a seed that no training has."""
    validation = load_split("mnist").validation
    others = drawing.non_digits(OTHERS, 1_000_003, validation, miscut)
    print(f"\n5,000 validation digits, {OTHERS:,} drawn marks that are no digits:\n")
    rows = []
    for name, recognizer in recognizers.items():
        digits = recognizer.classify(validation.images).max(axis=1)
        marks = recognizer.classify(others.images).max(axis=1)
        own = round(recognizer.threshold, 3)
        for threshold in sorted({*THRESHOLDS, own}):
            is_own = threshold == own
            rows.append(
                [
                    name,
                    f"{threshold} (its own)" if is_own else f"{threshold}",
                    f"{np.mean(digits < threshold):.2%}",
                    f"{np.mean(marks >= threshold):.2%}",
                ]
            )
    print_table(["model", "threshold", "digits given up", "marks taken for digits"], rows)


def other_marks(models: dict[str, Path], by_rules: dict[str, Recognizer]) -> None:
    """Tell in how many pictures of other marks `predict` reads a digit, with the detector and `by_rules`."""
    validation, random = load_split("mnist").validation, np.random.default_rng([1_000_003, 2])
    kinds = {
        name: drawing.collect(OF_KIND, lambda _, draw=draw: draw(random, validation))
        for name, draw in {**drawing.NON_DIGITS, "digits cut wrongly": miscut}.items()
    }
    print(f"\n{OF_KIND} marks of each kind, in how many of which predict reads a digit:\n")
    rows = []
    for name, path in models.items():
        with_detector = Recognizer.load(path, detector=PRETRAINED_DETECTOR)
        for recognizer, words in ((with_detector, "with the detector"), (by_rules[name], "by rules alone")):
            read = [
                np.mean([bool(reading.text) for reading in recognizer.read_many(images)])
                for images in kinds.values()
            ]
            rows.append([name, words, *(f"{share:.1%}" for share in read), f"{np.mean(read[:-1]):.1%}"])
    print_table(["model", "read", *kinds, "mean of the first three"], rows)


if __name__ == "__main__":
    main()
