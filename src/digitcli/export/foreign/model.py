"""A model that somebody else made: what it takes, what it reads, and its file in digitcli's form."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from digitcli.datasets import Digits
from digitcli.errors import ModelError, OptionError, first_line
from digitcli.evaluation.calibration import choose_tta
from digitcli.evaluation.wording import percent
from digitcli.export.foreign.input_form import INPUT_FORM, Choice, as_probabilities, choose
from digitcli.export.foreign.onnx_form import Graph, InputForm, as_graph, as_values, in_our_form
from digitcli.models.classifier import (
    DEFAULT_THRESHOLD,
    Floats,
    Probabilities,
    as_metadata,
    predict_in_batches,
)
from digitcli.models.onnx_runtime import onnxruntime
from digitcli.preprocessing.mnist_form import Images, network_input
from digitcli.run_record import RunRecord

_BATCH_SIZE = 256


@dataclass
class _ForeignClassifier:
    """A `Classifier` that gives a foreign network what it takes, on its own graph."""

    graph: Graph
    session: Any
    choice: Choice
    threshold: float = DEFAULT_THRESHOLD
    uses_tta: bool = True

    def predict(self, images: Images) -> Probabilities:
        """See `Classifier.predict`."""

        def run(values: Floats) -> Floats:
            given = _run(self.session, as_values(self.graph, self.choice.best.form, values))
            return as_probabilities(given, self.choice.best.gives)

        return predict_in_batches(run, images, _BATCH_SIZE)


@dataclass(frozen=True)
class ForeignModel:
    """As `exporter.Original`, of a model that is not in digitcli's form.

    Attributes:
        path: of its file or folder.
        classifier: classifies with it.
        choice: the form that it takes.
        record: unknown.
    """

    path: Path
    graph: Graph
    classifier: _ForeignClassifier
    choice: Choice
    record: RunRecord = field(default_factory=RunRecord)
    is_keras: bool = False

    def network(self, digits: Digits) -> Any:
        """Refuse: no recipe tells how to make a foreign network anew."""
        raise OptionError(f"{self.path}: a model from elsewhere is exported to ONNX; expected --format onnx")

    def onnx_file(self, folder: Path) -> Path:
        """Write it in digitcli's form into a folder; return the file. Raises `ModelError`."""
        path = folder / "ours.onnx"
        model = in_our_form(self.graph, self.choice.best.form, self.choice.best.gives)
        facts = as_metadata(self.classifier.threshold, uses_tta=self.classifier.uses_tta)
        onnx.helper.set_model_props(model, facts)
        try:
            onnx.checker.check_model(model)
        except onnx.checker.ValidationError as error:
            raise ModelError(
                f"{self.path}: cannot be brought into another form ({first_line(error)})"
            ) from error
        onnx.save(model, path)
        return path

    @property
    def in_words(self) -> list[str]:
        """What was found out, line by line."""
        best, images = self.choice.best, self.choice.images
        shape = ", ".join(map(str, ("N", *self.graph.shape)))
        lines = [
            f"{self.path}: takes ({shape}), {best.form.words}; gives {best.gives}; reads "
            f"{percent(best.accuracy)} of {images:,} validation images of MNIST"
        ]
        for other in self.choice.tied:
            lines.append(
                f"With {other.form.words}, it reads {percent(other.accuracy)} at a loss of "
                f"{other.loss:.3f}; as chosen, at {best.loss:.3f}"
            )
        return lines


def load(path: Path, validation: Digits) -> ForeignModel:
    """Find out what a model takes.

    Args:
        path: as `onnx_form.as_graph` takes it.
        validation: images that it was hardly trained on, more than `INPUT_FORM.images`.

    Raises `ModelError` where it would run code, cannot be read or run, or reads no digits.
    """
    with tempfile.TemporaryDirectory() as folder:
        graph = as_graph(path, Path(folder))
    try:
        session = onnxruntime.InferenceSession(
            graph.model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has no common base for what a model can do wrong
        raise ModelError(f"{path}: cannot be run by ONNX Runtime ({first_line(error)})") from error
    digits = validation.part(0, min(INPUT_FORM.images, len(validation)))
    images = network_input(digits.images)

    def run(form: InputForm, values: Floats) -> Floats:
        try:
            given = _run(session, as_values(graph, form, values))
        except Exception as error:  # as above
            raise ModelError(
                f"{path}: cannot read {len(values):,} images at once ({first_line(error)}); export it with "
                "any number of images"
            ) from error
        if given.shape != (len(values), 10):
            raise ModelError(f"{path}: gives {given.shape} for {len(values):,} images; expected (N, 10)")
        if not np.isfinite(given).all():
            raise ModelError(f"{path}: gives numbers that are not finite")
        return given

    choice = choose(str(path), run, images, digits)
    classifier = _ForeignClassifier(graph, session, choice)
    choose_tta(classifier, digits)
    return ForeignModel(path, graph, classifier, choice)


def _run(session: Any, values: Any) -> Floats:
    (name,) = (each.name for each in session.get_inputs())
    return np.asarray(session.run(None, {name: values})[0], np.float32)
