"""The data inside the package: the full MNIST, and a small fixed slice of it."""

from pathlib import Path

from digitcli.datasets import npz
from digitcli.datasets.digits import Dataset
from digitcli.datasets.split import balanced
from digitcli.errors import DataError

NAMES = ("mnist", "sample")
FILE = Path(__file__).parent / "data" / "mnist.npz"
SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"  # Dataset.sha256 of FILE

SAMPLE_TRAIN, SAMPLE_TEST = 2_000, 500  # images, as many of each digit
_SAMPLE_SEED = 0


def load(name: str) -> Dataset:
    """Read ``mnist`` (60,000 + 10,000 images) or ``sample`` (2,000 + 500 of them)."""
    mnist = npz.load(FILE, name="mnist")
    if mnist.sha256 != SHA256:
        raise DataError(
            f"{FILE}: content has SHA-256 {mnist.sha256[:12]}...; expected {SHA256[:12]}...; "
            "reinstall digitcli"
        )
    if name == "mnist" or mnist.train is None:
        return mnist
    return Dataset(
        name,
        train=mnist.train.take(balanced(mnist.train.labels, SAMPLE_TRAIN, _SAMPLE_SEED)),
        test=mnist.test.take(balanced(mnist.test.labels, SAMPLE_TEST, _SAMPLE_SEED)),
    )
