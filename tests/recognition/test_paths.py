"""The best way through a line's candidates, and which of them matter for it."""

import numpy as np
import pytest
from handwriting import page

from digitcli import Recognizer
from digitcli.datasets import Digits
from digitcli.models.onnx_classifier import OnnxClassifier
from digitcli.preprocessing.mnist_form import Images
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.rules.pages import Page
from digitcli.recognition.rules.paths import Candidate, affects_reading, best_path
from digitcli.recognition.rules.segmentation import Segment

INK = np.full((10, 5), 255, np.uint8)
CUT_IN_THREE = [Segment(5 * place, 0, INK, is_cut_off=place > 0) for place in range(3)]
WAYS = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]


def candidates(costs: list[float]) -> list[Candidate]:
    return [
        Candidate(first, last, (5 * first, 0, 5 * (last - first), 10), cost)
        for (first, last), cost in zip(WAYS, costs, strict=True)
    ]


def rows(likely: list[float]) -> np.ndarray:
    return np.array([[each] + [(1 - each) / 9] * 9 for each in likely], np.float32)


@pytest.mark.parametrize(
    ("likely", "ways"),
    [
        ([0.9, 0.9, 0.9, 0.2, 0.2, 0.2], [(0, 1), (1, 2), (2, 3)]),
        ([0.2, 0.9, 0.9, 0.2, 0.9, 0.1], [(0, 1), (1, 3)]),
        ([0.9, 0.2, 0.9, 0.95, 0.2, 0.2], [(0, 2), (2, 3)]),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.9], [(0, 3)]),
    ],
)
def test_the_likeliest_way_covers_the_line(likely: list[float], ways: list[tuple[int, int]]) -> None:
    path = best_path(candidates([0.0] * 6), rows(likely))
    assert [WAYS[number] for number in path] == ways


def test_what_speaks_against_a_candidate_counts() -> None:
    likely = rows([0.5, 0.5, 0.5, 0.2, 0.2, 0.5])
    assert len(best_path(candidates([0.0] * 6), likely)) == 1
    assert len(best_path(candidates([0.0] * 5 + [3.0]), likely)) == 3


def test_of_no_candidates_there_is_no_way() -> None:
    assert best_path([], np.zeros((0, 10), np.float32)) == []
    assert affects_reading([], [], np.zeros((0, 10), np.float32)).shape == (0,)


def test_ways_near_the_best_and_whole_marks_are_in_question() -> None:
    costs = [0.0, 0.0, 0.0, 5.0, 1.0, 9.0]
    found = affects_reading(CUT_IN_THREE, candidates(costs), rows([0.9] * 6))
    assert dict(zip(WAYS, found.tolist(), strict=True)) == {
        (0, 1): True,
        (1, 2): True,
        (2, 3): True,
        (0, 2): False,  # 5 worse than the best
        (1, 3): True,
        (0, 3): True,  # the mark before it was cut, however unlikely
    }


def test_a_number_is_read_as_if_all_were_looked_at_again_with_fewer_looks(
    few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    texts = ["".join(random.choice(list("0123456789"), 4)) for _ in range(20)]
    pages = [page([text], few, gap=-2, seed=seed) for seed, text in enumerate(texts)]
    seen: list[int] = []
    once = OnnxClassifier.predict

    def counted(self: OnnxClassifier, images: Images) -> np.ndarray:
        seen.append(len(images))
        return once(self, images)

    monkeypatch.setattr(OnnxClassifier, "predict", counted)
    reader = Recognizer.load(PRETRAINED_MODEL, detector="none")
    readings = [reading.text for reading in reader.read_many(pages)]
    looks, seen[:] = sum(seen), []
    monkeypatch.setattr(Page, "affects_reading", lambda self, rows: np.ones(len(rows), bool))
    assert readings == [reading.text for reading in reader.read_many(pages)]
    assert looks < 0.6 * sum(seen)
