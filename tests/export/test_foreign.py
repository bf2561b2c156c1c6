"""Models that somebody else made: brought into digitcli's form, and refused where they would run code."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from conftest import Command
from onnx import TensorProto, helper, numpy_helper

from digitcli import models
from digitcli.datasets import Dataset, load_split
from digitcli.models.backend import keras, tf


@pytest.fixture(scope="module")
def network() -> Any:
    """The tutorial's kind of network, which takes values 0 to 1, trained for a moment."""
    train = load_split("sample").train
    layers = keras.layers
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    made.compile("adam", "sparse_categorical_crossentropy")
    made.fit(train.images[..., np.newaxis] / 255.0, train.labels, epochs=12, batch_size=32, verbose=0)
    return made


def weights(network: Any) -> list[np.ndarray]:
    return [np.asarray(value) for value in network.get_weights()]


def write_onnx(
    path: Path, network: Any, *, layout: str, values: str, gives: str, batch: object = "N"
) -> None:
    """Write a network of the same weights by hand, as other programs lay it out."""
    kernel, bias, dense, last = weights(network)
    initial = {"kernel": kernel.transpose(3, 2, 0, 1), "bias": bias, "dense": dense, "last": last}
    scale, offset = {"0..1": (1, 0), "0..255": (1 / 255, 0), "-1..1": (0.5, 0.5), "dark": (-1, 1)}[values]
    initial |= {"scale": np.float32(scale), "offset": np.float32(offset)}
    initial["image"] = np.array([-1, 1, 28, 28])
    initial["flat"] = np.array([-1, 8 * 12 * 12])
    nodes = [
        helper.make_node("Mul", ["in", "scale"], ["a"]),
        helper.make_node("Add", ["a", "offset"], ["b"]),
        helper.make_node("Reshape", ["b", "image"], ["c"]),
        helper.make_node("Conv", ["c", "kernel", "bias"], ["d"], strides=[2, 2]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Transpose", ["e"], ["f"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["f", "flat"], ["g"]),
        helper.make_node("Gemm", ["g", "dense", "last"], ["h"]),
    ]
    if gives == "logits":
        nodes.append(helper.make_node("Identity", ["h"], ["out"]))
    else:
        nodes.append(
            helper.make_node("Softmax" if gives == "softmax" else "LogSoftmax", ["h"], ["out"], axis=1)
        )
    shape = {"NHWC": [28, 28, 1], "NCHW": [1, 28, 28], "NHW": [28, 28], "flat": [784]}[layout]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, [batch, *shape])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, 10])],
        [
            numpy_helper.from_array(
                np.asarray(value, np.int64 if name in ("image", "flat") else np.float32), name
            )
            for name, value in initial.items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def assert_same(network: Any, path: Path, sample: Dataset) -> None:
    """The file of digitcli reads as the network does that it was made from."""
    images = sample.test.images
    expected = network.predict(images[..., np.newaxis] / 255.0, verbose=0)
    assert np.abs(models.load(path).predict(images) - expected).max() < 1e-4


def test_a_keras_2_file_of_the_tutorials_kind(digitcli: Command, tmp_path: Path) -> None:
    """The tutorial trains, then saves as HDF5; commands tell what to do with that file, and then it reads."""
    options = ["--config", "classic", "--data", "sample", "--epochs", "8", "--learning-rate", "0.1", "-q"]
    assert digitcli("train", *options).status == 0
    network = keras.saving.load_model(tmp_path / "artifacts" / "model.keras", compile=False)
    plain = keras.Sequential([keras.Input((28, 28, 1)), *network.layers[1:]])  # the tutorial scales outside
    plain.save(tmp_path / "MNIST_10_epochs.h5")
    for command in (["evaluate"], ["predict", "x.png"]):
        outcome = digitcli(*command, "--model", "MNIST_10_epochs.h5")
        assert outcome.status == 3
        assert "digitcli export --model MNIST_10_epochs.h5" in outcome.stderr
        assert outcome.stderr.count("\n") == 1
    outcome = digitcli("export", "--model", "MNIST_10_epochs.h5", "--output", "ours")
    assert outcome.status == 0
    assert "takes (N, 28, 28, 1), values 0 to 1, ink bright; gives probabilities" in outcome.stderr
    before, after = (
        digitcli("evaluate", "--model", model, "--data", "sample", "--json").json()["accuracy"]
        for model in ("artifacts/model.onnx", "ours/model.onnx")
    )
    assert after == pytest.approx(before, abs=0.01)
    assert after > 0.8


@pytest.mark.parametrize(
    ("layout", "values", "gives", "words"),
    [
        ("NCHW", "0..1", "logits", "(N, 1, 28, 28), values 0 to 1, ink bright; gives logits"),
        ("NHWC", "0..255", "softmax", "(N, 28, 28, 1), values 0 to 255, ink bright; gives probabilities"),
        ("flat", "-1..1", "log", "(N, 784), values -1 to 1, ink bright; gives log-probabilities"),
        ("NHW", "dark", "softmax", "(N, 28, 28), values 0 to 1, ink dark; gives probabilities"),
    ],
)
def test_onnx_of_every_form(
    network: Any,
    sample: Dataset,
    digitcli: Command,
    tmp_path: Path,
    layout: str,
    values: str,
    gives: str,
    words: str,
) -> None:
    write_onnx(tmp_path / "theirs.onnx", network, layout=layout, values=values, gives=gives)
    used = digitcli("evaluate", "--model", "theirs.onnx")
    assert used.status == 3
    assert "digitcli export --model theirs.onnx" in used.stderr
    outcome = digitcli("export", "--model", "theirs.onnx", "--output", "ours")
    assert outcome.status == 0
    assert words in outcome.stderr
    assert_same(network, tmp_path / "ours" / "model.onnx", sample)


def test_onnx_for_one_image_at_a_time(
    network: Any, sample: Dataset, digitcli: Command, tmp_path: Path
) -> None:
    write_onnx(tmp_path / "one.onnx", network, layout="NCHW", values="0..1", gives="softmax", batch=1)
    assert digitcli("export", "--model", "one.onnx", "--output", "ours").status == 0
    assert_same(network, tmp_path / "ours" / "model.onnx", sample)


def test_keras_and_saved_model(network: Any, sample: Dataset, digitcli: Command, tmp_path: Path) -> None:
    network.save(tmp_path / "theirs.keras")
    network.export(tmp_path / "saved", verbose=False)
    for name in ("theirs.keras", "saved"):
        used = digitcli("evaluate", "--model", name)
        assert used.status == 3
        assert f"digitcli export --model {name}" in used.stderr
        outcome = digitcli("export", "--model", name, "--output", f"of-{name}")
        assert outcome.status == 0, outcome.stderr
        assert_same(network, tmp_path / f"of-{name}" / "model.onnx", sample)
    refused = digitcli("export", "--model", "theirs.keras", "--format", "litert")
    assert refused.status == 2
    assert "--format onnx alone" in refused.stderr


def assert_refused(digitcli: Command, name: str, *words: str) -> None:
    outcome = digitcli("export", "--model", name, "--output", "ours", "--quiet")
    assert outcome.status == 3
    for word in (name, *words):
        assert word in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert "Traceback" not in outcome.stderr


def test_files_that_would_run_code_are_refused(network: Any, digitcli: Command, tmp_path: Path) -> None:
    evil = keras.Sequential([*network.layers, keras.layers.Lambda(lambda x: x)])
    evil.build((None, 28, 28, 1))
    for name in ("evil.h5", "evil.keras"):
        evil.save(tmp_path / name)
        assert_refused(digitcli, name, "Lambda", "runs code")
    network.save(tmp_path / "custom.h5")
    with h5py.File(tmp_path / "custom.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1] |= {"class_name": "Evil", "module": "os", "registered_name": "os>Evil"}
        file.attrs["model_config"] = json.dumps(config)
    assert_refused(digitcli, "custom.h5", "os>Evil", "custom object")
    network.save(tmp_path / "whole.keras")
    with (
        zipfile.ZipFile(tmp_path / "whole.keras") as whole,
        zipfile.ZipFile(tmp_path / "x.keras", "w") as new,
    ):
        for each in whole.namelist():
            content = whole.read(each)
            new.writestr(
                each, content.replace(b'"Flatten"', b'"TFSMLayer"') if each == "config.json" else content
            )
    assert_refused(digitcli, "x.keras", "TFSMLayer", "runs code")


def test_saved_models_with_other_operations_are_refused(digitcli: Command, tmp_path: Path) -> None:
    class Evil(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)])
        def read(self, images: Any) -> Any:
            tf.io.write_file("written", "by a model")
            return tf.zeros((tf.shape(images)[0], 10))

    evil = Evil()
    tf.saved_model.save(evil, str(tmp_path / "evil"), signatures={"serving_default": evil.read})
    assert_refused(digitcli, "evil", "WriteFile")
    assert not (tmp_path / "written").exists()


