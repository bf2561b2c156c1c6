"""Silence: no command opens a socket to the network, looks a name up, or leaves files where none belong.

Each command runs in a fresh interpreter with an empty home. What Python code does is seen by an audit hook;
what C++ code does, of ONNX Runtime and TensorFlow, only by strace, where that is installed.

One trace is allowed: Matplotlib's list of fonts in its own cache below the home. Without it every command
with a picture would search the fonts anew: half a second with the 22 fonts of a container, several seconds
with the hundreds of a desktop.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, execute

STRACE = shutil.which("strace")
OF_MATPLOTLIB = (".cache/matplotlib", ".config/matplotlib")  # below the home

# Runs in the fresh interpreter: notes in a file whatever must not happen, then does what it is told.
WATCHED = r"""
import os, runpy, socket, sys

_, log, allowed, *arguments = sys.argv
allowed = allowed.split(os.pathsep)
noted = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
UNIX = getattr(socket, "AF_UNIX", None)
LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
TALK = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
MAKE = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}  # and which argument is what is made
WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def elsewhere(path):
    if isinstance(path, int):
        return False
    path = os.path.realpath(os.fsdecode(path))
    inside = any(path == folder or path.startswith(folder + os.sep) for folder in allowed)
    return not inside and not any(folder.startswith(path + os.sep) for folder in allowed)

def watch(event, details):
    bad = (
        event in LOOK_UPS
        or (event == "socket.__new__" and details[1] != UNIX)
        or (event in TALK and isinstance(details[1], tuple))
        or (event in MAKE and elsewhere(details[MAKE[event]]))
        or (event == "open" and (details[2] or 0) & WRITE and elsewhere(details[0]))
    )
    if bad:
        os.write(noted, f"{event} {details!r}\n".encode())

sys.addaudithook(watch)
if arguments[0] == "-c":
    exec(arguments[1])
else:
    sys.argv = ["digitcli", *arguments]
    runpy.run_module("digitcli", run_name="__main__", alter_sys=True)
"""
Run = Callable[..., list[str]]


class Place:
    """A folder to work in, an empty home, and a folder for temporary files, all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.work, self.home, self.temporary = (self.folder / name for name in ("work", "home", "temporary"))
        for each in (self.work, self.home, self.temporary):
            each.mkdir()
        self.allowed = [
            self.work,
            self.temporary,
            *(self.home / name for name in OF_MATPLOTLIB),
            *map(Path, ("/dev", "/proc")),  # no files; threads write their names there
        ]

    @property
    def environment(self) -> dict[str, str]:
        names = ("PATH", "PYTHONPATH", "LANG", "SYSTEMROOT", "VIRTUAL_ENV")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        home = {"HOME": str(self.home), "USERPROFILE": str(self.home), "TMPDIR": str(self.temporary)}
        home["XDG_CACHE_HOME"] = str(self.home / ".cache")
        # Python's own cache of what it has compiled says nothing of the commands
        return {**kept, **home, "PYTHONDONTWRITEBYTECODE": "1"}

    def is_allowed(self, path: str) -> bool:
        resolved = Path(os.path.realpath(self.work / path))
        inside = any(resolved.is_relative_to(folder) for folder in self.allowed)
        return inside or any(folder.is_relative_to(resolved) for folder in self.allowed)  # the way there

    def left_at_home(self) -> list[str]:
        """Return the files, and the empty folders, that are below the home, apart from Matplotlib's."""
        found = [path for path in self.home.rglob("*") if path.is_file() or not any(path.iterdir())]
        return [str(path) for path in found if not self.is_allowed(str(path))]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    # `trained` fills tmp_path / "artifacts"; a folder beside it is this test's alone
    (tmp_path / "place").mkdir()
    place = Place(tmp_path / "place")
    (place.work / "seven.jsonl").write_text(
        json.dumps({"label": 7, "strokes": [[[10, 10], [60, 10], [30, 80]]]}) + "\n"
    )
    shutil.copy(REPOSITORY / "docs" / "images" / "note.jpg", place.work / "note.jpg")
    return place


def watched(place: Place, *arguments: str) -> list[str]:
    """Run under the audit hook; return what must not happen and did."""
    log = place.folder / "noted.txt"
    allowed = os.pathsep.join(map(str, place.allowed))
    outcome = execute("-c", WATCHED, log, allowed, *arguments, cwd=place.work, environment=place.environment)
    assert outcome.status == 0, outcome.stderr
    return log.read_text(encoding="utf-8").splitlines() + place.left_at_home()


