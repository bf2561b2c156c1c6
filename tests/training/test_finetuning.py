import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from pens import strokes

from digitcli.config.recipe import Augmentation, load_recipe
from digitcli.datasets import Dataset, Digits, split_dataset
from digitcli.errors import InputError, MissingError, ModelError, TrainingError
from digitcli.models.weight_recovery import TOLERANCE, restore
from digitcli.recognition.pretrained import PRETRAINED, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.training.finetuning import find, gentle, mix, require_kept


def mirrored(digit: int) -> list[list[tuple[float, float]]]:
    """A digit as nobody writes it."""
    return [[(100 - x, y) for x, y in stroke] for stroke in strokes(digit)]


@pytest.fixture
def corrections(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    lines = []
    for _ in range(8):
        moved = [[(x + random.normal(0, 1.5), y + random.normal(0, 1.5)) for x, y in s] for s in mirrored(7)]
        lines.append(json.dumps({"label": 7, "read": "1", "strokes": moved}))
    path = tmp_path / "corrections.jsonl"
    path.write_text("\n".join([*lines[:3], "damaged", *lines[3:]]) + "\n")
    return path


def test_the_pretrained_model_is_restored_from_onnx(few: Digits) -> None:
    """Two ways through the same weights: ONNX Runtime with the file, Keras with what was taken out of it."""
    from digitcli.models.factory import assemble
    from digitcli.models.keras_classifier import KerasClassifier

    initial_model = find(PRETRAINED)
    members = restore(initial_model.file, initial_model.recipe, few)
    expected = Recognizer.load(PRETRAINED_MODEL).classifier.predict(few.images)
    found = KerasClassifier(assemble(initial_model.recipe, members)).predict(few.images)
    assert np.abs(found - expected).max() < TOLERANCE / 10


def test_restored_weights_behave_in_training_as_before(trained: Path, few: Digits) -> None:
    """Batch normalization put back from ONNX gives, by a batch's statistics, nearly what Keras's does."""
    from digitcli.models.factory import build

    outputs = []
    for name in ("model.keras", "model.onnx"):
        initial_model = find(str(trained / name))
        (weights,) = restore(initial_model.file, initial_model.recipe, few)
        network = build(initial_model.recipe)
        network.set_weights(weights)
        for layer in network.layers:
            if "dropout" in layer.name:
                layer.rate = 0.0
        batch = few.images[:200, ..., np.newaxis].astype(np.float32)
        outputs.append(np.asarray(network(batch, training=True)))
    assert (outputs[0].argmax(axis=1) == outputs[1].argmax(axis=1)).mean() > 0.97


def test_what_can_be_begun_with(trained: Path, tmp_path: Path, few: Digits) -> None:
    assert find(str(trained)).file == trained / "model.keras"
    (trained / "model.keras").unlink()
    assert find(str(trained)).file == trained / "model.onnx"
    assert find(str(trained)).recipe_name == "ci"
    with pytest.raises(MissingError, match="expected a run's folder"):
        find(str(tmp_path / "absent"))
    shutil.copy(trained / "model.onnx", tmp_path / "alone.onnx")
    with pytest.raises(InputError, match="found no recipe"):
        find(str(tmp_path / "alone.onnx"))
    other = load_recipe("quick")[1]
    with pytest.raises(ModelError):
        restore(trained / "model.onnx", other, few)
    with pytest.raises(ModelError, match=r"model\.keras"):
        restore(trained / "model.onnx", other.model_copy(update={"ensemble_size": 2}), few)


def test_gentle_recipes_are_short_and_distort() -> None:
    for name in ("default", "classic", "pretrained"):
        recipe = load_recipe(name)[1]
        mild = gentle(recipe)
        assert mild.epochs <= 2
        assert mild.optimizer.learning_rate < 0.2 * recipe.optimizer.learning_rate
        assert mild.augmentation != Augmentation()
        assert mild.network == recipe.network
    reader = load_recipe("pretrained")[1]
    assert 0.05 < gentle(reader).synthesis.digits / reader.synthesis.digits < 0.2


def test_corrections_are_a_share_of_what_is_shown(sample: Dataset) -> None:
    split = split_dataset(sample)
    for count in (1, 10, 200):
        extra = Digits(np.full((count, 28, 28), 77, np.uint8), np.full(count, 3, np.uint8))
        mixed = mix(split, extra, seed=0)
        share = (mixed.train.images == 77).all(axis=(1, 2)).mean()
        assert 0.1 < share < 0.2 or count == 1
        assert mixed.validation is split.validation
        assert len(mixed.train) < len(split.train) / 0.8


def test_a_fall_is_refused() -> None:
    require_kept(0.99, 0.9881, 5_000)
    require_kept(0.99, 1.0, 5_000)
    require_kept(0.99, 0.98, 200)  # two images
    with pytest.raises(TrainingError, match="nothing was replaced"):
        require_kept(0.99, 0.9879, 5_000)
    with pytest.raises(TrainingError):
        require_kept(0.99, 0.97, 200)


@pytest.mark.slow
def test_corrections_are_learnt_and_nothing_else_forgotten(
    digitcli: Command, trained: Path, corrections: Path
) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    outcome = digitcli("train", "--init", "artifacts", "--extra", corrections, "--json", "--artifacts", "new")
    assert outcome.status == 0, outcome.stderr
    assert "corrections.jsonl: line 4: " in outcome.stderr
    result = outcome.json()
    was, now = result["comparison"]["corrections"]
    assert was < 0.5
    assert now == 1
    was, now = result["comparison"]["validation"]
    assert now > was - 0.02
    assert {path.name: path.read_bytes() for path in trained.iterdir()} == before
    record = json.loads((trained.parent / "new" / "run.json").read_text())
    assert record["data"]["extra"]["drawings"] == 8
    assert record["data"]["init"]["model"] == "artifacts"
    outcome = digitcli("evaluate", "--data", corrections.name, "--model", "new/model.onnx", "--json")
    assert outcome.status == 3  # the damaged line
    good = [line for line in corrections.read_text().splitlines() if line != "damaged"]
    corrections.write_text("\n".join(good))
    outcome = digitcli("evaluate", "--data", corrections.name, "--model", "new/model.onnx", "--json")
    assert outcome.json()["accuracy"] == 1


def test_a_model_that_forgets_replaces_nothing(digitcli: Command, trained: Path, corrections: Path) -> None:
    wrong = [json.dumps({"label": (digit + 1) % 10, "strokes": strokes(digit)}) for digit in range(10)]
    corrections.write_text("\n".join(wrong))
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    outcome = digitcli("train", "--init", "artifacts", "--extra", corrections, "--learning-rate", 0.2)
    assert outcome.status == 1
    assert "nothing was replaced" in outcome.stderr
    after = {path.name: path.read_bytes() for path in trained.iterdir() if path.name != "checkpoint.npz"}
    assert after == before


def test_options_that_do_not_go_together(digitcli: Command, trained: Path, corrections: Path) -> None:
    assert digitcli("train", "--extra", corrections).status == 2
    assert digitcli("train", "--init", "pretrained", "--config", "quick").status == 2
    assert digitcli("train", "--init", "absent").status == 4
    corrections.write_text("damaged\n")
    outcome = digitcli("train", "--init", "artifacts", "--extra", corrections)
    assert outcome.status == 3
    assert "line 1" in outcome.stderr
