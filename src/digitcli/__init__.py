"""Train a handwritten-digit reader and read digits with it.

The public Python API: `Recognizer` and what it returns, `Reading` and `Digit`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.recognizer import Digit, Reading, Recognizer

__version__ = "0.1.0"
__all__ = ["Digit", "Reading", "Recognizer", "__version__"]


def __getattr__(name: str) -> Any:
    # on first use, so that the command line starts without ONNX Runtime
    if name in ("Digit", "Reading", "Recognizer"):
        from digitcli import recognizer

        return getattr(recognizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
