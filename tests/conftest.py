"""What the tests share: the real command line in a process of its own, and one small trained run."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import forkserver
import numpy as np
import pytest
from filelock import FileLock

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # some tests import ONNX Runtime without digitcli

from digitcli import datasets
from digitcli.datasets import Dataset, Digits

REPOSITORY = Path(__file__).parents[1]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STRICT = os.environ.get("CI") == "true"  # there a test that is left out is a failure


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests and all that they start a temporary folder of their own: what is killed leaves files."""
    config.pluginmanager.register(_LongestFirst())
    if is_worker(config):
        _keep_to_own_cores(*(config.workerinput[key] for key in ("workerid", "workercount")))
        return  # the folder is in the environment of the process that started it
    config.stash[_TEMPORARY] = Path(tempfile.mkdtemp(prefix="digitcli-tests-"))
    config.stash[_BEFORE] = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(config.stash[_TEMPORARY])
    tempfile.tempdir = None


def _keep_to_own_cores(worker: str, count: int) -> None:
    """Let no two workers share a core: threads that wait for each other would take several times as long."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        own = cores[int(worker.removeprefix("gw")) :: count]
        if own:
            os.sched_setaffinity(0, own)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it again, but for the folders of tests that failed."""
    if _TEMPORARY not in config.stash:
        return
    if config.stash[_BEFORE] is None:
        os.environ.pop("TMPDIR")
    else:
        os.environ["TMPDIR"] = config.stash[_BEFORE]
    tempfile.tempdir = None
    folder = config.stash[_TEMPORARY]
    for path in folder.iterdir():
        if config.stash.get(_FAILED, False) and path.name.startswith("pytest-of-"):
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


_TEMPORARY = pytest.StashKey[Path]()
_BEFORE = pytest.StashKey[str | None]()
_FAILED = pytest.StashKey[bool]()


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def missing(marker: str) -> str:
    """Return what a kind of test needs and this machine lacks, in words; nothing where all is there."""
    if marker == "browser":
        if not BROWSER:
            return "needs chromium or google-chrome"
        return "" if _has_library("libatomic.so.1") else "needs libatomic1, for Playwright's driver"
    if not sys.platform.startswith("linux"):
        return "needs Linux: the screen in memory is Xvfb's"
    absent = [program for program in ("Xvfb", "xdotool") if not shutil.which(program)]
    return f"needs {' and '.join(absent)}" if absent else ""


def _has_library(name: str) -> bool:
    if not sys.platform.startswith("linux"):
        return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for by marker are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a screen or a browser; leave out what this machine cannot do."""
    lacking = {marker: missing(marker) for marker in ("gui", "browser")}
    for item in items:
        for fixture, marker in (("screen", "gui"), ("browser", "browser")):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
        for marker, words in lacking.items():
            if words and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=words))


class _LongestFirst:
    """What takes long begins first, so that no worker is left alone with it at the end."""

    @pytest.hookimpl(trylast=True)  # after the order is shuffled
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=_seconds, reverse=True)


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("slow")
    return marker.kwargs.get("seconds", 30) if marker else 0


@pytest.hookimpl(tryfirst=True)  # before the summary is written
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if is_worker(session.config) or reporter is None:
        return
    if STRICT and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[_FAILED] = session.exitstatus != pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was left out, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("left out" + (", which is a failure where CI=true" if STRICT else ""))
    reasons = Counter(
        (report.nodeid.partition("::")[0], report.longrepr[2].removeprefix("Skipped: ")) for report in skipped
    )
    for (file, reason), count in sorted(reasons.items()):
        terminalreporter.write_line(f"{file}: {count} test{'s' * (count > 1)}: {reason}")


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


def _environment() -> dict[str, str]:
    folder = tempfile.gettempdir()
    return {**_ENVIRONMENT, "TMPDIR": folder, "XDG_CACHE_HOME": str(Path(folder) / "cache")}


Command = Callable[..., Outcome]


def execute(*arguments: object, cwd: Path, environment: dict[str, str] | None = None) -> Outcome:
    """Run ``python ARGUMENTS`` as a user would, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, *(str(argument) for argument in arguments)],
        cwd=cwd,
        env={**_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def digitcli(tmp_path: Path) -> Command:
    """Return a function that runs digitcli with the given arguments in an empty folder."""

    def run(*arguments: object, environment: dict[str, str] | None = None) -> Outcome:
        if environment:  # may have to be there when libraries are imported
            return execute("-m", "digitcli", *arguments, cwd=tmp_path, environment=environment)
        process = forkserver.start(*arguments, cwd=tmp_path, environment=_environment())
        try:
            stdout, stderr = process.communicate(timeout=300)
        finally:
            process.kill()
        assert process.returncode is not None
        return Outcome(process.returncode, stdout, stderr)

    return run


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Outcome]) -> tuple[Path, Outcome]:
    """Make something in an empty folder once in a session of tests, whichever worker needs it first.

    Returns:
        The folder, which is for all workers and not to be changed, and what was said.
    """
    common = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    folder, said = common / name, common / f"{name}.json"
    with FileLock(common / f"{name}.lock"):
        if not said.is_file():
            folder.mkdir()  # a second time only after a failure, which this makes known to all
            said.write_text(json.dumps(asdict(make(folder))))
    return folder, Outcome(**json.loads(said.read_text()))


def weights(model: Path) -> list[np.ndarray]:
    """Return the weights of a ``.keras`` file."""
    from digitcli.models.backend import keras

    return keras.saving.load_model(model, compile=False).get_weights()


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """Train the recipe ``ci`` on the command line; return its folder and what was said."""

    def train(folder: Path) -> Outcome:
        outcome = execute("-m", "digitcli", "train", "--config", "ci", cwd=folder)
        assert outcome.status == 0, outcome.stderr
        return outcome

    folder, outcome = once(tmp_path_factory, "trained", train)
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
