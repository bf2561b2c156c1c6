"""The JSON API: the same readings as everywhere, and nothing that anybody sends breaks it."""

import io
import json
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Command
from pens import strokes
from PIL import Image
from serving import Server, at_once, form, picture_of

from digitcli.datasets.strokes import MAX_POINTS, MAX_STROKES
from digitcli.preprocessing.image_files import decode
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.web import schemas
from digitcli.web.limits import LIMITS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL)


@pytest.mark.parametrize("digit", range(10))
def test_an_image_is_read_as_predict_reads_it(
    server: Server, digit: int, tmp_path: Path, recognizer: Recognizer
) -> None:
    content = picture_of(strokes(digit))
    status, told = server.read(content)
    assert (status, told["text"]) == (200, str(digit))
    assert told == {"file": None, **recognizer.read(decode(content, "").pixels).as_json()}


def test_answers_are_those_of_predict(server: Server, digitcli: Command, tmp_path: Path) -> None:
    photograph = REPOSITORY / "docs" / "images" / "note.jpg"
    said = digitcli("predict", photograph, "--json").json()
    status, told = server.read(*form(("note.jpg", photograph.read_bytes())))
    assert status == 200
    del said["image"], said["model"], said["detector"]
    assert told == {**said, "file": "note.jpg"}


def test_several_at_once(server: Server) -> None:
    files = [
        ("one.png", picture_of(strokes(1))),
        ("bad.png", b"no"),
        ("../../etc/two", picture_of(strokes(2))),
    ]
    status, told = server.read(*form(*files))
    assert status == 200
    assert [each.get("text") for each in told] == ["1", None, "2"]
    assert [each["file"] for each in told] == ["one.png", "bad.png", "two"]
    assert "not an image" in told[1]["error"]


def test_single(server: Server) -> None:
    pair = picture_of(strokes(1) + strokes(0, left=90))
    assert server.read(pair)[1]["text"] == "10"
    assert len(server.read(pair, query="?single=true")[1]["digits"]) == 1


@pytest.mark.parametrize("scale", [0.01, 1.0, 3000.0])
def test_strokes_of_any_scale(server: Server, scale: float) -> None:
    drawn = [[(x * scale, y * scale) for x, y in stroke] for stroke in strokes(7, left=5, top=2)]
    status, told = server.draw({"strokes": drawn})
    assert (status, told["text"]) == (200, "7")
    xs = [x for stroke in drawn for x, _ in stroke]
    x, _, width, _ = told["digits"][0]["box"]
    pen = 100 * scale * 0.08
    assert x == pytest.approx(min(xs) - pen / 2, abs=pen / 4)
    assert width == pytest.approx(max(xs) - min(xs) + pen, abs=pen / 2)


def test_drawings_together_and_as_one_digit(server: Server) -> None:
    two = strokes(1) + strokes(0, left=90)
    drawings = [{"strokes": strokes(digit)} for digit in range(10)] + [{"strokes": two}]
    status, told = server.draw(drawings)
    assert status == 200
    assert [each["text"] for each in told] == [*map(str, range(10)), "10"]
    assert len(server.draw({"strokes": two}, "?single=true")[1]["digits"]) == 1


@pytest.mark.parametrize("number", ["42", "20264", "20260727"])
def test_numbers_as_strokes_are_drawn_with_a_pen_that_suits_their_height(server: Server, number: str) -> None:
    drawn = [stroke for place, digit in enumerate(number) for stroke in strokes(int(digit), left=110 * place)]
    status, told = server.draw({"strokes": drawn})
    assert (status, told["text"]) == (200, number)
    assert told["digits"][0]["box"][3] == pytest.approx(100, abs=20)


def test_health_and_model(server: Server) -> None:
    assert server.get("/api/health") == (200, {"status": "ok"})
    status, told = server.get("/api/model")
    assert status == 200
    assert told["bytes"] == PRETRAINED_MODEL.stat().st_size
    assert (told["recipe"], told["corrections"], told["detector"]) == ("pretrained", False, "pretrained")


