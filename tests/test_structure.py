"""What import-linter does not hold: who may import the heavy libraries, the doors between packages, size."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY

SOURCE = REPOSITORY / "src" / "digitcli"
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES = 400


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


TREES = {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, imported name) of every import anywhere; the name of ``import x`` is empty."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def importers(*libraries: str) -> set[tuple[str, str, str]]:
    return {
        (file, module, imported)
        for file, tree in TREES.items()
        for module, imported in imports(tree)
        if module.partition(".")[0] in libraries
    }


def calls(file: str) -> set[str]:
    """All that a file calls, as it is written there: ``models.load``, ``to_form``."""
    return {ast.unparse(node.func) for node in ast.walk(TREES[file]) if isinstance(node, ast.Call)}


def modules_used(tree: ast.AST) -> set[str]:
    """Return all that a file imports, modules and names in them, in full."""
    return {full for module, imported in imports(tree) for full in (module, f"{module}.{imported}")}


def test_tensorflow_is_imported_in_one_place() -> None:
    assert {file for file, _, _ in importers("tensorflow", "keras")} == {"models/backend.py"}


def test_onnx_runtime_is_imported_where_its_telemetry_is_switched_off() -> None:
    assert importers("onnxruntime") == {
        ("models/onnx_runtime.py", "onnxruntime", ""),
        ("export/onnx.py", "onnxruntime", "quantization"),
    }


@pytest.mark.parametrize("file", [file for file in TREES if not file.startswith("cli/")])
def test_nothing_below_the_commands_prints_or_exits(file: str) -> None:
    names = {node.id for node in ast.walk(TREES[file]) if isinstance(node, ast.Name)}
    assert not names & {"print", "exit", "quit", "SystemExit"}
    assert "sys.exit" not in calls(file)
    if file != "__main__.py":
        assert "os._exit" not in calls(file)


def test_no_module_is_long() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}


def test_to_mnist_form_is_the_one_door_from_pixels_to_a_form() -> None:
    """Its parts are for the reader of pages and for what draws as MNIST's makers did, and for no one else."""
    parts = {
        "digitcli.preprocessing.foreground.extract_foreground",
        "digitcli.preprocessing.cleaning.clean",
        "digitcli.preprocessing.masked.masked_foreground",
        "digitcli.preprocessing.mnist_form.digit_foreground",
        "digitcli.preprocessing.mnist_form.page_foreground",
        "digitcli.preprocessing.mnist_form.normalize",
    }
    allowed = ("preprocessing/", "recognition/rules/", "synthesis/")
    for file, tree in TREES.items():
        if not file.startswith(allowed):
            assert not modules_used(tree) & parts, file
    # and those who meet pixels go through it
    for file in (
        "datasets/folder.py",
        "datasets/stroke_files.py",
        "evaluation/robustness.py",
        "recognition/forms.py",
    ):
        assert calls(file) & {"to_form", "to_mnist_form"}, file


def test_training_gets_its_networks_from_build() -> None:
    assert "models.build" in calls("training/classification.py")
    for file, tree in TREES.items():
        if not file.startswith("models/"):
            assert "digitcli.models.factory.build" not in modules_used(tree), file
            assert not any("keras.layers" in call or "keras.Sequential" in call for call in calls(file)), file


def test_who_reads_gets_a_classifier_from_load() -> None:
    for file in (
        "evaluation/evaluate.py",
        "evaluation/plots/redraw.py",
        "export/exporter.py",
        "recognition/recognizer.py",
    ):
        assert "models.load" in calls(file), file
    loaders = {"onnx_classifier.load", "keras_classifier.load"}
    for file, tree in TREES.items():
        if file.startswith("models/"):
            continue
        assert not modules_used(tree) & {f"digitcli.models.{loader}" for loader in loaders}, file
        # an ONNX file that was just written is held to the network, whatever its name
        assert calls(file) & loaders <= ({"onnx_classifier.load"} if file == "export/onnx.py" else set()), (
            file
        )
