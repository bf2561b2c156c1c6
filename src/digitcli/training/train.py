"""Training from Python: what the command ``digitcli train`` does, as one function."""

import contextlib
import hashlib
import importlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitcli import artifacts, datasets
from digitcli.config.mnist import Orientation, Polarity
from digitcli.config.recipe import AnyRecipe, DetectorRecipe, load_recipe
from digitcli.datasets import AS_USUAL, Dataset, Digits, Form, Split, stroke_files
from digitcli.errors import OptionError
from digitcli.evaluation.image_form import require_usual
from digitcli.training import checkpoints, finetuning
from digitcli.training.checkpoints import Checkpoint, RunSettings
from digitcli.training.cluster.configuration import Cluster
from digitcli.training.cross_validation import require_folds
from digitcli.training.finetuning import InitialModel
from digitcli.training.progress import Reporter, SilentReporter

if TYPE_CHECKING:
    from digitcli.training.job import RunResult

MAX_TIME_BUDGET = 1_000_000  # seconds


@dataclass(frozen=True)
class Run:
    """What a training run computes and where its results go.

    Attributes:
        split: the images, by what they are used for.
        settings: recipe, data and all else that decides what it computes, as records tell it.
        folder: where its files go.
        started: start of the run, by `time.perf_counter`.
        checkpoint: from which it resumes.
        cluster: the workers that train together, if more than this process.
        cluster_wait: seconds to wait for the other workers.
        tensorboard: write the curves for TensorBoard, too.
        initial_model: the trained model whose weights are the first ones, if any.
        extra: labelled drawings to train on beside the rest, for a run that has an initial model.
        folds: of a cross-validation after the training, if there is to be one.
    """

    recipe: AnyRecipe
    split: Split
    settings: RunSettings
    folder: Path
    started: float
    checkpoint: Checkpoint | None = None
    cluster: Cluster | None = None
    cluster_wait: float = 300.0
    tensorboard: bool = False
    initial_model: InitialModel | None = None
    extra: Digits | None = None
    folds: int | None = None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run's files and results."""
        return self.cluster is None or self.cluster.task == 0


