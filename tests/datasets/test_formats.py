"""Files as other people keep digits: each is written here, and read through the command line."""

import gzip
import io
import struct
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Command

from digitcli import datasets
from digitcli.datasets import Dataset, Digits
from digitcli.errors import DataError, MissingError


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def few(digits: Digits, count: int = 200) -> Digits:
    return digits.take(np.arange(count))


def write_csv(
    path: Path, digits: Digits, *, labels: bool = True, head: bool = True, last: bool = False
) -> None:
    rows = digits.images.reshape(len(digits), -1)
    names = [f"pixel{place}" for place in range(rows.shape[1])]
    if labels:
        place = rows.shape[1] if last else 0
        rows = np.insert(rows, place, digits.labels, axis=1)
        names.insert(place, "class" if last else "label")
    np.savetxt(path, rows, "%d", delimiter=",", header=",".join(names) if head else "", comments="")


def write_hdf5(path: Path, dataset: Dataset) -> None:
    """As USPS is passed around: 16x16, flat, decimals 0 to 1."""
    with h5py.File(path, "w") as file:
        for name, part in (("train", few(dataset.train)), ("test", few(dataset.test, 50))):
            small = [cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in part.images]
            group = file.create_group(name)
            group["data"] = np.stack(small).reshape(len(small), -1).astype(np.float32) / 255
            group["target"] = part.labels.astype(np.int64)


def write_parquet(path: Path, digits: Digits) -> None:
    cells = [{"bytes": png(image), "path": None} for image in digits.images]
    pq.write_table(pa.table({"image": cells, "label": pa.array(digits.labels.astype(np.int64))}), path)


def write_folders(folder: Path, digits: Digits) -> None:
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / str(label) / f"{place}.png"), image)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"head": False},
        {"last": True},
    ],
)
def test_kaggles_csv_is_read(sample: Dataset, tmp_path: Path, form: dict[str, bool]) -> None:
    write_csv(tmp_path / "train.csv", few(sample.test), **form)
    found = datasets.load(str(tmp_path / "train.csv"))
    assert found.train is None
    assert np.array_equal(found.test.images, few(sample.test).images)
    assert np.array_equal(found.test.labels, few(sample.test).labels)
    assert found.notes == ()
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress((tmp_path / "train.csv").read_bytes()))
    assert datasets.load(str(tmp_path / "train.csv.gz")).sha256 == found.sha256


def test_a_csv_without_labels_is_labelled(sample: Dataset, digitcli: Command, tmp_path: Path) -> None:
    digits = few(sample.test, 100)
    write_csv(tmp_path / "test.csv", digits, labels=False)
    outcome = digitcli("predict", "test.csv")
    assert outcome.status == 0
    head, *rows = outcome.stdout.splitlines()
    assert head == "ImageId,Label"
    assert [row.split(",")[0] for row in rows] == [str(number) for number in range(1, 101)]
    assert np.mean([int(row.split(",")[1]) for row in rows] == digits.labels) > 0.97
    with_labels = digitcli("evaluate", "--data", "test.csv")
    assert with_labels.status == 3
    assert "784 columns and no label" in with_labels.stderr
    for more in (["other.png"], ["--json"], ["--annotate", "out"]):
        refused = digitcli("predict", "test.csv", *more)
        assert refused.status == 2
        assert "test.csv" in refused.stderr


def test_usps_as_hdf5(sample: Dataset, digitcli: Command, tmp_path: Path) -> None:
    write_hdf5(tmp_path / "usps.h5", sample)
    outcome = digitcli("evaluate", "--data", "usps.h5", "--model", "pretrained")
    assert outcome.status == 0
    assert "float32 values 0 to 1 brought to 0 to 255" in outcome.stderr
    assert "images of 16x16 brought into MNIST's form" in outcome.stderr
    found = datasets.load(str(tmp_path / "usps.h5"))
    assert [len(found.train), len(found.test)] == [200, 50]


def test_hdf5_is_not_followed_to_other_files(sample: Dataset, tmp_path: Path) -> None:
    write_hdf5(tmp_path / "real.h5", sample)
    with h5py.File(tmp_path / "links.h5", "w") as file:
        for name in ("x", "y"):
            file[name] = h5py.ExternalLink("real.h5", f"train/{'data' if name == 'x' else 'target'}")
    with pytest.raises(DataError, match="empty"):
        datasets.load(str(tmp_path / "links.h5"))


