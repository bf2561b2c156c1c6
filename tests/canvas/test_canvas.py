import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digitcli.canvas.canvas import CANVAS, SIDE, Canvas
from digitcli.canvas.raster import Raster
from digitcli.canvas.stroke import Stroke
from digitcli.datasets.strokes import MAX_POINTS, MAX_STROKES, parse
from digitcli.errors import InputError

SIZES = (64, 200, 300)
# a little outside, too, and much further where the pen may go while the button is held
NUMBER = st.floats(-60, SIDE + 60) | st.floats(-1e6, 1e6)
POINTS = st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=5)
ACTION = st.one_of(
    st.tuples(st.just("draw"), POINTS, st.sampled_from((6.0, 24.0, 48.0))),
    st.tuples(st.just("erase"), POINTS, st.just(0.0)),
    st.tuples(st.sampled_from(("undo", "redo", "clear")), st.just([]), st.just(0.0)),
)


def act(canvas: Canvas, action: tuple[str, list[tuple[float, float]], float]) -> None:
    name, points, brush = action
    if name in ("undo", "redo", "clear"):
        getattr(canvas, name)()
        return
    canvas.brush = brush or canvas.brush
    canvas.begin(*points[0], erase=name == "erase")
    for time, point in enumerate(points[1:]):
        canvas.extend(*point, time)
    canvas.end()


def anew(canvas: Canvas, size: int) -> np.ndarray:
    raster = Raster(size, SIDE)
    raster.paint(canvas.strokes)
    return raster.pixels


def line(canvas: Canvas, *points: tuple[float, float]) -> None:
    act(canvas, ("draw", list(points), 0.0))


@settings(deadline=None, max_examples=80)
@given(st.lists(ACTION, max_size=12))
def test_pictures_follow_every_change_to_the_bit(actions: list) -> None:
    canvas = Canvas()
    rasters = [canvas.raster(size) for size in SIZES]
    for action in actions:
        before, version = anew(canvas, SIZES[1]), canvas.version
        act(canvas, action)
        for size, raster in zip(SIZES, rasters, strict=True):
            assert np.array_equal(raster.pixels, anew(canvas, size))
        if canvas.version == version:
            assert np.array_equal(rasters[1].pixels, before)


@settings(deadline=None, max_examples=80)
@given(st.lists(ACTION, max_size=12))
def test_undoing_everything_goes_back_through_every_picture(actions: list) -> None:
    canvas = Canvas()
    raster = canvas.raster(128)
    pictures = [raster.pixels.copy()]
    for action in actions:
        if action[0] in ("undo", "redo"):
            continue
        act(canvas, action)
        pictures.append(raster.pixels.copy())
    # gestures that changed nothing are not among those that can be undone
    changes = [pictures[0]]
    for picture in pictures[1:]:
        if not np.array_equal(picture, changes[-1]):
            changes.append(picture)
    seen = [raster.pixels.copy()]
    while canvas.undo():
        if not np.array_equal(raster.pixels, seen[-1]):
            seen.append(raster.pixels.copy())
    assert len(seen) == len(changes)
    assert all(np.array_equal(one, other) for one, other in zip(seen, reversed(changes), strict=True))
    while canvas.redo():
        pass
    assert np.array_equal(raster.pixels, pictures[-1])


@settings(deadline=None, max_examples=60)
@given(POINTS, st.tuples(st.floats(0, SIDE), st.floats(0, SIDE)))
@example([(0.0, 0.0), (65.0, 441.0)], (0.0, 0.0))
def test_the_eraser_takes_all_ink_under_it_and_none_far_from_it(points: list, at: tuple) -> None:
    canvas = Canvas()
    raster = canvas.raster(int(SIDE))
    act(canvas, ("draw", points, 24.0))
    before = raster.pixels.copy()
    act(canvas, ("erase", [at], 0.0))
    rows, columns = np.mgrid[: int(SIDE), : int(SIDE)]
    distance = np.hypot(columns - at[0], rows - at[1])
    assert not raster.pixels[distance < CANVAS.eraser - 2].any()
    # the pen's round end is at most the pen's width away from where the line was cut; the rest of a
    # cut line is rounded anew, which moves its rim by up to a pixel
    far = distance > CANVAS.eraser + 24 + 3
    after, square = raster.pixels.astype(int), np.ones((3, 3), np.uint8)
    assert (after - cv2.dilate(before, square))[far].max(initial=0) < 128
    assert (cv2.erode(before, square) - after)[far].max(initial=0) < 128


def test_a_line_is_cut_in_two() -> None:
    canvas = Canvas()
    line(canvas, (50, 100), (450, 100))
    act(canvas, ("erase", [(250, 100)], 0.0))
    first, second = canvas.strokes
    gap = CANVAS.eraser + canvas.brush / 2
    assert first.points.tolist() == [[50, 100], [250 - gap, 100]]
    assert second.points.tolist() == [[250 + gap, 100], [450, 100]]
    assert canvas.undo()
    assert [stroke.points.tolist() for stroke in canvas.strokes] == [[[50, 100], [450, 100]]]


