import gzip
import io
import pickle
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st

from digitcli import datasets
from digitcli.datasets import ALIGNMENT, Dataset, Digits, load_split, split_dataset
from digitcli.datasets.packaged import SHA256
from digitcli.datasets.split import MIN_TRAINING_IMAGES, balanced
from digitcli.errors import DataError, OptionError

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    return {
        "x_train": dataset.train.images,
        "y_train": dataset.train.labels,
        "x_test": dataset.test.images,
        "y_test": dataset.test.labels,
    }


def write_idx(folder: Path, dataset: Dataset, suffix: str = "", names: tuple[str, ...] = IDX_NAMES) -> None:
    folder.mkdir()
    for name, array in zip(names, arrays(dataset).values(), strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        content = header + array.tobytes()
        (folder / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)


def test_mnist_is_complete_and_as_published() -> None:
    mnist = datasets.load("mnist")
    assert mnist.train.images.shape == (60_000, 28, 28)
    assert mnist.test.images.shape == (10_000, 28, 28)
    assert mnist.train.images.dtype == mnist.train.labels.dtype == np.uint8
    assert mnist.sha256 == Dataset("computed", mnist.test, mnist.train).sha256 == SHA256
    # counts by digit as LeCun, Cortes and Burges published them
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_mnist_loads_in_under_half_a_second() -> None:
    """In processor time: loading uses one core, and other tests run beside this one."""

    def load() -> float:
        start = time.process_time()
        datasets.load("mnist")
        return time.process_time() - start

    assert min(load() for _ in range(4)) < 0.5


def test_damaged_package_data_is_noticed(
    monkeypatch: pytest.MonkeyPatch, sample: Dataset, tmp_path: Path
) -> None:
    np.savez(tmp_path / "other.npz", **arrays(sample))
    monkeypatch.setattr("digitcli.datasets.packaged.FILE", tmp_path / "other.npz")
    with pytest.raises(DataError, match=r"SHA-256.*reinstall"):
        datasets.load("mnist")


def test_sample_is_a_balanced_slice(sample: Dataset) -> None:
    assert np.bincount(sample.train.labels).tolist() == [200] * 10
    assert np.bincount(sample.test.labels).tolist() == [50] * 10


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_and_npz_give_the_same(sample: Dataset, tmp_path: Path, suffix: str) -> None:
    write_idx(tmp_path / "idx", sample, suffix)
    np.savez_compressed(tmp_path / "keras.npz", **arrays(sample))
    from_idx = datasets.load(str(tmp_path / "idx"))
    from_npz = datasets.load(str(tmp_path / "keras.npz"))
    assert from_idx.sha256 == from_npz.sha256 == sample.sha256


def test_idx_names_with_a_dot(sample: Dataset, tmp_path: Path) -> None:
    write_idx(tmp_path / "idx", sample, names=tuple(name.replace("-idx", ".idx") for name in IDX_NAMES))
    assert datasets.load(str(tmp_path / "idx")).sha256 == sample.sha256


def test_npz_with_one_set_and_a_channel_axis(sample: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "one.npz"
    np.savez(file, x=sample.test.images[..., np.newaxis], y=sample.test.labels.astype(np.int64))
    dataset = datasets.load(str(file))
    assert dataset.train is None
    assert np.array_equal(dataset.test.images, sample.test.images)
    split = split_dataset(dataset)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [382, 35, 83]


GOOD = {
    "x_train": np.zeros((200, 28, 28), np.uint8),
    "y_train": np.zeros(200, np.uint8),
    "x_test": np.zeros((50, 28, 28), np.uint8),
    "y_test": np.zeros(50, np.uint8),
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": np.zeros((200, 5, 32), np.uint8)}, ["x_train", "(200, 5, 32)", "(N, 28, 28)"]),
        ({"x_test": np.zeros((50, 28, 28), np.complex64)}, ["x_test", "complex64", "numbers"]),
        ({"y_test": np.full(50, 0.5, np.float32)}, ["y_test", "0.5", "whole numbers"]),
        ({"y_train": np.zeros((200, 11), np.uint8)}, ["y_train", "(200, 11)", "(N,)"]),
        ({"y_train": np.zeros(199, np.uint8)}, ["200 images", "199 labels"]),
        ({"y_test": np.full(50, 10, np.uint8)}, ["label 10", "0 to 9"]),
        ({"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)}, ["no images"]),
        ({"y_train": None, "y_test": None}, ["found x_test, x_train", "y_train"]),
        ({"y_train": np.array([{}] * 200, dtype=object)}, ["y_train", "pickled", "never loaded"]),
    ],
)
def test_unfit_npz_is_refused(
    digitcli: Command, tmp_path: Path, changes: dict[str, np.ndarray | None], words: list[str]
) -> None:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    np.savez(tmp_path / "bad.npz", **content)
    outcome = digitcli("train", "--config", "ci", "--data", "bad.npz")
    assert outcome.status == 3
    assert outcome.stdout == ""
    for word in ["bad.npz", *words]:
        assert word in outcome.stderr
    assert outcome.stderr.count("\n") == 1


class Boom:
    """Would leave a file behind if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("unpickled", "w")


def test_pickle_in_npz_is_not_run(tmp_path: Path) -> None:
    evil = np.array([Boom()], dtype=object)
    np.savez(tmp_path / "evil.npz", x=evil, y=np.zeros(1, np.uint8))
    with pytest.raises(DataError, match="pickled"):
        datasets.load(str(tmp_path / "evil.npz"))
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Boom()))
    with pytest.raises(DataError, match=r"not a \.npz file"):
        datasets.load(str(tmp_path / "raw.npz"))
    assert not Path("unpickled").exists()
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_npz_is_refused(digitcli: Command, tmp_path: Path, sample: Dataset, share: float) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays(sample))
    content = buffer.getvalue()
    (tmp_path / "cut.npz").write_bytes(content[: int(share * len(content))])
    outcome = digitcli("train", "--data", "cut.npz")
    assert outcome.status == 3
    assert "cut.npz: damaged, cut off, encrypted or not a .npz file" in outcome.stderr


def test_encrypted_npz_is_refused(tmp_path: Path, sample: Dataset) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=sample.test.images, y=sample.test.labels)
    content = bytearray(buffer.getvalue())
    content[6] |= 1  # the flag of the first member ...
    content[content.index(b"PK\x01\x02") + 8] |= 1  # ... and of its entry in the directory
    (tmp_path / "locked.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"locked\.npz: damaged, cut off, encrypted"):
        datasets.load(str(tmp_path / "locked.npz"))


def test_a_name_that_no_file_can_have(digitcli: Command) -> None:
    outcome = digitcli("train", "--data", "x" * 5000 + ".npz")
    assert outcome.status == 3
    assert "no such file" in outcome.stderr


def test_npz_with_a_header_that_promises_too_much(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)}
    )
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match="1,000,000,000,000 images; at most"):
        datasets.load(str(tmp_path / "bomb.npz"))


@given(content=st.binary(max_size=400))
def test_no_file_content_gets_past_the_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "random.npz"
    file.write_bytes(content)
    with pytest.raises(DataError):
        datasets.load(str(file))


@given(position=st.integers(0, 4000), value=st.integers(0, 255))
def test_a_changed_byte_is_data_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, sample: Dataset, position: int, value: int
) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=sample.test.images[:20], y=sample.test.labels[:20])
    content = bytearray(buffer.getvalue())
    content[position % len(content)] = value
    file = tmp_path_factory.getbasetemp() / "changed.npz"
    file.write_bytes(content)
    try:
        assert len(datasets.load(str(file)).test) == 20
    except DataError as error:
        assert "changed.npz" in str(error)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.npz", ["nowhere.npz", "no such file", "mnist, sample"]),
        ("notes.txt", ["notes.txt", "unknown kind", "mnist, sample"]),
        ("empty", ["empty", "neither folders 0 to 9 nor IDX or Parquet files", "subfolders 0 to 9"]),
        ("some", ["some", "found no t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]),
    ],
)
def test_missing_data_is_named(digitcli: Command, tmp_path: Path, source: str, words: list[str]) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "some").mkdir()
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        axes = (3, 1, 28, 28) if "images" in name else (1, 1)
        header = struct.pack(f">HBB{len(axes) - 1}I", 0, 8, axes[0], *axes[1:])
        (tmp_path / "some" / name).write_bytes(header + bytes(28 * 28 if "images" in name else 1))
    outcome = digitcli("train", "--data", source)
    assert outcome.status == 3
    for word in words:
        assert word in outcome.stderr


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-1], ["found 391,999 bytes", "392,000", "(500, 28, 28)"]),
        (lambda content: content + b"x", ["found more bytes", "392,000"]),
        (lambda content: content[:3], ["starts with 00 00 08", "IDX"]),
        (lambda content: b"", ["starts with nothing", "IDX"]),
        (lambda content: b"\0\0\x0d\x03" + content[4:], ["starts with 00 00 0d 03", "expected 00 00 08 03"]),
        (lambda content: content[:8] + struct.pack(">II", 20, 20), ["(500, 20, 20)", "(N, 28, 28)"]),
    ],
)
def test_damaged_idx_is_refused(
    digitcli: Command, sample: Dataset, tmp_path: Path, damage: object, words: list[str]
) -> None:
    write_idx(tmp_path / "idx", sample)
    file = tmp_path / "idx" / "t10k-images-idx3-ubyte"
    file.write_bytes(damage(file.read_bytes()))
    outcome = digitcli("train", "--data", "idx")
    assert outcome.status == 3
    for word in ["t10k-images-idx3-ubyte", *words]:
        assert word in outcome.stderr


def test_truncated_gzip_is_refused(sample: Dataset, tmp_path: Path) -> None:
    write_idx(tmp_path / "idx", sample, ".gz")
    file = tmp_path / "idx" / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: cut off or damaged"):
        datasets.load(str(tmp_path / "idx"))


def test_mnist_is_divided_into_55_5_and_10_thousand() -> None:
    split = split_dataset(datasets.load("mnist"))
    assert [len(part) for part in (split.train, split.validation, split.test)] == [
        55_000,
        5_000,
        10_000,
    ]
    assert np.bincount(split.validation.labels).tolist() == [500] * 10


def test_division_loses_and_repeats_nothing(sample: Dataset) -> None:
    images = np.zeros((2_000, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(2_000), 256)  # each image says its number
    split = split_dataset(Dataset("numbered", train=Digits(images, sample.train.labels), test=sample.test))
    together = np.concatenate([split.train.images, split.validation.images]).astype(int)
    assert np.array_equal(np.sort(together[:, 0, 0] * 256 + together[:, 0, 1]), np.arange(2_000))
    assert split.train.images.ctypes.data % ALIGNMENT == 0
    assert split.test is sample.test


@pytest.mark.parametrize("layout", ["four", "two"])
def test_dividing_in_place_gives_the_same_digits_without_a_copy(
    layout: str, sample: Dataset, tmp_path: Path
) -> None:
    assert sample.train
    many = sample.train.take(np.arange(20_000) % len(sample.train))
    file = tmp_path / "many.npz"
    if layout == "four":
        np.savez(
            file,
            x_train=many.images,
            y_train=many.labels,
            x_test=sample.test.images,
            y_test=sample.test.labels,
        )
    else:
        np.savez(file, x=many.images, y=many.labels)
    expected = split_dataset(datasets.load(str(file)))
    tracemalloc.start()
    split = load_split(str(file))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(split, part).images, getattr(expected, part).images)
        assert np.array_equal(getattr(split, part).labels, getattr(expected, part).labels)
    assert (split.name, split.sha256) == (expected.name, expected.sha256)
    assert split.train.images.ctypes.data % ALIGNMENT == 0
    # a sixth is in two places for a moment, and there are labels and places
    assert most < 1.35 * many.images.nbytes


def test_limit_counts_training_images(sample: Dataset) -> None:
    split = split_dataset(sample, limit=1200)
    assert [len(split.train), len(split.validation)] == [1100, 100]
    with pytest.raises(OptionError, match="--limit 2001: sample has 2,000"):
        split_dataset(sample, limit=2001)
    with pytest.raises(OptionError, match="at least 100"):
        split_dataset(sample, limit=MIN_TRAINING_IMAGES - 1)


def test_too_few_images_to_train_on(sample: Dataset) -> None:
    with pytest.raises(DataError, match="found 83 training images; expected at least 100"):
        split_dataset(Dataset("tiny", test=sample.test.take(np.arange(100))))


@given(
    labels=st.lists(st.integers(0, 9), min_size=1, max_size=300).map(
        lambda values: np.array(values, np.uint8)
    ),
    share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_balanced_is_as_even_as_the_classes_allow(labels: np.ndarray, share: float, seed: int) -> None:
    count = round(share * len(labels))
    chosen = balanced(labels, count, seed)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert np.array_equal(chosen, balanced(labels, count, seed))
    taken, there = np.bincount(labels[chosen], minlength=10), np.bincount(labels, minlength=10)
    unexhausted = taken[taken < there]
    if len(unexhausted):  # a class gives fewer than another only if it has no more
        assert taken.max() - unexhausted.min() <= 1


@given(st.lists(st.integers(0, 9), min_size=2, max_size=200).map(lambda values: np.array(values, np.uint8)))
def test_a_rare_class_keeps_half_of_its_images(labels: np.ndarray) -> None:
    chosen = balanced(labels, len(labels), 0, max_share=0.5)
    assert (2 * np.bincount(labels[chosen], minlength=10) <= np.bincount(labels, minlength=10)).all()
