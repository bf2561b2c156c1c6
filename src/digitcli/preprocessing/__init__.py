"""The one way from any pixels to MNIST form, the 28x28 image that every network takes.

`to_mnist_form` takes an image of one digit; pages go the same way as far as `page_foreground`, and each of
their digits from there on. The parts:

- `image_files`: decodes image files
- `foreground`: separates strokes from paper
- `sheet`: finds the sheet of paper on a photograph
- `cleaning`, `rulings`: remove specks, remnants at the border and ruled lines
- `margin`: adds paper around a digit that is cropped to its edge
- `masked`: the foreground of a digit whose ink a detector has found
- `detector_form`: what a detector takes
- `mnist_form`: normalizes the size and position of one digit
- `geometry`: bounding boxes and resizing
- `threads`: how many threads images are prepared with
"""

from digitcli.preprocessing.mnist_form import to_mnist_form

__all__ = ["to_mnist_form"]
