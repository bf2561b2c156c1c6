"""What the window shows beside the canvas: the reading, what the network sees, ten bars."""

import cv2
import numpy as np

from digitcli.canvas.session import Mode, Session
from digitcli.config.mnist import CLASSES, IMAGE_SIZE
from digitcli.evaluation.wording import percent_below_certainty
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.recognizer import Digit
from digitcli.window import painting
from digitcli.window.layout import Layout
from digitcli.window.painting import (
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
    Rect,
    fill,
    fitting,
    shortened,
    write,
    write_right,
)

SURE = 0.9  # confidence from which a digit is shown without doubt


class Panel:
    """Draws a session's canvas_reading into a part of the window's picture, what changed of it each time."""

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
        (x, y, _, height), (view, _, side, _) = layout.reading, layout.view
        around = layout.margin // 2  # large letters reach a little out of their place
        words = (canvas_reading.in_words, canvas_reading.confidence, known, best) if canvas_reading else None
        if self._is_new("reading", words, (x - around, y - around, view - x, height + 2 * around)):
            self._draw_reading()
        forms = [form.tobytes() for form in canvas_reading.forms] if canvas_reading else []
        if self._is_new("view", forms, (view - 1, y - 1, side + 2, height + around)):
            self._draw_view()
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
        small = self._layout.letters
        baseline = y + height - small * 1.9
        if canvas_reading is None or not canvas_reading.in_words:
            write(self._picture, "nothing drawn", x, y + height - small * 0.35, small, QUIET)
            return
        confidence = canvas_reading.confidence
        if confidence is None:
            size = fitting("not a", width, 0.36 * height, 14, MEDIUM)
            write(self._picture, "not a", x, baseline - 1.25 * size, size, DOUBT, MEDIUM)
            write(self._picture, "digit", x, baseline - 0.25 * size, size, DOUBT, MEDIUM)
            best = max((d.confidence for d in canvas_reading.reading.digits), default=0.0)
            write(self._picture, f"at most {best:.0%} sure", x, y + height - small * 0.35, small, QUIET)
            return
        tallest = (baseline - y) / CAPITALS
        size = fitting(canvas_reading.in_words, width, tallest, 16, BOLD)
        words = shortened(canvas_reading.in_words, width, size, BOLD, keep_end=True)
        colour = WORDS if confidence >= SURE else DOUBT
        write(self._picture, words, x - 0.05 * size, baseline, size, colour, BOLD)
        known = sum(digit.digit is not None for digit in canvas_reading.reading.digits)
        sure = (
            f"{percent_below_certainty(confidence)} sure"
            if known == 1
            else f"least sure {percent_below_certainty(confidence)}"
        )
        write(self._picture, sure, x, y + height - small * 0.35, small, QUIET)

    def _draw_view(self) -> None:
        """Draw the pictures that the network sees, as large as they can be beside each other."""
        canvas_reading = self._session.canvas_reading
        x, y, side, _ = self._layout.view
        forms = canvas_reading.forms if canvas_reading else ()
        fill(self._picture, self._layout.view, INK if forms else LINE, 3 * self._layout.unit)
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
                painting.colour(np.asarray(grey, np.uint8), INK, PAPER, place)
        size = max(11.0, 0.8 * self._layout.letters)
        choice = ("what it sees, 28x28", "what it sees", "28x28")
        words = next((each for each in choice if painting.width_of(each, size) <= side), "")
        room = self._layout.reading[1] + self._layout.reading[3] - (y + side)
        if room >= size:
            write(self._picture, words, x, y + side + size * 1.2, size, QUIET)

    def _draw_bars(self, digit: Digit | None) -> None:
        x, y, width, height = self._layout.bars
        unit, step = self._layout.unit, height / CLASSES
        size = max(10.0, min(self._layout.letters, 0.82 * step))
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
            foot = middle + CAPITALS * size / 2
            words, weight = (WORDS, MEDIUM) if is_best else (QUIET, painting.REGULAR)
            write(self._picture, str(number), x, foot, size, words, weight)
            bar = (x + label, round(middle - thick / 2), room, thick)
            fill(self._picture, bar, LINE, thick / 2)
            if filled >= 2:
                fill(self._picture, (bar[0], bar[1], max(filled, thick // 2), thick), colour, thick / 2)
            write_right(self._picture, value, x + width, foot, size, words)

    def _draw_kept(self) -> None:
        x, y, width, height = self._layout.kept
        size = self._layout.letters
        foot = y + height - size * 0.45
        write(self._picture, "KeptReading", x, foot, size, QUIET)
        left = x + painting.width_of("KeptReading", size) + round(0.8 * size)
        words = "   ".join(kept.words for kept in self._session.kept)
        # the newest are at the end, and stay
        write(
            self._picture,
            shortened(words, x + width - left, size, keep_end=True),
            left,
            foot,
            size,
            WORDS,
            painting.REGULAR,
        )

    def _draw_model(self, model: str) -> None:
        x, y, width, height = self._layout.model
        size = max(11.0, 0.86 * self._layout.letters)
        mode = {Mode.AUTO: "Automatic", Mode.ONE: "One digit", Mode.NUMBER: "Number"}[self._session.mode]
        write(
            self._picture,
            shortened(f"{mode}  \u2022  {model}", width, size),
            x,
            y + height - size * 0.5,
            size,
            QUIET,
        )
