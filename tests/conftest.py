"""What the tests share: the real command line in a process of its own, and one small trained run."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # some tests import ONNX Runtime without digitcli

from digitcli import datasets
from digitcli.datasets import Dataset, Digits

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Outcome:
    """What a command left on the terminal."""

    status: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        return json.loads(self.stdout)


# whatever a developer has set for colours or TensorFlow's log changes nothing
_OTHERS = ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE")
_ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in _OTHERS}
_ENVIRONMENT |= {"COLUMNS": "100", "TF_CPP_MIN_LOG_LEVEL": "0"}

Command = Callable[..., Outcome]


def execute(*arguments: object, cwd: Path, environment: dict[str, str] | None = None) -> Outcome:
    """Run ``python ARGUMENTS`` as a user would, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, *(str(argument) for argument in arguments)],
        cwd=cwd,
        env={**_ENVIRONMENT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def digitcli(tmp_path: Path) -> Command:
    """Return a function that runs digitcli with the given arguments in an empty folder."""

    def run(*arguments: object, **options: Any) -> Outcome:
        return execute("-m", "digitcli", *arguments, cwd=tmp_path, **options)

    return run


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """Train the recipe ``ci`` on the command line; return its folder and what was said."""
    folder = tmp_path_factory.mktemp("trained")
    outcome = execute("-m", "digitcli", "train", "--config", "ci", cwd=folder)
    assert outcome.status == 0, outcome.stderr
    return folder / "artifacts", outcome


@pytest.fixture
def trained(trained_once: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """Return a copy of a trained run's folder, as ``artifacts`` in the empty folder."""
    shutil.copytree(trained_once[0], tmp_path / "artifacts")
    return tmp_path / "artifacts"


@pytest.fixture(scope="session")
def sample() -> Dataset:
    return datasets.load("sample")


@pytest.fixture(scope="session")
def few(sample: Dataset) -> Digits:
    """The first 300 test images."""
    return sample.test.take(np.arange(300))
