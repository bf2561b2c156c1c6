"""Train a handwritten-digit reader and read digits with it.

The public Python API: `train` and `evaluate` do what the commands of their names do; `Recognizer` reads
images and returns a `Reading` of `Digit`s. Importing this package loads none of the libraries behind it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.evaluation.evaluate import EvaluationResult, evaluate
    from digitcli.recognition.reading import Digit, Reading
    from digitcli.recognition.recognizer import Recognizer
    from digitcli.training.job import RunResult
    from digitcli.training.train import train

__version__ = "0.1.0"
__all__ = [
    "Digit",
    "EvaluationResult",
    "Reading",
    "Recognizer",
    "RunResult",
    "__version__",
    "evaluate",
    "train",
]

_HOMES = {  # public names, by the module that is imported on their first use
    "Digit": "recognition.reading",
    "EvaluationResult": "evaluation.evaluate",
    "Reading": "recognition.reading",
    "Recognizer": "recognition.recognizer",
    "RunResult": "training.job",
    "evaluate": "evaluation.evaluate",
    "train": "training.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"digitcli.{_HOMES[name]}"), name)
