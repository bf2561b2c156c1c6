import numpy as np

from digitcli.datasets import Digits, pen_strokes
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.synthesis import pens
from digitcli.synthesis.crops import CROPS, crop, crops
from digitcli.synthesis.writers import write_again, written_by_writers


def test_the_same_seed_writes_the_same() -> None:
    drawn = written_by_writers(30, seed=2)
    assert drawn.images.shape == (30, 28, 28)
    assert (drawn.images.max(axis=(1, 2)) == 255).all()
    assert np.array_equal(drawn.images, written_by_writers(30, seed=2).images)
    assert not np.array_equal(drawn.images, written_by_writers(30, seed=3).images)
    assert len(set(written_by_writers(10, seed=0).labels.tolist())) > 3


def test_what_is_written_again_is_still_read() -> None:
    drawn = written_by_writers(300, seed=0)
    read = Recognizer.load(PRETRAINED_MODEL).classify(drawn.images).argmax(axis=1)
    assert np.mean(read == drawn.labels) > 0.95


def test_pens_are_thin_and_thick_and_thinner_where_they_are_fast() -> None:
    data, random = pen_strokes.load(), np.random.default_rng(0)
    inked = [np.count_nonzero(write_again(data, place, random)) for place in range(60)]
    assert max(inked) > 3 * min(inked)
    even, fast = (np.zeros((pens.PENS.canvas,) * 2, np.uint8) for _ in range(2))
    x = 10 + 100 * np.linspace(0, 1, 30) ** 2  # faster and faster
    line = np.stack([x, np.full(30, 64)], axis=1)
    pens._draw_at_speed(even, line, 12, 0.0)
    pens._draw_at_speed(fast, line, 12, 0.5)
    heights = [np.count_nonzero(canvas >= 128, axis=0) for canvas in (even, fast)]
    assert heights[1][20] > heights[0][20] > 8
    assert heights[1][100] < heights[0][100]


def test_crops_are_of_all_ten_digits_and_read(few: Digits) -> None:
    found = crops(300, 1, few)
    assert found.images.shape == (300, 28, 28)
    assert np.array_equal(found.images, crops(300, 1, few).images)
    assert len(set(found.labels.tolist())) == 10
    read = Recognizer.load(PRETRAINED_MODEL).classify(found.images).argmax(axis=1)
    assert np.mean(read == found.labels) > 0.9


def test_a_picture_in_which_the_digit_is_lost_gives_none() -> None:
    nothing = np.zeros((40, 40), np.uint8)
    assert crop(nothing, nothing, np.random.default_rng(0)) is None
    written = write_again(pen_strokes.load(), 0, np.random.default_rng(0))
    forms = [crop(written, written, np.random.default_rng(seed)) for seed in range(40)]
    assert sum(form is not None for form in forms) > 30
    assert 0 < CROPS.remains < 1
