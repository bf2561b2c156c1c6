from pathlib import Path

import numpy as np
import pytest
from conftest import Command

from digitcli.config.recipe import load_recipe, parse_recipe
from digitcli.config.recipe_files import names
from digitcli.datasets import Digits
from digitcli.errors import MissingError, ModelError
from digitcli.export.onnx import export_onnx
from digitcli.models.backend import keras
from digitcli.models.factory import assemble, build, build_optimizer, summarize
from digitcli.models.keras_classifier import KerasClassifier, load

EVERY_LAYER = [
    {"type": "conv", "filters": 2, "kernel": 5, "padding": "valid", "activation": "relu", "bias": False},
    {"type": "batch-norm"},
    {"type": "relu"},
    {"type": "max-pool", "size": 3},
    {"type": "dropout", "rate": 0.5},
    {"type": "conv", "filters": 3},
    {"type": "flatten"},
    {"type": "dense", "units": 7, "activation": "relu"},
]
TINY = {
    "description": "one of each layer",
    "epochs": 2,
    "batch_size": 4,
    "network": EVERY_LAYER,
    "optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "schedule": {"type": "one-cycle", "warmup": 0.25},
}


def test_layers_are_named_by_kind_and_place() -> None:
    network = build(parse_recipe(TINY, "test"))
    assert [layer.name for layer in network.layers] == [
        "rescaling",
        "conv_1",
        "batch_norm_1",
        "relu_1",
        "max_pool_1",
        "dropout_1",
        "conv_2",
        "flatten_1",
        "dense_1",
        "probabilities",
    ]
    assert isinstance(network.layers[0], keras.layers.Rescaling)


@pytest.mark.parametrize("name", [name for name in names() if not name.startswith("detector")])
def test_every_recipe_gives_probabilities(name: str, few: Digits) -> None:
    network = build(load_recipe(name)[1])
    probabilities = KerasClassifier(network).predict(few.images)
    assert probabilities.shape == (300, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_classic_has_the_tutorials_parameters() -> None:
    assert build(load_recipe("classic")[1]).count_params() == 421_642


def test_work_is_counted_by_hand() -> None:
    rows = {row.name: row for row in summarize(build(parse_recipe(TINY, "test")))}
    assert rows["conv_1"].work == 24 * 24 * 2 * (5 * 5 * 1)
    assert rows["conv_2"].work == 8 * 8 * 3 * (3 * 3 * 2)
    assert rows["dense_1"].work == 8 * 8 * 3 * 7
    assert rows["probabilities"].work == 7 * 10
    assert rows["max_pool_1"].work == 0
    assert rows["conv_1"].shape == (24, 24, 2)
    assert rows["conv_2"].parameters == 3 * 3 * 2 * 3 + 3


def test_weight_decay_spares_biases_and_norms() -> None:
    network = build(parse_recipe(TINY, "test"))
    optimizer = build_optimizer(parse_recipe(TINY, "test"))
    optimizer.build(network.trainable_variables)
    decayed = {v.name for v in network.trainable_variables if optimizer._use_weight_decay(v)}
    assert decayed == {"kernel"}


def test_several_networks_are_one_model(few: Digits, tmp_path: Path) -> None:
    recipe = parse_recipe(TINY, "test")
    networks = [build(recipe) for _ in range(3)]
    model = assemble(recipe, [network.get_weights() for network in networks])
    model.save(tmp_path / "model.keras")
    alone = [KerasClassifier(network).predict(few.images) for network in networks]
    assert np.allclose(load(tmp_path / "model.keras").predict(few.images), np.mean(alone, 0), atol=1e-6)
    assert export_onnx(model, tmp_path / "model.onnx", few.images, 0.5) < 1e-5
    assert model.count_params() == 3 * networks[0].count_params()


def test_summary_prints_the_network(digitcli: Command) -> None:
    outcome = digitcli("train", "--config", "classic", "--summary")
    assert outcome.status == 0
    for words in ("conv_2", "14 x 14 x 64", "18,496", "421,642", "share of the work", "100.0%"):
        assert words in outcome.stdout
    as_json = digitcli("train", "--config", "ci", "--summary", "--json", "--quiet")
    assert [layer["name"] for layer in as_json.json()][:2] == ["rescaling", "conv_1"]
    assert as_json.stderr == ""


def test_missing_keras_model(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="digitcli train"):
        load(tmp_path / "none.keras")


def test_files_that_are_no_keras_model(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(ModelError, match=r"text\.keras: not a Keras model"):
        load(tmp_path / "text.keras")
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"takes \(4,\) and gives \(3,\)"):
        load(tmp_path / "other.keras")


def test_an_unbuilt_keras_model_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([keras.layers.Dense(10)]).save(tmp_path / "unbuilt.keras")
    with pytest.raises(ModelError, match=r"unbuilt\.keras"):
        load(tmp_path / "unbuilt.keras")


def test_code_in_a_keras_model_is_refused(tmp_path: Path) -> None:
    evil = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]
    )
    evil.save(tmp_path / "evil.keras")
    with pytest.raises(ModelError, match=r"evil\.keras"):
        load(tmp_path / "evil.keras")
