"""How fast reading is: from the shell's prompt, image by image, and on ten thousand files.

    python benchmarks/reading.py

Nothing else should run meanwhile. Times from the prompt are the best of alternating tries, in the
same run as Keras loading the same network (with TensorFlow) and reading the same image with it;
those in the program are medians. Prints Markdown.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import in_words, machine, print_table

from digitcli.datasets import load
from digitcli.datasets.strokes import draw_stroke
from digitcli.preprocessing.image_files import png
from digitcli.preprocessing.mnist_form import to_mnist_form
from digitcli.recognition.pretrained import NO_DETECTOR, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer

TRIES = 7
REPEATS = 400
FILES = 10_000
SIZES = (256, 512, 1024)
KERAS = """
import sys
import numpy as np, keras
from PIL import Image
network = keras.saving.load_model(sys.argv[1], compile=False)
image = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28)), np.float32)
print(network.predict(255 - image[np.newaxis, ..., np.newaxis], verbose=0).argmax())
"""


def canvas(size: int) -> np.ndarray:
    """A 5 of two strokes on a canvas of `size`, white on black."""
    image = np.zeros((size, size), np.uint8)
    body = [(0.42, 0.3), (0.4, 0.5), (0.52, 0.46), (0.64, 0.56), (0.6, 0.72), (0.45, 0.75), (0.38, 0.7)]
    for stroke in (body, [(0.42, 0.3), (0.64, 0.28)]):
        draw_stroke(image, np.array(stroke) * size, max(2, size // 18))
    return image


def median(call: Callable[[], object]) -> float:
    """Return milliseconds."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1000


def from_prompt(folder: Path) -> None:
    from digitcli.config.recipe import load_recipe
    from digitcli.models.factory import build

    image = folder / "one.png"
    image.write_bytes(png(255 - canvas(256)))
    network = folder / "network.keras"
    build(load_recipe("pretrained")[1]).save(network)
    commands = {
        "digitcli predict one.png": [
            "-m",
            "digitcli",
            "predict",
            str(image),
            "--model",
            str(PRETRAINED_MODEL),
        ],
        "the same network loaded by Keras": ["-c", KERAS, str(network), str(image)],
    }
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(TRIES):
        for name, arguments in commands.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=folder)
            best[name] = min(best[name], time.perf_counter() - start)
    ours = min(best.values())
    rows = [[name, f"{value:.2f} s", f"{value / ours:.1f}"] for name, value in best.items()]
    print_table(["from the prompt to the digit", "wall time", "ratio"], rows)


def image_by_image() -> None:
    recognizer = Recognizer.load(PRETRAINED_MODEL, detector=NO_DETECTOR)
    digit = load("sample").test.images[0]
    rows = []
    for name, image in [("MNIST form", digit)] + [(f"canvas {size}x{size}", canvas(size)) for size in SIZES]:
        calls = [
            lambda image=image: to_mnist_form(image),
            lambda image=image: recognizer.read(image, single=True),
            lambda image=image: recognizer.read(image),
        ]
        rows.append([name, *(f"{median(call):.2f} ms" for call in calls)])
    print()
    print_table(["image", "preprocessing", "read, one digit", "read, any number of digits"], rows)


def many_files(folder: Path) -> None:
    digits = load("mnist").test.images
    for number in range(FILES):
        (folder / f"{number:05}.png").write_bytes(png(digits[number % len(digits)]))
    rows = []
    for options in (["--single"], []):
        command = [sys.executable, "-m", "digitcli", "predict", str(folder), "--json", "--quiet", *options]
        start = time.perf_counter()
        subprocess.run([*command, "--model", str(PRETRAINED_MODEL)], check=True, stdout=subprocess.DEVNULL)
        spent = time.perf_counter() - start
        rows.append(
            [" ".join(["predict folder --json", *options]), f"{spent:.1f} s", f"{FILES / spent:,.0f}"]
        )
    print()
    print_table([f"{FILES:,} PNG files of 28x28", "wall time", "files/s"], rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        from_prompt(Path(folder))
        image_by_image()
        (Path(folder) / "many").mkdir()
        many_files(Path(folder) / "many")
    print(f"\n{in_words(machine())}")


if __name__ == "__main__":
    main()
