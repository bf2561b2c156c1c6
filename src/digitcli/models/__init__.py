"""Networks that are trained and classifiers that read.

- `build` makes a Keras network from a recipe (TensorFlow).
- `load` makes a `Classifier` from a model file (ONNX Runtime; TensorFlow for ``.keras`` files).

Each imports only what it needs. The modules:

- `factory`: the only factory of Keras networks and optimizers
- `batch_normalization`: batch normalization in one operation
- `classifier`: the `Classifier` protocol
- `keras_classifier`, `onnx_classifier`: its two implementations
- `detector`: detectors, of ONNX and of Keras files
- `detector_network`: their network
- `model_files`: the size and the training recipe of a model file
- `weight_recovery`: from a model file back to Keras weights
- `backend`, `onnx_runtime`: the only imports of TensorFlow and ONNX Runtime
- `precision`: float32 or bfloat16 training
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.config.recipe import AnyRecipe
    from digitcli.models.classifier import Classifier

__all__ = ["build", "load"]

# ONNX Runtime reads this once, when it is loaded. Without it, it writes a device id and a database of events
# below the home folder and looks up a host of its maker; `onnxruntime.disable_telemetry_events` comes too
# late for that. It is set here because every module of this package, and thus every way to ONNX Runtime
# (tf2onnx among them), begins with these lines.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def build(recipe: "AnyRecipe", *, precision: str | None = None, replicas: int = 1) -> Any:
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
