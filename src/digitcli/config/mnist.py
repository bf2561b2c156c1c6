"""MNIST form in numbers: the image that every network takes and the classes that it tells apart."""

from typing import Final, Literal

IMAGE_SIZE: Final = 28  # pixels, height and width
DIGIT_SIZE: Final = 20  # pixels, the longer side of the digit inside it
CENTRE: Final = IMAGE_SIZE // 2  # the pixel on which MNIST puts the centre of mass
CLASSES: Final = 10
MNIST_IMAGES: Final = 55_000  # of MNIST's that are trained on

# how a data source's images may lie, and what their ink may be
Orientation = Literal["upright", "transposed"]
Polarity = Literal["bright", "dark"]
