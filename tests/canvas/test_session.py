import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Command, execute
from hypothesis import given, settings
from hypothesis import strategies as st
from pens import strokes

from digitcli.artifacts import CORRECTIONS
from digitcli.canvas.canvas import CANVAS, SIDE, next_brush
from digitcli.canvas.canvas_reading import CanvasReading, Snapshot, read, seems_single
from digitcli.canvas.corrections import Corrections
from digitcli.canvas.events import Event, Recording, drawn, load
from digitcli.canvas.saliency import occlusion_saliency
from digitcli.canvas.session import Mode, Session, play
from digitcli.datasets.strokes import Drawing, parse
from digitcli.errors import DataError, DigitcliError, OptionError
from digitcli.preprocessing.mnist_form import to_mnist_form
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.reading import Reading
from digitcli.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(PRETRAINED_MODEL, detector="none")


@pytest.fixture
def session(tmp_path: Path, recognizer: Recognizer) -> Session:
    return Session(
        lambda snapshot: read(recognizer, snapshot),
        drawings=tmp_path / "artifacts" / "drawings",
        corrections=tmp_path / "artifacts" / "corrections.jsonl",
    )


def do(session: Session, *actions: str, to: float | None = None) -> None:
    for action in actions:
        session.handle(Event(t=0, do=action, to=to))


def draw(session: Session, digit: int, **place: float) -> None:
    for stroke in strokes(digit, **({"left": 180, "top": 120, "height": 260} | place)):
        for number, (x, y) in enumerate(stroke):
            session.handle(Event(t=0, do="move" if number else "pen", x=x, y=y))
        do(session, "up")


def words(session: Session) -> str:
    session.refresh()
    return session.canvas_reading.in_words if session.canvas_reading else ""


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_read(session: Session, digit: int) -> None:
    draw(session, digit)
    assert words(session) == str(digit)
    assert session.canvas_reading.single
    (form,) = session.canvas_reading.forms
    assert form.shape == (28, 28)
    (found,) = session.canvas_reading.reading.digits
    x, y, width, height = found.box
    assert 160 < x < 200
    assert 100 < y < 130
    assert 240 < height < 310
    assert width < 330


def test_a_number_is_found_by_itself_with_a_box_for_each_digit(session: Session) -> None:
    do(session, "brush", to=10)
    for place, digit in enumerate((4, 0, 7)):
        draw(session, digit, left=40 + 150 * place, top=180, height=110)
    assert words(session) == "407"
    assert not session.canvas_reading.single
    boxes = [digit.box for digit in session.canvas_reading.reading.digits]
    assert [round((x - 40) / 150) for x, *_ in boxes] == [0, 1, 2]
    assert len(session.canvas_reading.forms) == 3
    do(session, "mode")
    assert session.mode == Mode.ONE
    session.refresh()
    assert len(session.canvas_reading.reading.digits) == 1
    do(session, "mode")
    assert session.mode == Mode.NUMBER
    assert words(session) == "407"


def test_what_looks_like_one_digit_and_is_none_is_read_as_a_number(session: Session) -> None:
    do(session, "brush", to=10)
    for left, top, digit in ((100, 80, 3), (210, 80, 8), (320, 80, 7), (155, 280, 2), (265, 280, 0)):
        draw(session, digit, left=left, top=top, height=90)  # no gap goes through both lines
    first = session.snapshot()
    assert first.single
    session.accept(session.read(first))
    assert session.canvas_reading.in_words == "not a digit"
    assert session.needs_reading
    session.refresh()
    assert session.canvas_reading.reading.text == "387\n20"
    assert not session.canvas_reading.single
    session.handle(Event(t=0, do="correct", to=4))
    assert "one digit alone" in session.message


