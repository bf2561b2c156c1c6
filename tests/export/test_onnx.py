from pathlib import Path

import numpy as np
import onnx
import pytest

from digitcli.config.recipe import load_recipe
from digitcli.config.recipe_files import names
from digitcli.datasets import Digits
from digitcli.errors import ExportError
from digitcli.export.onnx import export_onnx
from digitcli.models.factory import build
from digitcli.models.keras_classifier import KerasClassifier
from digitcli.recognition.recognizer import Recognizer


@pytest.mark.parametrize("name", [name for name in names() if not name.startswith("detector")])
def test_onnx_agrees_with_keras_for_every_recipe(name: str, tmp_path: Path, few: Digits) -> None:
    network = build(load_recipe(name)[1])
    path = tmp_path / "model.onnx"
    reported = export_onnx(network, path, few.images, 0.625)
    difference = np.abs(
        Recognizer.load(path).classifier.predict(few.images) - KerasClassifier(network).predict(few.images)
    ).max()
    assert reported == pytest.approx(difference)
    assert reported < 1e-5
    assert Recognizer.load(path).threshold == 0.625
    assert Recognizer.load(path).classifier.uses_tta


def test_parts_have_names_a_reader_understands(trained: Path) -> None:
    graph = onnx.load(trained / "model.onnx").graph
    assert [value.name for value in graph.input] == ["image"]
    assert [value.name for value in graph.output] == ["probabilities"]
    lengths = [axis.dim_param or axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim]
    assert lengths == ["N", 28, 28, 1]


def test_a_model_that_disagrees_is_refused(
    tmp_path: Path, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build(load_recipe("ci")[1])
    monkeypatch.setattr("digitcli.models.classifier.TOLERANCE", -1.0)
    with pytest.raises(ExportError, match=r"differs from the Keras model by .* on 300 images"):
        export_onnx(network, tmp_path / "model.onnx", few.images, 0.5)


def test_a_model_says_whether_it_takes_a_second_look(tmp_path: Path, few: Digits) -> None:
    network = build(load_recipe("ci")[1])  # untrained, so unsure of everything
    path = tmp_path / "model.onnx"
    export_onnx(network, path, few.images, 0.5, uses_tta=False)
    without = Recognizer.load(path)
    assert (without.classify(few.images) == without.classifier.predict(few.images)).all()
    without.classifier.uses_tta = True
    assert (without.classify(few.images) != without.classifier.predict(few.images)).any()
