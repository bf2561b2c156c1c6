"""``digitcli train``: a recipe and data in, a model and its record out."""

import contextlib
import importlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli import recipes
from digitcli.artifacts import option
from digitcli.commands.console import print_facts, print_json, print_table, say
from digitcli.commands.options import (
    ARTIFACTS,
    DATA_HELP,
    Artifacts,
    Json,
    Quiet,
    complete_data,
    say_missing,
)
from digitcli.errors import OptionError

if TYPE_CHECKING:
    from digitcli.config import Recipe
    from digitcli.datasets import Digits

_LONGEST = 1_000_000  # seconds of --time-budget


def _complete_recipe(incomplete: str) -> list[str]:
    return [name for name in recipes.names() if name.startswith(incomplete)]


def train(
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            "-c",
            metavar="NAME|FILE",
            help="The recipe; default, unless a run is resumed.",
            autocompletion=_complete_recipe,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images, instead of the recipe's.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step, instead of the recipe's.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest learning rate, instead of the recipe's.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Decides first weights, order and dropout, instead of the recipe's."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="auto|float32|bfloat16",
            help="Arithmetic of the training; auto takes bfloat16 where that is faster.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help=f"Instead of the recipe's: {DATA_HELP}", autocompletion=complete_data
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Use only this many training images, as many of each digit.")
    ] = None,
    time_budget: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Train for this long; the schedule is fitted to it."),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run in the artifacts folder.")
    ] = False,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Go on with a trained model, by its own recipe, slower and shorter: a run's folder, a "
            "model file in one, or box for the one that comes with digitcli.",
        ),
    ] = None,
    extra: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Labelled pen strokes to learn from, as draw writes them; with --init."
        ),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Same seed, same machine: same weights to the bit; slower."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT,...", help="Train together with these workers; the first is the chief."
        ),
    ] = None,
    task: Annotated[int | None, typer.Option(help="Which worker of --cluster this is, from 0.")] = None,
    cluster_wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for the other workers.", min=1)
    ] = 300.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write the curves for TensorBoard, too.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the recipe's network, layer by layer, and stop.")
    ] = False,
    list_recipes: Annotated[
        bool, typer.Option("--list-recipes", help="Print the recipes that ship with digitcli, and stop.")
    ] = False,
) -> None:
    """Train a network, test it, and keep it with its history and plots.

    Ctrl-C keeps the last complete epoch's model in the folder interrupted/; --resume goes on from
    there. Under TF_CONFIG or srun, the workers train together.
    """
    started = time.perf_counter()
    if list_recipes:
        _list_recipes(json=json)
        return
    from digitcli import checkpoints, finetuning
    from digitcli.cluster import find_cluster
    from digitcli.config import load_recipe

    if time_budget is not None and not 1 <= time_budget <= _LONGEST:
        raise OptionError(f"--time-budget: found {time_budget:g}; expected 1 to {_LONGEST:,} seconds")
    workers = find_cluster(cluster, task, os.environ)
    if extra and not init:
        raise OptionError("--extra: expects --init MODEL, such as --init box or --init artifacts")
    if init and (config or workers):
        raise OptionError(f"--init goes on with a model's own recipe, alone; expected no {_other(config)}")
    checkpoint = checkpoints.load(folder) if resume else None
    beginning = finetuning.find(init) if init else None
    if checkpoint:  # what is not said anew is as it was
        name, recipe = checkpoint.recipe_name, checkpoint.recipe
        limit = checkpoint.setting.limit if limit is None else limit
        time_budget = checkpoint.setting.time_budget if time_budget is None else time_budget
        deterministic = deterministic or checkpoint.setting.deterministic
    elif beginning:
        name, recipe = f"{beginning.recipe_name}, fine-tuned", finetuning.gentle(beginning.recipe)
    if config is not None or not (checkpoint or beginning):
        name, recipe = load_recipe("default" if config is None else config)
    recipe = recipe.override(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        data=data,
        precision=precision,
    )
    if summary:
        _show_network(name, recipe, quiet=quiet, json=json)
        return
    from digitcli import artifacts, datasets, records

    # TensorFlow takes seconds to import; the data comes meanwhile
    threading.Thread(target=_import_tensorflow).start()
    division = datasets.load_divided(recipe.data, limit)
    corrections = _load_extra(extra) if extra else None
    described = records.describe_data(division)
    if beginning:
        described["init"] = beginning.describe()
    if extra and corrections is not None:
        described["extra"] = finetuning.describe_extra(extra, corrections)
    setting = records.Setting(
        records.describe_recipe(name, recipe),
        described,
        limit,
        deterministic,
        time_budget,
    )
    if checkpoint:
        checkpoints.require_same(checkpoint.setting, setting)
    is_chief = workers is None or workers.task == 0
    if is_chief:
        artifacts.require_writable(folder)
    if not quiet:
        say(
            f"Recipe {name} on {division.name}: {len(division.train):,} training, "
            f"{len(division.validation):,} validation, {len(division.test):,} test images"
        )
        say_missing(division.train.labels)
        if is_chief and not checkpoint and artifacts.has_checkpoint(folder):
            say(f"An unfinished run's checkpoint in {folder} will be replaced; --resume would go on with it.")
        say("Loading TensorFlow ...")

    from digitcli.commands.progress import make_reporter
    from digitcli.commands.results import run_as_json, run_in_words
    from digitcli.execution import execute
    from digitcli.runs import Run

    run = Run(
        recipe=recipe,
        division=division,
        setting=setting,
        folder=folder,
        started=started,
        checkpoint=checkpoint,
        cluster=workers,
        patience=cluster_wait,
        tensorboard=tensorboard,
        beginning=beginning,
        extra=corrections,
    )
    total = None if time_budget else recipe.epochs * recipe.members
    with make_reporter(total, quiet=quiet or not is_chief) as report:
        result = execute(run, report)
    if result.learnt_nothing:
        say("Warning: it reads no better than guessing would. Lower --learning-rate, or train for longer.")
    if json:
        print_json(run_as_json(run, result))
        return
    print_facts(run_in_words(run, result))
    if not quiet and result.evaluation:
        where = option(folder)
        say(f"Next: digitcli evaluate{where} (digit by digit), digitcli plot{where} (all pictures)")


def _other(config: str | None) -> str:
    return "--config" if config else "other workers"


def _load_extra(file: Path) -> "Digits":
    """Read corrections; lines that cannot be used are told, and the others are."""
    from digitcli.datasets import pen

    digits, damaged = pen.load_good(file)
    for error in damaged:
        say(f"Left out: {error}")
    return digits


def _import_tensorflow() -> None:
    with contextlib.suppress(Exception):  # told where it is needed
        importlib.import_module("digitcli.backend")


def _list_recipes(*, json: bool) -> None:
    from digitcli.commands.results import recipe_table
    from digitcli.config import load_recipe

    shipped = dict(load_recipe(each) for each in recipes.names())
    if json:
        print_json({each: recipe.model_dump(mode="json") for each, recipe in shipped.items()})
    else:
        print_table(recipe_table(shipped))


def _show_network(name: str, recipe: "Recipe", *, quiet: bool, json: bool) -> None:
    if not quiet:
        say("Loading TensorFlow ...")
    from digitcli.commands.results import network_table
    from digitcli.models import build_network, summarize

    layers = summarize(build_network(recipe))
    if json:
        print_json([vars(layer) for layer in layers])
    else:
        print_table(network_table(name, recipe, layers))
