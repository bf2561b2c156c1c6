"""What an exported file says of itself: words by key, the same in every format."""

import json
from collections.abc import Mapping
from typing import Any

from digitcli import __version__
from digitcli.preprocessing import CENTRE, CLASSES, DIGIT_SIZE, IMAGE_SIZE, PREPROCESSING_VERSION
from digitcli.recognizer import as_metadata

NAME = "metadata.json"  # the file that holds it, where a format has room for files

_MNIST = ("mnist", "sample")  # the data sources that are MNIST
_MNIST_LICENCE = (
    "digitcli: MIT. Training images: MNIST by Yann LeCun, Corinna Cortes and Christopher Burges, "
    "CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/"
)

Sheet = dict[str, str]


def describe(
    record: Mapping[str, Any], threshold: float, *, looks_again: bool, int8: bool, calibration_images: int
) -> Sheet:
    """Describe an exported model.

    Args:
        record: the model's ``run.json``, as far as it is known.
        threshold: the confidence below which a mark is no digit.
        looks_again: whether digitcli takes a second look with it.
        int8: whether the file computes in 8-bit integers.
        calibration_images: on so many their ranges were measured.
    """
    data, recipe = _known(record, "data", "name"), _known(record, "recipe", "name")
    temperature = _known(record, "calibration", "temperature")
    return {
        "labels": ",".join(str(digit) for digit in range(CLASSES)),
        "input": f"image: float32 (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 1), grey values 0 to 255, ink bright on "
        f"black, fitted into {DIGIT_SIZE}x{DIGIT_SIZE}, centre of mass at ({CENTRE}, {CENTRE})",
        "output": f"probabilities: float32 (N, {CLASSES}), which sum to 1",
        "preprocessing_version": str(PREPROCESSING_VERSION),
        **as_metadata(threshold, looks_again=looks_again),
        **({"temperature_applied": temperature} if temperature else {}),
        "arithmetic": f"int8, ranges measured on {calibration_images} training images of MNIST"
        if int8
        else "float32",
        **({"recipe": recipe} if recipe else {}),
        **({"trained_on": data} if data else {}),
        "model_license": _licence(data),
        "made_by": f"digitcli {__version__}",
    }


def as_json(sheet: Sheet) -> str:
    """Return the content of the file `NAME`."""
    return json.dumps(sheet, indent=2) + "\n"


def _licence(data: str) -> str:
    if data in _MNIST:
        return _MNIST_LICENCE
    return f"digitcli: MIT. Training images: {data or 'unknown'}, under the terms of their owner."


def _known(record: Mapping[str, Any], part: str, key: str) -> str:
    """Return a value of ``run.json`` as a word; empty where it is not there."""
    inner = record.get(part)
    value = inner.get(key) if isinstance(inner, dict) else None
    return str(value) if isinstance(value, str | int | float) else ""
