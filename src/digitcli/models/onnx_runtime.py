"""ONNX Runtime, imported in this one place so that its telemetry is off in every process.

Everything else gets it from here: ``from digitcli.models.onnx_runtime import onnxruntime``.
"""

import os

# Read once, when the library is loaded: `onnxruntime.disable_telemetry_events` comes too late for the
# device id, the database of events and the look-up of a host of its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
