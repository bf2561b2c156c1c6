import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from PIL import Image

from digitcli import datasets
from digitcli.datasets import Digits
from digitcli.preprocessing.mnist_form import to_mnist_form


def save(folder: Path, digits: Digits, count: int) -> None:
    for place in range(count):
        (folder / str(digits.labels[place])).mkdir(parents=True, exist_ok=True)
        large = 255 - np.kron(digits.images[place], np.ones((4, 4), np.uint8))
        Image.fromarray(large).save(folder / str(digits.labels[place]) / f"{place:03}.png")


def test_a_folder_of_images_goes_through_the_one_preprocessing(tmp_path: Path, few: Digits) -> None:
    save(tmp_path / "mine", few, 40)
    (tmp_path / "mine" / "readme.txt").write_text("not an image")
    dataset = datasets.load(str(tmp_path / "mine"))
    assert dataset.train is None
    assert dataset.test.labels.tolist() == sorted(few.labels[:40].tolist())
    first = next(place for place in range(40) if few.labels[place] == dataset.test.labels[0])
    expected = to_mnist_form(255 - np.kron(few.images[first], np.ones((4, 4), np.uint8)), single=True)
    assert np.array_equal(dataset.test.images[0], expected)


@pytest.mark.slow
def test_it_is_evaluated_and_trained_on(digitcli: Command, tmp_path: Path, few: Digits) -> None:
    save(tmp_path / "mine", few, 200)
    outcome = digitcli("evaluate", "--data", "mine", "--json")
    assert outcome.status == 0, outcome.stderr
    assert outcome.json()["n"] == 200
    assert outcome.json()["accuracy"] > 0.97
    shutil.move(tmp_path / "mine" / "8", tmp_path / "eight")
    assert "Note: the data has no image of 8\n" in digitcli("evaluate", "--data", "mine").stderr
    shutil.move(tmp_path / "eight", tmp_path / "mine" / "8")
    outcome = digitcli("train", "--config", "ci", "--data", "mine", "--epochs", "1", "--quiet", "--json")
    assert outcome.status == 0, outcome.stderr
    assert outcome.json()["test"]["n"] > 20


def test_what_cannot_be_read_is_named(digitcli: Command, tmp_path: Path, few: Digits) -> None:
    save(tmp_path / "mine", few, 10)
    (tmp_path / "mine" / str(few.labels[0]) / "bad.png").write_bytes(b"no image")
    outcome = digitcli("evaluate", "--data", "mine")
    assert outcome.status == 3
    assert "bad.png: not an image" in outcome.stderr
    (tmp_path / "none" / "3").mkdir(parents=True)
    outcome = digitcli("evaluate", "--data", "none")
    assert outcome.status == 3
    assert "none: no images in its folders 0 to 9" in outcome.stderr
