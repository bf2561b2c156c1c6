"""Pages that the program draws itself, with a label for every mark, to train and to validate detectors.

`draw_page` draws one of any size; the same seed draws the same. None of the code that composes, papers,
lights or photographs pages is shared with those on which readers are measured (``benchmarks/``).

- `marks`, `fonts`: digits, signs and letters as distance fields, to be drawn at any size with any pen
- `sheet`: layers of ink, and the labels
- `writing`: hands and lines
- `texts`: what they write
- `scene`: a sheet that is being filled
- `content`, `cells`, `tables`: what stands on a page, by kind
- `paper`: what lies under the writing
- `things`: what is no paper
- `camera`: from the sheet to a picture
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.config.mnist import CLASSES
from digitcli.preprocessing.mnist_form import Images
from digitcli.synthesis.pages.camera import take
from digitcli.synthesis.pages.content import KINDS
from digitcli.synthesis.pages.marks import Library
from digitcli.synthesis.pages.paper import Colours, Shares, draw_desk, draw_paper
from digitcli.synthesis.pages.scene import Scene
from digitcli.synthesis.pages.sheet import Label, Layer, Sheet
from digitcli.synthesis.pages.things import draw_things

__all__ = ["KINDS", "Library", "Page", "draw_page"]


@dataclass(frozen=True, eq=False)
class Page:
    """A picture with what is on it.

    Attributes:
        kind: one of `KINDS`.
        image: (H, W, 3) uint8, blue, green, red.
        digit_ink: (H, W) uint8, how much of a pixel a digit's ink covers, of 255.
        labels: of its marks; those that nobody could read are not among them.
        doubtful: marks that may be found or not: cut off, hidden, or barely to be seen.
    """

    kind: str
    image: Images
    digit_ink: Images
    labels: tuple[Label, ...]
    doubtful: tuple[Label, ...]

    @property
    def digits(self) -> list[Label]:
        """The digits that must be found."""
        return [label for label in self.labels if label.kind < CLASSES]


@dataclass(frozen=True)
class PageParameters:
    """What happens to any page; by eye. Pairs are the least and the most.

    Attributes:
        heights: of digits, as shares of the sheet's shorter side; their logarithms are drawn evenly.
        least_height: of digits, in pixels.
        patterned: how often tight crops have engraved paper, as of cheques.
        edged: how often the sheet's edge, and a desk beyond it, is in view.
        through, through_by: how often something shows faintly that is on no layer, such as the writing on the
            back, an imprint, what was rubbed out; and by how many grey levels, drawn evenly by logarithm.
        through_blur: of it, in pixels of a picture of half the size.
        through_height: of it, in heights of the digits.
        fingered: how often a finger is in view.
        least_visible: share of a digit that is on the page, else it is doubtful.
        least_visible_other: of another mark.
        least_shown: share of a mark from which it is told at all.
        least_contrast: of ink to paper, in standard deviations of the paper and in grey levels, else as well.
        shortest: of the digits that must be found, in pixels of height or width.
        largest: of marks, in shorter sides of the page; of larger ones only strokes are seen, and no label is
            left.
    """

    heights: tuple[float, float] = (0.1, 0.55)
    least_height: float = 11
    patterned: float = 0.3
    edged: float = 0.12
    through: float = 0.2
    through_by: tuple[float, float] = (1.5, 25)
    through_blur: tuple[float, float] = (0.4, 1.5)
    through_height: tuple[float, float] = (0.4, 2)
    fingered: float = 0.02
    least_visible: float = 0.78
    least_visible_other: float = 0.5
    least_shown: float = 0.1
    least_contrast: tuple[float, float] = (1.5, 12)
    shortest: float = 9
    largest: float = 1.25


PAGES = PageParameters()


def draw_page(
    library: Library,
    kind: str,
    height: int,
    width: int,
    random: np.random.Generator,
    digit_height: float | None = None,
    most: int = 1_000_000,
) -> Page:
    """Draw a page.

    Args:
        library: the marks.
        kind: one of `KINDS`.
        height: in pixels.
        width: in pixels.
        random: where chance comes from.
        digit_height: in pixels; of pages whose kind leaves it open.
        most: marks; further ones are not drawn.
    """
    if digit_height is None:
        low, high = np.log(np.array(PAGES.heights) * min(height, width))
        digit_height = max(PAGES.least_height, float(np.exp(random.uniform(low, high))))
    is_tight = kind in ("tight", "large")
    paper, grain, deviation = draw_paper(
        height, width, random, patterned=kind == "tight" and random.random() < PAGES.patterned
    )
    if kind == "things":
        draw_things(paper, random)
    level = float(paper.mean())
    least, least_grey = PAGES.least_contrast
    sheet = Sheet(height, width, most=most)
    scene = Scene(sheet, library, digit_height, level < 110, random)
    KINDS[kind](scene)
    if random.random() < PAGES.through:
        paper -= _shown_through(scene)
    for layer in sheet.layers:
        _apply(layer, paper, grain)
    seen = [_contrast(layer, level) >= max(least * deviation, least_grey) for layer in sheet.layers]
    hidden = np.zeros((height, width), bool)
    if not is_tight and random.random() < PAGES.edged:
        hidden |= _lay_on_desk(paper, random)
    if not is_tight and random.random() < PAGES.fingered:
        hidden |= _hold(paper, random)
    image = take(paper, random, digit_height)
    clear, doubtful = _sorted(sheet, seen, hidden)
    digit_ink = np.zeros((height, width), np.float32)
    for layer, is_seen in zip(sheet.layers, seen, strict=True):
        if is_seen and layer.digit_ink is not None:
            np.maximum(digit_ink, layer.digit_ink, out=digit_ink)
    shares = np.where(hidden, 0, np.rint(digit_ink * 255)).astype(np.uint8)
    return Page(kind, image, shares, tuple(clear), tuple(doubtful))


def _apply(layer: Layer, paper: Colours, grain: Shares) -> None:
    """Put ink on paper, in place."""
    cover = layer.ink * np.float32(layer.opacity)
    if layer.grain:
        cover *= np.clip(1 - np.float32(layer.grain) * (0.5 + 0.5 * grain), 0, 1)
    if layer.fading and layer.pressure is not None:
        cover *= np.clip(1 - np.float32(layer.fading) * (0.5 - 0.5 * layer.pressure), 0, 1)
    for plane, value in zip(paper, layer.colour, strict=True):
        plane += cover * (np.float32(value) - plane)


def _contrast(layer: Layer, level: float) -> float:
    """Return how many grey levels ink differs from paper of a mean grey level, on average."""
    blue, green, red = layer.colour
    grey = 0.114 * blue + 0.587 * green + 0.299 * red
    return abs(grey - level) * layer.opacity * (1 - layer.grain / 2) * (1 - layer.fading / 2)


def _sorted(sheet: Sheet, seen: list[bool], hidden: NDArray[np.bool_]) -> tuple[list[Label], list[Label]]:
    """Return a sheet's marks that must be found, and those that may be, as far as they show at all."""
    clear: list[Label] = []
    doubtful: list[Label] = []
    for label in sheet.labels:
        if label.size > PAGES.largest * min(sheet.height, sheet.width):
            continue
        shown = _shown(label, hidden)
        if shown < PAGES.least_shown:
            continue
        is_digit = label.kind < CLASSES
        is_whole = shown >= (PAGES.least_visible if is_digit else PAGES.least_visible_other)
        is_large = not is_digit or max(label.box[2:]) >= PAGES.shortest
        is_clear = is_whole and is_large and seen[label.layer]
        (clear if is_clear else doubtful).append(replace(label, visible=shown))
    return clear, doubtful


