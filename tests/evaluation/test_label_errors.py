import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command

from digitcli import datasets
from digitcli.datasets import Dataset, read_exclusion, split_dataset
from digitcli.datasets.split import folds
from digitcli.errors import DataError
from digitcli.evaluation.label_errors import find_label_errors

FLIPPED = 15
MISPLACED = 12  # files of the folder that lie in a wrong digit's folder


def test_a_label_is_likely_wrong_where_another_digit_is_as_sure_as_it_usually_is() -> None:
    labels = np.repeat(np.arange(10), 10).astype(np.uint8)
    probabilities = np.full((100, 10), 0.1 / 9, np.float32)
    probabilities[np.arange(100), labels] = 0.9  # every digit's threshold comes to nearly that
    for index, read, surely in ((5, 3, 0.95), (42, 7, 0.6), (77, 1, 0.99)):
        probabilities[index] = (1 - surely) / 9
        probabilities[index, read] = surely
    found = find_label_errors(probabilities, labels)
    assert found.ranking.tolist() == [77, 5, 42]
    assert np.flatnonzero(found.is_likely).tolist() == [5, 77]
    assert found.estimate == pytest.approx(2, rel=0.2)


def test_a_digit_without_images_is_nobodys_label() -> None:
    labels = np.array([0, 0, 1, 1], np.uint8)
    probabilities = np.zeros((4, 10), np.float32)
    probabilities[[0, 1, 2], labels[:3]] = 1
    probabilities[3, 9] = 1
    found = find_label_errors(probabilities, labels)
    assert found.ranking.tolist() == [3]
    assert not found.is_likely.any()
    assert found.estimate == 0


@pytest.mark.parametrize("count", [2, 3, 20])
def test_folds_have_every_image_once_and_every_digit_alike(count: int, sample: Dataset) -> None:
    assert sample.train
    dealt = folds(sample.train.labels, count)
    for within in (dealt, dealt[sample.train.labels == 7]):
        sizes = np.bincount(within, minlength=count)
        assert sizes.max() - sizes.min() <= 1


def flipped(count: int) -> np.ndarray:
    return np.random.default_rng(7).choice(count, FLIPPED, replace=False)


