"""The picture in the window: the canvas, and beside it the reading."""

from typing import Any

import cv2
import numpy as np

from digitcli.canvas.canvas import CANVAS, SIDE
from digitcli.canvas.raster import Pixels
from digitcli.canvas.session import Mode, Session
from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.evaluation.wording import percent_below_certainty
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.reading import Digit
from digitcli.window import painting
from digitcli.window.keys import KEYS, SHORT
from digitcli.window.layout import Layout, arrange
from digitcli.window.painting import (
    ACCENT,
    BOLD,
    CAPITALS,
    DOUBT,
    FAINT,
    GROUND,
    LINE,
    MEDIUM,
    PAINTING,
    PAPER,
    QUIET,
    STROKE,
    WORDS,
    Colour,
    Rect,
    fill,
    fitting,
    outline,
    shortened,
    write,
    write_centred,
    write_right,
)
from digitcli.window.saliency_overlay import saliency_map, tint

_SURE = 0.9  # confidence from which a digit is shown without doubt
_NOTHING_ELSE = (True, False, False, None)  # drawn over the strokes, but for boxes
_LABEL_ZONE = 32  # units around a digit's box in which its frame and its label are


class View:
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
        self._panel = SidePanel(session, self.layout, self.picture)
        self._panel_shown: Any = None  # what the panel shows
        self._over_shown: Any = None  # on the canvas, over the strokes
        self._status_shown: Any = None

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
        # what the canvas shows beside its strokes
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
        status = (session.message, session.erases)
        changed = False
        redrawn = self._raster.take_change()
        if over != self._over_shown or redrawn:
            part = self._changed(over, redrawn)
            self._draw_canvas(over, part)
            self._over_shown, changed = over, True
        if panel != self._panel_shown:
            self._panel.draw(model)
            self._panel_shown, changed = panel, True
        if status != self._status_shown:
            self._draw_status_bar()
            self._status_shown, changed = status, True
        return changed

    def _changed(self, over: tuple[Any, ...], redrawn: Pixels | None) -> Pixels:
        """Return the part of the canvas that is to be redrawn."""
        side = self.layout.canvas[2]
        if self._over_shown is None or {over[1:], self._over_shown[1:]} != {_NOTHING_ELSE}:
            return 0, 0, side, side
        parts = [] if redrawn is None else [redrawn]
        around, scale = round(_LABEL_ZONE * max(1.0, self.layout.unit)), side / SIDE
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
        canvas_reading, has_strokes, shows_help, shows_saliency, eraser = over
        x, y, side, _ = self.layout.canvas
        area = self.picture[y : y + side, x : x + side]
        has_saliency = shows_saliency and canvas_reading is not None and canvas_reading.saliency
        left, top, right, bottom = part
        if left < right:
            # on pale strokes other colours show
            colour = FAINT if has_saliency else STROKE
            strokes = self._raster.pixels[top:bottom, left:right]
            painting.colour(strokes, PAPER, colour, area[top:bottom, left:right])
        if has_saliency:
            tint(area, self._raster.pixels, saliency_map(canvas_reading, side))
        if canvas_reading is not None and not canvas_reading.single:
            for digit in canvas_reading.reading.digits:
                self._draw_box(area, digit)
        if not has_strokes and not shows_help:
            self._draw_invitation(area)
        if eraser is not None:
            scale = side / SIDE
            centre = (round(eraser[0] * scale), round(eraser[1] * scale))
            cv2.circle(area, centre, round(CANVAS.eraser * scale), QUIET, self._line, cv2.LINE_AA)
        if shows_help:
            self._draw_help(area)
        if right - left == side:
            inset = self._line // 2 + 1  # so that it reaches nowhere beyond the canvas
            rect = (inset, inset, side - 2 * inset, side - 2 * inset)
            outline(area, rect, LINE, self._line, PAINTING.corner * self.layout.unit)

    @property
    def _edge(self) -> int:
        return 2 * self._line + round(PAINTING.corner * self.layout.unit)

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
        margin = round(PAINTING.box_margin * unit) + 1
        colour = _colour_of(digit)
        rect = (x - margin, y - margin, width + 2 * margin, height + 2 * margin)
        outline(area, rect, colour, self._line, PAINTING.box_margin * unit)
        size = self.layout.type_size
        words = "?" if digit.digit is None else f"{digit.digit}  {min(digit.confidence, 0.99):.0%}"
        if painting.width_of(words, size, MEDIUM) > rect[2] + 6 * unit:
            words = words.partition(" ")[0]
        baseline = rect[1] - round(PAINTING.box_margin * unit)
        if baseline < size:  # no room above
            baseline = rect[1] + rect[3] + round(size)
        middle = x + width / 2
        half = painting.width_of(words, size, MEDIUM) / 2
        middle = min(max(middle, half + 2), len(area) - half - 2)
        write_centred(area, words, middle, min(baseline, len(area) - 4), size, colour, MEDIUM)

    def _draw_help(self, area: Images) -> None:
        side, unit = len(area), self.layout.unit
        cv2.addWeighted(area, 0.06, np.full_like(area, PAPER), 0.94, 0, area)
        size = max(PAINTING.min_caption, min(18 * unit, side / 26))
        step = size * 1.95
        top = (side - step * (len(KEYS) - 1)) / 2 + size / 3
        split = 0.3 * side
        for number, (key, meaning) in enumerate(KEYS):
            baseline = top + number * step
            write_right(area, key, split, baseline, size, ACCENT, MEDIUM)
            write(area, shortened(meaning, 0.68 * side - size, size), split + size, baseline, size, WORDS)

    def _draw_status_bar(self) -> None:
        left, y, width, height = self.layout.status_bar
        x = float(left)
        fill(self.picture, (0, y, self.layout.size[0], height), GROUND)
        size = self.layout.type_size
        baseline = y + height / 2 + CAPITALS * size / 2
        if message := self._session.message:
            write(self.picture, shortened(message, width, size, MEDIUM), x, baseline, size, ACCENT, MEDIUM)
            return
        gap = round(1.3 * size)
        for key, meaning in SHORT:
            key_width, meaning_width = painting.width_of(key, size, MEDIUM), painting.width_of(meaning, size)
            if key_width + PAINTING.key_gap * size + meaning_width > width - (x - left):
                break
            write(self.picture, key, x, baseline, size, WORDS, MEDIUM)
            x += key_width + round(PAINTING.key_gap * size)
            write(self.picture, meaning, x, baseline, size, QUIET)
            x += meaning_width + gap


