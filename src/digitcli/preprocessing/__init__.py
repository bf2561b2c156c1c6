"""The one way from any pixels to MNIST form.

`to_mnist_form` takes an image of one digit and returns the 28x28 image that every network takes.
`image_files` decodes files, `foreground` separates pen from paper, `cleaning` removes what is no writing,
`mnist_form` normalizes one digit, `geometry` holds bounding boxes and resizing.
"""

from digitcli.preprocessing.mnist_form import to_mnist_form

__all__ = ["to_mnist_form"]
