"""Metadata of an exported file: text by key, the same in every format."""

import json

from digitcli import __version__
from digitcli.config.mnist import CENTRE, CLASSES, DIGIT_SIZE, IMAGE_SIZE
from digitcli.models.classifier import as_metadata
from digitcli.preprocessing.mnist_form import PREPROCESSING_VERSION
from digitcli.run_record import RunRecord

METADATA_FILE = "metadata.json"  # the file that holds it, where a format has room for files

_MNIST = ("mnist", "sample")  # the data sources that are MNIST
_MNIST_LICENCE = (
    "digitcli: MIT. Training images: MNIST by Yann LeCun, Corinna Cortes and Christopher Burges, "
    "CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/"
)

Metadata = dict[str, str]


def describe(
    record: RunRecord, threshold: float, *, uses_tta: bool, int8: bool, calibration_images: int
) -> Metadata:
    """Describe an exported model.

    Args:
        record: the model's ``run.json``, as far as it is known.
        threshold: the confidence below which a mark is no digit.
        uses_tta: whether digitcli uses test-time augmentation with it.
        int8: whether the file computes in 8-bit integers.
        calibration_images: on so many their ranges were measured.
    """
    data = (record.data.name if record.data else None) or ""
    recipe = record.recipe_name
    temperature = record.calibration.temperature if record.calibration else None
    return {
        "labels": ",".join(str(digit) for digit in range(CLASSES)),
        "input": f"image: float32 (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 1), grey values 0 to 255, ink bright on "
        f"black, fitted into {DIGIT_SIZE}x{DIGIT_SIZE}, centre of mass at ({CENTRE}, {CENTRE})",
        "output": f"probabilities: float32 (N, {CLASSES}), which sum to 1",
        "preprocessing_version": str(PREPROCESSING_VERSION),
        **as_metadata(threshold, uses_tta=uses_tta),
        **({"temperature_applied": str(temperature)} if temperature else {}),
        "arithmetic": f"int8, ranges measured on {calibration_images} training images of MNIST"
        if int8
        else "float32",
        **({"recipe": recipe} if recipe else {}),
        **({"trained_on": data} if data else {}),
        "model_license": licence(data),
        "made_by": f"digitcli {__version__}",
    }


def as_json(metadata: Metadata) -> str:
    """Return the content of the file `METADATA_FILE`."""
    return json.dumps(metadata, indent=2) + "\n"


def licence(data: str) -> str:
    """Return under what terms a model trained on a data source may be used."""
    if data in _MNIST:
        return _MNIST_LICENCE
    return f"digitcli: MIT. Training images: {data or 'unknown'}, under the terms of their owner."