@pytest.mark.slow(seconds=15)
def test_changed_labels_are_suspected_and_can_be_excluded(
    digitcli: Command, sample: Dataset, tmp_path: Path
) -> None:
    assert sample.train
    wrong = flipped(2000)
    labels = sample.train.labels.copy()
    labels[wrong] = (labels[wrong] + 3) % 10
    test = {"x_test": sample.test.images, "y_test": sample.test.labels}
    np.savez(tmp_path / "mine.npz", x_train=sample.train.images, y_train=labels, **test)
    trained = digitcli("train", "-c", "ci", "--data", "mine.npz", "--cross-validate", 2, "--json")
    found = trained.json()["cross_validation"]
    assert found["n"] == 2000
    assert len(found["accuracies"]) == 2
    assert "fold 2 of 2" in trained.stderr
    with np.load(tmp_path / "artifacts" / "folds.npz") as readings:
        assert readings["probabilities"].shape == (2000, 10)
        assert np.array_equal(np.sort(readings["indices"]), np.arange(2000))
    report = digitcli("evaluate", "--data", "mine.npz", "--suspects", 40, "--json").json()["label_errors"]
    assert report["set"] == "train"
    assert report["read_by"] == "folds.npz"
    suspected = {each["index"] for each in report["suspects"]}
    assert len(suspected & set(wrong.tolist())) >= FLIPPED - 2
    # the list, less the rows of labels that are right after all
    with (tmp_path / "artifacts" / "suspects.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["index"]) in wrong]
    with (tmp_path / "wrong.csv").open("w") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    other = digitcli("evaluate", "--data", "sample", "--suspects", 3)
    assert "folds.npz is of another data source" in other.stderr
    assert "of 500 test images" in other.stdout
    again = digitcli("train", "-c", "ci", "--epochs", 1, "--data", "mine.npz", "--exclude", "wrong.csv")
    assert f"wrong.csv: {len(rows)} images left out of the training" in again.stderr
    data = json.loads((tmp_path / "artifacts" / "run.json").read_text())["data"]
    assert data["train"] + data["validation"] == 2000 - len(rows)
    assert data["exclude"]["images"] == len(rows)
    assert data["test"] == 500
    assert not (tmp_path / "artifacts" / "folds.npz").exists()


def test_suspects_as_a_table_a_picture_and_a_list(digitcli: Command, trained: Path) -> None:
    outcome = digitcli("evaluate", "--data", "sample", "--suspects", 5)
    assert outcome.status == 0
    assert "label likely wrong" in outcome.stdout
    assert "5 of 500 test images have labels that may be wrong" in outcome.stdout
    assert (trained / "suspects.png").read_bytes().startswith(b"\x89PNG")
    lines = (trained / "suspects.csv").read_text().splitlines()
    assert lines[0] == "set,index,file,label,read,confidence,likely_error"
    assert len(lines) == 6
    assert all(line.startswith("test,") for line in lines[1:])
    listed = read_exclusion(trained / "suspects.csv", datasets.load("sample"))
    assert (listed.mask.sum(), listed.tested) == (0, 5)


@pytest.mark.parametrize(("options", "status", "words"), [
    (["train", "--cross-validate", 1], 2, "--cross-validate 1: expected 2 to 20 folds"),
    (["train", "--cross-validate", 5, "--init", "pretrained"], 2, "expected no --init"),
    (["train", "-c", "detector", "--cross-validate", 5], 2, "a detector is trained on generated pages"),
    (["train", "--data", "sample", "--limit", 110, "--cross-validate", 2], 2, "leave fewer than 100"),
    (["evaluate", "--suspects", 0], 2, "--suspects 0: expected 1 to 1,000"),
    (["train", "--data", "sample", "--exclude", "none.csv"], 3, "none.csv: cannot be read: No such file"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_at_once(
    digitcli: Command, options: list[object], status: int, words: str
) -> None:
    outcome = digitcli(*options)
    assert outcome.status == status
    assert words in outcome.stderr
    assert "epoch" not in outcome.stderr


@pytest.mark.parametrize(("content", "words"), [
    ("index,label\n1,2\n", "no column set"),
    ("set,label\ntrain,2\n", "no column index"),
    ("", "no column set"),
    ("set,index\nall,3\n", "line 2: found the set 'all'; expected test or train, of sample"),
    ("set,index\ntrain,2000\n", "line 2: found the index '2000'; expected 0 to 1999, of sample"),
    ("set,index\ntrain,-1\n", "found the index '-1'"),
    ("set,index\ntrain\n", "found the index ''"),
    ("set,index,label\ntrain,0,{other}\n", "image 0 of sample has the label"),
    (b"\xff\xfe\x00set,index\n", "not a CSV file in UTF-8"),
])  # fmt: skip
def test_a_list_that_is_none_of_this_source(
    content: str | bytes, words: str, tmp_path: Path, sample: Dataset
) -> None:
    assert sample.train
    path = tmp_path / "list.csv"
    if isinstance(content, str):
        content = content.format(other=(sample.train.labels[0] + 1) % 10).encode()
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_exclusion(path, sample)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_excluded_images_are_in_neither_training_nor_validation(sample: Dataset) -> None:
    """Of a source that is one undivided set, the test images stay what they are."""
    assert sample.train
    undivided = Dataset("one", test=sample.train)
    excluded = np.zeros(2000, bool)
    excluded[::7] = True
    before, after = split_dataset(undivided), split_dataset(undivided, excluded=excluded)
    assert np.array_equal(before.places.test, after.places.test)
    used = np.concatenate([after.places.train, after.places.validation])
    assert not excluded[used].any()
    assert len(used) == np.sum(~excluded[np.setdiff1d(np.arange(2000), before.places.test)])
    for part in ("train", "validation", "test"):
        places, digits = getattr(after.places, part), getattr(after, part)
        assert np.array_equal(undivided.test.images[places], digits.images)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:500]), None])
def test_readings_that_cannot_be_used(digitcli: Command, trained: Path, damage) -> None:
    path = trained / "folds.npz"
    count = 20
    np.savez(
        path,
        sha256=datasets.load("sample").sha256,
        indices=np.arange(count),
        labels=np.zeros(count, np.uint8),
        folds=np.zeros(count, np.uint8),
        probabilities=np.full((count, 9), 1 / 9, np.float32),
    )
    if damage:
        damage(path)
    outcome = digitcli("evaluate", "--data", "sample", "--suspects", 5)
    assert outcome.status == 3
    assert "folds.npz: not readings that can be used" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    other = digitcli("evaluate", "--data", "sample", "--suspects", 5, "--model", trained / "model.onnx")
    assert other.status == 0


def test_images_that_are_files_are_told_by_their_names(
    digitcli: Command, sample: Dataset, tmp_path: Path
) -> None:
    import cv2

    digits = sample.test.take(np.arange(120))
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        wrong = place < MISPLACED
        folder = tmp_path / "mine" / str((label + 1) % 10 if wrong else label)
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{place}.png"), image)
    outcome = digitcli("evaluate", "--data", "mine", "--suspects", MISPLACED, "--json")
    suspects = outcome.json()["label_errors"]["suspects"]
    assert sum(int(Path(each["file"]).stem) < MISPLACED for each in suspects) >= MISPLACED - 1
    table = digitcli("evaluate", "--data", "mine", "--suspects", 3).stdout
    assert suspects[0]["file"] in table
