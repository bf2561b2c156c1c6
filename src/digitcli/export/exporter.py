"""Exporting a model: the original, the files made from it, and verifying each before it is kept.

A file is written under a temporary name, classifies all test images of MNIST on its own runtime, and takes
its place only if it does so as the model that it was made from.
"""

import importlib.util
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitcli import artifacts, models
from digitcli.datasets import Digits, Split
from digitcli.datasets.split import balanced
from digitcli.errors import ExportError, MissingError, ModelError, OptionError
from digitcli.evaluation.wording import percent
from digitcli.export import onnx
from digitcli.export.formats import Format, Target
from digitcli.export.metadata import describe
from digitcli.models.classifier import (
    CLASSIFIER_NETWORK,
    DETECTOR_NETWORK,
    Classifier,
    is_hdf5,
    is_own,
    is_saved_model,
    require_probabilities,
    tolerance,
)
from digitcli.models.model_files import training_recipe
from digitcli.models.onnx_classifier import BATCH_SIZE
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.run_record import RunRecord

if TYPE_CHECKING:
    from digitcli.export.foreign import ForeignModel

FOLDER = "exported"  # within the artifacts folder


@dataclass(frozen=True)
class ExportParameters:
    """What an exported file must keep to, and what it is measured with.

    Attributes:
        int8_loss: by how much the accuracy of an int8 file may be below the original's; a promise of the
            documentation. On the pretrained model, int8 loses none.
        calibration_images: training images on which the ranges of 8-bit integers are measured.
        calibration_seed: chooses the same training images every time.
        timed_batches, timed_images: how often a batch and an image are timed; the fastest counts.
    """

    int8_loss: float = 0.002
    calibration_images: int = 500
    calibration_seed: int = 4
    timed_batches: int = 10
    timed_images: int = 100


EXPORT = ExportParameters()


def is_foreign(path: Path) -> bool:
    """Tell whether a model is not in digitcli's form; no where it cannot be read."""
    if is_hdf5(path) or is_saved_model(path):
        return os.path.exists(path)
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
            return bool(config["config"]["name"] not in (CLASSIFIER_NETWORK, DETECTOR_NETWORK))
        return not is_own(onnx.metadata(path))
    except Exception:  # whatever a file's content trips over; who loads it tells
        return False


def find_original(folder: Path) -> Path:
    """Return the model of the run in `folder`, or else the pretrained one."""
    own = (folder / name for name in (artifacts.MODEL, artifacts.KERAS_MODEL))
    return next((path for path in own if os.path.isfile(path)), PRETRAINED_MODEL)


class Original:
    """A model as it is before it is exported.

    Attributes:
        path: ``.keras`` or ``.onnx``.
        classifier: classifies with it.
        record: the ``run.json`` beside it; an unknown one where there is none that can be read.
    """

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises `MissingError` where there is no such file, `ModelError` where it is no digit classifier or
        computes in 8-bit integers already.
        """
        self.path = path
        self.classifier = models.load(path)
        if not self.is_keras and onnx.is_int8(path):
            raise ModelError(f"{path}: is int8 already; expected the float32 model that it was made from")
        self.record = RunRecord.beside(path) or RunRecord()

    @property
    def is_keras(self) -> bool:
        """Tell whether the file is Keras's, and not ONNX."""
        return self.path.suffix == ".keras"

    def onnx_file(self, folder: Path) -> Path:
        """Return the file of a model that is ONNX; nothing is written into `folder`."""
        del folder
        return self.path

    def network(self, digits: Digits) -> Any:
        """Return the Keras network; of an ONNX file that of the same run, or else its weights put back.

        Args:
            digits: some training images, for comparing.

        Raises `ModelError` where it reads differently from the file, `InputError` where nothing names the
        file's recipe.
        """
        from digitcli.models.factory import assemble
        from digitcli.models.keras_classifier import KerasClassifier, load_network
        from digitcli.models.weight_recovery import restore

        if self.is_keras:
            return load_network(self.path)
        beside = self.path.with_suffix(".keras")
        if not os.path.isfile(beside):
            _, recipe = training_recipe(self.path)
            return assemble(recipe, restore(self.path, recipe, digits))
        network = load_network(beside)
        found, expected = (
            each.predict(digits.images) for each in (KerasClassifier(network), self.classifier)
        )
        difference = float(np.abs(found - expected).max())
        if not difference <= tolerance(expected):
            raise ModelError(
                f"{beside}: reads differently from {self.path.name} beside it (by {difference:.2g}); "
                "expected the same network; name the one that is meant with --model"
            )
        return network


@dataclass(frozen=True)
class Measures:
    """What a model does on its runtime.

    Attributes:
        probabilities: (N, 10) float32, of the test images.
        right: how many of these it reads right.
        images_per_second: in batches of 256.
        milliseconds: for one image.
    """

    probabilities: NDArray[np.float32]
    right: int
    images_per_second: float
    milliseconds: float

    @property
    def accuracy(self) -> float:
        """Return the share of the test images that is read right."""
        return self.right / len(self.probabilities)


@dataclass(frozen=True)
class Verification:
    """How a file did.

    Attributes:
        target: what it is.
        size: in bytes.
        measures: None where it could not be written or run.
        difference: the largest to the original, over all probabilities of all test images.
        problem: why it was refused; None where it is kept.
    """

    target: Target
    size: int
    measures: Measures | None
    difference: float | None
    problem: str | None


