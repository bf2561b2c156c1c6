"""Decoding of image files: accepted formats, size limits and orientation."""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (  # plugins: Pillow knows only the formats of those that are imported
    Image,
    ImageOps,
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from digitcli.errors import ImageError, TooLargeError
from digitcli.preprocessing.mnist_form import WORKING_SIDE, Pixels

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm"))
EXPECTED = "PNG, JPEG, WebP, BMP, TIFF or PGM"

_ORIENTATION = 0x0112  # EXIF tag


@dataclass(frozen=True)
class ImageLimits:
    """What is decoded, and how it is reduced.

    Attributes:
        file_bytes: of a file; a bound on memory.
        pixels: of an image, by its header; twice what most telephones take. A bound, as a small file can
            unpack to gigabytes.
        reducing_gap: how much larger than wanted an image is that Pillow reduces by whole factors before it
            averages exactly; Pillow's own default.
    """

    file_bytes: int = 64 << 20
    pixels: int = 64_000_000
    reducing_gap: float = 2.0


IMAGE_LIMITS = ImageLimits()

# damaged metadata is no reason for words on the terminal: the pixels decide
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the limit here is lower


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: (H, W), (H, W, 3) or (H, W, 4); uint8, or uint16 where the file is that fine; upright.
        scale: pixels of the file to one of `pixels`; 1 unless the image was reduced.
    """

    pixels: Pixels
    scale: float = 1.0


def read(path: Path) -> Picture:
    """Decode an image file. Raises `ImageError` naming the file, what was found and what was expected."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > IMAGE_LIMITS.file_bytes:
                raise TooLargeError(f"{path}: {size:,} bytes; expected at most {IMAGE_LIMITS.file_bytes:,}")
            return decode(file.read(IMAGE_LIMITS.file_bytes + 1), str(path))
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error


def image_files(folder: Path) -> tuple[list[Path], list[OSError]]:
    """Return the files below `folder` that are images by their names, and why folders could not be listed.

    Both are in alphabetical order; what is hidden is left out.
    """
    found: list[Path] = []
    errors: list[OSError] = []
    for path, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(path, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        ]
    return found, errors


def decode(content: bytes, where: str) -> Picture:
    """Decode an image; an `ImageError` begins with `where`."""
    if not content:
        raise ImageError(f"{where}: empty; expected {EXPECTED}")
    if len(content) > IMAGE_LIMITS.file_bytes:
        raise TooLargeError(f"{where}: over {IMAGE_LIMITS.file_bytes:,} bytes; expected at most that")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size  # of the header: nothing is decoded yet
            if width * height > IMAGE_LIMITS.pixels:
                raise TooLargeError(f"{where}: over {IMAGE_LIMITS.pixels:,} pixels; expected at most that")
            image.draft("RGB", (WORKING_SIDE, WORKING_SIDE))  # JPEG: decodes no more than needed
            small = _reducible(image)
            # the gap, by which Pillow reduces in two steps, is not for 16 bits
            gap = None if small.mode.startswith("I;16") else IMAGE_LIMITS.reducing_gap
            small.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX, reducing_gap=gap)
            scale = max(width, height) / max(small.size)
            small.info, small.getexif()[_ORIENTATION] = image.info, image.getexif().get(_ORIENTATION, 1)
            return Picture(_pixels(ImageOps.exif_transpose(small)), scale)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{where}: not an image that can be read; expected {EXPECTED}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLargeError(f"{where}: over {IMAGE_LIMITS.pixels:,} pixels; expected at most that") from error
    except Exception as error:  # Pillow's decoders have no common base for what damage can cause
        raise ImageError(f"{where}: cut off or damaged ({error}); expected {EXPECTED}") from error


def _reducible(image: Image.Image) -> Image.Image:
    """Return the image in a mode of which means can be taken, which black-or-white and palettes are not."""
    match image.mode:
        case "1":
            return image.convert("L")
        case "P" | "PA":
            return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    return image


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (H, W) or (H, W, 3) uint8, in the order red, green, blue."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def _pixels(image: Image.Image) -> Pixels:
    """Return an image's pixels as one of the few kinds that the rest of the program knows."""
    mode = image.mode
    if mode in ("L", "RGB", "RGBA"):
        return np.asarray(image, np.uint8)
    if mode.startswith("I;16"):
        wide: Pixels = np.asarray(image, np.uint16)
        return wide
    if mode in ("I", "F"):  # 32 bits: only the differences tell anything
        values = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
        span = float(np.ptp(values)) or 1.0
        return np.asarray(np.rint((values - values.min()) * (65535 / span)), np.uint16)
    if "transparency" in image.info or mode in ("LA", "La", "PA", "RGBa"):
        return np.asarray(image.convert("RGBA"), np.uint8)
    return np.asarray(image.convert("L" if mode == "1" else "RGB"), np.uint8)
