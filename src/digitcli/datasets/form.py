"""Images that are transposed, as EMNIST's are, or whose ink is dark, brought to what is usual."""

from dataclasses import dataclass, replace

import numpy as np

from digitcli.config.mnist import Orientation, Polarity
from digitcli.datasets.digits import Dataset, Digits
from digitcli.preprocessing.mnist_form import Images


@dataclass(frozen=True)
class Form:
    """How a source's images are.

    Attributes:
        orientation: ``transposed`` where rows and columns have changed places.
        polarity: whether the ink is ``bright``, as MNIST's is, or ``dark``.
    """

    orientation: Orientation = "upright"
    polarity: Polarity = "bright"

    def of(self, images: Images) -> Images:
        """Return images (N, 28, 28) uint8 of this form as they usually are; the same memory if they are."""
        turned = images.transpose(0, 2, 1) if self.orientation == "transposed" else images
        return 255 - turned if self.polarity == "dark" else turned

    @property
    def words(self) -> str:
        """What is unusual about it, such as "transposed" or "dark"."""
        return " and ".join(self.unusual.values()) or "as usual"

    @property
    def unusual(self) -> dict[str, str]:
        """What is unusual about it, as ``run.json`` has it."""
        told = {"orientation": self.orientation, "polarity": self.polarity}
        return {name: value for name, value in told.items() if value not in ("upright", "bright")}

    @property
    def options(self) -> str:
        """The options that say so on the command line."""
        return " ".join(f"--{name} {value}" for name, value in self.unusual.items())


AS_USUAL = Form()


def brought_to_usual(dataset: Dataset, form: Form) -> Dataset:
    """Return a source whose images have a form as one with images as usual."""
    if form == AS_USUAL:
        return dataset

    def usual(digits: Digits) -> Digits:
        return Digits(np.ascontiguousarray(form.of(digits.images)), digits.labels)

    train = None if dataset.train is None else usual(dataset.train)
    return replace(dataset, test=usual(dataset.test), train=train, known_sha256=None)