def measure(classifier: Classifier, test: Digits, name: str) -> Measures:
    """Read all test images, then time a batch and a single image.

    Raises `ModelError` where the model `name` cannot be run or gives no probabilities.
    """
    probabilities = classifier.predict(test.images)
    require_probabilities(probabilities, name)
    batch, single = test.images[:BATCH_SIZE], test.images[:1]
    return Measures(
        probabilities,
        int((probabilities.argmax(axis=1) == test.labels).sum()),
        len(batch) / _fastest(lambda: classifier.predict(batch), EXPORT.timed_batches),
        1000 * _fastest(lambda: classifier.predict(single), EXPORT.timed_images),
    )


def verify(target: Target, size: int, found: Measures, original: Measures) -> Verification:
    """Compare a file with the model that it was made from."""
    difference = float(np.abs(found.probabilities - original.probabilities).max())
    problem = None
    allowed = EXPORT.int8_loss if target.int8 else 0.0
    at_most = tolerance(original.probabilities)
    if not target.int8 and not difference <= at_most:
        problem = f"differs from the original by {difference:.2g}; expected at most {at_most:.2g}"
    elif original.right - found.right > allowed * len(found.probabilities):
        problem = (
            f"reads {percent(found.accuracy)} of the test images, the original {percent(original.accuracy)}; "
            f"expected at most {percent(allowed)} less"
        )
    return Verification(target, size, found, difference, problem)


def _fastest(action: Callable[[], object], times: int) -> float:
    """Return the seconds that an action takes when nothing disturbs it."""
    action()  # the first time, memory is reserved
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def require_runtimes(targets: Sequence[Target]) -> None:
    """Raise a `MissingError` where what is to run a file is not installed."""
    if any(target.format is Format.LITERT for target in targets) and not _is_installed("ai_edge_litert"):
        raise MissingError(
            "ai-edge-litert, which runs LiteRT files, is not installed; install it with: "
            "pip install ai-edge-litert"
        )


def require_room(folder: Path, targets: Sequence[Target], original: "Original | ForeignModel") -> None:
    """Create `folder` if need be; raise an `OptionError` where files cannot be put there, or should not."""
    if os.path.isfile(folder / artifacts.RUN):
        raise OptionError(
            f"--output {folder}: is a run's folder, whose model would be replaced; expected another one, "
            f"such as {folder / FOLDER}"
        )
    files = [folder / target.name for target in targets if target.format is not Format.SAVED_MODEL]
    for file in files:
        if os.path.exists(file) and file.samefile(original.path):
            raise OptionError(f"{file}: is the model that is exported; name another folder with --output")
    artifacts.require_room(folder, [file.name for file in files], "the folder", "--output")
    saved = folder / Target(Format.SAVED_MODEL).name
    if len(files) < len(targets) and os.path.lexists(saved) and not is_saved_model(saved):
        raise OptionError(
            f"{saved}: is no SavedModel; expected that of an earlier export or nothing, as one goes there"
        )


def calibration(split: Split) -> Digits:
    """Choose the training images on which 8-bit ranges are calibrated: balanced by digit."""
    return split.train.take(balanced(split.train.labels, EXPORT.calibration_images, EXPORT.calibration_seed))


class Exporter:
    """Makes files of one model.

    Attributes:
        test: the images that every file reads.
    """

    def __init__(self, original: "Original | ForeignModel", split: Split) -> None:
        """Take what is exported, and MNIST, whose images the files read."""
        self._original = original
        self.test = split.test
        self._train = calibration(split)

    @cached_property
    def network(self) -> Any:
        """The Keras network; raises what `Original.network` does."""
        return self._original.network(self._train)

    @cached_property
    def measures(self) -> Measures:
        """What the model itself does; raises a `ModelError` where it gives no probabilities."""
        return measure(self._original.classifier, self.test, str(self._original.path))

    def make(self, target: Target, folder: Path) -> Verification:
        """Write a file into `folder`, try it, and keep it if it agrees with the original."""
        verification = None
        try:
            with artifacts.replacing(folder) as files:
                path = files.path(target.name)
                self._write(target, path)
                found = measure(_load(target, path), self.test, str(path))
                verification = verify(target, size(path), found, self.measures)
                if verification.problem:
                    raise ExportError(verification.problem)
        except (ExportError, ModelError) as error:
            problem = str(error).replace(f"{path}: ", "")  # a name that nobody gets to see
            return verification or Verification(target, 0, None, None, problem)
        return verification

    def _write(self, target: Target, path: Path) -> None:
        metadata = describe(
            self._original.record,
            self._original.classifier.threshold,
            uses_tta=self._original.classifier.uses_tta,
            int8=target.int8,
            calibration_images=EXPORT.calibration_images,
        )
        match target.format:
            case Format.ONNX:
                with tempfile.TemporaryDirectory() as folder:
                    source = self._onnx_file(Path(folder))
                    if target.int8:
                        onnx.quantise(source, path, self._train.images)
                    onnx.label(path if target.int8 else source, path, metadata)
            case Format.LITERT:
                from digitcli.export import litert

                litert.write(self.network, path, self._train.images if target.int8 else None)
                litert.label(path, metadata)
            case Format.SAVED_MODEL:
                from digitcli.export import saved_model

                saved_model.write(self.network, path)
                saved_model.label(path, metadata)

    def _onnx_file(self, folder: Path) -> Path:
        """Return the model as an ONNX file in digitcli's form; made in `folder` where it is none."""
        if not self._original.is_keras:
            return self._original.onnx_file(folder)
        path, classifier = folder / artifacts.MODEL, self._original.classifier
        images = self._train.images
        onnx.export_onnx(self.network, path, images, classifier.threshold, uses_tta=classifier.uses_tta)
        return path


def _load(target: Target, path: Path) -> Classifier:
    match target.format:
        case Format.ONNX:
            return models.load(path)
        case Format.LITERT:
            from digitcli.export import litert

            return litert.load(path)
        case Format.SAVED_MODEL:
            from digitcli.export import saved_model

            return saved_model.load(path)


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
