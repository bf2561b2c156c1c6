"""The model that comes with digitcli, ``model.onnx``, and how it was trained, ``run.json``.

``make pretrained`` retrains it from the recipe ``configs/pretrained.toml``.
"""

import os
from pathlib import Path

from digitcli.artifacts import DEFAULT_FOLDER, MODEL

PRETRAINED = "pretrained"  # names this model wherever the command line takes a model
PRETRAINED_MODEL = Path(__file__).parent / MODEL


def find_model(folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the model in `folder`, or else the pretrained one."""
    own = folder / MODEL
    return own if os.path.isfile(own) else PRETRAINED_MODEL


def model_name(path: Path) -> str:
    """Return what a model file is called in words: ``pretrained``, or its path."""
    return PRETRAINED if path == PRETRAINED_MODEL else str(path)
