"""The canvas in an OpenCV window.

- `window`: opens the window and runs its event loop
- `view`: composes the picture: canvas, reading, 28x28 image, probability bars
- `layout`: places its parts in a window of any size
- `painting`: colours, shapes and text
- `saliency_overlay`: saliency as colours over the canvas
- `keys`: the keys and what they do
- `display`: probes for a display before OpenCV opens one
- `x11`: a connection to the X server
"""
