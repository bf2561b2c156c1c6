"""Pages with a canvas, without a browser: the same readings as in a window, whatever else goes on."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pens import strokes
from serving import Server, at_once
from websockets.exceptions import ConnectionClosed, InvalidStatus

from digitcli.canvas.canvas_reading import read
from digitcli.canvas.events import Event, drawn
from digitcli.canvas.session import Session, play
from digitcli.datasets.strokes import Drawing
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("served"), "--collect", "corrections.jsonl") as running:
        yield running


def drawing(digit: int, left: float = 0.0) -> list[Event]:
    """The events that draw a digit."""
    events = list(drawn(Drawing(strokes=strokes(digit, left=left))))
    return [event for event in events if event.do not in ("keep", "clear")]


@pytest.mark.parametrize("digit", range(10))
def test_the_same_readings_as_in_a_window(server: Server, digit: int) -> None:
    recognizer = Recognizer.load(PRETRAINED_MODEL, detector="none")
    session = Session(lambda snapshot: read(recognizer, snapshot))
    events = drawing(digit)
    keep = Event(t=100.0, do="keep")
    (kept,) = play(session, [*events, keep])
    with server.live() as page:
        page.tell(events)
        state = page.settled()
    assert (state["text"], state["words"]) == (str(digit), kept.words)
    for found, expected in zip(state["digits"], kept.reading.as_json()["digits"], strict=True):
        assert found["box"] == expected["box"]
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)


def test_what_the_network_sees(server: Server) -> None:
    with server.live() as page:
        page.tell([*drawing(3), Event(t=9.0, do="explain")])
        state = page.settled()
    assert [len(form) for form in state["forms"]] == [1048]  # 784 bytes in base 64
    assert len(state["saliency"]) == 1


def test_undo_redo_erase_and_clear_tell_what_is_drawn(server: Server) -> None:
    with server.live() as page:
        page.tell(drawing(7))
        assert page.settled()["text"] == "7"
        page.tell([Event(t=5.0, do="undo")])
        state = page.settled()
        assert (state["strokes"], state["text"], state["undo"], state["redo"]) == ([], "", False, True)
        page.tell([Event(t=5.1, do="redo")])
        state = page.settled()
        assert (len(state["strokes"]), state["text"]) == (1, "7")
        x, y = state["strokes"][0]["points"][5]
        page.tell([Event(t=5.2, do="erase", x=x, y=y), Event(t=5.3, do="up")])
        assert sum(len(each["points"]) for each in page.settled()["strokes"]) < 80
        page.tell([Event(t=6.0, do="clear")])
        state = page.settled()
        assert (state["strokes"], state["text"], state["digits"]) == ([], "", [])


def test_modes(server: Server) -> None:
    with server.live() as page:
        page.tell([Event(t=1.0, do="mode"), *drawing(7)])
        assert page.settled()["mode"] == "one digit"
        page.tell([Event(t=5.0, do="mode")])
        state = page.settled()
        assert (state["mode"], state["single"], state["text"]) == ("number", False, "7")


def test_corrections_are_collected(server: Server) -> None:
    with server.live() as page:
        page.tell([*drawing(1), Event(t=8.0, do="correct", to=7)])
        state = page.settled()
    (line,) = (server.folder / "corrections.jsonl").read_text().splitlines()
    assert json.loads(line)["label"] == 7
    assert "Noted as a 7" in state["message"]


def test_corrections_are_not_kept_unless_told(tmp_path: Path) -> None:
    with Server(tmp_path) as server, server.live() as page:
        page.tell([*drawing(1), Event(t=8.0, do="correct", to=7)])
        assert "Not kept" in page.settled()["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("no JSON", "JSON"),
        ('{"do": "up"}', "array"),
        ('[{"t": 0, "do": "fly"}]', "do"),
        ('[{"t": 0, "do": "move", "x": 1e9, "y": 0}]', "x"),
        ('[{"t": 0, "do": "save"}]', "not for pages"),
        ('[{"t": 0, "do": "quit"}]', "not for pages"),
        (json.dumps([{"t": 0, "do": "up"}] * 2001), "2,000"),
    ],
)
def test_what_no_page_sends(server: Server, sent: str, words: str) -> None:
    with server.live() as page:
        page.socket.send(sent)
        with pytest.raises(ConnectionClosed) as closed:
            page.socket.recv(10)
    assert closed.value.rcvd.code == 1008
    assert words in closed.value.rcvd.reason


def test_messages_without_end(server: Server) -> None:
    with server.live() as page, pytest.raises(ConnectionClosed) as closed:
        # the last part is too much: what came after it might meet a closed connection, and the reason be lost
        page.socket.send(iter(["[" + " " * 65_000] + [" " * 65_000] * 4))
        page.socket.recv(10)
    assert closed.value.rcvd.code == 1009


def test_events_without_end(server: Server) -> None:
    with server.live() as page:
        ups = json.dumps([{"t": 0, "do": "up"}] * 2000)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(40):
                page.socket.send(ups)
            while True:
                page.socket.recv(10)
    assert (closed.value.rcvd.code, "events a second" in closed.value.rcvd.reason) == (1008, True)


def test_pages_of_elsewhere(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused, server.live(origin="http://digits.example"):
        pass
    assert refused.value.response.status_code == 403
    with server.live(origin=server.address) as page:
        page.tell(drawing(2))
        assert page.settled()["text"] == "2"


def test_many_pages_at_the_same_time(server: Server) -> None:
    """Each gets its own readings, newer ones after older ones, the last one of all that it drew."""
    wrong: list[object] = []

    def draw(number: int) -> None:
        with server.live() as page:
            for digit in ((number + step) % 10 for step in range(3)):
                events = [Event(t=0.0, do="clear"), *drawing(digit)]
                for first in range(0, len(events), 5):
                    page.tell(events[first : first + 5])
                if page.settled()["text"] != str(digit):
                    wrong.append((digit, page.states[-1]["text"]))
            seen = [state["events"] for state in page.states]
            if seen != sorted(seen):
                wrong.append(seen)

    at_once(draw, 20)
    assert wrong == []


def test_a_page_that_goes_away_leaves_nothing_behind(server: Server) -> None:
    for _ in range(50):
        with server.live() as page:
            page.tell(drawing(8))
            page.socket.socket.shutdown(socket.SHUT_RDWR)  # without a word
    with server.live() as page:
        page.tell(drawing(8))
        assert page.settled()["text"] == "8"
