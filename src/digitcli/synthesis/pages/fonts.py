"""Bundled fonts: letters and printed digits for generated pages, as outlines of handwriting and of print.

All are under the SIL Open Font License; each lies in ``data/fonts`` beside its licence, unchanged, as the
packages ``@fontsource/NAME`` carry it (subset ``latin``, WOFF2).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitcli.errors import DataError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FOLDER = Path(__file__).parent / "data" / "fonts"


@dataclass(frozen=True)
class Font:
    """A bundled font.

    Attributes:
        name: of its file.
        is_handwriting: looks written by hand.
        is_held_out: only on pages on which detectors are validated.
    """

    name: str
    is_handwriting: bool = False
    is_held_out: bool = False


FONTS = (
    *(
        Font(name, is_handwriting=True)
        for name in (
            "architects-daughter",
            "caveat",
            "cedarville-cursive",
            "indie-flower",
            "kalam",
            "la-belle-aurore",
            "nothing-you-could-do",
            "patrick-hand",
            "reenie-beanie",
            "shadows-into-light",
        )
    ),
    *(
        Font(name, is_handwriting=True, is_held_out=True)
        for name in ("gochi-hand", "over-the-rainbow", "zeyada")
    ),
    *(
        Font(name)
        for name in (
            "courier-prime",
            "libre-franklin",
            "libre-franklin-bold",
            "open-sans",
            "open-sans-bold",
            "oswald",
            "source-serif-4",
            "source-serif-4-bold",
        )
    ),
    *(Font(name, is_held_out=True) for name in ("inter", "pt-serif")),
)


def load(font: Font, size: int) -> "FreeTypeFont":
    """Read a font for characters of `size` pixels an em; a `DataError` where its file cannot be read."""
    from PIL import ImageFont

    path = FOLDER / f"{font.name}.woff2"
    try:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a font ({error}); reinstall digitcli") from error
