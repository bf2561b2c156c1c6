import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitcli.errors import ImageError
from digitcli.preprocessing.image_files import IMAGE_LIMITS, decode, png

PICTURE = np.zeros((40, 60), np.uint8)
PICTURE[5:35, 20:25] = 255


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format(kind: str, mode: str) -> None:
    pixels = decode(encoded(Image.fromarray(PICTURE).convert(mode), kind), "it").pixels
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    assert grey.shape == PICTURE.shape
    assert np.abs(grey - PICTURE.astype(float)).mean() < 6


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "I;16", "I", "CMYK", "F"])
def test_every_kind_of_pixels(mode: str) -> None:
    wide = PICTURE.astype(np.uint16) * 257
    image = Image.fromarray(wide) if mode == "I;16" else Image.fromarray(PICTURE).convert(mode)
    pixels = decode(encoded(image, "TIFF" if mode in ("CMYK", "F", "I") else "PNG"), "it").pixels
    assert pixels.dtype == (np.uint16 if mode in ("I;16", "I", "F") else np.uint8)
    grey = (pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)) / np.iinfo(pixels.dtype).max
    assert np.abs(grey - PICTURE / 255).mean() < 0.01


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_says_which_way_is_up(orientation: int) -> None:
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what undoes it, as Pillow counts transpositions
    image = Image.fromarray(PICTURE)
    if orientation > 1:
        image = image.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(encoded(image, "PNG", exif=exif), "it").pixels, PICTURE)


def test_large_images_are_reduced_and_say_by_how_much() -> None:
    picture = decode(encoded(Image.new("L", (5000, 1000)), "JPEG"), "it")
    assert max(picture.pixels.shape) <= 2500
    assert picture.scale == pytest.approx(5000 / picture.pixels.shape[1])


@pytest.mark.parametrize("mode", ["1", "P", "I;16"])
def test_reducing_takes_means_in_every_mode(mode: str) -> None:
    large = np.full((2600, 8600), 255, np.uint8)
    large[:, 4300:4304] = 0
    image = Image.fromarray(large.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(large)
    pixels = decode(encoded(image if mode == "I;16" else image.convert(mode), "PNG"), "it").pixels
    share = pixels[..., 0] if pixels.ndim == 3 else pixels
    assert share.shape[1] == 2048
    assert 0.05 < (1 - share / np.iinfo(pixels.dtype).max).max(axis=1).min() <= 1


def header_only(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and has none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return start + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it: empty; expected PNG"),
        (b"hello", "it: not an image"),
        (encoded(Image.fromarray(PICTURE), "PNG")[:60], "it: "),
        (encoded(Image.fromarray(PICTURE).resize((600, 400)), "JPEG")[:900], "it: cut off"),
        (header_only(10_000, 10_000), f"it: over {IMAGE_LIMITS.pixels:,} pixels"),
        (header_only(20_000, 20_000), f"it: over {IMAGE_LIMITS.pixels:,} pixels"),
        (b"GIF89a" + bytes(20), "it: not an image"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, words: str) -> None:
    with pytest.raises(ImageError) as error:
        decode(content, "it")
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


@settings(max_examples=150)
@given(
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 10_000),
)
def test_damage_is_an_error_or_an_image(kind: str, changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(encoded(Image.fromarray(PICTURE), kind))
    for place, value in changes:
        content[place % len(content)] = value
    try:
        picture = decode(bytes(content[: max(1, len(content) - cut % 50)]), "it")
    except ImageError as error:
        assert str(error).startswith("it: ")
    else:
        assert picture.pixels.dtype in (np.uint8, np.uint16)


def test_png_keeps_every_pixel() -> None:
    assert np.array_equal(decode(png(PICTURE), "it").pixels, PICTURE)
