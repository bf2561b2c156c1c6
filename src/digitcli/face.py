"""The picture in the window: the canvas, and beside it what the network makes of the drawing."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli import painting
from digitcli.canvas import ERASER, SIDE
from digitcli.layout import Layout, arrange
from digitcli.painting import (
    ACCENT,
    BOLD,
    CAPITALS,
    DOUBT,
    FAINT,
    GROUND,
    INK,
    LINE,
    MEDIUM,
    PAPER,
    QUIET,
    WORDS,
    Colour,
    fill,
    fitting,
    outline,
    shortened,
    write,
    write_centred,
    write_right,
)
from digitcli.preprocessing import CLASSES, IMAGE_SIZE, Images
from digitcli.recognizer import Digit
from digitcli.session import Mode, Session

KEYS = (
    ("Enter", "keep the reading"),
    ("C", "clear"),
    ("U", "undo"),
    ("R", "redo"),
    ("[  ]", "thinner, thicker pen"),
    ("E", "eraser; the right button, too"),
    ("0 ... 9", "say what it really is"),
    ("N", "one digit, number, automatic"),
    ("H", "what the network looked at"),
    ("S", "save picture and strokes"),
    ("?", "these keys"),
    ("Esc", "quit"),
)
_SHORT = (  # the most useful first; as many as fit are shown
    ("?", "keys"),
    ("Enter", "keep"),
    ("C", "clear"),
    ("Esc", "quit"),
    ("U", "undo"),
    ("0-9", "correct"),
    ("N", "number"),
    ("H", "why"),
    ("E", "eraser"),
    ("S", "save"),
    ("[ ]", "pen"),
)
_SURE = 0.9  # confidence from which a digit is shown without doubt
_ONLY_INK = (None, True, False, False, None)  # nothing over the ink
_FOR, _AGAINST = (32, 84, 232), (196, 128, 40)  # evidence, as colours


class Face:
    """Shows a session at one size.

    Attributes:
        layout: where everything is.
        picture: (H, W, 3) uint8, blue first, as `draw` left it.
    """

    def __init__(self, session: Session, width: int, height: int) -> None:
        self.layout: Layout = arrange(width, height)
        self._session = session
        self.picture = painting.blank(*self.layout.size)
        self._raster = session.canvas.raster(self.layout.canvas[2])
        self._colours = _between(PAPER, INK)  # of ink 0..255
        self._pale = _between(PAPER, FAINT)  # on which other colours show
        self._panel_shown: Any = None  # what the panel shows
        self._over_shown: Any = None  # on the canvas, over the ink
        self._foot_shown: Any = None

    def close(self) -> None:
        """Let the canvas no longer draw for this size."""
        self._session.canvas.release(self._raster)

    def draw(self, model: str, pointer: tuple[float, float] | None = None) -> bool:
        """Bring the picture up to date.

        Args:
            model: its name, or that it is being loaded.
            pointer: where the mouse is, in units of the canvas, if it is shown.

        Returns:
            Whether it is another one now.
        """
        session = self._session
        insight = session.insight if session.canvas.strokes else None
        # what the canvas shows beside its ink
        over = (
            insight if insight and (not insight.single or session.explains) else None,
            bool(session.canvas.strokes),
            session.shows_help,
            session.explains and insight is not None,
            pointer if session.erases else None,
        )
        panel = (insight, session.mode, model, len(session.kept), session.kept[-1:], session.explains)
        foot = (session.message, session.erases)
        changed = False
        ink = self._raster.take_change()
        if over != self._over_shown or (ink and over != _ONLY_INK):
            self._draw_canvas(over)
            self._over_shown, changed = over, True
        elif ink:
            self._draw_ink(*ink)
            changed = True
        if panel != self._panel_shown:
            self._draw_panel(model)
            self._panel_shown, changed = panel, True
        if foot != self._foot_shown:
            self._draw_foot()
            self._foot_shown, changed = foot, True
        return changed

    # the canvas

    def _draw_canvas(self, over: tuple[Any, ...]) -> None:
        insight, has_ink, shows_help, explains, eraser = over
        x, y, side, _ = self.layout.canvas
        area = self.picture[y : y + side, x : x + side]
        is_explained = explains and insight is not None and insight.evidence
        ink = cv2.cvtColor(self._raster.ink, cv2.COLOR_GRAY2BGR)
        cv2.LUT(ink, self._pale if is_explained else self._colours, area)
        if is_explained:
            _tint(area, self._raster.ink, self._evidence(insight))
        if insight is not None and not insight.single:
            for digit in insight.reading.digits:
                self._draw_box(area, digit)
        if not has_ink and not shows_help:
            self._draw_invitation(area)
        if eraser is not None:
            scale = side / SIDE
            centre = (round(eraser[0] * scale), round(eraser[1] * scale))
            cv2.circle(area, centre, round(ERASER * scale), QUIET, self._line, cv2.LINE_AA)
        if shows_help:
            self._draw_help(area)
        outline(self.picture, self.layout.canvas, LINE, self._line, 3 * self.layout.unit)

    def _draw_ink(self, left: int, top: int, right: int, bottom: int) -> None:
        """Draw a part of the canvas, with nothing over its ink."""
        x, y, _, _ = self.layout.canvas
        ink = self._raster.ink[top:bottom, left:right]
        if ink.size:
            area = self.picture[y + top : y + bottom, x + left : x + right]
            cv2.LUT(cv2.cvtColor(ink, cv2.COLOR_GRAY2BGR), self._colours, area)
            outline(self.picture, self.layout.canvas, LINE, self._line, 3 * self.layout.unit)

    @property
    def _line(self) -> int:
        return max(1, round(1.3 * self.layout.unit))

    def _draw_invitation(self, area: Images) -> None:
        side, unit = len(area), self.layout.unit
        write_centred(area, "Draw a digit", side / 2, side / 2, max(18, 30 * unit), FAINT, MEDIUM)
        write_centred(area, "or a number", side / 2, side / 2 + 32 * unit + 4, max(14, 19 * unit), FAINT)

    def _draw_box(self, area: Images, digit: Digit) -> None:
        scale, unit = len(area) / SIDE, self.layout.unit
        x, y, width, height = (round(value * scale) for value in digit.box)
        margin = round(5 * unit) + 1
        colour = _colour_of(digit)
        rect = (x - margin, y - margin, width + 2 * margin, height + 2 * margin)
        outline(area, rect, colour, self._line, 5 * unit)
        size = max(12, 15 * unit)
        words = "?" if digit.digit is None else f"{digit.digit}  {min(digit.confidence, 0.99):.0%}"
        if painting.width_of(words, size, MEDIUM) > rect[2] + 6 * unit:
            words = words.partition(" ")[0]
        foot = rect[1] - round(5 * unit)
        if foot < size:  # no room above
            foot = rect[1] + rect[3] + round(size)
        middle = x + width / 2
        half = painting.width_of(words, size, MEDIUM) / 2
        middle = min(max(middle, half + 2), len(area) - half - 2)
        write_centred(area, words, middle, min(foot, len(area) - 4), size, colour, MEDIUM)

    def _draw_help(self, area: Images) -> None:
        side, unit = len(area), self.layout.unit
        cv2.addWeighted(area, 0.06, np.full_like(area, PAPER), 0.94, 0, area)
        size = max(11, min(18 * unit, side / 26))
        step = size * 1.95
        top = (side - step * (len(KEYS) - 1)) / 2 + size / 3
        split = 0.3 * side
        for number, (key, meaning) in enumerate(KEYS):
            foot = top + number * step
            write_right(area, key, split, foot, size, ACCENT, MEDIUM)
            write(area, shortened(meaning, 0.68 * side - size, size), split + size, foot, size, WORDS)

    def _evidence(self, insight: Any) -> NDArray[np.float32]:
        """Return, for each pixel of the canvas, how much it speaks for what was read."""
        side = self.layout.canvas[2]
        scale = side / SIDE
        whole = np.zeros((side, side), np.float32)
        for digit, form, evidence in zip(
            insight.reading.digits, insight.forms, insight.evidence, strict=True
        ):
            written = cv2.boundingRect((form > 50).astype(np.uint8))
            if not written[2]:
                continue
            x, y, width, height = (value * scale for value in digit.box)
            across, down = width / written[2], height / written[3]
            # from a pixel of the form to a pixel of the canvas
            matrix = np.array([[across, 0, x - across * written[0]], [0, down, y - down * written[1]]])
            here = cv2.warpAffine(evidence, matrix, (side, side), flags=cv2.INTER_LINEAR)
            whole = np.where(np.abs(here) > np.abs(whole), here, whole)
        return whole

    # the panel

    def _draw_panel(self, model: str) -> None:
        layout, insight = self.layout, self._session.insight
        # all beside the canvas, or below it: large letters reach a little out of their place
        x, y, side, _ = layout.canvas
        is_beside = layout.reading[1] < y + side
        left, top = (x + side + 2, 0) if is_beside else (0, y + side + 2)
        fill(self.picture, (left, top, layout.size[0] - left, layout.foot[1] - top), GROUND)
        digits = insight.reading.digits if insight else ()
        shown = digits[-1] if digits else None
        self._draw_reading()
        self._draw_view()
        self._draw_bars(shown)
        self._draw_kept()
        self._draw_model(model)

    def _draw_reading(self) -> None:
        insight = self._session.insight
        x, y, width, height = self.layout.reading
        small = self.layout.letters
        baseline = y + height - small * 1.9
        if insight is None or not insight.in_words:
            write(self.picture, "nothing drawn", x, y + height - small * 0.35, small, QUIET)
            return
        confidence = insight.confidence
        if confidence is None:
            size = fitting("not a", width, 0.36 * height, 14, MEDIUM)
            write(self.picture, "not a", x, baseline - 1.25 * size, size, DOUBT, MEDIUM)
            write(self.picture, "digit", x, baseline - 0.25 * size, size, DOUBT, MEDIUM)
            best = max((d.confidence for d in insight.reading.digits), default=0.0)
            write(self.picture, f"at most {best:.0%} sure", x, y + height - small * 0.35, small, QUIET)
            return
        tallest = (baseline - y) / CAPITALS
        size = fitting(insight.in_words, width, tallest, 16, BOLD)
        words = shortened(insight.in_words, width, size, BOLD, keep_end=True)
        colour = WORDS if confidence >= _SURE else DOUBT
        write(self.picture, words, x - 0.05 * size, baseline, size, colour, BOLD)
        known = sum(digit.digit is not None for digit in insight.reading.digits)
        sure = f"{_percent(confidence)} sure" if known == 1 else f"least sure {_percent(confidence)}"
        write(self.picture, sure, x, y + height - small * 0.35, small, QUIET)

    def _draw_view(self) -> None:
        """Draw the pictures that the network sees, as large as they can be beside each other."""
        insight = self._session.insight
        x, y, side, _ = self.layout.view
        forms = insight.forms if insight else ()
        fill(self.picture, self.layout.view, INK if forms else LINE, 3 * self.layout.unit)
        if forms:
            columns = next(n for n in range(1, len(forms) + 1) if n * n >= len(forms))
            cell = side // columns
            rows = -(-len(forms) // columns)
            top = y + (side - rows * cell) // 2
            pixels = max(1, cell - 2)
            for number, form in enumerate(forms):
                # each pixel of the network's picture is seen as one
                how = cv2.INTER_NEAREST if pixels >= IMAGE_SIZE else cv2.INTER_AREA
                grey = cv2.resize(form, (pixels, pixels), interpolation=how)
                down, across = divmod(number, columns)
                place = self.picture[
                    top + down * cell : top + down * cell + pixels,
                    x + across * cell : x + across * cell + pixels,
                ]
                cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), _between(INK, PAPER), place)
        size = max(11.0, 0.8 * self.layout.letters)
        choice = ("what it sees, 28x28", "what it sees", "28x28")
        words = next((each for each in choice if painting.width_of(each, size) <= side), "")
        room = self.layout.reading[1] + self.layout.reading[3] - (y + side)
        if room >= size:
            write(self.picture, words, x, y + side + size * 1.2, size, QUIET)

    def _draw_bars(self, digit: Digit | None) -> None:
        x, y, width, height = self.layout.bars
        unit, step = self.layout.unit, height / CLASSES
        size = max(10.0, min(self.layout.letters, 0.82 * step))
        label = painting.width_of("0", size, MEDIUM) + round(10 * unit)
        value = painting.width_of(">99.9%", size) + round(12 * unit)
        room = width - label - value
        thick = max(3, round(0.5 * step))
        best = int(np.argmax(digit.probabilities)) if digit else None
        for number in range(CLASSES):
            middle = y + (number + 0.5) * step
            foot = middle + CAPITALS * size / 2
            share = digit.probabilities[number] if digit else 0.0
            is_best = number == best
            colour = (ACCENT if digit and digit.digit is not None else DOUBT) if is_best else FAINT
            write(
                self.picture, str(number), x, foot, size, WORDS if is_best else QUIET,
                MEDIUM if is_best else painting.REGULAR,
            )  # fmt: skip
            bar = (x + label, round(middle - thick / 2), room, thick)
            fill(self.picture, bar, LINE, thick / 2)
            filled = round(share * room)
            if filled >= 2:
                fill(self.picture, (bar[0], bar[1], max(filled, thick // 2), thick), colour, thick / 2)
            if share >= 0.0005:
                write_right(self.picture, _percent(share), x + width, foot, size, WORDS if is_best else QUIET)

    def _draw_kept(self) -> None:
        x, y, width, height = self.layout.kept
        size = self.layout.letters
        foot = y + height - size * 0.45
        write(self.picture, "Kept", x, foot, size, QUIET)
        left = x + painting.width_of("Kept", size) + round(0.8 * size)
        words = "   ".join(kept.words for kept in self._session.kept)
        # the newest are at the end, and stay
        write(
            self.picture,
            shortened(words, x + width - left, size, keep_end=True),
            left,
            foot,
            size,
            WORDS,
            painting.REGULAR,
        )

    def _draw_model(self, model: str) -> None:
        x, y, width, height = self.layout.model
        size = max(11.0, 0.86 * self.layout.letters)
        mode = {Mode.AUTO: "Automatic", Mode.ONE: "One digit", Mode.NUMBER: "Number"}[self._session.mode]
        write(
            self.picture,
            shortened(f"{mode}  \u2022  {model}", width, size),
            x,
            y + height - size * 0.5,
            size,
            QUIET,
        )

    # the foot

    def _draw_foot(self) -> None:
        left, y, width, height = self.layout.foot
        x = float(left)
        fill(self.picture, (0, y, self.layout.size[0], height), GROUND)
        size = self.layout.letters
        foot = y + height / 2 + CAPITALS * size / 2
        if message := self._session.message:
            write(self.picture, shortened(message, width, size, MEDIUM), x, foot, size, ACCENT, MEDIUM)
            return
        gap = round(1.3 * size)
        for key, meaning in _SHORT:
            needed = painting.width_of(key, size, MEDIUM) + 0.4 * size + painting.width_of(meaning, size)
            if needed > width - (x - left):
                break
            write(self.picture, key, x, foot, size, WORDS, MEDIUM)
            x += painting.width_of(key, size, MEDIUM) + round(0.4 * size)
            write(self.picture, meaning, x, foot, size, QUIET)
            x += painting.width_of(meaning, size) + gap


def _between(low: Colour, high: Colour) -> NDArray[np.uint8]:
    """Return the colours from `low` to `high`, (1, 256, 3), for `cv2.LUT`."""
    share = np.linspace(0, 1, 256)[:, np.newaxis]
    colours = np.array(low) * (1 - share) + np.array(high) * share
    return np.rint(colours).astype(np.uint8)[np.newaxis]


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.9995 else ">99.9%"


def _colour_of(digit: Digit) -> Colour:
    if digit.digit is None:
        return FAINT
    return ACCENT if digit.confidence >= _SURE else DOUBT


def _tint(area: Images, ink: Images, evidence: NDArray[np.float32]) -> None:
    """Colour ink by its evidence, and the paper around it a little."""
    strength = np.sqrt(np.abs(evidence))[..., np.newaxis]  # little is not nothing
    colour = np.where(evidence[..., np.newaxis] > 0, *(np.array(c, np.float32) for c in (_FOR, _AGAINST)))
    share = strength * (0.15 + 0.8 * (ink[..., np.newaxis] / np.float32(255)))
    area[:] = np.rint(area * (1 - share) + colour * share).astype(np.uint8)
