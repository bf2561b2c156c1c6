"""Writing styles: a form becomes pen strokes that differ a little each time.

No list of forms covers the writing styles of real people. So a style blends a form with a similar one,
shifts its strokes against each other, adds hooks at their ends, rounds corners, and enlarges the upper,
lower, left or right part at the other's cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.synthesis.glyphs import Form

Strokes = list[NDArray[np.float64]]  # each (P, 2), x and y, in a box of about 1 by 1

_BENDS = np.array([(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)])  # half waves over the box, in x and y


@dataclass(frozen=True)
class WritingParameters:
    """What all styles share; chosen by eye where nothing else is said.

    Lengths are shares of the form's box. Whole numbers are drawn between the first, inclusive, and the
    second, exclusive.

    Attributes:
        samples: points of a curve from one point of a form to the next.
        course_points: of a stroke, by which forms are compared and mixed.
        alike_distance: sum of the mean distances in x and in y below which two strokes are alike.
        most_of_other: the largest share of another form in a mixture. That forms are mixed was judged by 23
            writers, as were hooks and uneven stretching (docs/experiments.md, "Freer writing styles").
        points_per_knot: of a mixture's course to one knot at which it wobbles.
        shift_turn: radians by which a shifted stroke turns, standard deviation, to a shift of one box.
        shift_growth: of the logarithm of its size's factor, standard deviation, to a shift of one box.
        rounding_reach: points on either side over which corners are rounded.
        end_change: how much longer or shorter a stroke may be at either end, as a share of its points
            where it is shorter.
        end_points: the points at an end whose course tells its direction.
        least_way: their distance at least, in the division by it.
        hook_length: between which hooks are long.
        hook_turn: radians between which they turn.
        hook_points: of a hook.
        stretched_from, stretched_to: between which the box is stretched unevenly.
        stretch_across: deviation of the exponent for widths, to that for heights.
        aspect: usual logarithm of width to height.
        slant: usual slant, x for each y; below 0 leans to the right.
    """

    samples: int = 8
    course_points: int = 32
    alike_distance: float = 0.35
    most_of_other: float = 0.6
    points_per_knot: int = 6
    shift_turn: float = 2.5
    shift_growth: float = 3
    rounding_reach: tuple[int, int] = (2, 7)
    end_change: float = 0.08
    end_points: int = 4
    least_way: float = 1e-6
    hook_length: tuple[float, float] = (0.06, 0.2)
    hook_turn: tuple[float, float] = (0.8, 2.6)
    hook_points: int = 6
    stretched_from: float = -0.3
    stretched_to: float = 1.3
    stretch_across: float = 0.6
    aspect: float = -0.35
    slant: float = -0.1


WRITING = WritingParameters()


@dataclass(frozen=True)
class WritingStyle:
    """How far a style varies a form; lengths are shares of the form's box.

    Attributes:
        wobble: least and most that points move, standard deviation.
        bend: what each of five smooth waves moves, standard deviation.
        aspect: of width to height, standard deviation of its logarithm.
        slant: standard deviation.
        turn: in radians, standard deviation.
        stretch: of the exponent by which heights grow above or below, standard deviation.
        shift: of all strokes but the first, standard deviation.
        mixing: how often it is mixed with a form that is like it.
        hooks: how often a stroke turns at either end.
        rounding: how often a stroke's corners are rounded.
    """

    wobble: tuple[float, float] = (0.01, 0.03)
    bend: float = 0.045
    aspect: float = 0.2
    slant: float = 0.15
    turn: float = 0.08
    stretch: float = 0.0
    shift: float = 0.0
    mixing: float = 0.0
    hooks: float = 0.0
    rounding: float = 0.0


CALM = WritingStyle()  # for symbols, which are not to become digits; by eye
# for digits; what it varies was judged by 23 writers, how far by eye
FREE = WritingStyle(
    wobble=(0.01, 0.04), aspect=0.28, slant=0.2, stretch=0.3, shift=0.04, mixing=0.5, hooks=0.12, rounding=0.3
)


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample a Catmull-Rom spline through `points` (P, 2); twice the same point is a corner."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, WRITING.samples, endpoint=False)[:, np.newaxis]
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    pieces = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(before, start, end, after, strict=True)
    ]
    return np.concatenate([*pieces, points[-1:]])


def alike(forms: Sequence[Form]) -> list[list[Form]]:
    """Return for each form the others that have as many strokes, of much the same course."""
    courses = [_courses(form) for form in forms]

    def are_alike(one: Strokes, other: Strokes) -> bool:
        return len(one) == len(other) and all(
            2 * np.abs(a - b).mean() < WRITING.alike_distance for a, b in zip(one, other, strict=True)
        )

    return [
        [forms[k] for k, other in enumerate(courses) if other is not one and are_alike(one, other)]
        for one in courses
    ]


def write(
    form: Form, random: np.random.Generator, style: WritingStyle, others: Sequence[Form] = ()
) -> Strokes:
    """Write a form once.

    Args:
        form: what to write.
        random: where chance comes from.
        style: how freely.
        others: forms to mix it with, those that `alike` gives.
    """
    wobble = random.uniform(*style.wobble)
    if others and random.random() < style.mixing:
        strokes = _mixed(form, others[int(random.integers(len(others)))], wobble, random)
    else:
        strokes = [curve(np.array(stroke) + random.normal(0, wobble, (len(stroke), 2))) for stroke in form]
    return vary(strokes, random, style, aspect=WRITING.aspect, slant=WRITING.slant)


def vary(
    strokes: Strokes, random: np.random.Generator, style: WritingStyle, *, aspect: float = 0, slant: float = 0
) -> Strokes:
    """Write strokes again, as another writer or at another time.

    Args:
        strokes: each (P, 2), in a box of about 1 by 1; left as they are.
        random: where chance comes from.
        style: how freely.
        aspect: usual logarithm of the factor on width to height.
        slant: usual slant, x for each y.
    """
    strokes = list(strokes)
    if style.shift:
        strokes[1:] = [_moved(stroke, style.shift, random) for stroke in strokes[1:]]
    strokes = [_rounded(stroke, random) if random.random() < style.rounding else stroke for stroke in strokes]
    bend = random.normal(0, style.bend, (len(_BENDS), 2))
    strokes = [_bent(_with_other_ends(stroke, style.hooks, random), bend) for stroke in strokes]
    if style.stretch:
        strokes = _stretched(strokes, style.stretch, random)
    width = np.exp(random.normal(aspect, style.aspect))
    lean, turn = random.normal(slant, style.slant), random.normal(0, style.turn)
    shape = np.array([[width, 0.0], [lean, 1.0]]) @ turning(turn)
    return [stroke @ shape for stroke in strokes]


def turning(angle: float) -> NDArray[np.float64]:
    """Return the matrix (2, 2) that turns points by radians, clockwise where y points down.

    Points that are rows are turned by ``points @ turning(angle)``, columns by ``turning(-angle) @ points``.
    """
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _courses(form: Form) -> Strokes:
    """Return each stroke by points (`WRITING.course_points`, 2) at even distances along it."""
    courses = []
    for stroke in form:
        points = curve(np.array(stroke))
        way = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
        places = np.linspace(0, way[-1], WRITING.course_points)
        courses.append(np.stack([np.interp(places, way, values) for values in points.T], axis=1))
    return courses


def _mixed(one: Form, other: Form, wobble: float, random: np.random.Generator) -> Strokes:
    """Write what lies between two forms, nearer to the first."""
    share = random.uniform(0, WRITING.most_of_other)
    points = np.arange(WRITING.course_points)
    knots = np.linspace(0, points[-1], len(points) // WRITING.points_per_knot)
    strokes = []
    for a, b in zip(_courses(one), _courses(other), strict=True):
        moves = random.normal(0, wobble, (2, len(knots)))
        moved = np.stack([np.interp(points, knots, each) for each in moves], axis=1)
        strokes.append((1 - share) * a + share * b + moved)
    return strokes


def _moved(stroke: NDArray[np.float64], shift: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Write a stroke elsewhere, a little turned, larger or smaller."""
    middle = stroke.mean(axis=0)
    turned = turning(random.normal(0, WRITING.shift_turn * shift))
    shape = turned * np.exp(random.normal(0, WRITING.shift_growth * shift))
    return np.asarray((stroke - middle) @ shape + middle + random.normal(0, shift, 2))


