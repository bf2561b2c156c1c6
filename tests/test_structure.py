"""The floors: imports go downwards, and only what may imports TensorFlow."""

import ast
import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

SOURCE = REPOSITORY / "src" / "digitcli"
FLOORS = [
    {"errors", "__init__"},
    {
        "sheet",
        "ink",
        "rulings",
        "cleaning",
        "preprocessing",
        "strokes",
        "decoding",
        "glyphs",
        "signs",
        "recipes",
        "problems",
        "layers",
        "schedules",
        "config",
        "artifacts",
        "backend",
    },
    {
        "test_time_augmentation",
        "models",
        "normalization",
        "augmentation",
        "precision",
        "metrics",
        "plotting",
        "datasets",
        "damage",
        "comparison",
        "modelfile",
    },
    {
        "segmentation",
        "separators",
        "cuts",
        "paths",
        "pages",
        "recognizer",
        "cuttings",
        "hands",
        "synthesis",
        "raster",
        "stroke",
        "canvas",
        "canvas_reading",
    },
    {"cluster", "meeting", "distribution", "progress", "pace", "records", "checkpoints", "tensorboard"},
    {
        "validation",
        "training",
        "evaluation",
        "calibration",
        "robustness",
        "report",
        "export",
        "gallery",
        "runs",
        "delivery",
        "execution",
        "annotation",
        "prediction",
        "finetuning",
        "restoring",
        "formats",
        "originals",
        "trials",
        "workshop",
    },
    {"events", "corrections", "session", "reader", "painting", "x11", "display"},
    {"layout", "panel", "face"},
    {"window", "web"},
    {"commands", "cli", "__main__"},
]
FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    (found,) = [number for number, rooms in enumerate(FLOORS) if name in rooms]
    return found


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "digitcli":
            found |= {alias.name for alias in node.names if not alias.name.startswith("__version")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("digitcli."):
            found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_downwards(path: Path) -> None:
    if room(path) == "__init__":
        return  # the public names, on first use
    for name in imported(path):
        assert floor(name) <= floor(room(path)), f"{path.name} imports {name} from above"


def test_tensorflow_is_imported_in_one_place() -> None:
    heavy = re.compile(r"^\s*(import|from) (tensorflow|keras)", re.MULTILINE)
    assert [path.name for path in FILES if heavy.search(path.read_text())] == ["backend.py"]


def test_nothing_below_the_commands_prints_or_exits() -> None:
    for path in FILES:
        if floor(room(path)) < len(FLOORS) - 1:
            names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
            assert not names & {"print", "exit", "SystemExit"}, path.name
