from pathlib import Path

import pytest
from conftest import REPOSITORY, Command
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digitcli.config.recipe import MAX_SEED, Recipe, Synthesis, load_recipe, parse_recipe
from digitcli.config.recipe_files import FOLDER, names
from digitcli.errors import OptionError, RecipeError

MINIMAL = """
description = "for tests"
epochs = 1
batch_size = 10
network = [{ type = "flatten" }]
optimizer = { type = "adam", learning_rate = 0.001 }
schedule = { type = "constant" }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_every_shipped_recipe_is_valid() -> None:
    assert {"ci", "classic", "default"} <= set(names())
    for name in names():
        assert load_recipe(name)[0] == name


def test_classic_is_the_tutorial_to_the_letter() -> None:
    _, recipe = load_recipe("classic")
    layers = [layer.model_dump(exclude_defaults=True) for layer in recipe.network]
    assert layers == [
        {"type": "conv", "filters": 32, "activation": "relu"},
        {"type": "max-pool"},
        {"type": "conv", "filters": 64, "activation": "relu"},
        {"type": "max-pool"},
        {"type": "dropout", "rate": 0.25},
        {"type": "flatten"},
        {"type": "dense", "units": 128, "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
    ]
    assert recipe.optimizer.model_dump(exclude_defaults=True) == {"type": "sgd", "learning_rate": 0.01}
    assert (recipe.epochs, recipe.batch_size, recipe.schedule.type) == (10, 32, "constant")


def test_recipes_are_frozen() -> None:
    _, recipe = load_recipe("ci")
    with pytest.raises(ValidationError):
        recipe.epochs = 3


def test_override_validates_and_leaves_the_original() -> None:
    _, recipe = load_recipe("ci")
    changed = recipe.override(epochs=7, learning_rate=0.5, batch_size=3, seed=9, data="mnist")
    assert (changed.epochs, changed.batch_size, changed.seed, changed.data) == (7, 3, 9, "mnist")
    assert changed.optimizer.learning_rate == 0.5
    assert recipe.override() == recipe
    with pytest.raises(OptionError, match="--epochs: found 0; expected greater than or equal to 1"):
        recipe.override(epochs=0)


@given(
    epochs=st.integers(1, 1000),
    batch_size=st.integers(1, 10_000),
    learning_rate=st.floats(1e-12, 1000),
    seed=st.integers(0, MAX_SEED),
)
def test_a_recipe_survives_being_written_as_json(
    epochs: int, batch_size: int, learning_rate: float, seed: int
) -> None:
    recipe = load_recipe("default")[1].override(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed
    )
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_unknown_recipe_lists_the_known(digitcli: Command) -> None:
    outcome = digitcli("train", "--config", "clasic")
    assert outcome.status == 2
    assert "unknown recipe 'clasic'" in outcome.stderr
    for name in names():
        assert name in outcome.stderr


def test_every_problem_is_listed_with_its_place(digitcli: Command, tmp_path: Path) -> None:
    write(
        tmp_path,
        """
task = "paint"
epochs = 0
batch_size = 2.5
learning_rate = 0.1
network = [
    { type = "conv", filters = 99999, kernal = 3 },
    { type = "convolution", filters = 3 },
    { type = "dropout", rate = 1.0 },
    { filters = 3 },
]
optimizer = { type = "sgd", learning_rate = nan, momentum = "high" }
schedule = { type = "triangle" }
augmentation = { rotate = 3 }
""",
    )
    outcome = digitcli("train", "--config", "mine.toml")
    assert outcome.status == 3
    lines = [line.strip() for line in outcome.stderr.splitlines()]
    assert lines[0] == "Error: mine.toml: 14 problems"
    assert set(lines[1:]) == {
        "description: missing; expected a line of text",
        "task: found 'paint'; expected 'classify' or 'detect'",
        "epochs: found 0; expected greater than or equal to 1",
        "batch_size: found 2.5; expected a valid integer",
        "learning_rate: unknown key; expected one of description, task, data, epochs, batch_size, seed, "
        "precision, ema, patience, ensemble_size, optimizer, schedule, label_smoothing, augmentation, "
        "synthesis, network",
        "network layer 1 (conv): filters: found 99999; expected less than or equal to 1024",
        "network layer 1 (conv): kernal: unknown key; expected one of type, filters, kernel, stride, "
        "padding, activation, bias",
        "network layer 2: type 'convolution' is unknown; expected one of conv, max-pool, batch-norm, relu, "
        "dropout, flatten, dense",
        "network layer 3 (dropout): rate: found 1.0; expected less than 1",
        "network layer 4: type is missing; expected a table with type and what belongs to it",
        "optimizer (sgd): learning_rate: found nan; expected a finite number",
        "optimizer (sgd): momentum: found 'high'; expected a valid number",
        "schedule: type 'triangle' is unknown; expected one of constant, cosine, one-cycle",
        "augmentation: rotate: unknown key; expected one of rotation, scale, shear, shift, elastic, "
        "stroke_width",
    }


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        ('[{ type = "dense", units = 3 }, { type = "flatten" }]', "layer 1 (dense): its input is an image"),
        ('[{ type = "flatten" }, { type = "max-pool" }]', "layer 2 (max-pool): its input is flat"),
        ('[{ type = "max-pool", size = 20 }, { type = "max-pool" }]', "layer 2 (max-pool): nothing is left"),
        ('[{ type = "max-pool" }]', "network: it ends with an image"),
        (
            '[{ type = "conv", filters = 1024 }, { type = "flatten" }, { type = "dense", units = 4096 }]',
            "layer 3 (dense): 3,288,343,552 weights so far; expected at most 20,000,000",
        ),
    ],
)
def test_layers_that_do_not_fit_are_named(tmp_path: Path, network: str, problem: str) -> None:
    path = write(tmp_path, MINIMAL.replace('[{ type = "flatten" }]', network))
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path))
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"epochs = ", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"# " + b"x" * 200_000, "over 100,000 bytes"),
        (b"epochs = " + b"9" * 5_000, "not valid TOML"),
        (b"epochs = " + b"[" * 20_000, "not valid TOML"),
    ],
)
def test_unreadable_recipe_files(digitcli: Command, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "mine.toml").write_bytes(content)
    outcome = digitcli("train", "--config", "mine.toml")
    assert outcome.status == 3
    assert f"mine.toml: {words}" in outcome.stderr


def test_missing_recipe_file(digitcli: Command) -> None:
    outcome = digitcli("train", "--config", "folder/mine.toml")
    assert outcome.status == 3
    assert "mine.toml: No such file" in outcome.stderr


def test_recipe_from_a_path_is_named_after_its_file(tmp_path: Path) -> None:
    name, recipe = load_recipe(str(write(tmp_path, MINIMAL)))
    assert (name, recipe.description) == ("mine", "for tests")


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_any_mapping_is_a_recipe_or_a_recipe_error(values: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="origin: "):
        parse_recipe(values, "origin")


def test_recipes_of_a_checkout_are_in_its_configs() -> None:
    assert REPOSITORY / "configs" == FOLDER


def test_fewer_images_get_fewer_generated_ones() -> None:
    part = Synthesis(digits=3000, non_digits=1).part(0.01)
    assert (part.digits, part.non_digits, part.pen_strokes) == (30, 1, 0)
    assert Synthesis().part(0.5) == Synthesis()