def test_parquet_as_hubs_give_it(sample: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    write_parquet(tmp_path / "mnist" / "train-00000-of-00001.parquet", few(sample.train))
    write_parquet(tmp_path / "mnist" / "test-00000-of-00001.parquet", few(sample.test, 50))
    found = datasets.load(str(tmp_path / "mnist"))
    assert np.array_equal(found.train.images, few(sample.train).images)
    assert np.array_equal(found.test.labels, few(sample.test, 50).labels)
    one = datasets.load(str(tmp_path / "mnist" / "test-00000-of-00001.parquet"))
    assert one.train is None
    assert len(one.test) == 50


def test_parquet_without_pyarrow(sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "some.parquet", few(sample.test))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingError, match="pip install pyarrow"):
        datasets.load(str(tmp_path / "some.parquet"))


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("training", "testing"), ("train", "valid")])
def test_folders_of_a_training_and_a_test_set(sample: Dataset, tmp_path: Path, train: str, test: str) -> None:
    write_folders(tmp_path / "own" / train, few(sample.train, 40))
    write_folders(tmp_path / "own" / test, few(sample.test, 20))
    found = datasets.load(str(tmp_path / "own"))
    assert [len(found.train), len(found.test)] == [40, 20]
    write_folders(tmp_path / "own" / "validation", few(sample.test, 10))
    (note,) = datasets.load(str(tmp_path / "own")).notes
    assert "left out" in note


@pytest.mark.parametrize("dotted", [False, True])
def test_emnist_by_its_file_names(sample: Dataset, tmp_path: Path, *, dotted: bool) -> None:
    folder = tmp_path / "emnist"
    folder.mkdir()
    for part, digits in (("train", few(sample.train)), ("test", few(sample.test, 50))):
        turned = np.ascontiguousarray(digits.images.transpose(0, 2, 1))
        for what, array in (("images-idx3", turned), ("labels-idx1", digits.labels)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            name = f"emnist-digits-{part}-{what}-ubyte.gz"
            content = gzip.compress(head + array.tobytes())
            (folder / (name.replace("-idx", ".idx") if dotted else name)).write_bytes(content)
    found = datasets.load(str(folder), datasets.Form("transposed"))
    assert np.array_equal(found.train.images, few(sample.train).images)
    (folder / "emnist-mnist-train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="expected one set of digits in a folder"):
        datasets.load(str(folder))


@pytest.mark.parametrize(
    ("form", "options"),
    [
        (("transposed", "bright"), ["--orientation", "transposed"]),
        (("upright", "dark"), ["--polarity", "dark"]),
        (("transposed", "dark"), ["--orientation", "transposed", "--polarity", "dark"]),
    ],
)
def test_images_that_are_turned_over_are_noticed(
    sample: Dataset, digitcli: Command, tmp_path: Path, form: tuple[str, str], options: list[str]
) -> None:
    images = datasets.Form(*form).of(sample.test.images)
    np.savez(tmp_path / "turned.npz", x=images, y=sample.test.labels)
    for command in (("train", "--config", "ci"), ("evaluate",)):
        outcome = digitcli(*command, "--data", "turned.npz")
        assert outcome.status == 3
        assert " ".join(options) in outcome.stderr
        assert not (tmp_path / "artifacts" / "model.onnx").exists()
    assert digitcli("evaluate", "--data", "turned.npz", *options).status == 0
    np.savez(tmp_path / "upright.npz", x=sample.test.images, y=sample.test.labels)
    wrongly = digitcli("evaluate", "--data", "upright.npz", *options)
    assert wrongly.status == 3
    assert f"leave out {' '.join(options)}" in wrongly.stderr


def test_a_run_remembers_how_its_images_lie(sample: Dataset, digitcli: Command, tmp_path: Path) -> None:
    turned = np.ascontiguousarray(sample.train.images.transpose(0, 2, 1))
    np.savez(tmp_path / "turned.npz", x=turned, y=sample.train.labels)
    trained = digitcli("train", "--config", "ci", "--data", "turned.npz", "--orientation", "transposed", "-q")
    assert trained.status == 0
    assert digitcli("plot").status == 0
    assert digitcli("evaluate", "--data", "sample", "--orientation", "transposed").status == 2


@pytest.mark.parametrize(
    ("images", "labels", "notes"),
    [
        (lambda x: x.astype(np.float32) / 255, lambda y: y, ["float32 values 0 to 1"]),
        (lambda x: x.astype(np.float64) / 127.5 - 1, lambda y: y, ["float64 values -1 to 1"]),
        (lambda x: x.astype(np.int64), lambda y: y, ["int64 values 0 to 255"]),
        (lambda x: x.reshape(len(x), -1), lambda y: y[:, np.newaxis], []),
        (lambda x: x[:, np.newaxis], lambda y: np.eye(10)[y], ["one-hot labels"]),
        (lambda x: x, lambda y: y.astype(np.float32), []),
    ],
)
def test_arrays_of_every_usual_form_are_the_same_digits(
    sample: Dataset,
    tmp_path: Path,
    images: object,
    labels: object,
    notes: list[str],
) -> None:
    np.savez(tmp_path / "some.npz", x=images(sample.test.images), y=labels(sample.test.labels))
    found = datasets.load(str(tmp_path / "some.npz"))
    assert np.array_equal(found.test.images, sample.test.images)
    assert np.array_equal(found.test.labels, sample.test.labels)
    assert len(found.notes) == len(notes)
    assert all(words in note for words, note in zip(notes, found.notes, strict=True))


def nan(images: np.ndarray) -> np.ndarray:
    wrong = images.astype(np.float32) / 255
    wrong[7, 3, 3] = np.nan
    return wrong


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (nan(x), y), ["no numbers", "first at 7"]),
        (lambda x, y: (x.astype(np.float32) * 2, y), ["0 to 510", "expected 0 to 255"]),
        (lambda x, y: (x, np.eye(11)[y]), ["(500, 11)", "one-hot"]),
        (lambda x, y: (x, y + 1), ["label 10", "0 to 9"]),
        (lambda x, y: (x, np.zeros((len(y), 10))), ["one 1 and nine 0s"]),
        (lambda x, y: (x, y + 0.5), ["the label", "whole numbers"]),
        (lambda x, y: (x[:, :7], y), ["(500, 7, 28)"]),
        (lambda x, y: (x.reshape(len(x), -1)[:, :-1], y), ["(500, 783)"]),
        (lambda x, y: (x.astype(str), y), ["dtype"]),
    ],
)
def test_unfit_arrays_are_refused(
    sample: Dataset, digitcli: Command, tmp_path: Path, change: object, words: list[str]
) -> None:
    images, labels = change(sample.test.images, sample.test.labels)
    np.savez(tmp_path / "bad.npz", x=images, y=labels)
    assert_refused(digitcli, "bad.npz", words)


