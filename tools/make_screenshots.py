"""Draw in the real window, on a screen in memory, and keep pictures of it for the README.

    python tools/make_screenshots.py docs/images

Needs Xvfb and xdotool (apt-get install xvfb xdotool).
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from pens import strokes
from screen import Program, Screen

from digitcli.window.layout import DEFAULT_SIZE, arrange

COLOURS = 64  # of the pictures, so that they stay small


def draw(screen: Screen, digit: int, left: float, top: float, height: float) -> None:
    layout = arrange(*DEFAULT_SIZE)
    for stroke in strokes(digit, left=left, top=top, height=height):
        screen.drag([layout.from_canvas(x, y) for x, y in stroke])


def main(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        Screen(Path(scratch)) as screen,
        Program(screen, Path(scratch)) as program,
    ):

        def keep(name: str) -> None:
            screen.xdotool("mousemove", DEFAULT_SIZE[0] // 2, DEFAULT_SIZE[1] + 40)
            time.sleep(0.8)
            picture = Image.fromarray(screen.picture()[: DEFAULT_SIZE[1], : DEFAULT_SIZE[0], ::-1].copy())
            path = folder / f"draw-{name}.png"
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
            screen.xdotool("mousemove", 30, 5)  # keys go to the window under the mouse
            print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")

        time.sleep(1)
        keep("empty")
        draw(screen, 5, 160, 100, 300)
        program.key("Return")
        keep("digit")
        program.key("h")
        keep("heat")
        program.key("h", "c")
        program.key("bracketleft", "bracketleft")
        for place, digit in enumerate((4, 0, 7, 2)):
            draw(screen, digit, 36 + 118 * place, 190, 96)
        program.key("Return")
        keep("number")
        program.key("c", "bracketright", "bracketright")
        turn = np.linspace(0, 14, 160)
        layout = arrange(*DEFAULT_SIZE)
        screen.drag(
            [
                layout.from_canvas(90 + 12.5 * t + 70 * np.cos(2 * t), 256 + 120 * np.sin(2.7 * t))
                for t in turn
            ]
        )
        keep("none")
        program.key("question")
        keep("help")
        program.key("Escape")
        status, _, stderr = program.end()
        assert status == 0, stderr


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
