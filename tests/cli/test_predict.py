import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Command, execute
from handwriting import page
from PIL import Image

from digitcli.datasets import Digits
from digitcli.recognition.pretrained import PRETRAINED_MODEL


@pytest.fixture
def folder(tmp_path: Path, few: Digits) -> Path:
    """A folder with images of several kinds, one deeper, and some that are none."""
    (tmp_path / "images" / "deeper").mkdir(parents=True)
    folder = tmp_path / "images"
    Image.fromarray(page(["42"], few)).save(folder / "a.png")
    Image.fromarray(page(["907"], few, seed=1)).convert("RGB").save(folder / "b.jpg", quality=90)
    Image.fromarray(page(["5"], few)).save(folder / "deeper" / "c.webp", lossless=True)
    (folder / "notes.txt").write_text("no image")
    return folder


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_as_json(digitcli: Command, folder: Path) -> None:
    outcome = digitcli("predict", "images", "--json")
    assert outcome.status == 0, outcome.stderr
    found = lines(outcome.stdout)
    assert [Path(each["file"]).name for each in found] == ["a.png", "b.jpg", "c.webp"]
    assert [each["text"] for each in found] == ["42", "907", "5"]
    assert [each["lines"] for each in found] == [["42"], ["907"], ["5"]]
    for each in found:
        with Image.open(folder.parent / each["file"]) as picture:
            assert each["image"] == list(picture.size)
    assert {each["model"] for each in found} == {"pretrained"}
    for digit in (digit for each in found for digit in each["digits"]):
        assert set(digit) == {"digit", "confidence", "box", "line", "probabilities"}
        assert digit["confidence"] == max(digit["probabilities"])
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert len(digit["box"]) == 4


def test_a_table_for_people(digitcli: Command, folder: Path) -> None:
    outcome = digitcli("predict", "images/a.png", "images/*.jpg")
    assert outcome.status == 0
    assert "42" in outcome.stdout
    assert "907" in outcome.stdout
    assert "Model: pretrained" in outcome.stderr
    assert digitcli("predict", "images/a.png", "--quiet").stderr == ""


def test_a_trained_model_goes_first(digitcli: Command, folder: Path, trained: Path) -> None:
    said = digitcli("predict", "images/a.png").stderr
    assert f"Model: {Path('artifacts/model.onnx')}" in said
    assert "pretrained model" not in said
    pretrained = digitcli("predict", "images/a.png", "--model", "pretrained").stderr
    assert "Model: pretrained" in pretrained


@pytest.mark.parametrize("recipe", ["best", "ensemble"])
def test_a_model_that_is_after_the_last_hundredth_on_mnist_says_so(
    digitcli: Command, folder: Path, trained: Path, recipe: str
) -> None:
    record = json.loads((trained / "run.json").read_text())
    accuracy = record["test"]["accuracy"]
    assert accuracy > 0.9
    record["recipe"]["name"] = recipe
    (trained / "run.json").write_text(json.dumps(record))
    said = digitcli("predict", "images/a.png").stderr
    words = (
        f"Note: {recipe} is trained on sample alone ({accuracy:.2%} of its test images); the pretrained model"
    )
    assert words in said
    assert "Note:" not in digitcli("predict", "images/a.png", "--model", "pretrained").stderr


def test_standard_input(folder: Path, tmp_path: Path) -> None:
    content = (folder / "b.jpg").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "digitcli", "predict", "-", "--json"],
        input=content, capture_output=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["file"] == "-"
    assert json.loads(done.stdout)["text"] == "907"


def test_unreadable_files_do_not_keep_others_from_being_read(
    digitcli: Command, folder: Path, few: Digits
) -> None:
    whole = io.BytesIO()
    Image.fromarray(page(["88"], few)).save(whole, "PNG")
    (folder / "cut.png").write_bytes(whole.getvalue()[:300])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("hello")
    (folder.parent / "none").mkdir()
    arguments = ["images/a.png", "images/cut.png", "images/empty.png", "images/text.png", "absent.png",
                 "none", "nothing*.png", "images/b.jpg"]  # fmt: skip
    outcome = digitcli("predict", *arguments, "--json")
    assert outcome.status == 3
    found = lines(outcome.stdout)
    assert [each.get("text") for each in found] == ["42", *[None] * 6, "907"]
    errors = " / ".join(each["error"] for each in found[1:-1])
    for words in ("cut.png: cut off", "empty.png: empty", "text.png: not an image", "absent.png: cannot be",
                  "none: no images in it", "nothing*.png: no file"):  # fmt: skip
        assert words in errors
    outcome = digitcli("predict", *arguments)
    assert outcome.status == 3
    assert outcome.stderr.count("Error: ") == 6
    assert "907" in outcome.stdout


