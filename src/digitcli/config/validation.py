"""Validation of recipe values, and its errors in words."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

Tables = Mapping[int | str, type[BaseModel]]

_EXPECTED = {  # where pydantic's own words are those of a programmer
    "string_too_short": "some text",
    "string_too_long": "a shorter text",
    "tuple_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "string_type": "text",
    "too_short": "at least one",
    "missing": "a value",
}


class Table(BaseModel):
    """A table of a recipe: frozen, unknown keys refused, no value turned into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def in_words(error: ValidationError, root: type[BaseModel], tables: Tables) -> list[str]:
    """Return every problem with its place, what was found and what was expected.

    Args:
        error: what pydantic raised.
        root: the model that was to be made.
        tables: the models inside it, by the key or the type that announces them.
    """
    return [_one(detail, root, tables) for detail in error.errors(include_url=False)]


def as_options(error: ValidationError) -> list[str]:
    """Return every problem named after the command-line option that sets its key."""
    return [
        f"--{str(detail['loc'][-1]).replace('_', '-')}: {_found_and_expected(detail)}"
        for detail in error.errors(include_url=False)
    ]


def first(error: ValidationError) -> str:
    """Return the first problem with its place, as programs name it: ``strokes.0.2: found ...``."""
    detail = error.errors(include_url=False)[0]
    if detail["type"] == "json_invalid":
        return f"not valid JSON ({detail['ctx']['error']})"
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {_found_and_expected(detail)}" if place else _found_and_expected(detail)


def _one(detail: ErrorDetails, root: type[BaseModel], tables: Tables) -> str:
    place = _place(detail["loc"], tables)
    context = detail.get("ctx", {})
    owner = tables.get(detail["loc"][-2], root) if len(detail["loc"]) > 1 else root
    match detail["type"]:
        case "extra_forbidden":
            return f"{place}: unknown key; expected one of {', '.join(owner.model_fields)}"
        case "missing" if isinstance(detail["loc"][-1], int):  # of a list of so many values
            *_, table, key, number = ("", *detail["loc"])
            kind = tables.get(table, root).model_fields[str(key)].description
            return f"{_place(detail['loc'][:-1], tables)}: found {number} values; expected {kind}"
        case "missing":
            kind = owner.model_fields[str(detail["loc"][-1])].description
            return f"{place}: missing; expected {kind}"
        case "union_tag_invalid":
            expected = context["expected_tags"].replace("'", "")
            return f"{place}: type {context['tag']!r} is unknown; expected one of {expected}"
        case "union_tag_not_found":
            return f"{place}: type is missing; expected a table with type and what belongs to it"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{place}: {_found_and_expected(detail)}"


def _found_and_expected(detail: ErrorDetails) -> str:
    found = repr(detail["input"])
    if len(found) > 60:
        found = f"{found[:57]}..."
    expected = _EXPECTED.get(detail["type"]) or detail["msg"].removeprefix("Input should be ")
    return f"found {found}; expected {expected}"


def _place(location: tuple[int | str, ...], tables: Tables) -> str:
    """``("network", 2, "conv", "filters")`` becomes ``network layer 3 (conv): filters``."""
    words = ""
    for part in location:
        if isinstance(part, int):
            words += f" layer {part + 1}" if words == "network" else f" {part + 1}"
        elif part in tables and words:
            words += f" ({part})"
        else:
            words += f": {part}" if words else part
    return words
