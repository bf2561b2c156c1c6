from dataclasses import replace

import numpy as np
import pytest

from digitcli import Recognizer
from digitcli.config.recipe import Synthesis
from digitcli.datasets import NO_DIGIT, Digits, load_split
from digitcli.errors import InputError
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.rules import cuttings
from digitcli.synthesis import drawing
from digitcli.synthesis.glyphs import DIGITS
from digitcli.training.training_images import with_synthesis


def test_as_many_of_each_form_and_the_same_again_from_the_same_seed() -> None:
    drawn = drawing.digits(50, seed=3)
    assert drawn.images.shape == (50, 28, 28)
    forms = [len(DIGITS[digit]) for digit in range(10)]
    assert np.bincount(drawing.digits(sum(forms), seed=0).labels).tolist() == forms
    assert np.array_equal(drawn.images, drawing.digits(50, seed=3).images)
    assert not np.array_equal(drawn.images, drawing.digits(50, seed=4).images)
    assert (drawn.images.max(axis=(1, 2)) == 255).all()


def test_a_reader_that_never_saw_them_reads_most_drawn_digits() -> None:
    """The forms are digits: the nearest of two thousand of MNIST's tells so better than chance by far."""
    drawn, real = drawing.digits(200, seed=0), load_split("sample").train
    flat = real.images.reshape(len(real), -1).astype(float)
    nearest = [real.labels[((flat - image.ravel()) ** 2).sum(axis=1).argmin()] for image in drawn.images]
    assert np.mean(np.array(nearest) == drawn.labels) > 0.5


def test_others_are_no_digits_to_the_pretrained_model(few: Digits) -> None:
    others = drawing.non_digits(300, seed=9, source=few, miscut=cuttings.miscut)
    assert (others.labels == NO_DIGIT).all()
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    accepted = np.mean(reader.classify(others.images).max(axis=1) >= reader.threshold)
    assert accepted < 0.1
    rejected = np.mean(reader.classify(few.images).max(axis=1) < reader.threshold)
    assert rejected < 0.02


@pytest.mark.parametrize(("digits", "others"), [(0, 0), (20, 0), (0, 20), (20, 30)])
def test_they_come_after_the_real_ones(few: Digits, digits: int, others: int) -> None:
    together = with_synthesis(few, Synthesis(digits=digits, non_digits=others), 0)
    assert len(together) == 300 + digits + others
    assert np.array_equal(together.images[:300], few.images)
    assert np.array_equal(together.labels[:300], few.labels)
    assert np.count_nonzero(together.labels == NO_DIGIT) == others


def test_digits_that_touched_are_cut_well(few: Digits) -> None:
    cut = cuttings.touching(60, seed=1, source=few)
    assert cut.images.shape == (60, 28, 28)
    assert np.array_equal(cut.images, cuttings.touching(60, seed=1, source=few).images)
    assert len(set(cut.labels.tolist())) == 10
    read = Recognizer.load(PRETRAINED_MODEL).classify(cut.images).argmax(axis=1)
    assert np.mean(read == cut.labels) > 0.85


def test_digits_that_never_touch_are_not_looked_for_without_end(few: Digits) -> None:
    blank = Digits(np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8))
    with pytest.raises(InputError, match="no digits that can be made to touch"):
        cuttings.touching(5, seed=1, source=blank)


def test_wrong_cuts_leave_parts_of_digits_and_several_in_one(few: Digits) -> None:
    one_kind = few.take(np.flatnonzero(few.labels == 8))
    random = np.random.default_rng(4)
    wrong = [form for _ in range(150) if (form := cuttings.miscut(random, one_kind)) is not None]
    assert len(wrong) > 50
    widths = np.array([np.ptp(np.flatnonzero(form.max(axis=0))) + 1 for form in wrong])
    heights = np.array([np.ptp(np.flatnonzero(form.max(axis=1))) + 1 for form in wrong])
    assert np.mean(widths > heights) > 0.2, "several eights in one are wider than high"
    assert np.mean(widths < 0.8 * heights) > 0.2, "parts of an eight are narrow"
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    assert np.mean(reader.classify(np.stack(wrong)).max(axis=1) >= reader.threshold) < 0.2


def test_a_straight_part_could_be_a_one_and_is_no_wrong_cut(few: Digits) -> None:
    ones = few.take(np.flatnonzero(few.labels == 1))
    random = np.random.default_rng(4)
    wrong = [form for _ in range(200) if (form := cuttings.miscut(random, ones)) is not None]
    spreads = [np.linalg.eigvalsh(np.cov(np.nonzero(form >= 128))) for form in wrong]
    assert all(across > 0.05 * along for across, along in spreads)


def test_small_writing_is_coarse_and_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    large = drawing.digits(120, seed=7)
    monkeypatch.setattr(drawing, "DRAWING", replace(drawing.DRAWING, small_share=1.0))
    small = drawing.digits(120, seed=7)
    assert not np.array_equal(small.images, large.images)
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    assert np.mean(reader.classify(small.images).argmax(axis=1) == small.labels) > 0.9
    monkeypatch.setattr(drawing, "DRAWING", replace(drawing.DRAWING, small_share=0.0))
    sharp = drawing.digits(120, seed=7)
    detail = [np.abs(np.diff(images.astype(int), axis=2)).mean() for images in (small.images, sharp.images)]
    assert detail[0] < detail[1], "few pixels show less"