def _colour_of(digit: Digit) -> Colour:
    if digit.digit is None:
        return FAINT
    return ACCENT if digit.confidence >= _SURE else DOUBT


class SidePanel:
    """Draws what was read into the window's picture beside the canvas, and each time only what changed."""

    def __init__(self, session: Session, layout: Layout, picture: Images) -> None:
        self._session = session
        self._layout = layout
        self._picture = picture
        self._shown: dict[str, object] = {}  # what each part shows

    def draw(self, model: str) -> None:
        """Bring it up to date; `model` is its name, or that it is being loaded."""
        session, layout, canvas_reading = self._session, self._layout, self._session.canvas_reading
        digits = canvas_reading.reading.digits if canvas_reading else ()
        known = sum(digit.digit is not None for digit in digits)
        best = max((digit.confidence for digit in digits), default=0.0)
        (x, y, _, height), (forms_left, _, side, _) = layout.reading, layout.forms
        around = layout.margin // 2  # large letters reach a little out of their place
        words = (canvas_reading.in_words, canvas_reading.confidence, known, best) if canvas_reading else None
        if self._is_new("reading", words, (x - around, y - around, forms_left - x, height + 2 * around)):
            self._draw_reading()
        forms = [form.tobytes() for form in canvas_reading.forms] if canvas_reading else []
        if self._is_new("forms", forms, (forms_left - 1, y - 1, side + 2, height + around)):
            self._draw_forms()
        self._draw_bars(digits[-1] if digits else None)
        if self._is_new("kept", [kept.words for kept in session.kept], layout.kept):
            self._draw_kept()
        if self._is_new("model", (session.mode, model), layout.model):
            self._draw_model(model)

    def _is_new(self, part: str, shows: object, room: Rect) -> bool:
        """Clear a part that is to show something else than it does; return whether that is so."""
        if part in self._shown and self._shown[part] == shows:
            return False
        self._shown[part] = shows
        fill(self._picture, room, GROUND)
        return True

    def _draw_reading(self) -> None:
        canvas_reading = self._session.canvas_reading
        x, y, width, height = self._layout.reading
        small = self._layout.type_size
        baseline = y + height - small * 1.9
        caption = y + height - small * PAINTING.caption_lift
        if canvas_reading is None or not canvas_reading.in_words:
            write(self._picture, "nothing drawn", x, caption, small, QUIET)
            return
        confidence = canvas_reading.confidence
        if confidence is None:
            size = fitting("not a", width, 0.36 * height, 14, MEDIUM)
            write(self._picture, "not a", x, baseline - 1.25 * size, size, DOUBT, MEDIUM)
            write(self._picture, "digit", x, baseline - 0.25 * size, size, DOUBT, MEDIUM)
            best = max((d.confidence for d in canvas_reading.reading.digits), default=0.0)
            write(self._picture, f"at most {best:.0%} sure", x, caption, small, QUIET)
            return
        tallest = (baseline - y) / CAPITALS
        size = fitting(canvas_reading.in_words, width, tallest, 16, BOLD)
        words = shortened(canvas_reading.in_words, width, size, BOLD, keep_end=True)
        colour = WORDS if confidence >= _SURE else DOUBT
        write(self._picture, words, x - 0.05 * size, baseline, size, colour, BOLD)
        known = sum(digit.digit is not None for digit in canvas_reading.reading.digits)
        share = percent_below_certainty(confidence)
        sure = f"{share} sure" if known == 1 else f"least sure {share}"
        write(self._picture, sure, x, caption, small, QUIET)

    def _draw_forms(self) -> None:
        """Draw the pictures that the network sees, as large as they can be beside each other."""
        canvas_reading = self._session.canvas_reading
        x, y, side, _ = self._layout.forms
        forms = canvas_reading.forms if canvas_reading else ()
        fill(
            self._picture, self._layout.forms, STROKE if forms else LINE, PAINTING.corner * self._layout.unit
        )
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
                place = self._picture[
                    top + down * cell : top + down * cell + pixels,
                    x + across * cell : x + across * cell + pixels,
                ]
                painting.colour(np.asarray(grey, np.uint8), STROKE, PAPER, place)
        size = max(PAINTING.min_caption, 0.8 * self._layout.type_size)
        choice = ("what it sees, 28x28", "what it sees", "28x28")
        words = next((each for each in choice if painting.width_of(each, size) <= side), "")
        room = self._layout.reading[1] + self._layout.reading[3] - (y + side)
        if room >= size:
            write(self._picture, words, x, y + side + size * 1.2, size, QUIET)

    def _draw_bars(self, digit: Digit | None) -> None:
        x, y, width, height = self._layout.bars
        unit, step = self._layout.unit, height / CLASSES
        size = max(10.0, min(self._layout.type_size, 0.82 * step))
        label = painting.width_of("0", size, MEDIUM) + round(10 * unit)
        room = width - label - painting.width_of(">99.9%", size) - round(12 * unit)
        thick = max(3, round(0.5 * step))
        best = int(np.argmax(digit.probabilities)) if digit else None
        for number in range(CLASSES):
            share = digit.probabilities[number] if digit else 0.0
            is_best = number == best
            colour = (ACCENT if digit and digit.digit is not None else DOUBT) if is_best else FAINT
            filled = round(share * room)
            value = percent_below_certainty(share) if share >= 0.0005 else ""
            top, bottom = round(y + number * step), round(y + (number + 1) * step)
            place = (x, top, width, bottom - top)
            if not self._is_new(f"bar {number}", (filled, value, colour), place):
                continue
            middle = y + (number + 0.5) * step
            baseline = middle + CAPITALS * size / 2
            words, weight = (WORDS, MEDIUM) if is_best else (QUIET, painting.REGULAR)
            write(self._picture, str(number), x, baseline, size, words, weight)
            bar = (x + label, round(middle - thick / 2), room, thick)
            fill(self._picture, bar, LINE, thick / 2)
            if filled >= 2:
                fill(self._picture, (bar[0], bar[1], max(filled, thick // 2), thick), colour, thick / 2)
            write_right(self._picture, value, x + width, baseline, size, words)

    def _draw_kept(self) -> None:
        x, y, width, height = self._layout.kept
        size = self._layout.type_size
        baseline = y + height - size * 0.45
        write(self._picture, "Kept", x, baseline, size, QUIET)
        left = x + painting.width_of("Kept", size) + round(0.8 * size)
        words = "   ".join(kept.words for kept in self._session.kept)
        words = shortened(words, x + width - left, size, keep_end=True)  # the newest are at the end
        write(self._picture, words, left, baseline, size, WORDS)

    def _draw_model(self, model: str) -> None:
        x, y, width, height = self._layout.model
        size = max(PAINTING.min_caption, 0.86 * self._layout.type_size)
        mode = {Mode.AUTO: "Automatic", Mode.ONE: "One digit", Mode.NUMBER: "Number"}[self._session.mode]
        words = shortened(f"{mode}  \u2022  {model}", width, size)
        write(self._picture, words, x, y + height - size * 0.5, size, QUIET)
