"""The drawing on a canvas and what a model reads of it, without a window or a web server.

- `canvas`: `Canvas`, the strokes with undo, redo and the eraser
- `stroke`: `Stroke`, one stroke that grows, can be hit and can be cut
- `raster`: `Raster`, the pixels of a canvas, kept up to date piece by piece
- `events`: what a person does on a canvas, and the files that record and replay it
- `session`: `Session`, from events to readings
- `canvas_reading`: reads a `Snapshot` into a `CanvasReading`
- `reading_worker`: reads the newest snapshot in a background thread
- `saliency`: occlusion saliency, which explains a reading
- `corrections`: drawings that people labelled, kept for training
"""
