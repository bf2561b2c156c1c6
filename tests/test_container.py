"""The container file, as far as that goes without an engine: what it installs is all that serving needs."""

import re
import shlex
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from conftest import REPOSITORY, execute

FILE = (REPOSITORY / "Containerfile").read_text(encoding="utf-8")


def installed() -> set[str]:
    (names,) = re.findall(r"pip install --no-cache-dir --constraint \S+ \\\n(.*?)&&", FILE, re.DOTALL)
    return set(shlex.split(names.replace("\\\n", " ")))


def test_what_is_installed_is_enough(tmp_path: Path) -> None:
    """Serve, with everything that the container lacks made impossible to import."""
    wanted = {name.replace("opencv-python-headless", "opencv-python") for name in installed()}
    of_the_tests = packages_distributions()
    missing = ["ai_edge_litert", "keras", "matplotlib", "onnx", "tensorflow", "tf2onnx"]
    assert all(of_the_tests[module][0] not in wanted for module in missing)
    code = f"""
import sys
for name in {missing}:
    sys.modules[name] = None
from pathlib import Path
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.web.app import Settings, create_app
import digitcli.cli.serve, digitcli.web.server, uvicorn.protocols.http.httptools_impl, uvloop
create_app(Settings(PRETRAINED_MODEL, "0.0.0.0"))
print(*sorted({{name.partition(".")[0] for name, module in sys.modules.items() if module}}))
"""
    outcome = execute("-c", code, cwd=tmp_path)
    assert outcome.status == 0, outcome.stderr
    imported = set(outcome.stdout.split()) - set(sys.stdlib_module_names) - {"digitcli"}
    distributions = {name for module in imported for name in of_the_tests.get(module, [])}
    direct = {name.lower() for name in distributions} & {
        re.split(r"[<>=;\[ ]", line)[0] for line in _dependencies()
    }
    assert direct <= wanted


def _dependencies() -> list[str]:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def test_what_is_copied_is_there_and_let_through() -> None:
    ignore = (REPOSITORY / ".containerignore").read_text(encoding="utf-8").splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*)$", FILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (REPOSITORY / source).exists()
            assert f"!{source}" in ignore


def test_it_runs_as_nobody_special_and_tells_its_health() -> None:
    instructions = [line.split()[0] for line in FILE.splitlines() if re.match(r"[A-Z]+ ", line)]
    assert instructions.index("USER") < instructions.index("ENTRYPOINT")
    assert "HEALTHCHECK" in instructions
    (start,) = re.findall(r"^ENTRYPOINT (.*)$", FILE, re.MULTILINE)
    assert shlex.split(start.strip("[]").replace(",", "")) == ["digitcli", "serve", "--host", "0.0.0.0"]  # noqa: S104