def train(
    recipe: str | None = None,
    *,
    data: str | None = None,
    orientation: Orientation | None = None,
    polarity: Polarity | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    precision: str | None = None,
    limit: int | None = None,
    time_budget: float | None = None,
    folder: Path = artifacts.DEFAULT_FOLDER,
    resume: bool = False,
    init: str | None = None,
    extra: Path | None = None,
    exclude: Path | None = None,
    cross_validate: int | None = None,
    deterministic: bool = False,
    cluster: Cluster | None = None,
    cluster_wait: float = 300.0,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
) -> "RunResult":
    """Train a network, test it, and keep it with its history and plots.

    A recipe of the task ``detect`` trains a detector, on generated pages: `limit`, `init`, `extra`,
    `exclude`, `cross_validate` and `cluster` mean nothing to it.

    Args:
        recipe: a name or a ``.toml`` file; ``default``, unless a run or a model is gone on with.
        data: a data source in place of the recipe's: ``mnist``, ``sample``, a file or a folder.
        orientation: ``transposed`` where its images' rows and columns have changed places, as EMNIST's have.
        polarity: ``dark`` where its ink is dark.
        epochs: passes over the training images, in place of the recipe's, as the next four.
        batch_size: images of a step, over all machines together.
        learning_rate: the peak of the schedule.
        seed: of the initial weights, the image order and dropout.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        limit: use only this many training images, balanced by digit; at least 100.
        time_budget: seconds of training, 1 to 1,000,000, in place of a number of epochs.
        folder: where the run's files go; they replace those of an earlier run together, at the end.
        resume: resume the unfinished run in `folder`.
        init: fine-tune a trained model with its own recipe: a run's folder, a model file in one, or
            ``pretrained``.
        extra: a file of labelled pen strokes to fine-tune on, with `init`.
        exclude: a CSV file of images that are not to be trained on; see `datasets.exclusion`.
        cross_validate: train 2 to 20 more networks, each on all folds of the training images but one, which
            it then reads; ``folds.npz`` keeps the readings.
        deterministic: the same seed on the same machine gives bit-identical weights; slower.
        cluster: the workers that train together.
        cluster_wait: seconds to wait for the other workers.
        tensorboard: write the curves for TensorBoard, too.
        reporter: hears how it goes.

    Raises:
        OptionError: a value, or a combination of values, that cannot be used.
        InputError: a recipe, data source, model or checkpoint that is not what it must be.
        MissingError: a model or a checkpoint that is not there.
        TrainingError: training diverged, lost a worker, or made a corrected model forget.
        ExportError: the exported model disagrees with the Keras model; nothing is replaced.
        InterruptedRun: Ctrl-C; the last complete epoch is kept in the folder ``interrupted``.
    """
    started = time.perf_counter()
    reporter = reporter or SilentReporter()
    if time_budget is not None and not 1 <= time_budget <= MAX_TIME_BUDGET:
        raise OptionError(f"--time-budget: found {time_budget:g}; expected 1 to {MAX_TIME_BUDGET:,} seconds")
    _require_fitting(recipe, init, extra, cluster, cross_validate)
    checkpoint = find_checkpoint(folder, recipe, init) if resume else None
    initial_model = finetuning.find(init) if init else None
    if checkpoint:  # what is not said anew is as it was
        limit = checkpoint.settings.limit if limit is None else limit
        time_budget = checkpoint.settings.time_budget if time_budget is None else time_budget
        deterministic = deterministic or checkpoint.settings.deterministic
        orientation = orientation or checkpoint.settings.data.get("orientation")
        polarity = polarity or checkpoint.settings.data.get("polarity")
    name, resolved = resolve_recipe(recipe, checkpoint, initial_model)
    resolved = resolved.override(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        data=data,
        precision=precision,
    )
    form = Form(orientation or "upright", polarity or "bright")
    if isinstance(resolved, DetectorRecipe):
        _require_meaning(
            {"--limit": limit, "--exclude": exclude, "--cross-validate": cross_validate}, cluster, form
        )
    # TensorFlow takes seconds to import; the data comes meanwhile
    threading.Thread(target=_import_tensorflow).start()
    dataset = datasets.load(resolved.data, form)
    require_usual(dataset, form)
    for note in dataset.notes:
        reporter.warn(f"Note: {note}")
    split, described = _cut(dataset, limit, exclude, reporter)
    del dataset
    if cross_validate is not None:
        require_folds(cross_validate, split)
    corrections = _load_extra(extra, reporter) if extra else None
    described |= form.unusual
    if initial_model:
        described["init"] = initial_model.describe()
    if extra and corrections is not None:
        described["extra"] = finetuning.describe_extra(extra, corrections)
    recipe_values = {"name": name, **resolved.model_dump(mode="json")}
    settings = RunSettings(recipe_values, described, limit, deterministic, time_budget)
    if checkpoint:
        checkpoints.require_same(checkpoint.settings, settings)
    run = Run(
        recipe=resolved,
        split=split,
        settings=settings,
        folder=folder,
        started=started,
        checkpoint=checkpoint,
        cluster=cluster,
        cluster_wait=cluster_wait,
        tensorboard=tensorboard,
        initial_model=initial_model,
        extra=corrections,
        folds=cross_validate,
    )
    if run.is_chief:
        artifacts.require_writable(folder)
    reporter.start(run)

    from digitcli.training.run import execute

    return execute(run, reporter)


