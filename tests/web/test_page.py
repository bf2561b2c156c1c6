"""The page in a real browser: drawn with mouse and touch, read from the page what a person would."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BROWSER, REPOSITORY
from pens import strokes
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocketRoute, expect, sync_playwright
from screen import wait_for
from serving import Server, picture_of

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("served"), "--collect", "corrections.jsonl") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, server: Server, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**(PHONE if request.param == "phone" else {}))
    opened = context.new_page()
    wrong: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and "status of 422" not in said.text:  # the server's refusal
            wrong.append(said.text)

    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", hear)
    opened.on(
        "request",
        lambda sent: None if sent.url.startswith((server.address, "blob:")) else wrong.append(sent.url),
    )
    opened.goto(server.address)
    expect(opened.locator("#model")).not_to_be_empty()
    yield opened
    context.close()
    assert wrong == []


def on_page(
    page: Page, digit: int, left: float = 150, top: float = 100, height: float = 300
) -> list[list[tuple[float, float]]]:
    """Return a digit's strokes in pixels of the page; the sizes given are in units of the canvas."""
    box = page.locator("#drawing").bounding_box()
    assert box
    unit = box["width"] / 512
    return [
        [(box["x"] + x * unit, box["y"] + y * unit) for x, y in stroke]
        for stroke in strokes(digit, left=left, top=top, height=height, step=12)
    ]


def draw(page: Page, digit: int, **place: float) -> None:
    for stroke in on_page(page, digit, **place):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for x, y in stroke[1:]:
            page.mouse.move(x, y)
        page.mouse.up()


def touch(page: Page, digit: int) -> None:
    """Draw with a finger, by the browser's own touch events."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, points: list[tuple[float, float]]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    for stroke in on_page(page, digit):
        send("touchStart", [stroke[0]])
        for point in stroke[1:]:
            send("touchMove", [point])
        send("touchEnd", [])


def words(page: Page, text: str) -> None:
    expect(page.locator("#words")).to_have_text(text)


@pytest.mark.parametrize("digit", [2, 5, 7])
def test_draw_with_the_mouse(page: Page, digit: int) -> None:
    draw(page, digit)
    words(page, str(digit))
    expect(page.locator("#bars .best span").first).to_have_text(str(digit))
    expect(page.locator("#spoken")).to_contain_text(f"Reads {digit}, ")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_draw_with_a_finger(page: Page) -> None:
    before = page.evaluate("scrollY")
    touch(page, 3)
    words(page, "3")
    assert page.evaluate("scrollY") == before


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    draw(page, 8)
    words(page, "8")
    box = page.locator("#words").bounding_box()
    assert box
    assert box["y"] + box["height"] < 844  # seen without scrolling


def test_undo_redo_and_clear(page: Page) -> None:
    draw(page, 1, left=60)
    words(page, "1")
    draw(page, 0, left=230, height=230)
    words(page, "10")
    page.get_by_role("button", name="Undo").click()
    words(page, "1")
    page.get_by_role("button", name="Redo").click()
    words(page, "10")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#hint")).to_be_visible()
    words(page, "\u00a0")
    page.keyboard.press("Control+z")
    words(page, "10")


def test_numbers_and_modes(page: Page) -> None:
    for place, digit in enumerate((4, 0, 7)):
        draw(page, digit, left=30 + 165 * place, top=150, height=130)
    words(page, "407")
    expect(page.locator("#forms button")).to_have_count(3)
    page.locator("#forms button").nth(0).click()
    expect(page.locator("#bars .best span").first).to_have_text("4")
    page.locator("#mode").select_option("one digit")
    expect(page.locator("#forms button")).to_have_count(1)
    page.keyboard.press("n")
    words(page, "407")


def test_not_a_digit(page: Page) -> None:
    box = page.locator("#drawing").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 100)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + 40 + (step * 7919) % 250, box["y"] + 60 + (step * 104729) % 230)
    page.mouse.up()
    words(page, "not a digit")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_eraser_and_brush(page: Page) -> None:
    draw(page, 1)
    words(page, "1")
    page.keyboard.press("e")
    assert page.get_by_role("button", name="Eraser").get_attribute("aria-pressed") == "true"
    draw(page, 1)
    expect(page.locator("#hint")).to_be_visible()
    page.keyboard.press("e")
    page.keyboard.press("]")
    draw(page, 1)
    words(page, "1")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_what_it_looked_at(page: Page) -> None:
    draw(page, 7)
    words(page, "7")
    small = page.locator("#forms canvas")
    before = small.evaluate("canvas => canvas.toDataURL()")
    page.keyboard.press("h")
    wait_for(lambda: small.evaluate("canvas => canvas.toDataURL()") != before, "the heat map")


def test_a_dropped_picture(page: Page, tmp_path: Path) -> None:
    content = list(picture_of(strokes(2) + strokes(6, left=110)))
    page.evaluate(
        """content => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], 'drop.png', { type: 'image/png' }));
            document.getElementById('drawing').dispatchEvent(
                new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        content,
    )
    words(page, "26")
    expect(page.locator("#picture")).to_be_visible()
    draw(page, 9)  # a drawing takes its place
    words(page, "9")
    expect(page.locator("#picture")).to_be_hidden()


def test_a_photograph_and_a_file_that_is_none(page: Page, tmp_path: Path) -> None:
    page.set_input_files("#file", REPOSITORY / "docs" / "images" / "note.jpg")
    words(page, "20261122\n48151623\n07993510")
    (tmp_path / "no.png").write_bytes(b"no")
    page.set_input_files("#camera", tmp_path / "no.png")
    expect(page.locator("#message")).to_contain_text("not an image")


def test_a_correction(page: Page, server: Server) -> None:
    kept = server.folder / "corrections.jsonl"
    before = len(kept.read_text().splitlines()) if kept.exists() else 0
    draw(page, 1)
    words(page, "1")
    page.get_by_role("button", name="It really is a 7").click()
    expect(page.locator("#message")).to_contain_text("Noted as a 7")
    assert len(kept.read_text().splitlines()) == before + 1


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_a_lost_connection_comes_back_with_the_drawing(page: Page) -> None:
    connections: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        route.connect_to_server()
        connections.append(route)

    page.route_web_socket("**/api/live", through)
    page.reload()
    draw(page, 4, left=40, top=150, height=200)
    words(page, "4")
    connections[0].close()
    expect(page.locator("#message")).to_contain_text("Not connected")
    draw(page, 2, left=300, top=150, height=200)  # meanwhile
    words(page, "42")
    assert len(connections) == 2


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_api_is_described_without_anything_from_elsewhere(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/docs")
    expect(page.get_by_role("heading", name="POST /api/read")).to_be_visible()
    expect(page.get_by_role("heading", name="GET /api/model")).to_be_visible()