def test_onnx_weights_must_lie_beside_the_file(network: Any, digitcli: Command, tmp_path: Path) -> None:
    write_onnx(tmp_path / "whole.onnx", network, layout="NHWC", values="0..1", gives="softmax")
    model = onnx.load(tmp_path / "whole.onnx")
    onnx.save(
        model, tmp_path / "apart.onnx", save_as_external_data=True, location="apart.bin", size_threshold=0
    )
    assert digitcli("export", "--model", "apart.onnx", "--output", "ours").status == 0
    model = onnx.load(tmp_path / "apart.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../apart.bin"
    onnx.save(model, tmp_path / "away.onnx")
    assert_refused(digitcli, "away.onnx", "../apart.bin", "beside it")
    (tmp_path / "apart.bin").unlink()
    assert_refused(digitcli, "apart.onnx", "apart.bin")


def test_what_is_no_digit_reader_is_refused(network: Any, digitcli: Command, tmp_path: Path) -> None:
    write_onnx(tmp_path / "whole.onnx", network, layout="NHWC", values="0..1", gives="softmax")
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "whole.onnx").read_bytes()[:2000])
    assert digitcli("export", "--model", "cut.onnx").status == 3
    network.save(tmp_path / "whole.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:2000])
    assert_refused(digitcli, "cut.h5", "HDF5")
    network.save_weights(tmp_path / "some.weights.h5")
    assert_refused(digitcli, "some.weights.h5", "weights alone", "model.save")
    untrained = keras.models.clone_model(network)
    untrained.save(tmp_path / "untrained.keras")
    assert_refused(digitcli, "untrained.keras", "reads at most", "validation images")
    large = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
    large.save(tmp_path / "large.keras")
    assert_refused(digitcli, "large.keras", "(32, 32, 3)", "28x28")
    letters = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(26)])
    letters.save(tmp_path / "letters.keras")
    assert_refused(digitcli, "letters.keras", "26 numbers")
