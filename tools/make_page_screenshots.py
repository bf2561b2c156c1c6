"""Draw on the real page, in a real browser, and keep pictures of it and of a report for the README.

    python tools/make_page_screenshots.py docs/images

Needs Chromium (apt-get install chromium).
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from pens import strokes
from serving import Server

COLOURS = 64  # of the pictures, so that they stay small
DESKTOP = {"viewport": {"width": 1100, "height": 760}}
PHONE = {
    "viewport": {"width": 390, "height": 800},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def keep(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def draw(page: Page, digit: int, left: float, top: float, height: float) -> None:
    box = page.locator("#drawing").bounding_box()
    assert box
    unit = box["width"] / 512
    for stroke in strokes(digit, left=left, top=top, height=height):
        for place, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * unit, box["y"] + y * unit)
            if place == 0:
                page.mouse.down()
        page.mouse.up()


def picture_of(browser: Browser, server: Server, path: Path, text: str, **options: object) -> None:
    page = browser.new_context(**options).new_page()
    page.goto(server.address)
    expect(page.locator("#model")).not_to_be_empty()
    size = 330 if len(text) == 1 else 115
    for place, digit in enumerate(text):
        draw(
            page,
            int(digit),
            left=(90 if len(text) == 1 else 40 + 155 * place),
            top=256 - size / 2,
            height=size,
        )
    expect(page.locator("#words")).to_have_text(text)
    page.mouse.move(2, 2)
    page.wait_for_timeout(300)  # the bars come to rest
    keep(page, path)
    page.context.close()


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with Server(Path(scratch), "--collect", "corrections.jsonl") as server:
            picture_of(browser, server, folder / "page.png", "5", **DESKTOP)
            picture_of(browser, server, folder / "page-dark.png", "427", **DESKTOP, color_scheme="dark")
            picture_of(browser, server, folder / "page-phone.png", "3", **PHONE)
        command = [sys.executable, "-m", "digitcli", "evaluate", "--report", "report"]
        subprocess.run(command, cwd=scratch, check=True, capture_output=True)  # noqa: S603
        page = browser.new_context(viewport={"width": 1000, "height": 1150}).new_page()
        page.goto((Path(scratch) / "report" / "report.html").as_uri())
        keep(page, folder / "report.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