def _rounded(stroke: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Round a stroke's corners; its ends stay where they are."""
    reach = int(random.integers(*WRITING.rounding_reach))
    if len(stroke) < 2 * reach + 3:
        return stroke
    padded = np.pad(stroke, ((reach, reach), (0, 0)), mode="edge")
    window = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    rounded = np.stack([np.convolve(values, window, "valid") for values in padded.T], axis=1)
    rounded[[0, -1]] = stroke[[0, -1]]
    return rounded


def _with_other_ends(
    stroke: NDArray[np.float64], hooks: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Leave out a little of a stroke (P, 2) at its ends, go on a little in its direction, or turn there."""
    if len(stroke) < 2 * WRITING.samples:
        return stroke
    for _ in range(2):
        more = random.uniform(-WRITING.end_change, WRITING.end_change)
        if more < 0:
            stroke = stroke[: len(stroke) - round(-more * len(stroke))]
        else:
            ahead = stroke[-1] - stroke[-WRITING.end_points]
            way = max(np.hypot(*ahead), WRITING.least_way)
            stroke = np.concatenate([stroke, [stroke[-1] + ahead * more / way]])
        if random.random() < hooks:
            stroke = _hooked(stroke, random)
        stroke = stroke[::-1]
    return stroke


def _hooked(stroke: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Let a stroke go on in a bow at its end."""
    ahead = stroke[-1] - stroke[-WRITING.end_points]
    turn = random.choice([-1, 1]) * random.uniform(*WRITING.hook_turn)
    count = WRITING.hook_points
    angles = np.arctan2(ahead[1], ahead[0]) + turn * np.arange(1, count + 1) / count
    step = random.uniform(*WRITING.hook_length) / count
    steps = step * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.concatenate([stroke, stroke[-1] + np.cumsum(steps, axis=0)])


def _bent(stroke: NDArray[np.float64], bend: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch here and press together there: a smooth field over the box, the same for all strokes."""
    waves = np.cos(np.pi * stroke[:, np.newaxis] * _BENDS).prod(axis=2)  # (P, B)
    return np.asarray(stroke + waves @ bend)


def _stretched(strokes: Strokes, deviation: float, random: np.random.Generator) -> Strokes:
    """Let one half of the box grow at the other's cost: heights, and widths a little."""
    powers = np.exp(random.normal(0, deviation * np.array([WRITING.stretch_across, 1.0])))
    from_end = random.random(2) < 0.5
    low, high = WRITING.stretched_from, WRITING.stretched_to

    def stretch(values: NDArray[np.float64], power: float, *, backwards: bool) -> NDArray[np.float64]:
        share = (np.clip(values, low, high) - low) / (high - low)
        share = 1 - (1 - share) ** power if backwards else share**power
        return np.asarray(low + share * (high - low))

    return [
        np.stack(
            [stretch(stroke[:, k], float(powers[k]), backwards=bool(from_end[k])) for k in range(2)], axis=1
        )
        for stroke in strokes
    ]
