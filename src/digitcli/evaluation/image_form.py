"""Whether a data source's images lie as they should, and are bright on dark: the pretrained model tells."""

from dataclasses import dataclass, replace

import numpy as np

from digitcli import models
from digitcli.datasets import AS_USUAL, Dataset, Form
from digitcli.datasets.packaged import NAMES
from digitcli.errors import DataError
from digitcli.evaluation.wording import percent
from digitcli.recognition.pretrained import PRETRAINED_MODEL


@dataclass(frozen=True)
class ImageFormParameters:
    """When images are in another form than they are given in; by convention.

    Attributes:
        images: that are read, evenly spaced.
        least: share of them that another form must read right.
        more: and by how much more than the given one.
    """

    images: int = 500
    least: float = 0.8
    more: float = 0.2


IMAGE_FORM = ImageFormParameters()
_OTHERS = (Form("transposed"), Form(polarity="dark"), Form("transposed", "dark"))


def require_usual(dataset: Dataset, given: Form = AS_USUAL) -> None:
    """Refuse a source whose images the pretrained model reads far better in another form.

    Args:
        dataset: brought to what is usual already, as far as `given` says.
        given: the form that the user says its images have.

    Raises `DataError` with the options that read it as it seems to be.
    """
    if dataset.name in NAMES:
        return
    classifier = models.load(PRETRAINED_MODEL)
    digits = dataset.to_train_on.digits
    chosen = digits.take(np.unique(np.linspace(0, len(digits) - 1, IMAGE_FORM.images).astype(np.intp)))

    def share(form: Form) -> float:
        read = classifier.predict(np.ascontiguousarray(form.of(chosen.images))).argmax(axis=1)
        return float((read == chosen.labels).mean())

    as_given = share(AS_USUAL)
    if as_given >= 1 - IMAGE_FORM.more:
        return
    shares = {form: share(form) for form in _OTHERS}
    best = max(shares, key=lambda form: shares[form])
    if shares[best] < max(IMAGE_FORM.least, as_given + IMAGE_FORM.more):
        return
    really = _together(given, best)
    what = f"seem to be {really.words}: add {really.options}" if really != AS_USUAL else "seem to be as usual"
    if given != AS_USUAL:
        what += f", in place of {given.options}" if really != AS_USUAL else f": leave out {given.options}"
    raise DataError(
        f"{dataset.name}: its images {what} (of {len(chosen)}, the pretrained model reads "
        f"{percent(shares[best])} so, {percent(as_given)} as they are given)"
    )


def _together(first: Form, second: Form) -> Form:
    """Return the form of images that have one form and, once brought to what is usual, another."""
    together = first
    if second.orientation == "transposed":
        is_upright = first.orientation == "transposed"
        together = replace(together, orientation="upright" if is_upright else "transposed")
    if second.polarity == "dark":
        together = replace(together, polarity="bright" if first.polarity == "dark" else "dark")
    return together
