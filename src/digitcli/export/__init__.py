"""Model files for other runtimes, each verified against the original before it is kept.

- `exporter`: `Exporter`, which writes, verifies and keeps or refuses a file
- `onnx`, `litert`, `saved_model`: one format each
- `detector`: detectors as ONNX files
- `formats`: `Format` and `Target`, what can be exported and the name of its file
- `metadata`: labels, input, threshold and licence, written into every file
- `exported_classifier`: `ExportedClassifier`, which runs an exported file
"""
