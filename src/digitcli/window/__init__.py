"""The canvas in an OpenCV window.

`window` opens it and runs its event loop, `display` probes for a display, `layout`, `view` and
`saliency_overlay` compose the picture, `keys` says what keys do, `painting` holds drawing primitives,
`x11` talks to the X server.
"""
