"""The data inside the package: the full MNIST, and a small fixed slice of it."""

import hashlib
from dataclasses import replace
from pathlib import Path

from digitcli.datasets import npz
from digitcli.datasets.digits import Dataset
from digitcli.datasets.split import balanced
from digitcli.errors import DataError

NAMES = ("mnist", "sample")
FILE = Path(__file__).parent / "data" / "mnist.npz"
# of FILE itself, and Dataset.sha256 of what it holds
FILE_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"

SAMPLE_TRAIN, SAMPLE_TEST = 2_000, 500  # images, as many of each digit
_SAMPLE_SEED = 0


def load(name: str) -> Dataset:
    """Read ``mnist`` (60,000 + 10,000 images) or ``sample`` (2,000 + 500 of them)."""
    # of the compressed file, a fifth of what it holds: where the one is right, the other is known
    try:
        with FILE.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{FILE}: cannot be read: {error.strerror}; reinstall digitcli") from error
    if found != FILE_SHA256:
        raise DataError(
            f"{FILE}: has SHA-256 {found[:12]}...; expected {FILE_SHA256[:12]}...; reinstall digitcli"
        )
    mnist = replace(npz.load(FILE, name="mnist"), known_sha256=SHA256)
    if name == "mnist" or mnist.train is None:
        return mnist
    return Dataset(
        name,
        train=mnist.train.take(balanced(mnist.train.labels, SAMPLE_TRAIN, _SAMPLE_SEED)),
        test=mnist.test.take(balanced(mnist.test.labels, SAMPLE_TEST, _SAMPLE_SEED)),
    )
