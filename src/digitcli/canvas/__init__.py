"""The growing drawing and what is read of it; no window, no web server.

`canvas.Canvas` holds the strokes, `events` the input, `raster` the pixels; `canvas_reading` reads a
snapshot, `reading_worker` does so in a thread, `session.Session` combines all of it, `corrections` keeps
labelled drawings, and `saliency` explains a reading.
"""