def find_checkpoint(folder: Path, recipe: str | None = None, init: str | None = None) -> Checkpoint:
    """Return the checkpoint of the unfinished run in a folder.

    Args:
        folder: of the run.
        recipe: its name or file, if one is named.
        init: the model that it fine-tunes, if one is named: a classifier, then.

    Raises as `checkpoints.load`; `OptionError` where there are two and nothing tells which is meant.
    """
    if recipe or init:
        return checkpoints.load(folder, load_recipe(recipe)[1].task if recipe else "classify")
    unfinished = [task for task in artifacts.OF_TASK if artifacts.has_checkpoint(folder, task)]
    if len(unfinished) > 1:
        raise OptionError(
            f"{folder}: holds two unfinished runs, of a classifier and of a detector; name the one that is "
            "meant with --config"
        )
    return checkpoints.load(folder, *unfinished)


def _require_fitting(
    recipe: str | None,
    init: str | None,
    extra: Path | None,
    cluster: Cluster | None,
    cross_validate: int | None,
) -> None:
    """Raise an `OptionError` for options that do not go together."""
    if extra and not init:
        raise OptionError("--extra: expects --init MODEL, such as --init pretrained or --init artifacts")
    if init and (recipe or cluster):
        other = "--config" if recipe else "other workers"
        raise OptionError(f"--init fine-tunes with the model's own recipe; expected no {other}")
    if cross_validate is not None and (init or cluster):
        other = "--init: its model has seen the images" if init else "other workers"
        raise OptionError(f"--cross-validate {cross_validate}: expected no {other}")


def _require_meaning(options: dict[str, object], cluster: Cluster | None, form: Form) -> None:
    """Raise an `OptionError` for what means nothing to a detector."""
    if form != AS_USUAL:
        raise OptionError(f"{form.options}: a detector draws its own digits; expected neither option")
    for name, value in options.items():
        if value is not None:
            raise OptionError(f"{name} {value}: a detector is trained on generated pages; expected no {name}")
    if cluster is not None:
        raise OptionError("a detector is trained on one machine; expected no other workers")


def resolve_recipe(
    name_or_path: str | None, checkpoint: Checkpoint | None = None, initial_model: InitialModel | None = None
) -> tuple[str, AnyRecipe]:
    """Return name and content of the recipe that is meant: the one named, else that which is gone on with."""
    if name_or_path is None and checkpoint:
        return checkpoint.recipe_name, checkpoint.recipe
    if name_or_path is None and initial_model:
        return f"{initial_model.recipe_name}, fine-tuned", finetuning.gentle(initial_model.recipe)
    return load_recipe("default" if name_or_path is None else name_or_path)


def _load_extra(file: Path, reporter: Reporter) -> Digits:
    """Read corrections; lines that cannot be used are told, and the others are."""
    digits, damaged = stroke_files.load_good(file)
    for error in damaged:
        reporter.warn(f"Left out: {error}")
    return digits


def _cut(
    dataset: Dataset, limit: int | None, exclude: Path | None, reporter: Reporter
) -> tuple[Split, dict[str, Any]]:
    """Return a source cut for training, and what ``run.json`` says about it.

    Where a file excludes images, say how many are trained on no more. `dataset` is not to be used afterwards.
    """
    if exclude is None:
        split = datasets.split_dataset(dataset, limit, in_place=True)
        return split, split.describe()
    exclusion, is_undivided = datasets.read_exclusion(exclude, dataset), dataset.train is None
    split = datasets.split_dataset(dataset, limit, excluded=exclusion.mask, in_place=True)
    tested = int(exclusion.mask[split.places.test].sum()) if is_undivided else exclusion.tested
    count = int(exclusion.mask.sum()) - (tested if is_undivided else 0)
    words = f"{exclude}: {_images(count)} left out of the training"
    if tested:
        words += f"; {_images(tested)} of the test set {'stays' if tested == 1 else 'stay'} in it"
    reporter.warn(f"Note: {words}")
    checksum = hashlib.sha256(np.packbits(exclusion.mask).tobytes()).hexdigest()
    return split, split.describe() | {"exclude": {"file": str(exclude), "images": count, "sha256": checksum}}


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _import_tensorflow() -> None:
    with contextlib.suppress(Exception):  # told where it is needed
        importlib.import_module("digitcli.models.backend")
