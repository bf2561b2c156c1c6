"""The images that a run trains on: those of the data source, and generated ones."""

from digitcli.config.recipe import Synthesis
from digitcli.datasets import Digits, concatenate
from digitcli.models.detector import load_detector
from digitcli.recognition.page_marks import page_marks
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR
from digitcli.recognition.rules.cuttings import Miscuts, touching
from digitcli.synthesis import drawing
from digitcli.synthesis.crops import crops
from digitcli.synthesis.writers import written_by_writers


def with_synthesis(train: Digits, synthesis: Synthesis, seed: int) -> Digits:
    """Return the training images with those drawn in addition, which come last.

    Args:
        train: the data source's.
        synthesis: how many of each kind are drawn.
        seed: the same seed draws the same.
    """
    parts = [train]
    if synthesis.digits:
        parts.append(drawing.digits(synthesis.digits, seed))
    if synthesis.pen_strokes:
        parts.append(written_by_writers(synthesis.pen_strokes, seed))
    written = concatenate(parts)
    if synthesis.crops:
        parts.append(crops(synthesis.crops, seed, train))
    if synthesis.touching:
        parts.append(touching(synthesis.touching, seed, written))
    if synthesis.page_marks:
        detector = load_detector(PRETRAINED_DETECTOR)
        parts.append(page_marks(synthesis.page_marks, seed, train, detector))
    if synthesis.non_digits:
        parts.append(drawing.non_digits(synthesis.non_digits, seed, written, Miscuts()))
    return concatenate(parts)