def assert_refused(digitcli: Command, name: str, words: list[str]) -> None:
    outcome = digitcli("train", "--config", "ci", "--data", name)
    assert outcome.status == 3
    assert outcome.stdout == ""
    for word in [name, *words]:
        assert word in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def test_damaged_files_are_refused(sample: Dataset, digitcli: Command, tmp_path: Path) -> None:
    digits = few(sample.test)
    write_csv(tmp_path / "whole.csv", digits)
    write_hdf5(tmp_path / "whole.h5", sample)
    write_parquet(tmp_path / "whole.parquet", digits)
    rows = (tmp_path / "whole.csv").read_text().splitlines()
    (tmp_path / "cut.csv").write_text("\n".join(rows[:50])[:-100])
    assert_refused(digitcli, "cut.csv", ["row 49", "columns"])
    (tmp_path / "words.csv").write_text("\n".join([*rows[:9], rows[9].replace(",0", ",none", 1)]))
    assert_refused(digitcli, "words.csv", ["row 9", "numbers"])
    (tmp_path / "narrow.csv").write_text("\n".join(row.rsplit(",", 3)[0] for row in rows))
    assert_refused(digitcli, "narrow.csv", ["782 columns", "784 pixels"])
    (tmp_path / "head.csv").write_text(rows[0])
    assert_refused(digitcli, "head.csv", ["no rows"])
    (tmp_path / "empty.csv").write_text("")
    assert_refused(digitcli, "empty.csv", ["expected"])
    (tmp_path / "picture.csv").write_bytes(png(digits.images[0]))
    assert_refused(digitcli, "picture.csv", ["no text"])
    (tmp_path / "label.csv").write_text("\n".join([rows[0], "11" + rows[1][1:]]))
    assert_refused(digitcli, "label.csv", ["label 11"])
    (tmp_path / "cut.h5").write_bytes(cut((tmp_path / "whole.h5").read_bytes()))
    assert_refused(digitcli, "cut.h5", ["HDF5"])
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["numbers"] = np.arange(3)
    assert_refused(digitcli, "other.h5", ["found numbers", "x_train"])
    (tmp_path / "cut.parquet").write_bytes(cut((tmp_path / "whole.parquet").read_bytes()))
    assert_refused(digitcli, "cut.parquet", ["Parquet"])
    pq.write_table(pa.table({"label": [1]}), tmp_path / "bare.parquet")
    assert_refused(digitcli, "bare.parquet", ["found columns label", "image"])
    pq.write_table(pa.table({"image": [b"no picture"], "label": [1]}), tmp_path / "junk.parquet")
    assert_refused(digitcli, "junk.parquet", ["row 0"])
    (tmp_path / "nothing" / "train" / "3").mkdir(parents=True)
    (tmp_path / "nothing" / "test" / "3").mkdir(parents=True)
    assert_refused(digitcli, "nothing", ["no images in its folders 0 to 9"])


def test_a_long_csv_takes_no_more_memory_than_its_pixels(tmp_path: Path) -> None:
    """A tenth of a million rows; with three rows alike, so that it is written fast."""
    import tracemalloc

    row = ",".join(["3", *["0"] * 784]) + "\n"
    (tmp_path / "long.csv").write_text(
        "label," + ",".join(f"pixel{n}" for n in range(784)) + "\n" + row * 20_000
    )
    tracemalloc.start()
    found = datasets.load(str(tmp_path / "long.csv"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.test) == 20_000
    assert peak < 4 * 20_000 * 785 + 50_000_000


def test_columns_and_bytes_alone_are_read_too(sample: Dataset, tmp_path: Path) -> None:
    digits = few(sample.test, 20)
    table = pa.table({"label": pa.array(digits.labels), "image": [png(image) for image in digits.images]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    (tmp_path / "plain.parquet").write_bytes(buffer.getvalue())
    assert np.array_equal(datasets.load(str(tmp_path / "plain.parquet")).test.images, digits.images)
