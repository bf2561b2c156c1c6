"""Drawings by many writers, as the reading benchmarks take them: on canvases, one digit or several."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from digitcli.datasets.pen_strokes import PenStrokes
from digitcli.datasets.strokes import draw_stroke

CANVAS = 512  # pixels
PENS = (8, 28)  # pixels, thinnest and thickest
VALIDATION = 3  # writers

Number = tuple[str, bool, list[np.ndarray], int]  # text, whether digits touch, strokes, the pen's width


def read(path: Path, *, held_out: bool) -> list[dict]:
    """Read a file of pen strokes; `held_out` keeps every fourth writer, those that nothing was tuned on."""
    drawings = _read(path)
    kept = set(_writers(drawings)[3::4]) if held_out else set(_writers(drawings))
    return [drawing for drawing in drawings if drawing["writer"] in kept]


def validation(path: Path) -> PenStrokes:
    """Read the writers by whose digits thresholds and weights are chosen: the last three not held out."""
    drawings = _read(path)
    writers = _writers(drawings)
    chosen = [name for place, name in enumerate(writers) if place % 4 != 3][-VALIDATION:]
    kept = [drawing for drawing in drawings if drawing["writer"] in chosen]
    return PenStrokes(
        np.array([drawing["label"] for drawing in kept], np.uint8),
        np.array([writers.index(drawing["writer"]) for drawing in kept], np.uint8),
        tuple(tuple(np.array(stroke, np.float64) for stroke in drawing["strokes"]) for drawing in kept),
    )


def _read(path: Path) -> list[dict]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file]


def _writers(drawings: list[dict]) -> list[str]:
    return sorted({drawing["writer"] for drawing in drawings}, key=lambda name: (len(name), name))


def on_canvas(drawing: dict, random: np.random.Generator) -> np.ndarray:
    """Draw strokes, white on black, at some size and place and with some pen, (512, 512) uint8."""
    strokes = [np.array(stroke, float) for stroke in drawing["strokes"]]
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1.0)
    size, pen = random.uniform(0.2, 0.8) * CANVAS, int(random.integers(*PENS))
    free = CANVAS - np.ptp(points, axis=0) / extent * size - 2 * pen
    corner = pen + random.uniform(0, 1, 2) * np.maximum(free, 0)
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    for stroke in strokes:
        draw_stroke(canvas, (stroke - low) / extent * size + corner, min(pen, int(0.2 * size)))
    return canvas


def numbers(drawings: list[dict], count: int, seed: int) -> list[Number]:
    """Write numbers of 2 to 8 digits, each by one writer; lengths in pixels.

    A tenth are written so that about half of the neighbours touch.
    """
    random = np.random.default_rng(seed)
    by_writer = defaultdict(list)
    for drawing in drawings:
        by_writer[drawing["writer"]].append(drawing)
    writers = list(by_writer.values())
    return [_number(writers[int(random.integers(len(writers)))], random) for _ in range(count)]


def _number(drawings: list[dict], random: np.random.Generator) -> Number:
    height = 100.0
    pen, touching = int(random.integers(5, 13)), bool(random.random() < 0.1)
    spacing = random.uniform(0.1, 0.6)
    placed, text, x = [], "", 0.0
    for place in random.integers(len(drawings), size=int(random.integers(2, 9))):
        strokes = [np.array(stroke, float) for stroke in drawings[int(place)]["strokes"]]
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = height * random.uniform(0.85, 1.1) / max(extent[1], extent[0] / 2, 1.0)
        y = random.normal(0, 6) + (height - extent[1] * scale) / 2
        placed += [(stroke - low) * scale + [x, y] for stroke in strokes]
        text += str(drawings[int(place)]["label"])
        touches = touching and random.random() < 0.5
        gap = (
            random.uniform(-0.02, 0.02) * height
            if touches
            else pen + max(3, height * random.normal(spacing, 0.06))
        )
        x += extent[0] * scale + gap
    return text, touching, placed, pen


def drawn(strokes: list[np.ndarray], pen: int) -> np.ndarray:
    """Draw a number, black on white, (H, W) uint8."""
    margin = 40
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    width, tall = (np.ptp(points, axis=0) + 2 * margin).astype(int)
    canvas = np.zeros((tall, width), np.uint8)
    for stroke in strokes:
        draw_stroke(canvas, stroke - low + margin, pen)
    return np.asarray(cv2.bitwise_not(canvas))
