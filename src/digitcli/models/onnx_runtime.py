"""ONNX Runtime, imported in this one place, after `digitcli.models` has switched its telemetry off.

Everything else gets it from here: ``from digitcli.models.onnx_runtime import onnxruntime``.
"""

import onnxruntime

__all__ = ["onnxruntime"]