def test_blank_images_say_nothing(digitcli: Command, tmp_path: Path) -> None:
    Image.new("L", (200, 100), 230).save(tmp_path / "blank.png")
    (found,) = lines(digitcli("predict", "blank.png", "--json").stdout)
    assert found == {
        "file": "blank.png", "image": [200, 100], "text": "", "lines": [], "digits": [], "symbols": [],
        "model": "pretrained", "detector": "pretrained",
    }  # fmt: skip
    assert "nothing written" in digitcli("predict", "blank.png").stdout


def test_annotated_copies(digitcli: Command, folder: Path, few: Digits) -> None:
    Image.fromarray(page(["3"], few)).save(folder / "deeper" / "a.png")
    outcome = digitcli("predict", "images", "--annotate", "copies")
    assert outcome.status == 0
    names = sorted(path.name for path in (folder.parent / "copies").iterdir())
    assert names == ["a-read-2.png", "a-read.png", "b-read.png", "c-read.png"]
    copy = np.asarray(Image.open(folder.parent / "copies" / "a-read.png"))
    original = np.asarray(Image.open(folder / "a.png"))
    coloured = (copy.max(axis=2).astype(int) - copy.min(axis=2)) > 40
    assert coloured.sum() > 100  # boxes and words
    assert copy.shape[1] % original.shape[1] == 0
    (folder.parent / "file").write_text("")
    outcome = digitcli("predict", "images", "--annotate", "file")
    assert outcome.status == 2


def test_copies_never_replace_what_is_read(digitcli: Command, folder: Path) -> None:
    shutil.copy(folder / "a.png", folder / "a-read.png")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for _ in range(2):
        assert digitcli("predict", "images/a.png", "images/a-read.png", "--annotate", "images").status == 0
        assert {name: (folder / name).read_bytes() for name in before} == before


def test_patterns_with_two_stars_name_each_file_once(digitcli: Command, folder: Path) -> None:
    found = lines(digitcli("predict", "images/**", "--json").stdout)
    assert sorted(Path(each["file"]).name for each in found) == ["a.png", "b.jpg", "c.webp"]


def test_single_takes_all_for_one_digit(digitcli: Command, folder: Path) -> None:
    (found,) = lines(digitcli("predict", "images/a.png", "--single", "--json").stdout)
    assert len(found["digits"]) == 1


def test_missing_and_unfit_models(digitcli: Command, folder: Path) -> None:
    outcome = digitcli("predict", "images", "--model", "absent.onnx")
    assert outcome.status == 4
    assert "absent.onnx: no such model" in outcome.stderr
    outcome = digitcli("predict", "images", "--model", "images/notes.txt")
    assert outcome.status == 3
    assert "notes.txt: not an ONNX model" in outcome.stderr


def test_a_detector_finds_the_digits(digitcli: Command, folder: Path, few: Digits) -> None:
    Image.fromarray(page(["3141", "592"], few)).save(folder / "d.png")
    outcome = digitcli(
        "predict", "images/a.png", "images/b.jpg", "images/d.png", "--detector", "pretrained", "--json"
    )
    assert outcome.status == 0, outcome.stderr
    assert "Detector: pretrained" in outcome.stderr
    found = lines(outcome.stdout)
    assert [each["text"] for each in found] == ["42", "907", "3141\n592"]
    rules = lines(digitcli("predict", "images/d.png", "--detector", "none", "--json").stdout)[0]
    for digit, other in zip(found[2]["digits"], rules["digits"], strict=True):
        assert np.allclose(digit["box"], other["box"], atol=12)
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-3)


