"""The canvas in an OpenCV window.

`window` opens it and runs its event loop, `display` probes for a display, `layout`, `face` and `panel`
compose the picture, `painting` holds drawing primitives, `x11` talks to the X server.
"""
