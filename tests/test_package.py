"""What is installed works on its own, in an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import REPOSITORY

from digitcli.config.recipe_files import names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, ".", "-w", str(folder)], cwd=REPOSITORY, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_what_it_must_and_no_more(wheel: Path) -> None:
    found = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"digitcli/configs/{name}.toml" for name in names()} | {
        "digitcli/py.typed",
        "digitcli/datasets/data/mnist.npz",
        "digitcli/datasets/data/MNIST-LICENSE.txt",
        "digitcli/datasets/data/pen-strokes.npz",
        "digitcli/datasets/data/PEN-STROKES-LICENSE.txt",
        "digitcli/recognition/pretrained/model.onnx",
        "digitcli/recognition/pretrained/run.json",
        "digitcli/evaluation/report/page.css",
        *(f"digitcli/evaluation/report/templates/{name}.html.j2" for name in ("macros", "page", "training")),
    }
    assert wanted <= found
    assert {name.split("/")[0].partition("-")[0] for name in found} == {"digitcli"}
    assert wheel.stat().st_size < 17e6


@pytest.mark.slow
def test_installed_elsewhere_it_trains_evaluates_and_plots(wheel: Path, tmp_path: Path) -> None:
    """Unpacked where nothing of the checkout is seen; the libraries are those of this environment."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "site")]
    subprocess.run([*pip, str(wheel)], check=True)
    work = tmp_path / "work"
    work.mkdir()

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=work, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert run("-c", "import digitcli; print(digitcli.__file__)").startswith(str(tmp_path / "site"))
    assert "2026" in run("-m", "digitcli", "predict", str(REPOSITORY / "docs" / "images" / "note.jpg"))
    run("-m", "digitcli", "train", "--config", "ci", "--quiet")
    run("-m", "digitcli", "evaluate")
    run("-m", "digitcli", "plot")
    assert (work / "artifacts" / "mistakes.png").is_file()
