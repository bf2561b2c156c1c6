"""One report from the real command line, looked at from all sides; others, of few images, from Python."""

import base64
import json
import shutil
import signal
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import forkserver
import numpy as np
import pytest
from conftest import Command, Outcome, execute, once
from jinja2 import UndefinedError

from digitcli.datasets import Dataset
from digitcli.evaluation import report, robustness
from digitcli.evaluation.corruptions import CORRUPTIONS
from digitcli.evaluation.metrics import wilson_interval
from digitcli.evaluation.report.page import templates, training
from digitcli.models import load
from digitcli.models.model_files import describe
from digitcli.recognition.pretrained import PRETRAINED_MODEL

VOID = ("img", "meta")  # elements without an end tag
EVIL = "<img src=x onerror=alert(1)>&\"'.npz"
SCRIPT = "</pre><script>alert(1)</script>"
COMMAND = (
    "import sys\nfrom digitcli.cli.app import run\nstatus = run(sys.argv[1:])\n"
    "print(sorted({'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules)), status)"
)


class Page(HTMLParser):
    """What is in a page, and whether its elements are closed as they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="session")
def made(
    trained_once: tuple[Path, Outcome], sample: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Outcome]:
    """Report on a model and data whose names and records mean harm; return where and what was said."""

    def make(folder: Path) -> Outcome:
        shutil.copytree(trained_once[0], folder / "<b>mine")
        run = json.loads((folder / "<b>mine" / "run.json").read_text())
        run["recipe"]["description"] = SCRIPT
        run["packages"] = ["not", "an", "object"]
        run["\ud800"] = "\x00half a character"
        (folder / "<b>mine" / "run.json").write_text(json.dumps(run))
        np.savez(folder / "few.npz", x=sample.test.images[:50], y=sample.test.labels[:50])
        (folder / "few.npz").rename(folder / EVIL)
        arguments = ["evaluate", "--model", "<b>mine/model.onnx", "--data", "sample", "--data", EVIL]
        return execute("-c", COMMAND, *arguments, "--report", "out/card", cwd=folder)

    return once(tmp_path_factory, "report", make)


@pytest.fixture(scope="module")
def page(made: tuple[Path, Outcome]) -> Page:
    return Page((made[0] / "out" / "card" / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def figures(made: tuple[Path, Outcome]) -> dict[str, Any]:
    return json.loads((made[0] / "out" / "card" / "report.json").read_text())


@pytest.mark.slow
def test_the_command_says_what_it_wrote_and_needs_no_tensorflow(made: tuple[Path, Outcome]) -> None:
    folder, outcome = made
    assert outcome.stderr == ""
    assert outcome.stdout.splitlines()[-2:] == ["Report: report.html, report.json in out/card", "[] 0"]
    assert {path.name for path in (folder / "out" / "card").iterdir()} == {"report.html", "report.json"}
    assert json.loads((folder / "artifacts" / "metrics.json").read_text())["data"] == "sample"


def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    for _, attributes in page.elements:
        assert not {"onerror", "onload", "onclick", "srcset", "action"} & set(attributes)
        for name, value in attributes.items():
            assert "http:" not in value
            assert "https:" not in value
            if name == "href":
                assert value.startswith("#")
            if name == "src":
                assert value.startswith("data:image/png;base64,")
    assert page.all("script", "link", "iframe", "object", "base", "form", "b") == []
    policies = [each["content"] for each in page.all("meta") if "http-equiv" in each]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_names_and_records_are_text(page: Page) -> None:
    assert EVIL in page.text
    assert "Model: <b>mine/model.onnx" in page.text
    assert page.text.count(SCRIPT) == 2  # as a fact, and in all of run.json
    assert "\ufffdhalf" not in page.text  # JSON has its own way to write a control character
    assert "\x00" not in page.text


def test_the_page_is_whole_and_for_everybody(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [each["href"].removeprefix("#") for each in page.all("a")] == ids
    assert all(each["scope"] in ("col", "row", "colgroup") for each in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) >= 5
    assert all(each["alt"] for each in page.all("img"))
    for each in page.all("img"):
        content = base64.b64decode(each["src"].partition(",")[2], validate=True)
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert min(picture.shape) >= 28
    assert len(page.all("img")) >= 3 + 15 * 5


def test_every_figure_of_the_page_is_in_the_json(page: Page, figures: dict[str, Any]) -> None:
    (model,) = figures["models"]
    first = figures["sources"][0]["evaluations"][0]
    prepared, as_they_are = (model["robustness"][way] for way in ("prepared", "as_they_are"))
    shown = (first["accuracy"], *first["accuracy_ci95"], prepared["mean"], as_they_are["mean"])
    for share in (*shown, first["calibration_error"]):
        assert f"{share:.2%}" in page.text
    for way in (prepared, as_they_are):
        for row in way["corruptions"]:
            assert all(f"{accuracy:.1%}" in page.text for accuracy in row["accuracy"])
    assert f"{model['parameters']:,} parameters" in page.text
    assert f"{model['milliseconds_an_image']:.2f} ms" in page.text


def test_sources(figures: dict[str, Any]) -> None:
    results = [source["evaluations"][0] for source in figures["sources"]]
    assert [(each["data"], each["n"]) for each in results] == [("sample", 500), (EVIL, 50), ("mnist", 10_000)]
    for source, result in zip(figures["sources"], results, strict=True):
        hits = round(result["accuracy"] * result["n"])
        assert result["accuracy_ci95"] == pytest.approx(wilson_interval(hits, result["n"]))
        assert len(source["mistakes"]) == result["n"] - hits
        assert all(each["label"] != each["read"] for each in source["mistakes"])
        assert sum(each["count"] for each in source["reliability"]) == result["n"]
        assert source["comparison"] is None


def test_robustness(figures: dict[str, Any]) -> None:
    for way in figures["models"][0]["robustness"].values():
        assert [row["corruption"] for row in way["corruptions"]] == [
            corruption.name for corruption in CORRUPTIONS
        ]
        assert (way["n"], len(way["corruptions"][0]["accuracy"])) == (robustness.ROBUSTNESS.images, 5)
        first, last = (np.mean([row["accuracy"][place] for row in way["corruptions"]]) for place in (0, 4))
        assert way["uncorrupted"] > 0.9
        assert way["uncorrupted"] + 0.01 > first > way["mean"] > last > 0.3
    ways = figures["models"][0]["robustness"]
    shift = CORRUPTIONS.index(next(corruption for corruption in CORRUPTIONS if corruption.name == "shift"))
    prepared, as_they_are = (
        ways[way]["corruptions"][shift]["accuracy"][4] for way in ("prepared", "as_they_are")
    )
    assert prepared > 0.9 > as_they_are  # a shift is just what preparing undoes
    for flips in figures["flips"].values():
        assert [each["corruption"] for each in flips] == [corruption.name for corruption in CORRUPTIONS]
        for each in flips:
            least = each["first"]["severity"] if each["first"] else 5
            assert 0 < least <= (each["tenth_severity"] or 5) <= (each["median_severity"] or 5) <= 5


def test_size_and_training(made: tuple[Path, Outcome], page: Page, figures: dict[str, Any]) -> None:
    (model,) = figures["models"]
    assert model["bytes"] == (made[0] / "<b>mine" / "model.onnx").stat().st_size
    assert 10_000 < model["parameters"] <= model["run"]["parameters"]
    assert model["run"]["recipe"]["name"] == "ci"
    for words in ("Recipe", "sample, ", "training images", "Training time", "All of run.json"):
        assert words in page.text


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(robustness.ROBUSTNESS, images=20, flipped_images=10)
    monkeypatch.setattr(robustness, "ROBUSTNESS", few)
    monkeypatch.setattr("digitcli.evaluation.report.card.STANDARD", "sample")


def card_of(*paths: Path, source: str = "sample") -> report.Card:
    models = [report.EvaluatedModel(str(path), path, load(path)) for path in paths]
    return report.make(models, report.evaluate_source(models, source), [], lambda words: None)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        times = ("seconds", "milliseconds_an_image", "images_a_second", "made")
        return {key: without_times(each) for key, each in value.items() if key not in times}
    return [without_times(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_two_models_in_a_report_that_comes_out_alike_twice(trained: Path, tmp_path: Path) -> None:
    card = card_of(trained / "model.onnx", PRETRAINED_MODEL)
    report.write(card, tmp_path / "out")
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [model["name"] for model in found["models"]] == [
        str(trained / "model.onnx"),
        str(PRETRAINED_MODEL),
    ]
    for source in found["sources"]:
        assert len(source["evaluations"]) == 2
        assert source["comparison"]["is_real"]
        assert str(source["comparison"]["only_second_right"]) in page.text
    words = card.sources[0].pair.in_words(*card.names)
    assert f"{PRETRAINED_MODEL} reads better" in words
    assert words in page.text
    assert "comparison" in [attributes.get("id") for _, attributes in page.elements]
    again = card_of(trained / "model.onnx", PRETRAINED_MODEL).as_json()
    assert without_times(again) == without_times(card.as_json())


@pytest.mark.parametrize(
    "record",
    [None, "not ours", "[1]", "\xff", '{"recipe": {"epochs": NaN}}', '{"a":' * 100_000, '{"other": 1}', "{}"],
)
def test_whatever_lies_beside_a_model_does_no_harm(tmp_path: Path, record: str | None) -> None:
    shutil.copy(PRETRAINED_MODEL, tmp_path)
    if record is not None:
        (tmp_path / "run.json").write_bytes(record.encode("latin-1"))
    run = describe(tmp_path / "model.onnx").run
    assert run == ({"other": 1} if record == '{"other": 1}' else {} if record == "{}" else None)
    words = Page(training(run)).text
    assert ("Not known: there is no run.json" if run is None else "not as digitcli train writes it") in words


def test_any_value_in_a_run_json_can_be_shown() -> None:
    run = json.loads((PRETRAINED_MODEL.parent / "run.json").read_text())
    assert "55,000 training images" in Page(training(run)).text
    for strange in (None, True, "x" * 10_000, [[]], {"name": {"a": 1}, "processor": []}, -1e300, 10**400):
        for key in run:
            Page(training({**run, key: strange}))
            Page(training({**run, key: dict.fromkeys(("name", "epochs", "training", "train"), strange)}))


def shown(source: str, **values: Any) -> str:
    return templates.from_string(f'{{% from "macros.html.j2" import digit, table %}}{source}').render(values)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert shown('<p title="{{ a }}">{{ b }}{{ c }}</p>', a='"q"', b="a < b", c=3) == (
        '<p title="&#34;q&#34;">a &lt; b3</p>'
    )
    assert shown("<p>{{ a }}</p>", a="\x07 \udcc3 \r é \n\t") == "<p>\ufffd \ufffd \ufffd é \n\t</p>"
    found = shown('{{ table(a, ["a", "b"], [["x", "<i>"], ["\x00", digit("y", a)]]) }}', a="'c'<")
    assert 'aria-label="&#39;c&#39;&lt;"' in found
    assert "<td>&lt;i&gt;</td>" in found
    assert '<th scope="row">\ufffd</th><td><img src="y" alt="&#39;c&#39;&lt;"' in found
    with pytest.raises(UndefinedError):
        shown("{{ unknown }}")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--data", "sample", "--data", "mnist"], 2, "--data mnist: a second source without --report"),
        (["--report", "taken"], 2, "cannot write to the report folder taken"),
        (["--report", "taken/in"], 2, "name a folder of your own with --report"),
        (["--report", "full"], 2, "report.html is a folder"),
        (["--report", "out", "--model", "taken"], 3, "taken: not an ONNX model"),
        (["--report", "out", "--data", "no.npz"], 3, "no.npz: no such file"),
        (["--report", "out", "--data", "train.npz"], 3, "train.npz: "),
        (["--report", "out", "--model", "none.onnx"], 4, "none.onnx: no such model"),
    ],
)
def test_errors(
    digitcli: Command, tmp_path: Path, sample: Dataset, arguments: list[str], status: int, words: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "full" / "report.html").mkdir(parents=True)
    np.savez(tmp_path / "train.npz", x_train=sample.test.images[:5], y_train=sample.test.labels[:5])
    outcome = digitcli("evaluate", *arguments)
    assert outcome.status == status
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "out" / "report.html").exists()


def test_ctrl_c_leaves_the_report_before_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("of before")
    process = forkserver.start("evaluate", "--data", "sample", "--report", "out", cwd=tmp_path)
    while not (tmp_path / "artifacts" / "metrics.json").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert (tmp_path / "out" / "report.html").read_text() == "of before"
