"""Feed the reader damaged and strange images, and stop at what it should not do.

    python tools/fuzz_reader.py --minutes 10 --seed 0

Files of every format are cut, spliced and changed bit by bit; pixels are made of lines, noise, frames
and extremes in odd sizes. Each must be read, or refused with an `ImageError`, within a few seconds.
What is not goes to ``fuzz-found/`` with its seed.
"""

import argparse
import io
import resource
import time
import traceback
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitcli.datasets import load
from digitcli.errors import ImageError
from digitcli.preprocessing import image_files
from digitcli.recognition.pretrained import PRETRAINED_MODEL
from digitcli.recognition.reading import Reading
from digitcli.recognition.recognizer import Recognizer
from digitcli.recognition.rules.pages import prepare

_SLOW = 10.0  # seconds for one image
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
_MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK", "I", "F")
Random = np.random.Generator


def strange_pixels(random: Random, digits: NDArray[np.uint8]) -> NDArray[np.generic]:
    """An image that hardly anybody would write: (H, W) or (H, W, C), uint8 or uint16."""
    sides = [1, 2, 3, 5, 16, 27, 28, 29, 64, 100, 256, 333, 800, 2100]
    height, width = (int(random.choice(sides)) for _ in range(2))
    if height * width > 1_000_000:
        height = 64
    shape = (height, width) if random.random() < 0.5 else (height, width, int(random.choice([3, 4])))
    image = np.full(shape, int(random.choice([0, 1, 30, 127, 128, 254, 255])), np.uint8)
    for _ in range(int(random.integers(0, 12))):
        place = [int(v) for v in random.integers(-20, max(height, width) + 20, 4)]
        colour = [int(v) for v in random.integers(0, 256, 4)][: shape[2] if len(shape) == 3 else 1]
        match int(random.integers(0, 6)):
            case 5:  # a digit somewhere
                size = int(random.integers(10, 120))
                digit = cv2.resize(digits[int(random.integers(len(digits)))], (size, size))
                y, x = (int(random.integers(0, max(1, side - size))) for side in (height, width))
                part = image[y : y + size, x : x + size]
                part[digit[: part.shape[0], : part.shape[1]] > 128] = colour[0]
            case 0:
                cv2.line(image, place[:2], place[2:], colour, int(random.integers(1, 40)), cv2.LINE_AA)
            case 1:
                cv2.rectangle(image, place[:2], place[2:], colour, int(random.integers(-1, 9)) or 1)
            case 2:
                cv2.circle(image, place[:2], abs(place[2]) % 300, colour, int(random.integers(-1, 20)) or 1)
            case 3:
                image[:: int(random.integers(1, 30))] = colour[0]
            case 4:
                noise = random.normal(0, random.uniform(1, 90), shape)
                image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.2:
        return image.astype(np.uint16) * int(random.choice([1, 16, 256, 257]))
    return image


def damaged_file(random: Random, digits: NDArray[np.uint8]) -> bytes:
    """An image file that was, mostly, whole before."""
    pixels = digits[int(random.integers(len(digits)))]
    if random.random() < 0.5:
        pixels = cv2.resize(pixels, None, fx=5, fy=4, interpolation=cv2.INTER_CUBIC)
    image = Image.fromarray(pixels).convert("L").convert(str(random.choice(_MODES[:6])))
    content = io.BytesIO()
    try:
        image.save(content, str(random.choice(_FORMATS)), exif=random.bytes(int(random.integers(0, 30))))
    except (OSError, ValueError, SyntaxError):  # a format that has no such mode or takes no such EXIF
        image.convert("RGB").save(content, "PNG")
    data = bytearray(content.getvalue())
    for _ in range(int(random.integers(0, 6))):
        at = int(random.integers(0, len(data)))
        match int(random.integers(0, 5)):
            case 0:
                data[at] ^= 1 << int(random.integers(8))
            case 1:
                data = data[: max(1, at)]
            case 2:
                data[at : at + 4] = random.bytes(4)
            case 3:
                data[at:at] = data[: int(random.integers(1, 64))]
            case 4:
                at %= min(64, len(data))  # headers are the most sensitive
                data[at : at + 2] = bytes(random.choice([0, 1, 127, 128, 255], 2).astype(np.uint8))
    return bytes(data)


def require_sense(reading: Reading, shape: tuple[int, ...]) -> None:
    """Assert what holds of every reading of an image of the shape (H, W, ...)."""
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert width > 0 and height > 0, digit
        assert x >= 0 and y >= 0 and x + width <= shape[1] and y + height <= shape[0], (digit, shape)
        assert 0 <= digit.confidence <= 1 + 1e-6
        assert abs(sum(digit.probabilities) - 1) < 1e-3
    shown = "".join(str(digit.digit) for digit in reading.digits if digit.digit is not None)
    assert reading.text.replace("\n", "") == shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recognizer, digits = Recognizer.load(PRETRAINED_MODEL), load("mnist").test.images
    folder = Path("fuzz-found")
    end = time.monotonic() + 60 * options.minutes
    counts = dict.fromkeys(("read", "refused", "wrong"), 0)
    number = options.seed * 1_000_000_000
    slowest = 0.0
    while time.monotonic() < end:
        number += 1
        random = np.random.default_rng(number)
        content, pixels = b"", None
        start = time.process_time()
        try:
            if random.random() < 0.5:
                content = damaged_file(random, digits)
                picture = image_files.decode(content, "fuzz")
                (reading,) = recognizer.read_pages([prepare(picture.pixels, scale=picture.scale)])
                shape = tuple(round(side * picture.scale) for side in picture.pixels.shape[:2])
            else:
                pixels = strange_pixels(random, digits)
                reading = recognizer.read(pixels, single=bool(random.random() < 0.3))
                shape = pixels.shape
            require_sense(reading, shape)
            counts["read"] += 1
        except ImageError:
            counts["refused"] += 1
        except Exception:
            counts["wrong"] += 1
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.txt").write_text(traceback.format_exc(), encoding="utf-8")
            if content:
                (folder / f"{number}.bin").write_bytes(content)
            else:
                np.save(folder / f"{number}.npy", np.asarray(pixels))
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        if seconds > _SLOW:
            print(f"{number}: {seconds:.1f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{counts}, slowest {slowest:.2f} s of processor time, peak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
