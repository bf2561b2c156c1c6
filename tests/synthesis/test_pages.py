"""Generated pages: what is on them, what is labelled, and that the same seed draws the same."""

import numpy as np
import pytest

from digitcli.config.detector import PATCH
from digitcli.config.marks import LETTER, MARKS
from digitcli.datasets import Dataset, Digits
from digitcli.errors import DataError
from digitcli.synthesis.pages import KINDS, Page, draw_page, fonts, marks
from digitcli.synthesis.pages.patches import (
    CLEAR,
    DOUBTFUL,
    MOST_MARKS,
    draw_examples,
    label_rows,
)

WITHOUT_DIGITS = ("close-up", "no digits", "things")


@pytest.fixture(scope="module")
def library(sample: Dataset) -> marks.Library:
    few: Digits = sample.test.part(0, 200)
    return marks.build(few, 0, marks.sized(0.01))


def page(library: marks.Library, kind: str, seed: int, side: int = 160) -> Page:
    return draw_page(library, kind, side, side, np.random.default_rng(seed), 30.0)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_fit_the_picture(library: marks.Library, kind: str) -> None:
    digits = 0
    for seed in range(12):
        drawn = page(library, kind, seed)
        assert drawn.image.shape == (160, 160, 3)
        assert drawn.image.dtype == drawn.digit_ink.dtype == np.uint8
        for label in (*drawn.labels, *drawn.doubtful):
            x, y, width, height = label.box
            assert x >= 0
            assert y >= 0
            assert x + width <= 160
            assert y + height <= 160
            assert 0 <= label.kind < len(MARKS)
        digits += len(drawn.digits)
        for label in drawn.digits:
            x, y, width, height = map(int, label.box)
            assert drawn.digit_ink[y : y + height, x : x + width].max() > 100
    assert (digits == 0) == (kind in WITHOUT_DIGITS)


def test_ink_of_digits_lies_in_boxes_of_digits(library: marks.Library) -> None:
    for seed in range(20):
        drawn = page(library, "signs", seed)
        outside = drawn.digit_ink.copy()
        for label in (*drawn.labels, *drawn.doubtful):
            if label.kind < 10:
                x, y, width, height = map(int, label.box)
                outside[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2] = 0
        # what is barely to be seen at the edge has no label
        assert (outside > 200).mean() < 0.02


def test_pages_have_signs_and_letters(library: marks.Library) -> None:
    found = {MARKS[label.kind] for seed in range(40) for label in page(library, "signs", seed).labels}
    assert {"decimal", "minus", "slash", "plus", "equals", "colon", "other"} <= found
    assert any(label.kind == LETTER for label in page(library, "letters", 1).labels)
    in_tables = {label.kind for seed in range(6) for label in page(library, "table", seed).labels}
    assert LETTER in in_tables
    assert set(range(10)) <= in_tables


def test_the_same_seed_draws_the_same(library: marks.Library) -> None:
    seeds = [(3, 20, 1, place) for place in range(6)]
    one, other = draw_examples(library, seeds), draw_examples(library, seeds[::-1])
    for name in ("grey", "chroma", "ink", "marks"):
        assert np.array_equal(getattr(one, name), getattr(other, name)[::-1])
    assert len({each.tobytes() for each in one.grey}) == 6


def test_examples_hold_what_pages_tell(library: marks.Library) -> None:
    examples = draw_examples(library, [(0, 20, 1, place) for place in range(40)])
    assert examples.grey.shape == (40, PATCH, PATCH)
    assert examples.chroma.shape == examples.ink.shape == (40, PATCH // 2, PATCH // 2)
    assert examples.marks.shape == (40, MOST_MARKS, 6)
    states = examples.marks[:, :, 5]
    assert set(np.unique(states)) <= {0, CLEAR, DOUBTFUL}
    assert not (states[:, 1:] > 0)[states[:, :-1] == 0].any()  # one after the other
    assert examples.chroma.max() > 20  # some are coloured


def test_no_page_has_more_marks_than_asked(library: marks.Library) -> None:
    drawn = draw_page(library, "letters", 400, 400, np.random.default_rng(0), 14.0, most=25)
    assert 10 < len(label_rows(drawn)) <= 25


def test_marks_that_are_held_out_are_others(sample: Dataset) -> None:
    few: Digits = sample.test.part(0, 100)
    known, held_out = (marks.build(few, 0, marks.sized(0.01), held_out=each) for each in (False, True))
    others = len(known.scripts) - len(held_out.scripts)
    assert (
        len(known.hands) - len(held_out.hands) == 20 + others
    )  # the packaged writers, and handwriting fonts
    names = [{font.name for font in fonts.FONTS if font.is_held_out == each} for each in (False, True)]
    assert not names[0] & names[1]
    assert len(held_out.faces) == 2
    assert len(held_out.scripts) == 3


def test_every_font_has_its_licence() -> None:
    for font in fonts.FONTS:
        licence = (fonts.FOLDER / f"{font.name.removesuffix('-bold')}-LICENSE.txt").read_text()
        assert "SIL OPEN FONT LICENSE" in licence.upper()
    size = sum(path.stat().st_size for path in fonts.FOLDER.iterdir())
    assert size < 1_000_000


def test_a_font_that_is_missing_is_named(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FOLDER", tmp_path)
    with pytest.raises(DataError, match=r"caveat\.woff2: cannot be read as a font .*reinstall"):
        fonts.load(fonts.Font("caveat"), 20)


def test_a_mark_is_drawn_with_any_pen(sample: Dataset) -> None:
    from digitcli.synthesis.pages.sheet import Sheet

    mark = marks.from_strokes([np.array([[0.0, 0.0], [0.0, 1.0]])])
    for half_width in (0.6, 2.0, 6.0):
        sheet = Sheet(100, 100)
        layer = sheet.add_layer((0.0, 0.0, 0.0))
        sheet.stamp(layer, mark, np.eye(2) * 1.5, np.array([50.0, 50.0]), half_width, 1)
        _, _, width, height = sheet.labels[0].box
        assert width == pytest.approx(2 * half_width, abs=1.2)
        assert height == pytest.approx(1.5 * marks.BOX + 2 * half_width, abs=2.5)
