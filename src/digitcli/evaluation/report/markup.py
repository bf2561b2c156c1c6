"""HTML in which whatever is not known to be markup is text."""

import base64
import html
import unicodedata
from collections.abc import Sequence

import cv2

from digitcli.preprocessing.mnist_form import Images

VOID = frozenset({"img", "meta"})  # elements without an end tag
_ALLOWED_CONTROLS = "\n\t"


class Markup(str):
    """Finished HTML; any other string is text."""

    __slots__ = ()


class Cell(Markup):
    """A table's cell with attributes of its own."""

    __slots__ = ()


Part = str | int | None  # text, markup, a number; None is nothing


def element(tag: str, *parts: Part, **attributes: Part) -> Markup:
    """Return one element.

    Args:
        tag: its name.
        parts: what is in it; text is escaped, `Markup` is not.
        attributes: their values, escaped, but for those that are None; ``class_`` stands for ``class``,
            and other underscores for hyphens.
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{named}>" if tag in VOID else f"<{tag}{named}>{join(*parts)}</{tag}>")


def join(*parts: Part) -> Markup:
    """Return parts one after the other, text escaped."""
    return Markup(
        "".join(
            part if isinstance(part, Markup) else _escaped(str(part)) for part in parts if part is not None
        )
    )


def _escaped(text: str) -> str:
    return html.escape("".join("\ufffd" if _is_forbidden(character) else character for character in text))


def _is_forbidden(character: str) -> bool:
    """Whether HTML forbids a character: controls, and halves of characters from broken file names."""
    return unicodedata.category(character) in ("Cc", "Cs") and character not in _ALLOWED_CONTROLS


def cell(*parts: Part, **attributes: Part) -> Cell:
    """Return a cell for `table`."""
    return Cell(element("td", *parts, **attributes))


def table(
    headings: list[str],
    rows: list[list[Part]],
    caption: str,
    groups: Sequence[Markup] = (),
    **attributes: Part,
) -> Markup:
    """Return a table in a box that scrolls where the screen is narrow.

    Args:
        headings: of the columns.
        rows: of which the first part is the heading.
        caption: what the table is.
        groups: cells of a row above the headings.
        attributes: of the table.
    """
    above = [element("tr", *groups)] if groups else []
    head = [*above, element("tr", *(element("th", heading, scope="col") for heading in headings))]
    body = [
        element(
            "tr",
            element("th", first, scope="row"),
            *(part if isinstance(part, Cell) else cell(part) for part in rest),
        )
        for first, *rest in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", *head),
        element("tbody", *body),
        **attributes,
    )
    # only what can be focused can be scrolled from the keyboard
    return element("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def picture(png: bytes, alt: str, **attributes: Part) -> Markup:
    """Return an image that is inside the page."""
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return element("img", src=source, alt=alt, **attributes)


def digit(image: Images, alt: str) -> Markup:
    """Return a picture (28, 28) uint8, ink bright, as it looks on paper."""
    _, png = cv2.imencode(".png", 255 - image)
    height, width = image.shape
    return picture(png.tobytes(), alt, class_="digit", width=width, height=height)