def bomb() -> bytes:
    """A PNG of 40,000 x 40,000 pixels in a few kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(5_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "kind", "query", "status", "words"),
    [
        (b"", "image/png", "", 422, "empty"),
        (b"hello", "image/png", "", 422, "not an image"),
        (picture_of(strokes(3))[:200], "image/png", "", 422, "cut off or damaged"),
        (bomb(), "image/png", "", 413, "64,000,000 pixels"),
        (b"x" * (16 << 20) + b"x", "image/png", "", 413, "16,777,216 bytes"),
        (b"GIF89a", "image/gif", "", 415, "image/png"),
        (b"a=b", "application/x-www-form-urlencoded", "", 415, "multipart/form-data"),
        (b"{", "application/json", "", 400, "JSON"),
        (b"{}", "application/json", "", 400, "strokes"),
        (b'{"strokes": [[[0, 1e9]]]}', "application/json", "", 400, "strokes.0.0.1"),
        (b'{"strokes": [[[0, NaN]]]}', "application/json", "", 400, ""),
        (b"[]", "application/json", "", 400, "no image"),
        (json.dumps([{"strokes": [[[0, 0]]]}] * 65).encode(), "application/json", "", 400, "65"),
        (b"--limit--\r\n", "multipart/form-data; boundary=limit", "", 400, "no image"),
        (b"no form", "multipart/form-data", "", 400, ""),
        (picture_of(strokes(3)), "image/png", "?single=perhaps", 422, "single"),
    ],
)
def test_what_is_refused(server: Server, body: bytes, kind: str, query: str, status: int, words: str) -> None:
    found, told = server.read(body, kind, query)
    assert (found, list(told)) == (status, ["error"])
    assert words in told["error"]
    assert "\n" not in told["error"]
    assert server.get("/api/health")[0] == 200


def test_too_many_points(server: Server) -> None:
    long = [[[x % 500, x % 400] for x in range(20_001)]]
    status, told = server.draw({"strokes": long})
    assert (status, list(told)) == (400, ["error"])


def test_no_such_path_and_no_such_method(server: Server) -> None:
    assert server.get("/api/nothing")[0] == 404
    assert server.get("/api/read")[0] == 405
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "//etc/passwd"):
        assert server.get(path)[0] == 404


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Host": "digits.example"}, "digits.example"),
        ({"Host": "127.0.0.1.digits.example:80"}, "expected a name of this machine"),
        ({"Host": "["}, "expected a name of this machine"),
        ({"Origin": "http://digits.example"}, "digits.example"),
        ({"Origin": "null"}, "null"),
    ],
)
def test_pages_and_names_of_elsewhere(server: Server, headers: dict[str, str], words: str) -> None:
    status, told = server.read(picture_of(strokes(1)), **headers)
    assert (status, list(told)) == (403, ["error"])
    assert words in told["error"]


def test_the_own_page_may(server: Server) -> None:
    assert server.read(picture_of(strokes(1)), Origin=server.address)[0] == 200
    assert server.get("/api/health", Host=f"localhost:{server.port}")[0] == 200


def test_a_body_without_a_length_is_counted(server: Server) -> None:
    connection = server.connection()
    connection.putrequest("POST", "/api/read")
    connection.putheader("Content-Type", "image/png")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(17):
            connection.send(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
        connection.send(b"0\r\n\r\n")
    except OSError:
        pass  # it has heard enough
    else:
        assert connection.getresponse().status == 413
    connection.close()
    assert server.get("/api/health")[0] == 200


def test_slow_clients_keep_nobody_waiting(server: Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for each in slow:
        each.sendall(b"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nab")
    assert server.read(picture_of(strokes(4)))[1]["text"] == "4"
    for each in slow:
        each.close()


def test_many_at_the_same_time(server: Server) -> None:
    """Each gets its own reading, not that of another."""
    wrong: list[object] = []

    def ask(digit: int) -> None:
        content = picture_of(strokes(digit))
        for _ in range(15):
            status, told = server.read(content)
            if (status, told.get("text")) != (200, str(digit)):
                wrong.append((digit, status, told))

    at_once(ask, 10)
    assert wrong == []


def test_damaged_images(server: Server) -> None:
    """Bytes changed at random are read or refused, never anything else."""
    chance = np.random.default_rng(0)
    seeds = []
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM"):
        file = io.BytesIO()
        Image.open(io.BytesIO(picture_of(strokes(5)))).save(file, kind)
        seeds.append(file.getvalue())
    for _ in range(300):
        content = bytearray(seeds[int(chance.integers(len(seeds)))])
        for _ in range(int(chance.integers(1, 9))):
            content[int(chance.integers(min(len(content), 400)))] = int(chance.integers(256))
        if chance.random() < 0.3:
            del content[int(chance.integers(len(content))) :]
        status, told = server.read(bytes(content))
        assert status in (200, 413, 422), told
    assert server.read(picture_of(strokes(5)))[1]["text"] == "5"


def test_the_description_of_the_bodies_comes_from_their_models(server: Server) -> None:
    status, description = server.get("/api/openapi.json")
    assert status == 200
    content = description["paths"]["/api/read"]["post"]["requestBody"]["content"]
    assert set(content) == set(schemas.BODY_TYPES)
    one, several = content["application/json"]["schema"]["anyOf"]
    assert one == several["items"] == {"$ref": "#/components/schemas/Drawing"}
    assert (several["minItems"], several["maxItems"]) == (1, LIMITS.request_images)
    strokes_field = description["components"]["schemas"]["Drawing"]["properties"]["strokes"]
    assert (strokes_field["minItems"], strokes_field["maxItems"]) == (1, MAX_STROKES)
    assert strokes_field["items"]["maxItems"] == MAX_POINTS
    form_schema = content["multipart/form-data"]["schema"]
    assert form_schema["required"] == ["image"]
    assert form_schema["properties"]["image"]["maxItems"] == LIMITS.request_images


def test_it_does_what_its_description_says(server: Server, tmp_path: Path) -> None:
    """Schemathesis sends what the description allows and what it does not, and checks the answers."""
    tool = Path(sys.executable).with_name("st")
    # what a binary file must hold, no description can say
    done = subprocess.run(
        [tool, "run", f"{server.address}/api/openapi.json", "--max-examples", "40", "--seed", "1",
         "--no-color", "--exclude-checks", "positive_data_acceptance"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