def test_a_swift_eraser_leaves_no_gaps() -> None:
    canvas = Canvas()
    for x in range(20, 500, 10):
        line(canvas, (x, 200), (x, 300))
    act(canvas, ("erase", [(0, 250), (512, 250)], 0.0))
    raster = canvas.raster(512)
    assert not raster.pixels[240:260].any()
    assert raster.pixels[205].any()


def test_what_is_outside_is_not_drawn() -> None:
    canvas = Canvas()
    line(canvas, (100, 256), (612, 256), (612, 400), (412, 400))
    assert [stroke.points.tolist() for stroke in canvas.strokes] == [
        [[100, 256], [512, 256]],
        [[512, 400], [412, 400]],
    ]
    canvas.undo()  # one gesture
    assert canvas.strokes == ()
    line(canvas, (-10, -10), (-20, 600))
    assert canvas.strokes == ()
    assert not canvas.can_undo


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(wrong: float) -> None:
    canvas = Canvas()
    with pytest.raises(InputError, match="finite"):
        canvas.begin(wrong, 0)
    canvas.begin(1, 1)
    with pytest.raises(InputError, match="finite"):
        canvas.extend(0, wrong)
    with pytest.raises(InputError, match="finite"):
        canvas.hit(0, wrong)
    assert len(canvas.strokes) == 1


def test_a_million_points_stop_where_the_format_stops() -> None:
    canvas = Canvas()
    canvas.begin(0, 0)
    for number in range(1_000_000):
        if canvas.is_full:
            break
        canvas.extend(number * 37 % 500, number * 91 % 500)
    assert canvas.is_full
    assert sum(len(stroke) for stroke in canvas.strokes) <= MAX_POINTS
    canvas.extend(3, 3)
    canvas.end()
    canvas.begin(5, 5)
    assert len(canvas.strokes) == 1
    version = canvas.version
    canvas.extend(50, 50)
    assert canvas.version == version


def test_what_is_drawn_can_always_be_read_back() -> None:
    canvas = Canvas()
    for x in range(0, 512, 2):
        line(canvas, (x, 0), (x, 512))
    for y in range(0, 512, 100):
        act(canvas, ("erase", [(0, y), (512, y)], 0.0))
    assert len(canvas.strokes) <= MAX_STROKES
    drawing = parse(json.dumps({"strokes": canvas.as_strokes()}), "here")
    assert len(drawing.strokes) == len(canvas.strokes) > 256


def test_a_tap_is_a_dot() -> None:
    canvas = Canvas()
    raster = canvas.raster(512)
    act(canvas, ("draw", [(100.0, 200.0)], 24.0))
    assert raster.pixels[200, 100] == 255
    assert 0.9 < (raster.pixels > 127).sum() / (math.pi * 12**2) < 1.1
    assert canvas.as_strokes() == [[[100.0, 200.0]]]


def test_hit_testing_finds_the_topmost_ink() -> None:
    canvas = Canvas()
    line(canvas, (100, 100), (400, 100))
    line(canvas, (250, 50), (250, 300))
    line(canvas, (50, 50))
    half = canvas.brush / 2
    assert canvas.hit(120, 100 + half - 1) == 0
    assert canvas.hit(120, 100 + half + 1) is None
    assert canvas.hit(120, 100 + half + 4, within=5) == 0
    assert canvas.hit(250, 100) == 1
    assert canvas.hit(52, 50) == 2


def test_the_history_is_bounded() -> None:
    canvas = Canvas()
    for number in range(CANVAS.most_undo + 50):
        line(canvas, (number % 500, 10), (number % 500, 90))
        canvas.clear()
    undone = 0
    while canvas.undo():
        undone += 1
    assert undone == CANVAS.most_undo


def test_drawing_forgets_what_was_undone_and_a_miss_does_not() -> None:
    canvas = Canvas()
    line(canvas, (10, 10), (90, 90))
    canvas.undo()
    line(canvas, (-50, -50))
    assert canvas.can_redo
    line(canvas, (10, 10), (90, 10))
    assert not canvas.can_redo
    assert not canvas.redo()


def test_points_that_add_nothing_are_left_out() -> None:
    canvas = Canvas()
    line(canvas, (10, 10), (10.4, 10), (10.9, 10), (11.2, 10), (40, 10))
    assert canvas.strokes[0].points.tolist() == [[10, 10], [11.2, 10], [40, 10]]


def test_a_picture_that_is_released_no_longer_follows() -> None:
    canvas = Canvas()
    raster = canvas.raster(100)
    canvas.release(raster)
    line(canvas, (10, 10), (300, 300))
    assert not raster.pixels.any()


def test_the_time_of_a_cut_lies_between() -> None:
    stroke = Stroke([(0, 0), (100, 0)], [1.0, 2.0], 10)
    (first, second), _ = stroke.without(50, 0, 5)
    assert first.times == pytest.approx([1.0, 1.4])
    assert second.times == pytest.approx([1.6, 2.0])
