"""Networks: what is trained, and what classifies.

Two doors lead in, and each imports only what it needs:

- `build` makes a Keras network from a recipe, to be trained (TensorFlow);
- `load` makes a `Classifier` from a model file (ONNX Runtime, or TensorFlow for ``.keras`` files).

Behind them: the factory of networks and optimizers, the classifier protocol, the two classifiers, model
files and what lies beside them, weights taken back from a model file, TensorFlow and ONNX Runtime
themselves, and the arithmetic that a network is trained in.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.config.recipe import Recipe
    from digitcli.models.classifier import Classifier

__all__ = ["build", "load"]

# ONNX Runtime reads this once, when it is loaded. Without it, it writes a device id and a database of events
# below the home folder and looks up a host of its maker; `onnxruntime.disable_telemetry_events` comes too
# late for that. It is set here because every module of this package, and thus every way to ONNX Runtime
# (tf2onnx among them), begins with these lines.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def build(recipe: "Recipe", *, precision: str | None = None, replicas: int = 1) -> Any:
    """Return one of a recipe's Keras networks with fresh weights; see `factory.build`."""
    from digitcli.models import factory

    return factory.build(recipe, precision=precision, replicas=replicas)


def load(path: Path, *, threads: int | None = None) -> "Classifier":
    """Load a model: a ``.keras`` file with TensorFlow, anything else as ONNX without it.

    Args:
        path: of the file.
        threads: that work on an image together, for ONNX.

    Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier.
    """
    if path.suffix == ".keras":
        from digitcli.models import keras_classifier

        return keras_classifier.load(path)
    from digitcli.models import onnx_classifier

    return onnx_classifier.load(path, threads=threads)
