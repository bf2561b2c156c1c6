"""``digitcli train``: a recipe and data in, a model and its record out."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli import recipes
from digitcli.commands.console import (
    file_list,
    percent,
    print_facts,
    print_json,
    print_table,
    say,
)
from digitcli.commands.options import ARTIFACTS, DATA_HELP, Artifacts, Json, Quiet, complete_data

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.config import Recipe
    from digitcli.models import LayerSummary
    from digitcli.runs import Run, RunResult


def _complete_recipe(incomplete: str) -> list[str]:
    return [name for name in recipes.names() if name.startswith(incomplete)]


def train(
    config: Annotated[
        str,
        typer.Option(
            "--config", "-c", metavar="NAME|FILE", help="The recipe.", autocompletion=_complete_recipe
        ),
    ] = "default",
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
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help=f"Instead of the recipe's: {DATA_HELP}", autocompletion=complete_data
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Use only this many training images, as many of each digit.")
    ] = None,
    folder: Artifacts = ARTIFACTS,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Same seed, same machine: same weights to the bit; slower."),
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

    Ctrl-C keeps the last complete epoch's model in the folder interrupted/.
    """
    from digitcli.config import load_recipe

    if list_recipes:
        shipped = dict(load_recipe(each) for each in recipes.names())
        if json:
            print_json({each: recipe.model_dump(mode="json") for each, recipe in shipped.items()})
        else:
            print_table(_recipe_table(shipped))
        return
    name, recipe = load_recipe(config)
    recipe = recipe.override(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed, data=data
    )
    if summary:
        if not quiet:
            say("Loading TensorFlow ...")
        from digitcli.models import build_network, summarize

        layers = summarize(build_network(recipe))
        if json:
            print_json([vars(layer) for layer in layers])
        else:
            print_table(_network_table(name, layers))
        return

    from digitcli import artifacts, datasets

    dataset = datasets.load(recipe.data)
    division = datasets.divide(dataset, limit)
    artifacts.require_writable(folder)
    if not quiet:
        say(
            f"Recipe {name} on {dataset.name}: {len(division.train):,} training, "
            f"{len(division.validation):,} validation, {len(division.test):,} test images"
        )
        say("Loading TensorFlow ...")

    from digitcli import runs
    from digitcli.commands.progress import make_reporter

    run = runs.Run(name, recipe, dataset, division, folder, limit, deterministic)
    with make_reporter(recipe.epochs, quiet=quiet) as report:
        result = runs.execute(run, report)
    if result.learnt_nothing:
        say("Warning: it reads no better than guessing would. Lower --learning-rate, or train for longer.")
    if json:
        print_json(_as_json(run, result))
        return
    print_facts(_result_in_words(run, result))
    if not quiet:
        where = "" if folder == ARTIFACTS else f" --artifacts {shlex.quote(str(folder))}"
        say(f"Next: digitcli evaluate{where} (digit by digit), digitcli plot{where} (all pictures)")


def _recipe_table(shipped: "dict[str, Recipe]") -> "Table":
    from rich.table import Table

    table = Table("recipe", "description", "data", title="Recipes", title_style="bold", show_lines=True)
    for heading in ("epochs", "batch"):
        table.add_column(heading, justify="right")
    table.add_column("learning rate")
    for name, recipe in shipped.items():
        table.add_row(
            name,
            recipe.description,
            recipe.data,
            str(recipe.epochs),
            str(recipe.batch_size),
            f"{recipe.optimizer.learning_rate:g} {recipe.schedule.type}",
        )
    return table


def _network_table(name: str, rows: "list[LayerSummary]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    work = sum(row.work for row in rows)
    table = Table(title=f"Network of recipe {escape(name)}", title_style="bold", show_footer=True)
    table.add_column("layer", "together")
    table.add_column("output shape")
    table.add_column("parameters", f"{sum(row.parameters for row in rows):,}", justify="right")
    table.add_column("multiply-adds", f"{work:,}", justify="right")
    table.add_column("share of the work", "100.0%", justify="right")
    for row in rows:
        shape = " x ".join(str(length) for length in row.shape)
        share = f"{row.work / work:.1%}" if row.work else "-"
        table.add_row(
            row.name,
            shape,
            f"{row.parameters:,}" if row.parameters else "-",
            f"{row.work:,}" if row.work else "-",
            share,
        )
    return table


def _result_in_words(run: "Run", result: "RunResult") -> dict[str, str]:
    from digitcli import artifacts

    evaluation, last = result.evaluation, result.progress.epochs[-1]
    low, high = evaluation.accuracy_ci95
    size = (run.folder / artifacts.MODEL).stat().st_size
    return {
        "Test accuracy": f"{percent(evaluation.accuracy)}  "
        f"(95% interval {percent(low)} to {percent(high)}, {len(evaluation.probabilities):,} images)",
        "Test loss": f"{evaluation.loss:.4f}",
        "Validation": f"{percent(last.val_accuracy)} after epoch {last.epoch}",
        "Training": f"{result.durations['training']:.1f} s, {len(result.progress.epochs)} epochs, "
        f"recipe {run.name}, seed {run.recipe.seed}",
        "Network": f"{result.parameters:,} parameters, {size / 1024:,.0f} KiB as ONNX, "
        f"which differs from Keras by {result.onnx_difference:.1g} at most",
        "Files": file_list(run.folder, result.files),
    }


def _as_json(run: "Run", result: "RunResult") -> dict[str, object]:
    return {
        "artifacts": str(run.folder),
        "files": list(result.files),
        "recipe": run.name,
        "seed": run.recipe.seed,
        "parameters": result.parameters,
        "history": result.progress.history(),
        "test": result.evaluation.as_json(),
        "onnx_difference": result.onnx_difference,
        "durations": result.durations,
    }
