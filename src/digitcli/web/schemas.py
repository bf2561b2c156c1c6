"""Request and response schemas of the API, for its OpenAPI description."""

from typing import Annotated, Any

from fastapi import UploadFile
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from digitcli.config.mnist import CLASSES
from digitcli.datasets.strokes import Drawing
from digitcli.preprocessing.image_files import EXPECTED
from digitcli.web.limits import LIMITS

IMAGE_TYPES = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/x-portable-anymap",
    "image/x-portable-graymap",
    "application/octet-stream",
)
FORM_TYPE = "multipart/form-data"
JSON_TYPE = "application/json"
BODY_TYPES = (*IMAGE_TYPES, FORM_TYPE, JSON_TYPE)
Probability = Annotated[float, Field(ge=0, le=1)]
_COUNT: dict[str, JsonValue] = {"minItems": 1, "maxItems": LIMITS.request_images}


class DigitSchema(BaseModel):
    """One digit as read, or a mark that is none."""

    digit: int | None = Field(ge=0, lt=CLASSES, description="null for a mark that is no digit")
    confidence: Probability
    box: list[float] = Field(
        min_length=4, max_length=4, description="x, y, width, height; pixels of an image, units of strokes"
    )
    line: int | None = Field(description="number of its line; null for a mark that is no digit")
    probabilities: list[Probability] = Field(min_length=CLASSES, max_length=CLASSES)


class SymbolSchema(BaseModel):
    """One sign beside digits, as a detector found it."""

    symbol: str
    confidence: Probability
    box: list[float] = Field(min_length=4, max_length=4, description="as of a digit")
    line: int | None = Field(description="number of its line; null where no digit is beside it")


class ReadingSchema(BaseModel):
    """The reading of one image or drawing."""

    file: str | None = Field(None, description="file name, if one was sent")
    text: str = Field(description="the digits in reading order, with a line break between lines")
    lines: list[str] = Field(description="the lines of the text")
    digits: list[DigitSchema]
    symbols: list[SymbolSchema]


class FailureSchema(BaseModel):
    """Why one of several images could not be read."""

    file: str | None = None
    error: str


class ProblemSchema(BaseModel):
    """Why a request failed."""

    error: str


class HealthSchema(BaseModel):
    """Confirmation that the server is running."""

    status: str


class ModelSchema(BaseModel):
    """The model that reads."""

    name: str
    digitcli: str = Field(description="version of digitcli")
    bytes: int
    sha256: str
    threshold: Probability = Field(description="confidence below which a mark is no digit")
    recipe: str | None = Field(description="the recipe that it was trained with, if known")
    corrections: bool = Field(description="whether the server saves corrections")
    detector: str | None = Field(description="the detector; null where rules find digits alone")


class ImageForm(BaseModel):
    """Image files sent as a form (multipart/form-data)."""

    image: list[UploadFile] = Field(json_schema_extra=_COUNT)


# What `POST /api/read` takes, by content type. FastAPI declares a body of one content type only: from these
# types the server makes the description, and validates what comes. Too many or none are refused by
# `app._require_count`, for all of them in the same words, so that here the bounds are only described.
Drawings = Drawing | Annotated[list[Drawing], Field(json_schema_extra=_COUNT)]
DRAWINGS: TypeAdapter[Drawing | list[Drawing]] = TypeAdapter(Drawings)
_IMAGE = TypeAdapter(bytes)
_FORM = TypeAdapter(ImageForm)


def read_body() -> dict[str, Any]:
    """Return the description of what `POST /api/read` takes, for OpenAPI.

    It refers to the models among `body_models`.
    """
    bodies: dict[str, TypeAdapter[Any]] = {
        **dict.fromkeys(IMAGE_TYPES, _IMAGE),
        FORM_TYPE: _FORM,
        JSON_TYPE: DRAWINGS,
    }
    content = {kind: {"schema": _schema(body)[0]} for kind, body in bodies.items()}
    content[JSON_TYPE]["example"] = {"strokes": [[[10, 10], [60, 10], [30, 80]]]}
    return {
        "required": True,
        "description": f"An image file ({EXPECTED}; at most {LIMITS.body_bytes:,} bytes and "
        f"{LIMITS.image_pixels:,} pixels), several in a form (at most {LIMITS.request_images}), "
        "a drawing as pen strokes, or a list of drawings.",
        "content": content,
    }


def body_models() -> dict[str, Any]:
    """Return the JSON schemas of the models that `read_body` refers to, by name."""
    return _schema(DRAWINGS)[1]


def _schema(body: TypeAdapter[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a type, and those of the models that it refers to."""
    schema = body.json_schema(ref_template="#/components/schemas/{model}")
    return schema, schema.pop("$defs", {})
