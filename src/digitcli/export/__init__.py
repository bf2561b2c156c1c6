"""Model files for other runtimes, each verified against the original before it is kept.

`exporter` runs an export; `onnx`, `litert` and `saved_model` write one format each, `formats` names them,
`metadata` describes the model inside the file, `exported_classifier` runs a file.
"""
