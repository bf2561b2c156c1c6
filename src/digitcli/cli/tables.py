"""The output of ``digitcli train`` and ``digitcli evaluate`` as tables, text and JSON."""

from typing import TYPE_CHECKING

from digitcli import artifacts
from digitcli.cli.console import file_list
from digitcli.evaluation.wording import percent

if TYPE_CHECKING:
    from rich.table import Table

    from digitcli.config.recipe import AnyRecipe
    from digitcli.evaluation.detector_evaluation import DetectorEvaluation
    from digitcli.evaluation.suspects import Suspects
    from digitcli.models.factory import LayerSummary
    from digitcli.training.job import RunResult


def recipe_table(shipped: "dict[str, AnyRecipe]") -> "Table":
    """Show recipes, a row each."""
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
            f"{recipe.ensemble_size} x {recipe.epochs}" if recipe.ensemble_size > 1 else str(recipe.epochs),
            str(recipe.batch_size),
            f"{recipe.optimizer.learning_rate:g} {recipe.schedule.type}",
        )
    return table


def network_table(name: str, recipe: "AnyRecipe", rows: "list[LayerSummary]") -> "Table":
    """Show a network layer by layer."""
    from rich.markup import escape
    from rich.table import Table

    work = sum(row.work for row in rows)
    which = f"Each of the {recipe.ensemble_size} networks" if recipe.ensemble_size > 1 else "Network"
    table = Table(title=f"{which} of recipe {escape(name)}", title_style="bold", show_footer=True)
    table.add_column("layer", "together")
    table.add_column("output shape")
    table.add_column("parameters", f"{sum(row.parameters for row in rows):,}", justify="right")
    table.add_column("multiply-adds", f"{work:,}", justify="right")
    table.add_column("share of the work", "100.0%", justify="right")
    for row in rows:
        shape = " x ".join(str(length) for length in row.shape)
        share = percent(row.work / work, digits=1) if row.work else "-"
        table.add_row(
            row.name,
            shape,
            f"{row.parameters:,}" if row.parameters else "-",
            f"{row.work:,}" if row.work else "-",
            share,
        )
    return table


def run_in_words(result: "RunResult") -> dict[str, str]:
    """Say how a run ended; of a worker that is not the chief, little."""
    run = result.run
    count = len(result.progress.epochs)
    training = (
        f"{result.durations['training']:.1f} s, {count} {'epoch' if count == 1 else 'epochs'}, "
        f"recipe {run.settings.recipe['name']}, seed {run.recipe.seed}, {result.precision.precision}"
    )
    if result.detection:
        size = (run.folder / artifacts.DETECTOR.model).stat().st_size
        return {
            **detection_in_words(result.detection),
            "Training": training,
            "Model": f"{result.parameters:,} parameters, {size / 1024:,.0f} KiB as ONNX",
            "Files": file_list(run.folder, result.files),
        }
    if result.evaluation is None or result.validation is None:
        return {"Training": training, "Weights": f"SHA-256 {result.weights_sha256}, as the chief's"}
    low, high = result.evaluation.accuracy_ci95
    size = (run.folder / artifacts.MODEL).stat().st_size
    networks = f"{run.recipe.ensemble_size} networks, " if run.recipe.ensemble_size > 1 else ""
    return {
        "Test accuracy": f"{percent(result.evaluation.accuracy)}  "
        f"(95% interval {percent(low)} to {percent(high)}, {len(result.evaluation.probabilities):,} images)",
        "Test loss": f"{result.evaluation.loss:.4f}",
        **_comparison_in_words(result),
        "Validation": f"{percent(result.validation.accuracy)}, loss {result.validation.loss:.4f}",
        **_folds_in_words(result),
        "Training": training,
        "Model": f"{networks}{result.parameters:,} parameters, {size / 1024:,.0f} KiB as ONNX, "
        f"which differs from Keras by {result.onnx_difference:.1g} at most",
        "Files": file_list(run.folder, result.files),
    }


