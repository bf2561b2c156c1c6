import numpy as np
import pytest

from digitcli.datasets import Dataset, Digits
from digitcli.evaluation.corruptions import CORRUPTIONS, corrupt
from digitcli.evaluation.robustness import find_flips, measure, subset, with_preprocessing
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer


def by_lightness(images: np.ndarray) -> np.ndarray:
    """Reads a picture as 0 while its mean grey value is below 60, else as 1."""
    is_light = images.reshape(len(images), -1).mean(axis=1) >= 60
    return np.eye(10, dtype=np.float32)[is_light.astype(int)]


@pytest.fixture
def blank() -> Digits:
    return Digits(np.zeros((20, 28, 28), np.uint8), np.zeros(20, np.uint8))


def ignore(words: str) -> None:
    pass


def test_accuracy_at_every_strength(blank: Digits) -> None:
    steps: list[str] = []
    found = measure(by_lightness, blank, steps.append)
    accuracy = {row.corruption.name: row.accuracy for row in found.rows}
    assert accuracy["brightness"] == (1, 1, 0, 0, 0)  # 20, 45, 75, 110, 150 grey levels are added
    assert accuracy["contrast"] == (1, 1, 1, 1, 1)
    assert (found.n, found.uncorrupted) == (20, 1)
    assert found.mean == pytest.approx(np.mean([row.accuracy for row in found.rows]))
    assert steps == [f"corruption: {corruption.name}" for corruption in CORRUPTIONS]


def test_the_smallest_damage_that_flips_a_reading(blank: Digits) -> None:
    flips = {found.corruption.name: found for found in find_flips(by_lightness, blank, ignore)}
    found = flips["brightness"]
    assert 60 <= found.amount(0.5) + 0.5 <= 61.5  # grey levels are whole; found up to 1/32 severity above
    assert found.reached(0.5) == pytest.approx(2.5, abs=1 / 32)
    assert found.unflipped == 0
    assert (found.first.label, found.first.read) == (0, 1)
    assert found.first.picture.mean() == 60
    assert not found.first.original.any()
    contrast = flips["contrast"]
    assert (contrast.reached(0.1), contrast.amount(0.5), contrast.unflipped) == (None, None, 1)
    assert contrast.first is None
    assert contrast.as_json()["median_severity"] is None


def test_a_share_has_flipped_where_that_many_have(blank: Digits) -> None:
    grey = Digits(blank.images.copy(), blank.labels)
    grey.images[:2] = 50  # two of twenty take 10 grey levels
    flips = {found.corruption.name: found for found in find_flips(by_lightness, grey, ignore)}
    assert flips["brightness"].amount(0.05) == pytest.approx(10, abs=1)
    assert flips["brightness"].amount(0.5) == pytest.approx(60, abs=1.5)


def test_only_images_that_are_read_right_can_flip(blank: Digits) -> None:
    wrong = Digits(blank.images, np.full(20, 7, np.uint8))
    for found in find_flips(by_lightness, wrong, ignore):
        assert (found.first, found.unflipped) == (None, 1)


def test_the_model_in_the_box_flips_where_it_says(few: Digits) -> None:
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    digits = few.take(np.arange(12))
    for found in find_flips(reader.classify, digits, ignore):
        if (first := found.first) is not None:
            pictures = np.stack([first.original, first.picture])
            assert reader.classify(pictures).argmax(axis=1).tolist() == [first.label, first.read]
            assert first.severity == found.severities.min()


def test_pictures_are_prepared_as_predict_does(few: Digits) -> None:
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    pictures = corrupt(few.images[:10], CORRUPTIONS[5], 4)
    prepared = with_preprocessing(reader.classify)(pictures)
    for picture, row in zip(pictures, prepared, strict=True):
        (digit,) = reader.read(picture, single=True).digits
        assert digit.probabilities == pytest.approx(row, abs=1e-5)


def test_the_subset_is_balanced_and_always_the_same(sample: Dataset) -> None:
    chosen = subset(sample.test, 100)
    assert np.bincount(chosen.labels).tolist() == [10] * 10
    assert np.array_equal(chosen.images, subset(sample.test, 100).images)
    assert len(subset(sample.test, 10_000)) == 500
