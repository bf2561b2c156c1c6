"""The networks that come with digitcli, and how they were trained.

- ``model.onnx``, ``run.json``: the classifier; ``make pretrained`` retrains it from
  ``configs/pretrained.toml``
- ``detector.onnx``, ``detector-run.json``: the detector; ``make pretrained-detector`` retrains it from
  ``configs/detector.toml``
- ``scoring.json``: how likely marks are digits, fitted to both; see `recognition.scoring`
"""

import os
from pathlib import Path

from digitcli.artifacts import DEFAULT_FOLDER, DETECTOR, MODEL

PRETRAINED = "pretrained"  # names this model wherever the command line takes a model
NO_DETECTOR = "none"  # in place of a detector: rules alone find digits
PRETRAINED_MODEL = Path(__file__).parent / MODEL
PRETRAINED_DETECTOR = Path(__file__).parent / DETECTOR.model


def find_model(folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the model in `folder`, or else the pretrained one."""
    own = folder / MODEL
    return own if os.path.isfile(own) else PRETRAINED_MODEL


def find_detector(folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the detector in `folder`, or else the pretrained one."""
    own = folder / DETECTOR.model
    return own if os.path.isfile(own) else PRETRAINED_DETECTOR


def model_file(name: str | Path) -> Path:
    """Return the model that is meant by a path, or by the word ``pretrained``."""
    return PRETRAINED_MODEL if str(name) == PRETRAINED else Path(name)


def detector_file(name: str | Path) -> Path:
    """Return the detector that is meant by a path, or by the word ``pretrained``."""
    return PRETRAINED_DETECTOR if str(name) == PRETRAINED else Path(name)


def model_name(path: Path) -> str:
    """Return what a model file is called in words: ``pretrained``, or its path."""
    return PRETRAINED if path in (PRETRAINED_MODEL, PRETRAINED_DETECTOR) else str(path)