def detection_in_words(found: "DetectorEvaluation") -> dict[str, str]:
    """Say how well a detector finds digits on generated pages."""
    together = found.together
    return {
        "Average precision": f"{percent(together.average_precision)}, of digits read right in boxes that "
        f"overlap by half or more, on {together.pages} generated pages",
        "Pages": f"{percent(together.counts_exact)} with as many digits found as there are, "
        f"{together.false_digits:.2f} false digits a page",
    }


def detection_table(found: "DetectorEvaluation") -> "Table":
    """Show how well a detector finds digits, a row for each kind of page."""
    from rich.table import Table

    table = Table("kind of page")
    for heading in ("average\nprecision", "counts\nexact", "false digits\na page", "pages"):
        table.add_column(heading, justify="right")
    for kind, result in found.by_kind.items():
        table.add_row(
            kind,
            percent(result.average_precision) if result.digits else "-",
            percent(result.counts_exact),
            f"{result.false_digits:.2f}",
            str(result.pages),
        )
    return table


def _folds_in_words(result: "RunResult") -> dict[str, str]:
    found = result.out_of_fold
    if found is None:
        return {}
    accuracies = found.accuracies
    return {
        "Folds": f"{percent(found.accuracy)} of {len(found.labels):,} images, each read by a network that "
        f"has not seen it ({len(accuracies)} folds, {percent(min(accuracies))} to {percent(max(accuracies))})"
    }


def _comparison_in_words(result: "RunResult") -> dict[str, str]:
    found = result.comparison
    if found is None:
        return {}
    rows = {"Test": found.test, "Validation": found.validation}
    words = [
        f"{name.lower()} {percent(before)} to {percent(after)}" for name, (before, after) in rows.items()
    ]
    facts = {"Before, after": ", ".join(words)}
    if found.corrections:
        before, after = found.corrections
        facts["Corrections"] = f"{percent(before)} to {percent(after)} read right, after training on them"
    return facts


def run_as_json(result: "RunResult") -> dict[str, object]:
    """Return the same, and every number of it, for a program."""
    run = result.run
    common = {
        "recipe": run.settings.recipe["name"],
        "seed": run.recipe.seed,
        "precision": result.precision.precision,
        "worker": run.cluster.task if run.cluster else 0,
        "weights_sha256": result.weights_sha256,
        "history": result.progress.history(),
        "durations": result.durations,
    }
    if result.detection:
        return common | {
            "artifacts": str(run.folder),
            "files": list(result.files),
            "parameters": result.parameters,
            "validation": result.detection.as_json(),
            "onnx_difference": result.onnx_difference,
        }
    if result.evaluation is None or result.validation is None:
        return common
    return common | {
        "artifacts": str(run.folder),
        "files": list(result.files),
        "parameters": result.parameters,
        "validation": {"accuracy": result.validation.accuracy, "loss": result.validation.loss},
        "test": result.evaluation.as_json(),
        "onnx_difference": result.onnx_difference,
        **({"comparison": vars(result.comparison)} if result.comparison else {}),
        **_folds_as_json(result),
    }


def _folds_as_json(result: "RunResult") -> dict[str, object]:
    found = result.out_of_fold
    if found is None:
        return {}
    folds = {"n": len(found.labels), "accuracy": found.accuracy, "accuracies": found.accuracies}
    return {"cross_validation": folds}


def suspects_table(found: "Suspects") -> "Table":
    """Show the images whose labels may be wrong, a row each."""
    from rich.table import Table
    from rich.text import Text

    has_files = any(each.file for each in found.suspects)
    table = Table("file" if has_files else "image")
    for heading in ("label", "read", "how surely", "label likely wrong"):
        table.add_column(heading, justify="right")
    for each in found.suspects:
        table.add_row(
            Text(each.file or str(each.index)),
            str(each.label),
            str(each.read),
            percent(each.confidence),
            "yes" if each.is_likely else "",
        )
    return table


def suspects_in_words(found: "Suspects") -> str:
    """Say of which images the suspects are, and how many labels are likely wrong altogether."""
    which = {"train": "training images", "test": "test images", "all": "images"}[found.set_name]
    wrong = round(found.estimate)
    return (
        f"{len(found.suspects)} of {found.images:,} {which} have labels that may be wrong, as "
        f"{found.read_by} has it. "
        f"Confident learning takes about {wrong:,} of the {found.images:,} labels for wrong."
    )
