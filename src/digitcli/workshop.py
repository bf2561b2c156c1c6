"""Where a model is made into other formats.

A file is written under a temporary name, reads all test images of MNIST on its own runtime, and takes
its place only if it reads them as the model that it was made from.
"""

import importlib.util
import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from digitcli import artifacts
from digitcli.datasets import Digits, Division, load_divided
from digitcli.datasets.division import balanced
from digitcli.errors import ExportError, MissingError, ModelError, OptionError
from digitcli.formats import Format, Target, onnxfile, sheet
from digitcli.originals import Original
from digitcli.recognizer import Recognizer
from digitcli.second_look import DigitReader
from digitcli.trials import Measures, Trial, judge, measure

FOLDER = "exported"  # within the artifacts folder
CALIBRATION_IMAGES = 500  # training images on which the ranges of 8-bit integers are measured

_SEED = 4  # chooses the same training images every time
_SAVED_MODEL = "saved_model.pb"  # by which a SavedModel is known


def require_runtimes(targets: Sequence[Target]) -> None:
    """Raise a `MissingError` where what is to run a file is not installed."""
    if any(target.format is Format.LITERT for target in targets) and not _is_installed("ai_edge_litert"):
        raise MissingError(
            "ai-edge-litert, which runs LiteRT files, is not installed; install it with: "
            "pip install ai-edge-litert"
        )


def require_room(folder: Path, targets: Sequence[Target], original: Original) -> None:
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
    if len(files) < len(targets) and os.path.lexists(saved) and not os.path.isfile(saved / _SAVED_MODEL):
        raise OptionError(
            f"{saved}: is no SavedModel; expected that of an earlier export or nothing, as one goes there"
        )


def calibration(division: Division) -> Digits:
    """Choose the training images on which 8-bit ranges are measured: as many of each digit."""
    return division.train.take(balanced(division.train.labels, CALIBRATION_IMAGES, _SEED))


class Workshop:
    """Makes files of one model.

    Attributes:
        test: the images that every file reads.
    """

    def __init__(self, original: Original) -> None:
        self._original = original
        division = load_divided("mnist")
        self.test = division.test
        self._train = calibration(division)

    @cached_property
    def network(self) -> Any:
        """The Keras network; raises what `Original.network` does."""
        return self._original.network(self._train)

    @cached_property
    def measures(self) -> Measures:
        """What the model itself does; raises a `ModelError` where it gives no probabilities."""
        return measure(self._original.reader, self.test, str(self._original.path))

    def make(self, target: Target, folder: Path) -> Trial:
        """Write a file into `folder`, try it, and keep it if it agrees with the original."""
        trial = None
        try:
            with artifacts.replacing(folder) as files:
                path = files.path(target.name)
                self._write(target, path)
                found = measure(_load(target, path), self.test, str(path))
                trial = judge(target, _size(path), found, self.measures)
                if trial.problem:
                    raise ExportError(trial.problem)
        except (ExportError, ModelError) as error:
            problem = str(error).replace(f"{path}: ", "")  # a name that nobody gets to see
            return trial or Trial(target, 0, None, None, problem)
        return trial

    def _write(self, target: Target, path: Path) -> None:
        words = sheet.describe(
            self._original.record,
            self._original.threshold,
            looks_again=self._original.reader.looks_again,
            int8=target.int8,
            calibration_images=CALIBRATION_IMAGES,
        )
        match target.format:
            case Format.ONNX:
                with tempfile.TemporaryDirectory() as folder:
                    source = self._onnx_file(Path(folder))
                    if target.int8:
                        onnxfile.quantise(source, path, self._train.images)
                    onnxfile.label(path if target.int8 else source, path, words)
            case Format.LITERT:
                from digitcli.formats import litert

                litert.write(self.network, path, self._train.images if target.int8 else None)
                litert.label(path, words)
            case Format.SAVED_MODEL:
                from digitcli.formats import savedmodel

                savedmodel.write(self.network, path)
                savedmodel.label(path, words)

    def _onnx_file(self, folder: Path) -> Path:
        """Return the model as an ONNX file; made in `folder` where it is not one."""
        if not self._original.is_keras:
            return self._original.path
        from digitcli.export import export_onnx

        path = folder / artifacts.MODEL
        looks_again = self._original.reader.looks_again
        export_onnx(self.network, path, self._train.images, self._original.threshold, looks_again=looks_again)
        return path


def _load(target: Target, path: Path) -> DigitReader:
    match target.format:
        case Format.ONNX:
            return Recognizer.load(path)
        case Format.LITERT:
            from digitcli.formats import litert

            return litert.load(path)
        case Format.SAVED_MODEL:
            from digitcli.formats import savedmodel

            return savedmodel.load(path)


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
