import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from digitcli import Recognizer
from digitcli.datasets import Digits
from digitcli.errors import InputError, MissingError, ModelError
from digitcli.recognition.pretrained import PRETRAINED_DETECTOR, PRETRAINED_MODEL


@pytest.fixture
def recognizer(trained: Path) -> Recognizer:
    return Recognizer.load(trained / "model.onnx")


def test_probabilities_for_any_number_of_images(recognizer: Recognizer, few: Digits) -> None:
    together = recognizer.classify(few.images)
    assert together.shape == (300, 10)
    assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([recognizer.classify(image[np.newaxis]) for image in few.images])
    assert np.allclose(together, one_by_one, atol=1e-5)
    assert recognizer.classify(few.images[:0]).shape == (0, 10)


def test_the_word_pretrained_stands_for_the_models_that_come_along() -> None:
    by_name = Recognizer.load("pretrained", detector="pretrained")
    by_file = Recognizer.load(PRETRAINED_MODEL, detector=PRETRAINED_DETECTOR)
    page = np.full((40, 60), 255, np.uint8)
    cv2.putText(page, "7", (15, 32), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    assert by_name.read(page) == by_file.read(page)
    assert by_name.read(page).text == "7"


def test_single_digits_and_drawings_load_no_page_reader() -> None:
    code = (
        "import sys, digitcli; digitcli.Recognizer.load('pretrained', detector='none')\n"
        "print(*(m for m in sys.modules if 'page_reader' in m or 'pydantic' in m or m.endswith('detector')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_single_mark_that_is_surely_a_digit_needs_no_detector() -> None:
    code = (
        "import sys, cv2, numpy as np, digitcli\n"
        "from digitcli.datasets import load_split\n"
        "reader = digitcli.Recognizer.load('pretrained', detector='pretrained')\n"
        "test = load_split('sample').test\n"
        "one = 255 - test.images[test.labels == 7][0]\n"
        "paper = np.full((60, 120), 255, np.uint8)\n"
        "turns = np.array([[10 + 10 * k, 10 + 40 * (k % 2)] for k in range(9)])\n"
        "scribble = cv2.polylines(paper, [turns], False, 0, 3)\n"
        "for image in (one, scribble):\n"
        "    print(reader.read(image).text, 'digitcli.recognition.page_reader' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "7 False\n True\n"


def test_read_says_what_digits_says(recognizer: Recognizer, few: Digits) -> None:
    right = 0
    for image, label in zip(few.images[:100], few.labels[:100], strict=True):
        reading = recognizer.read(image, single=True)
        (digit,) = reading.digits
        assert reading.text == ("" if digit.digit is None else str(digit.digit))
        assert (digit.digit is None) == (digit.confidence < recognizer.threshold)
        assert digit.confidence == max(digit.probabilities)
        assert sum(digit.probabilities) == pytest.approx(1, abs=1e-5)
        right += digit.digit == label
    assert right >= 90


def test_a_large_dark_on_bright_drawing_is_read_too(recognizer: Recognizer, few: Digits) -> None:
    def photographed(image: np.ndarray) -> np.ndarray:
        return np.pad(
            240 - np.kron(image, np.ones((5, 5), np.uint8)) // 2, ((90, 20), (30, 160)), mode="edge"
        )

    read = [each.text for each in recognizer.read_many(map(photographed, few.images[:100]), single=True)]
    assert np.mean([text == str(label) for text, label in zip(read, few.labels[:100], strict=True)]) >= 0.9


def test_blank_images_have_no_text(recognizer: Recognizer) -> None:
    assert recognizer.read(np.full((64, 64), 200, np.uint8)).text == ""


@pytest.mark.parametrize(
    "image",
    [np.zeros((28, 28)), np.zeros((28, 28, 2), np.uint8), np.zeros((0, 28), np.uint8), [[0]],
     np.zeros((1, 20_000), np.uint8), np.zeros(28, np.uint8)],
)  # fmt: skip
def test_unfit_images_are_refused(recognizer: Recognizer, image: object) -> None:
    with pytest.raises(InputError, match="expected"):
        recognizer.read(image)


def test_unfit_batches_are_refused(recognizer: Recognizer) -> None:
    with pytest.raises(InputError, match=r"\(2, 20, 20\)"):
        recognizer.classify(np.zeros((2, 20, 20), np.uint8))


def test_threads_share_a_recognizer(recognizer: Recognizer, few: Digits) -> None:
    expected, found = recognizer.classify(few.images), []

    def work() -> None:
        found.extend(np.allclose(recognizer.classify(few.images), expected, atol=1e-5) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_load_finds_the_model_of_this_folder(
    trained: Path, monkeypatch: pytest.MonkeyPatch, few: Digits
) -> None:
    monkeypatch.chdir(trained.parent)
    assert Recognizer.load().classifier.path == Path("artifacts/model.onnx")
    shutil.rmtree(trained)
    pretrained = Recognizer.load()  # the one in the package
    assert pretrained.classifier.path.parent.name == "pretrained"
    assert pretrained.read(few.images[0], single=True).text == str(few.labels[0])
    with pytest.raises(MissingError, match=r"other\.onnx: no such model; .*digitcli train"):
        Recognizer.load("other.onnx")


def test_files_that_are_no_digit_reader(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ModelError, match=r"text\.onnx: not an ONNX model"):
        Recognizer.load(tmp_path / "text.onnx")
    vector = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", vector[:1], vector[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, tmp_path / "relu.onnx")
    with pytest.raises(ModelError, match=r"relu\.onnx: takes .* expected one input \(N, 28, 28, 1\)"):
        Recognizer.load(tmp_path / "relu.onnx")


def test_reading_needs_no_tensorflow(trained: Path) -> None:
    code = (
        "import sys, numpy, digitcli\n"
        "digitcli.Recognizer.load('model.onnx').read(numpy.eye(28, dtype='uint8') * 255)\n"
        "print(sorted({'tensorflow', 'keras', 'tf2onnx', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=trained, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