def test_a_detector_tells_digits_from_words(digitcli: Command, folder: Path, few: Digits) -> None:
    words = np.full((160, 700), 255, np.uint8)
    for row, text in enumerate(("Handwritten digits are read", "and the words above them", "are left out")):
        cv2.putText(words, text, (20, 40 + 45 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 2, cv2.LINE_AA)
    written = page(["3141", "592"], few)
    written = np.pad(written, ((0, 0), (0, 700 - written.shape[1])), constant_values=255)
    Image.fromarray(np.vstack([words, written])).save(folder / "d.png")
    outcome = digitcli("predict", "images/d.png", "--json")
    assert "Detector: pretrained" in outcome.stderr
    (found,) = lines(outcome.stdout)
    assert found["detector"] == "pretrained"
    outcome = digitcli("predict", "images/d.png", "--detector", "none", "--json")
    assert "Detector" not in outcome.stderr
    (rules,) = lines(outcome.stdout)
    assert "detector" not in rules
    assert len(found["text"]) < len(rules["text"])


def test_signs_are_listed_and_written_on_demand(digitcli: Command, folder: Path, few: Digits) -> None:
    Image.fromarray(page(["-42.5"], few, seed=3)).save(folder / "signs.png")
    command = ("predict", "images/signs.png")
    (plain,) = lines(digitcli(*command, "--json").stdout)
    assert plain["text"] == "425"
    assert sorted(each["symbol"] for each in plain["symbols"]) == ["decimal", "minus"]
    assert {each["line"] for each in plain["symbols"]} == {0}
    (written,) = lines(digitcli(*command, "--symbols", "--json").stdout)
    assert (written["text"], written["lines"]) == ("-42.5", ["-42.5"])
    assert "symbols left out" in " ".join(digitcli(*command).stdout.split())
    assert "-42.5" in digitcli(*command, "--symbols").stdout
    for option in (["--detector", "none"], ["--single"]):
        outcome = digitcli(*command, "--symbols", *option)
        assert outcome.status == 2
        assert f"--symbols: a detector finds signs on pages; found {' '.join(option)}" in outcome.stderr


def test_missing_and_unfit_detectors(digitcli: Command, folder: Path) -> None:
    outcome = digitcli("predict", "images", "--detector", "absent.onnx")
    assert outcome.status == 4
    assert "absent.onnx: no such detector; train one with: digitcli train --config detector" in outcome.stderr
    outcome = digitcli("predict", "images", "--detector", PRETRAINED_MODEL)
    assert outcome.status == 3
    assert "is no detector" in outcome.stderr
    outcome = digitcli("predict", "images", "--detector", "pretrained", "--single")
    assert outcome.status == 2
    assert "--detector: it finds digits on pages" in outcome.stderr


def test_a_folder_that_is_named_and_has_no_model_is_told(digitcli: Command, folder: Path) -> None:
    for command in (["predict", folder], ["evaluate", "--data", "sample"], ["export"]):
        outcome = digitcli(*command, "--artifacts", "runs/tpyo")
        assert "Note: runs/tpyo holds no model.onnx" in outcome.stderr
    assert (
        "Note:"
        not in digitcli("evaluate", "--data", "sample", "--artifacts", "x", "--model", "pretrained").stderr
    )
    outcome = digitcli("predict", folder, "--model", folder)
    assert (outcome.status, "is a folder; expected a model file" in outcome.stderr) == (4, True)


def test_an_empty_name_is_not_the_folder_one_is_in(digitcli: Command, folder: Path) -> None:
    outcome = digitcli("predict", "")
    assert outcome.status == 3
    assert "found an empty name" in outcome.stderr


def test_a_closed_output_is_no_reason_for_a_traceback(folder: Path) -> None:
    command = f"{sys.executable} -m digitcli predict --single {folder}"
    for closed, status in ((">&-", 0), ("2>&-", 0)):
        result = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, text=True)
        assert "Traceback" not in result.stderr
        assert result.returncode == status


def test_tensorflow_stays_out(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom digitcli.cli.app import run\nstatus = run(['predict', 'images', '--json'])\n"
        "print(sorted({'tensorflow', 'keras', 'tf2onnx', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    assert execute("-c", code, cwd=tmp_path).stderr.splitlines()[-1] == "[]"