def test_what_is_no_number_either_stays_one_mark_and_can_be_corrected(session: Session) -> None:
    rounds = 0
    read_once = session.read

    def counted(snapshot: Snapshot) -> CanvasReading:
        nonlocal rounds
        rounds += 1
        return read_once(snapshot)

    session.read = counted
    for turn in range(2):
        random = np.random.default_rng(turn)
        for action in "pen", *["move"] * 25:
            x, y = random.uniform(100, 400, 2)
            session.handle(Event(t=0, do=action, x=x, y=y))
        do(session, "up")
    assert words(session) == "not a digit"
    assert (session.canvas_reading.single, rounds) == (True, 2)
    do(session, "explain")
    session.refresh()
    do(session, "mode", "mode")  # a number, whatever it looks like
    assert session.mode == Mode.NUMBER
    session.refresh()
    assert not session.canvas_reading.single
    do(session, "mode")
    session.refresh()
    assert not session.needs_reading
    session.handle(Event(t=0, do="correct", to=5))
    assert session.message.startswith("Noted as a 5")


def test_an_empty_canvas_reads_nothing_and_a_scribble_is_no_digit(session: Session) -> None:
    assert words(session) == ""
    assert session.handle(Event(t=0, do="keep")) is None
    assert session.message == "Nothing to keep yet"
    random = np.random.default_rng(1)
    session.handle(Event(t=0, do="pen", x=256, y=256))
    for x, y in random.uniform(60, 450, (25, 2)):
        session.handle(Event(t=0, do="move", x=x, y=y))
    do(session, "up")
    assert words(session) == "not a digit"
    assert session.canvas_reading.confidence is None
    do(session, "clear")
    assert words(session) == ""
    do(session, "undo")
    assert words(session) == "not a digit"


def test_what_is_kept(session: Session) -> None:
    draw(session, 3)
    kept = session.handle(Event(t=0, do="keep"))
    assert kept.words == "3"
    assert 0.5 < kept.confidence <= 1
    assert session.last() is None  # it is what was kept
    draw(session, 8, left=20)
    do(session, "clear")
    assert session.last() is None
    draw(session, 8)
    assert session.last().words == "8"
    assert [each.words for each in session.kept] == ["3"]


def test_late_readings_of_what_is_gone_are_not_taken(session: Session) -> None:
    draw(session, 3)
    assert session.needs_reading
    old = session.snapshot()
    do(session, "clear")
    assert not session.needs_reading
    draw(session, 8)
    session.accept(CanvasReading(old.version, old.single, False, Reading("3", ()), ()))
    assert session.canvas_reading is None
    session.refresh()
    session.accept(CanvasReading(old.version, old.single, False, Reading("3", ()), ()))
    assert session.canvas_reading.in_words == "8"


def test_saving_writes_picture_and_strokes(session: Session, tmp_path: Path, digitcli: Command) -> None:
    draw(session, 5)
    do(session, "save", "save")
    found = sorted((tmp_path / "artifacts" / "drawings").iterdir())
    assert [path.suffix for path in found] == [".jsonl", ".png"] * 2
    assert str(found[-1].with_suffix("")) in session.message
    (line,) = found[0].read_text().splitlines()
    assert len(parse(line, "here").strokes) == len(strokes(5))
    assert json.loads(line)["read"] == "5"
    outcome = digitcli("predict", *found[1::2], "--json", "--model", PRETRAINED_MODEL)
    assert [json.loads(each)["text"] for each in outcome.stdout.splitlines()] == ["5", "5"]