def traced(place: Place, *arguments: str) -> list[str]:
    """Run under strace; return what must not happen and did, in any thread or process."""
    log = place.folder / "strace.txt"
    outcome = execute(
        "-c",
        "import os, sys; os.execv(sys.argv[1], sys.argv[1:])",
        *(STRACE, "-f", "-qq", "-s", "4096", "-o", log),
        *("-e", "trace=network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2"),
        *(sys.executable, "-m", "digitcli", *arguments),
        cwd=place.work,
        environment=place.environment,
    )
    assert outcome.status == 0, outcome.stderr
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    assert len(lines) > 100  # strace does see what happens
    return [line for line in lines if _is_bad(place, line)] + place.left_at_home()


def _is_bad(place: Place, line: str) -> bool:
    call = line.partition(" ")[2].lstrip()  # after the process's number
    if "AF_INET" in call or "resolv.conf" in call:
        return True
    if not re.search(r"O_WRONLY|O_RDWR|O_CREAT|^creat|^mkdir|^rename", call) or re.search(r"= -1 E", call):
        return False
    written = re.findall(r'"([^"]*)"', call)
    return bool(written) and not place.is_allowed(written[-1])


COMMANDS = {
    "predict": ["predict", "note.jpg", "--json"],
    "train": ["train", "--config", "ci", "--epochs", "1", "--quiet"],
    "draw": ["draw", "--replay", "seven.jsonl", "--headless", "--fast"],
    "evaluate": ["evaluate", "--data", "sample"],
    "plot": ["plot"],
    "export": ["export", "--format", "onnx", "--format", "litert", "--format", "saved-model"],
}


@pytest.mark.parametrize("name", ["predict", "train", "draw"])
def test_commands_that_need_no_run_are_silent(name: str, place: Place) -> None:
    assert watched(place, *COMMANDS[name]) == []


@pytest.mark.parametrize("name", ["evaluate", "plot", "export"])
def test_commands_that_take_a_run_up_are_silent(name: str, place: Place, trained: Path) -> None:
    shutil.copytree(trained, place.work / "artifacts")
    assert watched(place, *COMMANDS[name]) == []


@pytest.mark.skipif(not STRACE, reason="needs strace")
@pytest.mark.parametrize("name", ["predict", pytest.param("train", marks=pytest.mark.slow)])
def test_libraries_are_silent(name: str, place: Place) -> None:
    assert traced(place, *COMMANDS[name]) == []


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.__new__"),
        ("socket.socket(socket.AF_INET6)", "socket.__new__"),
        ("socket.getaddrinfo('localhost', 80)", "socket.getaddrinfo"),
        ("socket.gethostbyname('localhost')", "socket.gethostbyname"),
        ("open(os.path.expanduser('~/settings.json'), 'w')", "open"),
        ("os.mkdir(os.path.expanduser('~/.settings'))", "os.mkdir"),
    ],
)
def test_what_is_not_silent_is_noticed(code: str, event: str, place: Place) -> None:
    assert [line.split()[0] for line in watched(place, "-c", code)][:1] == [event]
    assert (
        watched(place, "-c", "socket.socket(socket.AF_UNIX); open('here.txt', 'w')")[1:]
        == place.left_at_home()
    )


@pytest.mark.skipif(not STRACE, reason="needs strace")
def test_what_is_not_silent_is_noticed_in_a_trace(place: Place) -> None:
    for line in (
        "7 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3",
        '7 openat(AT_FDCWD, "/etc/resolv.conf", O_RDONLY|O_CLOEXEC) = 3',
        f'7 openat(AT_FDCWD, "{place.home}/id", O_WRONLY|O_CREAT, 0666) = 3',
        f'7 mkdir("{place.home}/.cache/Microsoft", 0777) = 0',
        f'7 rename("a", "{place.home}/a") = 0',
    ):
        assert _is_bad(place, line)
    for line in (
        "7 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        '7 openat(AT_FDCWD, "a", O_WRONLY|O_CREAT, 0666) = 3',
        '7 openat(AT_FDCWD, "/usr/lib/x.so", O_RDONLY|O_CLOEXEC) = 3',
        f'7 mkdir("{place.home}/.cache/matplotlib", 0777) = 0',
        f'7 mkdir("{place.home}/.keras", 0777) = -1 EACCES (Permission denied)',
    ):
        assert not _is_bad(place, line)
