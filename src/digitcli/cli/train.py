"""``digitcli train``: a recipe and data in, a model and its record out."""

import os
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from digitcli.artifacts import DETECTOR, option
from digitcli.cli.console import print_facts, print_json, print_table, say
from digitcli.cli.options import (
    ARTIFACTS,
    DATA_HELP,
    Artifacts,
    DataOrientation,
    DataPolarity,
    Json,
    Quiet,
    complete_data,
)
from digitcli.config import recipe_files


def _complete_recipe(incomplete: str) -> list[str]:
    return [name for name in recipe_files.names() if name.startswith(incomplete)]


def train(
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            "-c",
            metavar="NAME|FILE",
            help="Recipe, by name or as a TOML file. Default: default, or the resumed run's.",
            autocompletion=_complete_recipe,
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Number of epochs; overrides the recipe.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Batch size; overrides the recipe.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak learning rate; overrides the recipe.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Random seed for initial weights, image order and dropout; overrides the recipe."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="auto|float32|bfloat16",
            help="Precision of the training; overrides the recipe. auto uses bfloat16 where that is faster.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help=f"Data source; overrides the recipe: {DATA_HELP}",
            autocompletion=complete_data,
        ),
    ] = None,
    orientation: DataOrientation = None,
    polarity: DataPolarity = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Use only this many training images, balanced by digit."),
    ] = None,
    time_budget: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Train for this long; the schedule adapts."),
    ] = None,
    folder: Artifacts = ARTIFACTS,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the unfinished run in the artifacts folder.")
    ] = False,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Fine-tune a trained model with its own recipe, at a lower learning rate and for fewer "
            "epochs: a run's folder, a model file in one, or pretrained.",
        ),
    ] = None,
    extra: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Labelled pen strokes to fine-tune on, as draw saves them; requires --init."
        ),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV file of images not to train on, as evaluate --suspects writes it."
        ),
    ] = None,
    cross_validate: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Afterwards, train K more networks, each on all but one of K folds, and keep what each "
            "reads in the fold that it has not seen: folds.npz, for evaluate --suspects.",
        ),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="Give bit-identical weights for the same seed on the same machine; slower.",
        ),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT,...",
            help="Addresses of all workers; the first is the chief.",
        ),
    ] = None,
    task: Annotated[int | None, typer.Option(help="Index of this worker in --cluster, from 0.")] = None,
    cluster_wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="Longest wait for the other workers.", min=1)
    ] = 300.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write logs for TensorBoard.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the recipe's network, layer by layer, and exit.")
    ] = False,
    list_recipes: Annotated[
        bool, typer.Option("--list-recipes", help="List the bundled recipes and exit.")
    ] = False,
) -> None:
    """Train a network, test it, and save it with its history and plots.

    Ctrl-C saves the model of the last complete epoch in the folder interrupted/; --resume continues
    the run. With --cluster, TF_CONFIG or srun, several workers train together.

    --config detector trains a detector, which finds digits on pages that the program draws.
    """
    if list_recipes:
        _list_recipes(json=json)
        return
    from digitcli.training.cluster.configuration import find_cluster

    workers = find_cluster(cluster, task, os.environ)
    overrides: _Overrides = {
        "data": data,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "precision": precision,
    }
    if summary:
        _show_network(config, folder if resume else None, init, overrides, quiet=quiet, json=json)
        return
    from digitcli import train as train_
    from digitcli.cli.progress import make_reporter
    from digitcli.cli.tables import run_as_json, run_in_words

    with make_reporter(quiet=quiet) as reporter:
        result = train_(
            config,
            **overrides,
            orientation=orientation,
            polarity=polarity,
            limit=limit,
            time_budget=time_budget,
            folder=folder,
            resume=resume,
            init=init,
            extra=extra,
            exclude=exclude,
            cross_validate=cross_validate,
            deterministic=deterministic,
            cluster=workers,
            cluster_wait=cluster_wait,
            tensorboard=tensorboard,
            reporter=reporter,
        )
    if result.learnt_nothing:
        say("Warning: the model reads no better than guessing. Lower --learning-rate or train longer.")
    if json:
        print_json(run_as_json(result))
        return
    print_facts(run_in_words(result))
    if quiet:
        return
    where = option(folder)
    if result.out_of_fold:
        say(f"Next: digitcli evaluate --suspects 50{where} (labels that may be wrong)")
    elif result.evaluation:
        say(f"Next: digitcli evaluate{where} (digit by digit), digitcli plot{where} (all pictures)")
    elif result.detection:
        say(f"Next: digitcli evaluate --model {folder / DETECTOR.model} (kind by kind)")


class _Overrides(TypedDict):
    """What takes the place of a recipe's own values."""

    data: str | None
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    seed: int | None
    precision: str | None


def _list_recipes(*, json: bool) -> None:
    from digitcli.cli.tables import recipe_table
    from digitcli.config.recipe import load_recipe

    shipped = dict(load_recipe(each) for each in recipe_files.names())
    if json:
        print_json({each: recipe.model_dump(mode="json") for each, recipe in shipped.items()})
    else:
        print_table(recipe_table(shipped))


def _show_network(
    config: str | None,
    resumed: Path | None,
    init: str | None,
    overrides: _Overrides,
    *,
    quiet: bool,
    json: bool,
) -> None:
    from digitcli.training import finetuning
    from digitcli.training.train import find_checkpoint, resolve_recipe

    name, recipe = resolve_recipe(
        config,
        find_checkpoint(resumed, config, init) if resumed else None,
        finetuning.find(init) if init else None,
    )
    recipe = recipe.override(**overrides)
    if not quiet:
        say("Loading TensorFlow ...")
    from digitcli.cli.tables import network_table
    from digitcli.models.factory import build_for_summary, summarize

    layers = summarize(build_for_summary(recipe))
    if json:
        print_json([vars(layer) for layer in layers])
    else:
        print_table(network_table(name, recipe, layers))