def test_corrections_are_added_and_the_last_can_be_corrected(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "artifacts" / CORRECTIONS
    file.parent.mkdir()
    file.write_text('{"label": 1, "strokes": [[[1, 2]]]}\nhalf a li')
    do(session, "correct", to=7)
    assert session.message.startswith("Draw first")
    draw(session, 2)
    do(session, "correct", to=7)
    assert str(file) in session.message
    do(session, "correct", to=2)
    draw(session, 4, left=20, height=100)
    do(session, "clear")
    draw(session, 9)
    do(session, "correct", to=9)
    lines = file.read_text().splitlines()
    assert lines[:2] == ['{"label": 1, "strokes": [[[1, 2]]]}', "half a li"]
    drawings = [parse(line, "here") for line in lines[2:]]
    assert [drawing.label for drawing in drawings] == [2, 9]
    assert json.loads(lines[2])["read"] == "2"


def test_numbers_cannot_be_corrected(session: Session, tmp_path: Path) -> None:
    do(session, "brush", to=10)
    draw(session, 4, left=40, height=110)
    draw(session, 7, left=300, height=110)
    do(session, "correct", to=7)
    assert "one digit" in session.message
    assert not (tmp_path / "artifacts" / CORRECTIONS).exists()


def test_a_folder_that_cannot_be_written_is_told_and_drawing_goes_on(
    tmp_path: Path, recognizer: Recognizer
) -> None:
    (tmp_path / "artifacts").write_text("a file")
    session = Session(
        lambda snapshot: read(recognizer, snapshot),
        drawings=tmp_path / "artifacts" / "drawings",
        corrections=tmp_path / "artifacts" / "corrections.jsonl",
    )
    draw(session, 6)
    do(session, "save")
    assert session.message.startswith("Not saved: ")
    assert "artifacts" in session.message
    do(session, "correct", to=6)
    assert session.message.startswith("Not saved: ")
    assert words(session) == "6"
    do(session, "clear")
    draw(session, 2)
    assert words(session) == "2"


def test_a_line_that_is_not_the_last_any_more_stays(tmp_path: Path) -> None:
    file = tmp_path / CORRECTIONS
    mine = Corrections(file)
    mine.add([[[1, 2]]], 3, "8")
    Corrections(file).add([[[5, 6]]], 4, "9")
    assert not mine.take_back()
    assert [json.loads(line)["label"] for line in file.read_text().splitlines()] == [3, 4]
    with pytest.raises(DigitcliError, match="cannot be written"):
        Corrections(tmp_path / CORRECTIONS / "no folder").add([[[1, 2]]], 3, "")


def test_faces_can_tell_what_was_read_again(session: Session) -> None:
    """A drawing of the same version is read twice where the mode or the explanation changes."""
    draw(session, 3)
    first = session.read(session.snapshot())
    again = session.read(session.snapshot())
    assert (first, True) != (again, True)
    assert (first, True) == (first, True)


def test_the_heat_map_finds_where_the_ink_counts(session: Session, recognizer: Recognizer) -> None:
    draw(session, 7)
    do(session, "explain")
    session.refresh()
    (saliency,) = session.canvas_reading.saliency
    (form,) = session.canvas_reading.forms
    assert saliency.shape == (28, 28)
    assert np.abs(saliency).max() <= 1.0001
    assert saliency.max() > 0.3
    # what speaks most for it is where there is ink, not in the corners
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert form[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5].any()
    blank = occlusion_saliency(recognizer.classifier, np.zeros((28, 28), np.uint8))
    assert np.abs(blank).max() < 1e-6


def test_of_touching_digits_the_very_forms_that_were_classified_are_shown(
    session: Session, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut anew from their boxes, they would show parts of their neighbours."""
    classified = set()
    predict = recognizer.classifier.predict

    def noted(images: np.ndarray) -> np.ndarray:
        classified.update(image.tobytes() for image in images)
        return predict(images)

    do(session, "brush", to=12)
    do(session, "mode", "mode")
    for place, digit in enumerate((4, 2, 7)):
        draw(session, digit, left=60 + 68 * place, top=190, height=110)
    drawn_pixels = session.snapshot().foreground
    assert (
        cv2.connectedComponents((drawn_pixels > 50).astype(np.uint8))[0] == 1 + 1
    )  # background and one blob
    monkeypatch.setattr(recognizer.classifier, "predict", noted)
    assert words(session) == "427"
    monkeypatch.undo()
    canvas_reading = session.canvas_reading
    for digit, form in zip(canvas_reading.reading.digits, canvas_reading.forms, strict=True):
        assert form.tobytes() in classified
        assert np.array_equal(form, digit.form)
        assert predict(form[np.newaxis])[0].argmax() == digit.digit
        x, y, width, height = digit.box
        anew = to_mnist_form(np.pad(drawn_pixels[y : y + height, x : x + width], 40))
        assert not np.array_equal(form, anew)
    do(session, "explain")
    session.refresh()
    explained = session.canvas_reading
    assert len(explained.saliency) == 3
    for form, saliency in zip(explained.forms, explained.saliency, strict=True):
        assert np.array_equal(saliency, occlusion_saliency(recognizer.classifier, form))


def test_brushes_and_the_eraser(session: Session) -> None:
    assert next_brush(CANVAS.usual_brush, 1) > CANVAS.usual_brush > next_brush(CANVAS.usual_brush, -1)
    assert next_brush(next_brush(1e9, 1), 1) == next_brush(1e9, 1)
    draw(session, 1)
    do(session, "eraser")
    x, y = strokes(1, left=180, top=120, height=260)[0][-1]
    session.handle(Event(t=0, do="pen", x=x, y=y))
    do(session, "up")
    assert session.canvas.hit(x, y) is None
    do(session, "undo", "eraser")
    assert session.canvas.hit(x, y) is not None


@settings(max_examples=50)
@given(st.integers(0, 9), st.floats(0, 300), st.floats(40, 200))
def test_one_digit_seems_single(digit: int, left: float, height: float) -> None:
    from digitcli.canvas.canvas import Canvas

    canvas = Canvas()
    canvas.load(strokes(digit, left=left, height=height), height / 8)
    assert seems_single(canvas.strokes)
    wide = strokes(digit, left=0, height=height) + strokes(1, left=2.2 * height, height=height)
    canvas.load(wide, height / 8)
    assert not seems_single(canvas.strokes)


# recordings


def test_a_recording_replays_to_the_same_readings(tmp_path: Path, recognizer: Recognizer) -> None:
    path = tmp_path / "r.jsonl"
    first = Session(lambda snapshot: read(recognizer, snapshot))
    with Recording(path) as recording:

        def act(**what: object) -> None:
            event = Event(t=0.5, **what)
            first.handle(event)
            recording.add(event)

        for digit in (2, 9):
            act(do="brush", to=30)
            for stroke in strokes(digit, left=100, top=90, height=300):
                for number, (x, y) in enumerate(stroke):
                    act(do="move" if number else "pen", x=x, y=y)
                act(do="up")
            act(do="erase", x=5, y=5)
            act(do="up")
            act(do="keep")
            act(do="clear")
        act(do="quit")
    damaged: list[DataError] = []
    second = Session(lambda snapshot: read(recognizer, snapshot))
    kept = list(play(second, load(path, damaged)))
    assert [(each.words, each.reading) for each in kept] == [(k.words, k.reading) for k in first.kept]
    assert [each.words for each in kept] == ["2", "9"]
    assert not damaged
    assert second.is_over
    with pytest.raises(OptionError, match="is there already"):
        Recording(path)
    with pytest.raises(OptionError, match="cannot be written"):
        Recording(tmp_path / "no folder" / "r.jsonl")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"t": 0, "do": "pen", "x": NaN, "y": 3}', "x"),
        ('{"t": 0, "do": "pen", "x": 1e9, "y": 3}', "x"),
        ('{"t": 0, "do": "pen"}', "expects x and y"),
        ('{"t": 0, "do": "up", "x": 3, "y": 3}', "expects no x and y"),
        ('{"t": -1, "do": "up"}', "t"),
        ('{"t": 0, "do": "dance"}', "do"),
        ('{"t": 0, "do": "correct", "to": 12}', "0 to 9"),
        ('{"t": 0, "do": "correct"}', "0 to 9"),
        ('{"t": 0, "do": "brush", "to": -4}', "units"),
        ("half a", "JSON"),
    ],
)
def test_damaged_lines_are_named_and_the_others_played(
    tmp_path: Path, recognizer: Recognizer, line: str, problem: str
) -> None:
    path = tmp_path / "r.jsonl"
    with Recording(path) as recording:
        for event in drawn(Drawing(strokes=strokes(4))):
            recording.add(event)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], line, *lines[5:]]))
    damaged: list[DataError] = []
    session = Session(lambda snapshot: read(recognizer, snapshot))
    assert [each.words for each in play(session, load(path, damaged))] == ["4"]
    (error,) = damaged
    assert f"{path}: line 6: " in str(error)
    assert problem in str(error)


def test_a_replay_writes_nothing(tmp_path: Path, recognizer: Recognizer) -> None:
    session = Session(lambda snapshot: read(recognizer, snapshot))
    draw(session, 3)
    do(session, "save")
    do(session, "correct", to=3)
    assert not (tmp_path / "a").exists()


# the command, without a window


def test_strokes_read_as_evaluate_reads_them(digitcli: Command, tmp_path: Path) -> None:
    lines = [json.dumps({"label": digit, "strokes": strokes(digit, height=h)}) for digit in range(10)
             for h in (0.5, 700)]  # fmt: skip
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    outcome = digitcli("draw", "--replay", "mine.jsonl", "--headless", "--fast", "--json")
    assert outcome.status == 0, outcome.stderr
    read = [json.loads(line) for line in outcome.stdout.splitlines()]
    right = sum(each["text"] == str(place // 2) for place, each in enumerate(read))
    evaluated = digitcli("evaluate", "--data", "mine.jsonl", "--json").json()
    assert len(read) == evaluated["n"] == 20
    assert right / 20 == pytest.approx(evaluated["accuracy"], abs=0.051)
    assert set(read[0]["digits"][0]) == {"digit", "confidence", "box", "line", "probabilities"}


def test_words_for_people_and_status_for_damage(digitcli: Command, tmp_path: Path) -> None:
    good = json.dumps({"strokes": strokes(6)})
    (tmp_path / "some.jsonl").write_text(f'{good}\n{{"strokes": [[[NaN, 1]]]}}\n{good}\n')
    outcome = digitcli("draw", "--replay", "some.jsonl", "--headless", "--fast")
    assert outcome.status == 3
    assert [line.split()[0] for line in outcome.stdout.splitlines()] == ["6", "6"]
    assert "some.jsonl: line 2: " in outcome.stderr
    for content, problem in (("", "nothing in it"), (None, "cannot be read")):
        path = tmp_path / "other.jsonl"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        outcome = digitcli("draw", "--replay", "other.jsonl", "--headless", "--fast")
        assert outcome.status == 3
        assert problem in outcome.stderr
    assert digitcli("draw", "--headless").status == 2
    assert digitcli("draw", "--fast").status == 2
    assert digitcli("draw", "--replay", "some.jsonl", "--headless", "--record", "x").status == 2
    assert digitcli("draw", "--replay", "some.jsonl", "--headless", "--model", "no.onnx").status == 4
    (tmp_path / "bad.onnx").write_text("no model")
    assert digitcli("draw", "--replay", "some.jsonl", "--headless", "--model", "bad.onnx").status == 3


def test_in_real_time_it_takes_its_time(digitcli: Command, tmp_path: Path) -> None:
    import time

    path = tmp_path / "r.jsonl"
    with Recording(path) as recording:
        for event in drawn(Drawing(strokes=strokes(4)), start=1.2):
            recording.add(event)
    seconds = []
    for more in (["--fast"], []):
        start = time.perf_counter()
        assert digitcli("draw", "--replay", "r.jsonl", "--headless", *more).stdout.startswith("4")
        seconds.append(time.perf_counter() - start)
    assert seconds[1] - seconds[0] > 0.8


def test_tensorflow_stays_out(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text(json.dumps({"strokes": strokes(6)}))
    code = (
        "import sys\nfrom digitcli.cli.app import run\n"
        "status = run(['draw', '--replay', 'some.jsonl', '--headless', '--fast'])\n"
        "heavy = {'tensorflow', 'keras', 'tf2onnx', 'matplotlib', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)), status, file=sys.stderr)"
    )
    assert execute("-c", code, cwd=tmp_path).stderr.splitlines()[-1] == "[] 0"


def test_snapshots_are_not_changed_by_drawing_on(session: Session) -> None:
    draw(session, 3)
    snapshot: Snapshot = session.snapshot()
    before = snapshot.foreground.copy()
    draw(session, 8, left=20)
    assert np.array_equal(snapshot.foreground, before)
    assert snapshot.foreground.shape == (SIDE, SIDE)