def _shown(label: Label, hidden: NDArray[np.bool_]) -> float:
    """Return the share of a mark's box that is neither off the page nor hidden."""
    if not hidden.any():
        return label.visible
    x, y, width, height = (int(value) for value in label.box)
    part = hidden[y : y + height, x : x + width]
    return label.visible * (1 - float(part.mean()) if part.size else 0.0)


def _shown_through(scene: Scene) -> Shares:
    """Return how much darker faint writing makes a sheet (H, W): mirrored, as on the back, or not."""
    sheet, random = scene.sheet, scene.random
    low, high = np.log(PAGES.through_height)
    height = max(4.0, scene.height * float(np.exp(random.uniform(low, high))))
    back = Sheet(sheet.height // 2, sheet.width // 2)  # it is blurred: half the size will do
    behind = Scene(back, scene.library, height / 2, scene.is_dark, random)
    KINDS["letters" if random.random() < 0.6 else "numbers"](behind)
    if not back.layers:
        return np.zeros((sheet.height, sheet.width), np.float32)
    ink = np.maximum.reduce([layer.ink for layer in back.layers])
    blurred = cv2.GaussianBlur(ink, (0, 0), random.uniform(*PAGES.through_blur))
    by = np.exp(random.uniform(*np.log(PAGES.through_by)))
    seen = cv2.resize(blurred[:, :: random.choice((-1, 1))], (sheet.width, sheet.height))
    return np.asarray(seen * np.float32(by), np.float32)


def _lay_on_desk(paper: Colours, random: np.random.Generator) -> NDArray[np.bool_]:
    """Cut a sheet off at one or two edges, beyond which a desk is seen; return where."""
    _, height, width = paper.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    desk = draw_desk(height, width, random)
    beyond = np.zeros((height, width), bool)
    angle = random.choice([0, 0.5, 1, 1.5]) * np.pi + random.normal(0, 0.12)
    for turn in (0.0, np.pi / 2)[: int(random.integers(1, 3))]:
        place = random.uniform(0.1, 0.5) * min(height, width)
        distance = (
            (x - width / 2) * np.float32(np.cos(angle + turn))
            + (y - height / 2) * np.float32(np.sin(angle + turn))
            - place
        )
        beyond |= distance > 0
        if turn == 0:  # the sheet's shadow
            soft = np.clip(1 - distance / np.float32(random.uniform(2, 14)), 0, 1) * np.float32(
                random.uniform(0, 0.5)
            )
            desk *= 1 - soft
    np.copyto(paper, desk, where=beyond)
    return beyond


def _hold(paper: Colours, random: np.random.Generator) -> NDArray[np.bool_]:
    """Hold a sheet at its edge with a finger; return where."""
    _, height, width = paper.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = min(height, width)
    tip = random.uniform(0.05, 0.3) * side
    radius = random.uniform(0.08, 0.2) * side
    across = random.uniform(0.2, 0.8) * width
    finger = np.where(
        y > height - tip,
        np.abs(x - np.float32(across)),
        np.hypot(x - np.float32(across), y - np.float32(height - tip)),
    )
    is_finger = finger < radius
    skin = np.array([110, 140, 190], np.float32) * np.float32(random.uniform(0.5, 1.2))
    shade = 1 - 0.35 * (finger / np.float32(radius)) ** 2
    paper[:, is_finger] = skin[:, np.newaxis] * shade[is_finger]
    return np.asarray(is_finger)
