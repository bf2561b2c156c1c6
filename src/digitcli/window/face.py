"""The picture in the window: the canvas, and beside it what the network makes of the drawing."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.canvas.canvas import ERASER, SIDE
from digitcli.canvas.raster import Pixels
from digitcli.canvas.session import Session
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.recognizer import Digit
from digitcli.window import painting
from digitcli.window.layout import Layout, arrange
from digitcli.window.painting import (
    ACCENT,
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
    outline,
    shortened,
    write,
    write_centred,
    write_right,
)
from digitcli.window.panel import SURE, Panel

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
_NOTHING_ELSE = (True, False, False, None)  # over the ink, but for boxes
_AROUND = 32  # units around a digit's box in which its frame and its label are
_FOR, _AGAINST = (32, 84, 232), (196, 128, 40)  # saliency, as colours


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
        self._panel = Panel(session, self.layout, self.picture)
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
        canvas_reading = session.canvas_reading if session.canvas.strokes else None
        # what the canvas shows beside its ink
        over = (
            canvas_reading
            if canvas_reading and (not canvas_reading.single or session.shows_saliency)
            else None,
            bool(session.canvas.strokes),
            session.shows_help,
            session.shows_saliency and canvas_reading is not None,
            pointer if session.erases else None,
        )
        panel = (
            canvas_reading,
            session.mode,
            model,
            len(session.kept),
            session.kept[-1:],
            session.shows_saliency,
        )
        foot = (session.message, session.erases)
        changed = False
        ink = self._raster.take_change()
        if over != self._over_shown or ink:
            part = self._changed(over, ink)
            self._draw_canvas(over, part)
            self._over_shown, changed = over, True
        if panel != self._panel_shown:
            self._panel.draw(model)
            self._panel_shown, changed = panel, True
        if foot != self._foot_shown:
            self._draw_foot()
            self._foot_shown, changed = foot, True
        return changed

    # the canvas

    def _changed(self, over: tuple[Any, ...], ink: Pixels | None) -> Pixels:
        """Return the part of the canvas in which anything is to be drawn anew."""
        side = self.layout.canvas[2]
        if self._over_shown is None or {over[1:], self._over_shown[1:]} != {_NOTHING_ELSE}:
            return 0, 0, side, side
        parts = [] if ink is None else [ink]
        around, scale = round(_AROUND * max(1.0, self.layout.unit)), side / SIDE
        for canvas_reading in {over[0], self._over_shown[0]} - {None}:
            for digit in canvas_reading.reading.digits:
                left, top, width, height = (round(value * scale) for value in digit.box)
                parts.append((left - around, top - around, left + width + around, top + height + around))
        if not parts:
            return 0, 0, 0, 0
        lefts, tops, rights, bottoms = zip(*parts, strict=True)
        left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
        if min(left, top) < self._edge or max(right, bottom) > side - self._edge:
            return 0, 0, side, side  # the edge is drawn over nothing but paper, or it would get darker
        return left, top, right, bottom

    def _draw_canvas(self, over: tuple[Any, ...], part: Pixels) -> None:
        canvas_reading, has_ink, shows_help, shows_saliency, eraser = over
        x, y, side, _ = self.layout.canvas
        area = self.picture[y : y + side, x : x + side]
        is_explained = shows_saliency and canvas_reading is not None and canvas_reading.saliency
        left, top, right, bottom = part
        if left < right:
            # on pale ink other colours show
            colour = FAINT if is_explained else INK
            ink = self._raster.ink[top:bottom, left:right]
            painting.colour(ink, PAPER, colour, area[top:bottom, left:right])
        if is_explained:
            _tint(area, self._raster.ink, self._saliency(canvas_reading))
        if canvas_reading is not None and not canvas_reading.single:
            for digit in canvas_reading.reading.digits:
                self._draw_box(area, digit)
        if not has_ink and not shows_help:
            self._draw_invitation(area)
        if eraser is not None:
            scale = side / SIDE
            centre = (round(eraser[0] * scale), round(eraser[1] * scale))
            cv2.circle(area, centre, round(ERASER * scale), QUIET, self._line, cv2.LINE_AA)
        if shows_help:
            self._draw_help(area)
        if right - left == side:
            inset = self._line // 2 + 1  # so that it reaches nowhere beyond the canvas
            rect = (inset, inset, side - 2 * inset, side - 2 * inset)
            outline(area, rect, LINE, self._line, 3 * self.layout.unit)

    @property
    def _edge(self) -> int:
        return 2 * self._line + round(3 * self.layout.unit)

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

    def _saliency(self, canvas_reading: Any) -> NDArray[np.float32]:
        """Return, for each pixel of the canvas, how much it speaks for what was read."""
        side = self.layout.canvas[2]
        scale = side / SIDE
        whole = np.zeros((side, side), np.float32)
        for digit, form, saliency in zip(
            canvas_reading.reading.digits, canvas_reading.forms, canvas_reading.saliency, strict=True
        ):
            written = cv2.boundingRect((form > 50).astype(np.uint8))
            if not written[2]:
                continue
            x, y, width, height = (value * scale for value in digit.box)
            across, down = width / written[2], height / written[3]
            # from a pixel of the form to a pixel of the canvas
            matrix = np.array([[across, 0, x - across * written[0]], [0, down, y - down * written[1]]])
            here = cv2.warpAffine(saliency, matrix, (side, side), flags=cv2.INTER_LINEAR)
            whole = np.where(np.abs(here) > np.abs(whole), here, whole)
        return whole

    # the panel

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


def _colour_of(digit: Digit) -> Colour:
    if digit.digit is None:
        return FAINT
    return ACCENT if digit.confidence >= SURE else DOUBT


def _tint(area: Images, ink: Images, saliency: NDArray[np.float32]) -> None:
    """Colour ink by its saliency, and the paper around it a little."""
    strength = np.sqrt(np.abs(saliency))[..., np.newaxis]  # little is not nothing
    colour = np.where(saliency[..., np.newaxis] > 0, *(np.array(c, np.float32) for c in (_FOR, _AGAINST)))
    share = strength * (0.15 + 0.8 * (ink[..., np.newaxis] / np.float32(255)))
    area[:] = np.rint(area * (1 - share) + colour * share).astype(np.uint8)
