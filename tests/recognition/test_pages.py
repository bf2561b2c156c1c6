import time

import cv2
import numpy as np
import pytest
from handwriting import page
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitcli import Recognizer
from digitcli.datasets import Digits
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.rules.pages import prepare
from digitcli.recognition.rules.segmentation import find_lines

NUMBERS = ["42", "2026", "31415926", "907", "1", "55", "680013"]


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL, detector="none")


def share_right(reader: Recognizer, texts: list[str], pages: list[np.ndarray]) -> float:
    read = [reading.text for reading in reader.read_many(pages)]
    return float(np.mean([one == other for one, other in zip(read, texts, strict=True)]))


@pytest.mark.parametrize("height", [24, 60, 150])
def test_numbers_of_any_size(reader: Recognizer, few: Digits, height: int) -> None:
    pages = [
        page([text], few, height=height, gap=height // 4, seed=seed) for seed, text in enumerate(NUMBERS)
    ]
    assert share_right(reader, NUMBERS, pages) >= 6 / 7


def test_digits_that_touch(reader: Recognizer, few: Digits) -> None:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("0123456789"), 3)) for _ in range(30)]
    pages = [page([text], few, gap=-2, seed=seed) for seed, text in enumerate(texts)]
    assert share_right(reader, texts, pages) >= 0.7


def side_by_side(text: str, pen: int, overlap: int, tilt: int) -> np.ndarray:
    """Draw ones and zeros, (200, W) uint8, black on white, whose boxes overlap by `overlap` pixels."""
    canvas = np.zeros((200, 60 + 90 * len(text)), np.uint8)
    x = 50
    for digit in text:
        if digit == "1":
            cv2.line(canvas, (x + tilt, 50), (x, 150), 255, pen, cv2.LINE_AA)
            x += pen - overlap
        else:
            cv2.ellipse(canvas, (x + 30, 100), (30, 50), 0, 0, 360, 255, pen, cv2.LINE_AA)
            x += 60 + pen - overlap
    return 255 - canvas


@pytest.mark.parametrize(("texts", "least"), [(["00"], 1.0), (["10", "01"], 0.3)])
def test_digits_whose_sides_have_become_one_stroke(
    reader: Recognizer, texts: list[str], least: float
) -> None:
    written = [
        (text, pen, round(share * pen), tilt)
        for text in texts
        for pen in (8, 11, 14)
        for share in (0.3, 0.6, 1.0)
        for tilt in (0, 8)
    ]
    pages = [side_by_side(*each) for each in written]
    assert share_right(reader, [text for text, *_ in written], pages) >= least


def test_digits_far_from_some_that_touch_are_not_lost_beside_their_width() -> None:
    ink = np.zeros((200, 780), np.uint8)
    for left, width, height in ((35, 70, 119), (203, 60, 112), (320, 60, 114), (439, 301, 130)):
        cv2.rectangle(ink, (left, 40, width, height), 255, 8)
    (line,) = find_lines(ink)
    assert [round(mark.x, -1) for mark in line] == [30, 200, 320, 430]


def test_lines_are_read_from_top_to_bottom(reader: Recognizer, few: Digits) -> None:
    reading = reader.read(page(["123", "4567", "89"], few))
    assert [len(line) for line in reading.text.split("\n")] == [3, 4, 2]
    boxes = [digit.box for digit in reading.digits]
    assert [box[0] for box in boxes[:3]] == sorted(box[0] for box in boxes[:3])
    assert max(box[1] + box[3] for box in boxes[:3]) < min(box[1] for box in boxes[3:7])


def test_boxes_are_where_the_digits_are(reader: Recognizer, few: Digits) -> None:
    drawn = page(["204"], few)
    for image, scale in ((drawn, 1.0), (cv2.resize(drawn, None, fx=12, fy=12), 12.0)):
        reading = reader.read(image)
        assert len(reading.digits) == 3
        for x, y, width, height in (digit.box for digit in reading.digits):
            inside = drawn[
                int(y / scale) : int((y + height) / scale), int(x / scale) : int((x + width) / scale)
            ]
            assert height / scale == pytest.approx(60, abs=8)
            assert (inside < 128).mean() > 0.1


