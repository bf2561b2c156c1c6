"""Numbers, signs and words on a sheet, in the hand of one writer or in a typeface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.config import marks as kinds
from digitcli.synthesis.pages.marks import BOX, FIELD_SIDE, STEPS, ZERO, Character, Library, Mark, Typeface
from digitcli.synthesis.pages.sheet import Matrix, Sheet
from digitcli.synthesis.writing_styles import turning

Point = NDArray[np.float64]  # (2,), x and y


def _dot() -> Mark:
    y, x = np.mgrid[:FIELD_SIDE, :FIELD_SIDE] - (FIELD_SIDE - 1) / 2
    return Mark(np.clip(np.hypot(x, y) * STEPS + ZERO, 0, 255).astype(np.uint8), 0.0, 0.0, 0.0, True)


DOT = _dot()
_DOT_RADIUS = 8  # pixels of the field


@dataclass(frozen=True)
class Sign:
    """How a sign stands on a line of digits; lengths are heights of a digit.

    Attributes:
        kind: its class.
        middle: of its box, above the baseline.
        size: of its longer side.
    """

    kind: int
    middle: float
    size: float


SIGNS = {
    ".": Sign(kinds.DECIMAL, 0.0, 0.12),
    "-": Sign(kinds.MINUS, 0.5, 0.45),
    "/": Sign(kinds.SLASH, 0.5, 1.15),
    "+": Sign(kinds.PLUS, 0.5, 0.7),
    "=": Sign(kinds.EQUALS, 0.5, 0.65),
    ":": Sign(kinds.COLON, 0.35, 0.5),
    ",": Sign(kinds.DECIMAL, -0.05, 0.28),
    "(": Sign(kinds.OTHER, 0.45, 1.35),
    ")": Sign(kinds.OTHER, 0.45, 1.35),
    "[": Sign(kinds.OTHER, 0.45, 1.35),
    "]": Sign(kinds.OTHER, 0.45, 1.35),
    "|": Sign(kinds.OTHER, 0.45, 1.6),
    "x": Sign(kinds.OTHER, 0.4, 0.5),
    "✓": Sign(kinds.OTHER, 0.55, 1.1),
    "%": Sign(kinds.OTHER, 0.5, 1.0),
}


@dataclass(frozen=True)
class WritingParameters:
    """How numbers are written; by eye. Lengths are shares of a digit's height.

    Attributes:
        aspect: standard deviation of the logarithm of a hand's width to height.
        slant: standard deviation of a hand's slant.
        wild: how often a hand's slant is thrice as large.
        unsteady: between which a hand's standard deviations of size and place lie.
        turn: of a digit or a letter, in radians, to a hand's unsteadiness.
        mixed: how often the digits of a number come from anywhere.
        print_aspect: as `aspect`, of printed characters.
        dot: between which the radii of dots lie, in half widths of the pen.
        sign_size: standard deviation of the logarithm of a sign's size.
        lean: mean and standard deviation of a slash's slant beside its hand's, in radians.
        letter_size: how much a letter's size and place vary, to its hand's unsteadiness.
        bold: standard deviation of the logarithm of how bold print is.
        space: width of a space.
        flat: the least height of a mark to its longer side at which it is drawn as high as others.
    """

    aspect: float = 0.16
    slant: float = 0.12
    wild: float = 0.15
    unsteady: tuple[float, float] = (0.01, 0.09)
    turn: float = 0.8
    mixed: float = 0.1
    print_aspect: float = 0.15
    dot: tuple[float, float] = (1.0, 1.8)
    sign_size: float = 0.2
    lean: tuple[float, float] = (0.12, 0.18)
    letter_size: float = 0.6
    bold: float = 0.2
    space: tuple[float, float] = (0.3, 1.5)
    flat: float = 0.6


WRITING = WritingParameters()


@dataclass(frozen=True)
class Hand:
    """How someone writes, with a pen on a layer of a sheet.

    Attributes:
        library: where signs are from.
        digits: marks of each digit.
        face: printed characters in place of them, if it prints.
        script: letters.
        layer: of the sheet.
        pen: half its width, in pixels.
        height: of digits, in pixels.
        shape: (2, 2), what slant and width do to a mark.
        unsteady: standard deviation of size and place, in heights.
        direction: in which lines go, in radians, clockwise.
        bold: how bold print is, times the typeface's own width of strokes.
    """

    library: Library
    digits: tuple[tuple[Mark, ...], ...]
    face: Typeface | None
    script: Typeface
    layer: int
    pen: float
    height: float
    shape: Matrix
    unsteady: float
    direction: float
    bold: float


def take_up(
    library: Library,
    layer: int,
    height: float,
    pen: float,
    random: np.random.Generator,
    *,
    direction: float = 0.0,
    printed: bool = False,
) -> Hand:
    """Return a random hand that writes digits of `height` pixels with a pen of half width `pen`."""
    spread = 3 if random.random() < WRITING.wild else 1
    slant = 0.0 if printed else random.normal(-0.08, WRITING.slant * spread)
    aspect = np.exp(random.normal(0, WRITING.print_aspect if printed else WRITING.aspect))
    if random.random() < WRITING.mixed:
        chosen = [library.hands[int(k)] for k in random.integers(len(library.hands), size=10)]
        digits = tuple(hand[digit] for digit, hand in enumerate(chosen))
    else:
        digits = library.hands[int(random.integers(len(library.hands)))]
    face = library.faces[int(random.integers(len(library.faces)))] if printed else None
    return Hand(
        library=library,
        digits=digits,
        face=face,
        script=face or library.scripts[int(random.integers(len(library.scripts)))],
        layer=layer,
        pen=pen,
        height=height,
        shape=np.array([[aspect, slant], [0.0, 1.0]]),
        unsteady=0.0 if printed else random.uniform(*WRITING.unsteady),
        direction=direction,
        bold=float(np.exp(random.normal(0, WRITING.bold))) if printed else 1.0,
    )


class Line:
    """A line of marks that is being written, from a point on its baseline on."""

    def __init__(
        self, sheet: Sheet, hand: Hand, start: Point, random: np.random.Generator, wave: float = 0.0
    ) -> None:
        self._sheet, self._hand, self._random = sheet, hand, random
        self._start = start
        self._turning = turning(-hand.direction)  # columns: along the line, downwards
        self._wave = wave * hand.height
        self._phase, self._length = random.uniform(0, 2 * np.pi), hand.height * random.uniform(1.5, 5)
        self.x = 0.0  # pixels along the line: the right of what is written so far

    def write(self, text: str, gap: float) -> None:
        """Write digits and signs with gaps of `gap` heights; a space leaves a wider one."""
        hand, random = self._hand, self._random
        for place, character in enumerate(text):
            if character == " ":
                self.x += random.uniform(*WRITING.space) * hand.height
                continue
            space = (gap + random.normal(0, 0.5 * hand.unsteady)) * hand.height if place else 0.0
            if character.isdigit():
                self._digit(int(character), space)
            elif hand.face and character in hand.face:
                self._printed(character, SIGNS[character].kind, space)
            elif character == ".":
                self._point(space)
            else:
                self._sign(character, max(space, 0.08 * hand.height))

    def write_word(self, word: str, *, joined: bool = False) -> None:
        """Write letters, those of a word joined or not."""
        em = self._hand.height / 0.72
        for place, letter in enumerate(word):
            if joined and place and letter.islower() and word[place - 1].islower():
                self._join(em)
            if letter == " ":
                self.x += 0.35 * em
            elif letter in self._hand.script:  # a font may lack some
                kind = SIGNS[letter].kind if letter in SIGNS and letter != "x" else kinds.LETTER
                self._character(self._hand.script[letter], kind, em)

    def _join(self, em: float) -> None:
        """Draw a stroke from the letter before to the next one, and go back a bit."""
        hand, random = self._hand, self._random
        self.x -= random.uniform(0, 0.08) * em
        reach = random.uniform(0.1, 0.25) * em
        ends = [
            (-reach, -random.uniform(0, 0.15) * em),
            (0.0, -0.02 * em),
            (reach, -random.uniform(0.1, 0.4) * em),
        ]
        points = np.array([self._place(self.x + x, y) for x, y in ends])
        self._sheet.draw_path(hand.layer, points, 2 * hand.pen)

    def write_scrawl(self, loops: int) -> None:
        """Write a word without letters: up and down and in loops, as fast handwriting does."""
        hand, random = self._hand, self._random
        turns = np.arange(2 * loops + 1)
        tops = random.choice([0.55, 0.55, 0.55, 1.1, -0.5], size=loops) * random.uniform(0.85, 1.15, loops)
        heights = np.zeros(2 * loops + 1)
        heights[1::2] = tops
        fine = np.linspace(0, 2 * loops, 20 * loops)
        below = np.floor(fine).astype(int).clip(0, 2 * loops - 1)
        share = (1 - np.cos((fine - turns[below]) * np.pi)) / 2
        y = -hand.height * (heights[below] * (1 - share) + heights[below + 1] * share)
        step = hand.height * random.uniform(0.2, 0.5)
        x = self.x + step * (fine / 2 + random.uniform(-0.2, 0.7) * np.sin(fine * np.pi))
        x -= hand.shape[0, 1] * y
        points = np.array([self._place(*each) for each in zip(x, y, strict=True)])
        self._sheet.draw_path(hand.layer, points, 2 * hand.pen)
        self.x = float(x.max())

    def _digit(self, digit: int, gap: float) -> None:
        hand, random = self._hand, self._random
        if hand.face:
            self._printed(str(digit), digit, gap)
            return
        marks = hand.digits[digit]
        mark = marks[int(random.integers(len(marks)))]
        size = (
            hand.height * np.exp(random.normal(0, hand.unsteady)) * BOX / max(mark.height, WRITING.flat * BOX)
        )
        lower = random.normal(0, hand.unsteady) * hand.height
        self.x += gap
        self.x += self._draw(mark, self.x, lower, size, digit)

    def _printed(self, character: str, kind: int, gap: float) -> None:
        hand = self._hand
        self.x += max(0.0, gap) * 0.3
        if hand.face:
            self._character(hand.face[character], kind, hand.height / 0.72)

    def _point(self, gap: float) -> None:
        hand, random = self._hand, self._random
        radius = max(hand.pen * random.uniform(*WRITING.dot), 0.7)
        shape = np.eye(2) * max(1.0, radius / _DOT_RADIUS)
        middle = self._place(self.x + gap + radius, random.normal(-radius, 0.04 * hand.height))
        self._sheet.stamp(hand.layer, DOT, shape, middle, radius, kinds.DECIMAL)
        self.x += gap + 2 * radius

    def _sign(self, character: str, gap: float) -> None:
        hand, random = self._hand, self._random
        sign, marks = SIGNS[character], hand.library.signs[character]
        mark = marks[int(random.integers(len(marks)))]
        size = hand.height * sign.size * np.exp(random.normal(0, WRITING.sign_size))
        lean = random.normal(*WRITING.lean) if character == "/" else 0.0
        tall = (np.abs(hand.shape) @ [mark.width, mark.height])[1] * size / BOX
        lower = tall / 2 - hand.height * (sign.middle + random.normal(0, 0.06))
        pen = hand.pen * random.uniform(*WRITING.dot) if character == ":" else hand.pen
        self.x += gap
        self.x += self._draw(mark, self.x, lower, size, sign.kind, pen, lean)

    def _character(self, character: Character, kind: int, em: float) -> None:
        hand = self._hand
        mark = character.mark
        shape = hand.shape * (max(character.width, character.height) * em / BOX)
        width = character.width * hand.shape[0, 0] * em
        x = self.x + character.left * hand.shape[0, 0] * em + width / 2
        y = (character.top + character.height / 2) * em
        if not hand.face:  # nobody writes a letter twice alike
            turn, wider, taller, lower = self._random.normal(0, hand.unsteady, 4).tolist()
            turned = turning(-turn * WRITING.turn)
            shape = shape @ turned * np.exp(WRITING.letter_size * np.array([wider, taller]))
            y += WRITING.letter_size * lower * hand.height
        middle = self._place(x, y)
        own = mark.half_width * float(np.sqrt(np.linalg.det(shape)))
        pen = own * hand.bold if hand.face else hand.pen
        self._sheet.stamp(hand.layer, mark, self._turning @ shape, middle, pen, kind)
        self.x += character.advance * hand.shape[0, 0] * em

    def _draw(
        self,
        mark: Mark,
        left: float,
        lower: float,
        size: float,
        kind: int,
        pen: float | None = None,
        lean: float = 0.0,
    ) -> float:
        """Draw a mark whose longer side is `size` pixels, its box at `left` and `lower`; return its width.

        It is turned by `lean` radians, and a bit more or less.
        """
        hand = self._hand
        turn = lean + self._random.normal(0, WRITING.turn * hand.unsteady)
        shape = hand.shape @ turning(-turn) * (size / BOX)
        width, height = np.abs(shape) @ np.array([mark.width, mark.height])
        middle = self._place(left + width / 2, lower - height / 2)
        pen = hand.pen if pen is None else pen
        self._sheet.stamp(hand.layer, mark, self._turning @ shape, middle, pen, kind)
        return float(width)

    def _place(self, x: float, y: float) -> Point:
        """Return the point on the sheet that is x along the line and y below its baseline."""
        wave = self._wave * np.sin(self._phase + x / self._length)
        return np.asarray(self._start + self._turning @ np.array([x, y + wave]))
