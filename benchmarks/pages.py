"""How well pages are read: one table over all kinds of generated pages, or over labelled photographs.

    python benchmarks/pages.py --source digits.jsonl.gz --held-out
    python benchmarks/pages.py --source digits.jsonl.gz --held-out --pages 20 --save results.json
    python benchmarks/pages.py --source digits.jsonl.gz --held-out --pages 20 --before results.json
    python benchmarks/pages.py --photos photographs/ --tutorial runs/classic/model.onnx

Generated pages (`page_kinds.py`) are written with the pen strokes of a file that names writers; --held-out
keeps every fourth writer. --photos takes a folder of sources, each a folder with images and a `labels.csv` of
the columns `file` and `label`, the digits in reading order. Readers see the same images in turn: digitcli,
RapidOCR where it is installed (of its text only digits count), and with --tutorial that model behind the
tutorial's own pipeline, the whole picture shrunk to 28x28. Prints Markdown. Columns, for each reader:

    exact     pages whose digits are all read, in order, and nothing else; line breaks do not count
    digits    1 - edit distance / digits on the pages
    false     digits a page that are not there
    time      of reading a page, decoded already

Means count every kind or source alike; sources of fewer than ten images count together as one.
"""

import argparse
import csv
import json
import logging
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import page_kinds
from handwriting import tutorial
from measure import in_words, machine, print_table

from digitcli.preprocessing import image_files
from digitcli.recognition.pretrained import NO_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

SMALL = 10  # images; sources with fewer count as one
Read = Callable[[np.ndarray], str]


@dataclass
class Score:
    """What one reader made of the pages of one kind.

    Attributes:
        pages, exact: how many there are, and how many are read without a mistake.
        digits: on them.
        errors: edit distance, at most the number of digits of a page.
        false: digits that are read and not there.
        seconds: of reading.
        checksum: of the images (CRC-32).
    """

    pages: int = 0
    exact: int = 0
    digits: int = 0
    errors: int = 0
    false: int = 0
    seconds: float = 0.0
    checksum: int = 0

    def add(self, image: np.ndarray, text: str, found: str, seconds: float) -> None:
        wanted, found = only_digits(text), only_digits(found)
        errors, false = compare(wanted, found)
        self.pages += 1
        self.exact += wanted == found
        self.digits += len(wanted)
        self.errors += min(errors, len(wanted))
        self.false += false
        self.seconds += seconds
        self.checksum = zlib.crc32(np.ascontiguousarray(image).tobytes(), self.checksum)

    def merge(self, other: "Score") -> None:
        for name in ("pages", "exact", "digits", "errors", "false", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> tuple[float, float | None, float, float]:
        """Exact and digits 0..1, false digits a page, milliseconds a page."""
        digits = 1 - self.errors / self.digits if self.digits else None
        return self.exact / self.pages, digits, self.false / self.pages, 1000 * self.seconds / self.pages


def only_digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def compare(wanted: str, found: str) -> tuple[int, int]:
    """Return the edit distance, and how many of `found` are inserted in the best alignment."""
    row = [(place, place) for place in range(len(found) + 1)]  # errors, insertions
    for character in wanted:
        diagonal, row[0] = row[0], (row[0][0] + 1, row[0][1])
        for place, other in enumerate(found, 1):
            deleted = (row[place][0] + 1, row[place][1])
            inserted = (row[place - 1][0] + 1, row[place - 1][1] + 1)
            kept = (diagonal[0] + (character != other), diagonal[1])
            diagonal, row[place] = row[place], min(deleted, inserted, kept)
    return row[-1]


def rapidocr() -> Read:
    logging.disable(logging.WARNING)
    from rapidocr import RapidOCR

    engine = RapidOCR()
    return lambda image: "\n".join(engine(image).txts or ())


def readers(options: argparse.Namespace) -> dict[str, Read]:
    found: dict[str, Read] = {}
    for name in options.readers:
        if name == "digitcli":
            recognizer = Recognizer.load(options.model, detector=options.detector)
            found[name] = lambda image, read=recognizer.read: read(image).text
        elif name == "tutorial" and options.tutorial:
            read_all = tutorial(Recognizer.load(options.tutorial, detector=NO_DETECTOR))
            found["the tutorial's pipeline"] = lambda image, read=read_all: read([image])[0]
        elif name == "rapidocr" and find_spec("rapidocr"):
            found["RapidOCR"] = rapidocr()
    return found


def generated(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[page_kinds.Page]]]:
    for kind in page_kinds.all_kinds(options.source, held_out=options.held_out):
        if options.only and not any(part in kind.name for part in options.only):
            continue
        count = min(options.pages or kind.count, kind.count)
        yield kind.name, (page for page, _ in zip(kind.pages(), range(count), strict=False))


def photographed(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[page_kinds.Page]]]:
    for labels in sorted(options.photos.glob("**/labels.csv")):
        if options.only and not any(part in labels.parent.name for part in options.only):
            continue
        with labels.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[: options.pages]
        yield (
            labels.parent.name,
            ((image_files.read(labels.parent / row["file"]).pixels, row["label"]) for row in rows),
        )