def test_a_slanted_line_and_dust(reader: Recognizer, few: Digits) -> None:
    drawn = page(["7351"], few, height=80, gap=20, seed=3)
    straight = reader.read(drawn).text
    random = np.random.default_rng(0)
    for y, x in zip(random.integers(0, len(drawn), 30), random.integers(0, drawn.shape[1], 30), strict=True):
        drawn[y : y + 3, x : x + 3] = 40
    centre = (drawn.shape[1] / 2, len(drawn) / 2)
    turned = cv2.warpAffine(
        drawn, cv2.getRotationMatrix2D(centre, 5, 0.9), drawn.shape[::-1], borderValue=255
    )
    assert reader.read(turned).text == straight
    assert len(straight) == 4


@pytest.mark.parametrize("gap", [2, 6, 12])
@pytest.mark.parametrize("rest", ["41", "8", "417"])
def test_an_8_whose_rings_do_not_meet_is_one_digit_in_one_line(
    reader: Recognizer, few: Digits, rest: str, gap: int
) -> None:
    canvas = np.full((240, 140), 255, np.uint8)
    for middle in (90 - gap // 2, 151 + gap // 2):  # 52 pixels high, and 9 of the pen
        cv2.ellipse(canvas, (80, middle), (24, 26), 0, 0, 360, 0, 9, cv2.LINE_AA)
    sheet = page([rest], few, height=120)
    assert reader.read(np.hstack([canvas, sheet])).text == "8" + rest


def test_a_digit_that_is_broken_across_is_no_two_lines(reader: Recognizer, few: Digits) -> None:
    texts = list("0123456789") * 4
    whole = [page([text], few, height=100, seed=seed) for seed, text in enumerate(texts)]
    broken = [sheet.copy() for sheet in whole]
    for sheet in broken:
        sheet[104:108] = 255
    assert share_right(reader, texts, whole) >= 0.95
    assert share_right(reader, texts, broken) >= 0.8


@pytest.mark.parametrize("gap", [6, 10, 18])
def test_a_5_with_its_bar_apart_is_one_digit_in_one_line(reader: Recognizer, few: Digits, gap: int) -> None:
    sheet = page(["41"], few, height=120)
    canvas = np.full((240, 200), 255, np.uint8)
    body = np.array([(60, 60), (52, 100), (90, 95), (115, 120), (100, 155), (60, 165), (40, 155)], np.int32)
    cv2.polylines(canvas, [body], False, 0, 9, cv2.LINE_AA)
    cv2.line(canvas, (58, 55 - gap), (125, 50 - gap), 0, 9, cv2.LINE_AA)
    together = np.hstack([canvas, np.pad(sheet, ((0, 0), (0, 40)), constant_values=255)[:240]])
    assert reader.read(together).text == "541"


@pytest.mark.parametrize("text", ["1", "42", "31415"])
@pytest.mark.parametrize("below", [8, 16, 30])
def test_underlined_numbers(reader: Recognizer, few: Digits, text: str, below: int) -> None:
    sheet = np.pad(page([text], few, height=80), ((0, 40), (0, 0)), constant_values=255)
    rows, columns = np.nonzero(sheet < 128)
    y = int(rows.max()) + below
    cv2.line(sheet, (int(columns.min()), y), (int(columns.max()), y + 2), 0, 5, cv2.LINE_AA)
    assert reader.read(sheet).text == text


def test_a_sign_between_digits_takes_none_with_it(reader: Recognizer, few: Digits) -> None:
    texts, pages = [f"{k % 10}7{7 * k % 10}" for k in range(30)], []
    for seed, text in enumerate(texts):
        image = page([text[:2]], few, gap=12, seed=seed)
        end = image.shape[1] - 40
        for y in (52, 68):
            cv2.line(image, (end - 6, y), (end + 18, y), 0, 5, cv2.LINE_AA)
        pages.append(np.hstack([image[:, : end + 24], page([text[2]], few, seed=seed)[:, 40:]]))
    assert share_right(reader, texts, pages) >= 0.75


@pytest.mark.parametrize("slope", [0, 12], ids=["level", "slanted"])
def test_a_sum_with_its_line(reader: Recognizer, few: Digits, slope: int) -> None:
    texts = ["\n".join((number, "173", "4285")) for number in NUMBERS]
    pages = [page(text.split("\n"), few, seed=seed) for seed, text in enumerate(texts)]
    for image in pages:
        x = image.shape[1] - 10
        cv2.line(image, (10, 240 + slope), (x, 240 - slope), 0, 5, cv2.LINE_AA)
    wide = [cv2.copyMakeBorder(image, 0, 0, 0, 200, cv2.BORDER_CONSTANT, value=255) for image in pages]
    assert share_right(reader, texts, wide) >= 5 / 7


def in_cells(text: str, digits: Digits, seed: int, *, pen: int = 2, rows: int = 1) -> np.ndarray:
    """Draw a form's cells, a digit in each, somewhere on a white page."""
    image = np.zeros((600, 900), np.uint8)
    across = len(text) // rows
    for place, digit in enumerate(text):
        x, y = 60 + 80 * (place % across), 100 + 90 * (place // across)
        cv2.rectangle(image, (x, y), (x + 80, y + 90), 255, pen, cv2.LINE_AA)
        mark = 255 - page([digit], digits, height=50, seed=seed + place)
        columns = np.flatnonzero(mark.any(axis=0))
        mark = mark[20:80, columns[0] : columns[-1] + 1][:, :70]
        part = image[y + 15 : y + 75, x + 40 - mark.shape[1] // 2 :][:, : mark.shape[1]]
        np.maximum(part, mark, out=part)
    return 255 - image


@pytest.mark.parametrize(("pen", "rows"), [(2, 1), (5, 1), (2, 2)])
def test_digits_in_a_form_s_cells(reader: Recognizer, few: Digits, pen: int, rows: int) -> None:
    texts = ["4271", "90", "31415926", "6830"]
    pages = [in_cells(text, few, 100 * seed, pen=pen, rows=rows) for seed, text in enumerate(texts)]
    wanted = [
        "\n".join(text[first : first + len(text) // rows] for first in range(0, len(text), len(text) // rows))
        for text in texts
    ]
    assert share_right(reader, wanted, pages) >= 3 / 4


@pytest.mark.parametrize(("bottom", "least"), [(102, 1.0), (88, 0.5)], ids=["above", "touching"])
def test_digits_over_a_comb(reader: Recognizer, few: Digits, bottom: int, least: float) -> None:
    texts, pages = ["4271", "31415", "683", "90"], []
    for seed, text in enumerate(texts):
        image = page([text], few, gap=30, seed=seed)
        left, right = 25, image.shape[1] - 25
        cv2.line(image, (left, bottom), (right, bottom), 0, 2)
        for x in np.linspace(left, right, len(text) + 1).astype(int):
            cv2.line(image, (int(x), bottom - 14), (int(x), bottom), 0, 2)
        pages.append(image)
    assert share_right(reader, texts, pages) >= least


def test_letters_are_not_cut_until_they_look_like_digits(reader: Recognizer) -> None:
    pages = []
    for letter in "AEFHKMNRWXdhkmw":
        canvas = np.full((220, 240), 255, np.uint8)
        cv2.putText(canvas, letter, (50, 160), cv2.FONT_HERSHEY_SIMPLEX, 5, 0, 12, cv2.LINE_AA)
        pages.append(canvas)
    read = [reading.text for reading in reader.read_many(pages)]
    assert sum(len(text) > 1 for text in read) <= 3  # hardly any is several digits
    assert sum(bool(text) for text in read) <= 5


def test_a_frame_and_a_dark_desk_hide_nothing(reader: Recognizer, few: Digits) -> None:
    drawn = page(["123", "4567"], few)
    plain = reader.read(drawn).text
    framed = np.pad(drawn, 30, constant_values=255)
    cv2.rectangle(framed, (10, 10), (framed.shape[1] - 11, len(framed) - 11), 0, 4)
    assert reader.read(framed).text == plain
    desk = np.pad(framed, 60, constant_values=60).astype(float)
    desk += np.random.default_rng(0).normal(0, 3, desk.shape)
    assert reader.read(np.clip(desk, 0, 255).astype(np.uint8)).text == plain


def test_large_and_small_digits_on_one_page(reader: Recognizer, few: Digits) -> None:
    large, small = page(["7"], few, height=300), page(["1234512345"], few, height=40)
    width = max(large.shape[1], small.shape[1])
    both = np.vstack([np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=255)
                      for each in (large, small)])  # fmt: skip
    assert [len(line) for line in reader.read(both).text.split("\n")] == [1, 10]


def test_ones_that_stand_on_a_printed_line_stay(reader: Recognizer) -> None:
    image = np.zeros((400, 500), np.uint8)
    for y in (100, 220, 340):
        cv2.line(image, (40, y), (460, y), 255, 2)
        for x in (150, 190, 230):
            cv2.line(image, (x, y - 60), (x, y), 255, 7, cv2.LINE_AA)
    assert reader.read(255 - image).text == "111\n111\n111"


@pytest.mark.parametrize("digit", list("12457"))
def test_a_large_digit_over_small_ones_keeps_its_bars(reader: Recognizer, digit: str) -> None:
    strokes = {
        "1": [[(70, 20), (70, 200)]],
        "2": [[(30, 60), (60, 20), (110, 40), (40, 200)], [(40, 200), (150, 200)]],
        "4": [[(90, 20), (20, 130), (150, 130)], [(110, 80), (110, 200)]],
        "5": [[(40, 20), (40, 90), (110, 110), (100, 190), (30, 200)], [(40, 20), (150, 20)]],
        "7": [[(20, 20), (140, 20), (60, 200)]],
    }
    image = np.zeros((400, 700), np.uint8)
    for stroke in strokes[digit]:
        cv2.polylines(image, [np.array(stroke)], isClosed=False, color=255, thickness=6, lineType=cv2.LINE_AA)
    for x in range(40, 600, 60):
        cv2.ellipse(image, (x, 330), (14, 22), 0, 0, 360, 255, 5, cv2.LINE_AA)
    assert reader.read(255 - image).text == f"{digit}\n{'0' * 10}"


def test_a_texture_is_no_writing_and_takes_no_time(reader: Recognizer) -> None:
    y, x = np.mgrid[:2000, :2000]
    hatched = np.where((x + y) % 12 < 3, 0, 255).astype(np.uint8)
    random = np.random.default_rng(0)
    dotted = np.where(cv2.GaussianBlur(random.normal(0, 1, (2000, 2000)), (0, 0), 4) > 0.06, 0, 255)
    for texture in (hatched, dotted.astype(np.uint8)):
        start = time.perf_counter()
        assert len(reader.read(texture).text) < 20
        assert time.perf_counter() - start < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (3, 5), (2000, 2), (1, 600), (3, 2048)])
def test_odd_sizes(reader: Recognizer, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for image in (np.full(shape, 255, np.uint8), random.integers(0, 256, shape, np.uint8)):
        for single in (False, True):
            assert isinstance(reader.read(image, single=single).text, str)
    assert reader.read(np.full(shape, 255, np.uint8)).digits == ()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=64)), st.booleans())
def test_any_image_makes_a_page(image: np.ndarray, single: bool) -> None:
    prepared = prepare(image, single=single)
    assert prepared.forms.shape[1:] == (28, 28)
    probabilities = np.full((len(prepared.forms), 10), 0.1, np.float32)
    cut = prepared.cut(probabilities)
    for each in [prepared] if cut is None else [prepared, cut]:
        rows = np.full((len(each.forms), 10), 0.1, np.float32)
        for line in each.read(rows):
            for (x, y, width, height), _, _ in line:
                assert x >= 0
                assert y >= 0
                assert x + width <= image.shape[1]
                assert y + height <= image.shape[0]