def measure(pages: Iterator[page_kinds.Page], by: dict[str, Read]) -> dict[str, Score]:
    scores = {name: Score() for name in by}
    for image, text in pages:
        for name, read in by.items():
            start = time.perf_counter()
            found = read(image)
            scores[name].add(image, text, found, time.perf_counter() - start)
    return scores


def cells(score: Score) -> list[str]:
    exact, digits, false, milliseconds = score.figures()
    return [
        f"{exact:.1%}",
        "-" if digits is None else f"{digits:.1%}",
        f"{false:.2f}",
        f"{milliseconds:.0f} ms",
    ]


def means(scores: list[Score]) -> list[str]:
    """Return the mean cells of kinds or sources, each counting alike."""
    figures = [score.figures() for score in scores]
    exact, false, milliseconds = (float(np.mean([each[k] for each in figures])) for k in (0, 2, 3))
    digits = [each[1] for each in figures if each[1] is not None]
    shown = f"{np.mean(digits):.1%}" if digits else "-"
    return [f"{exact:.1%}", shown, f"{false:.2f}", f"{milliseconds:.0f} ms"]


def summaries(found: dict[str, dict[str, Score]], *, merge_small: bool) -> dict[str, list[dict[str, Score]]]:
    """Return the kinds or sources with digits and those without, small ones with digits merged into one."""
    groups: dict[str, list[dict[str, Score]]] = {"mean, with digits": [], "mean, without digits": []}
    small: dict[str, Score] = {}
    for by_reader in found.values():
        first = next(iter(by_reader.values()))
        if not first.digits:
            groups["mean, without digits"].append(by_reader)
        elif merge_small and first.pages < SMALL:
            for name, score in by_reader.items():
                small.setdefault(name, Score()).merge(score)
        else:
            groups["mean, with digits"].append(by_reader)
    if small:
        groups["mean, with digits"].append(small)
    return {name: group for name, group in groups.items() if group}


def earlier(path: Path, found: dict[str, dict[str, Score]]) -> None:
    """Add the scores of an earlier run to those of the same images; others are left out."""
    for kind, kept in json.loads(path.read_text(encoding="utf-8")).items():
        by_reader = found.get(kind, {})
        if by_reader and next(iter(by_reader.values())).checksum == kept["checksum"]:
            by_reader["before"] = Score(**kept)
    without = [kind for kind, by_reader in found.items() if "before" not in by_reader]
    if without:
        raise SystemExit(f"{path}: not of the same images: {', '.join(without)}")


def save(path: Path, found: dict[str, dict[str, Score]]) -> None:
    """Keep the first reader's scores."""
    kept = {kind: asdict(next(iter(by_reader.values()))) for kind, by_reader in found.items()}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def show(found: dict[str, dict[str, Score]], *, merge_small: bool) -> None:
    """Print the scores of every kind or source, and their means."""
    shown = list(next(iter(found.values())))
    rows = []
    for name, by_reader in found.items():
        first = by_reader[shown[0]]
        rows.append([name, str(first.pages), f"{first.digits / first.pages:.1f}"])
        for score in by_reader.values():
            rows[-1] += cells(score)
    for name, group in summaries(found, merge_small=merge_small).items():
        rows.append([f"**{name}**", f"{len(group)} groups", ""])
        for reader in shown:
            rows[-1] += means([scores[reader] for scores in group])
    headings = [f"{reader}: {each}" for reader in shown for each in ("exact", "digits", "false", "time")]
    print_table(["page", "pages", "digits a page", *headings], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--source", type=Path, help="pen strokes with a writer, for generated pages")
    what.add_argument("--photos", type=Path, help="a folder of labelled photographs")
    parser.add_argument("--held-out", action="store_true", help="every fourth writer alone")
    parser.add_argument("--pages", type=int, help="of each kind at most")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="kinds or sources whose names hold this")
    parser.add_argument("--readers", nargs="*", default=["digitcli", "tutorial", "rapidocr"])
    parser.add_argument("--model", type=Path, default=PRETRAINED_MODEL, help="of digitcli")
    parser.add_argument("--detector", help="of digitcli; none for rules alone")
    parser.add_argument("--tutorial", type=Path, help="a model of the recipe classic")
    parser.add_argument("--save", type=Path, help="keep the first reader's scores in a file")
    parser.add_argument("--before", type=Path, help="show the scores that are kept in a file")
    options = parser.parse_args()
    by = readers(options)
    sources = generated(options) if options.source else photographed(options)
    found = {}
    for name, pages in sources:
        found[name] = measure(pages, by)
        print(f"{name}: {', '.join(cells(next(iter(found[name].values()))))}", file=sys.stderr, flush=True)
    if not found:
        raise SystemExit("no pages; expected a folder with labels.csv, or other names after --only")
    if options.save:
        save(options.save, found)
    if options.before:
        earlier(options.before, found)
    show(found, merge_small=options.photos is not None)
    print(f"\n{in_words(machine())}")


if __name__ == "__main__":
    main()
