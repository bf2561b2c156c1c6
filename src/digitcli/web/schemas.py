"""What the API takes and gives, for its own description."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from digitcli.config.mnist import CLASSES
from digitcli.preprocessing.image_files import EXPECTED
from digitcli.web.limits import MAX_BODY, MAX_IMAGES, MAX_PIXELS

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
Probability = Annotated[float, Field(ge=0, le=1)]


class Digit(BaseModel):
    """One digit as read, or a mark that is none."""

    digit: int | None = Field(ge=0, lt=CLASSES, description="null for a mark that is no digit")
    confidence: Probability
    box: list[float] = Field(
        min_length=4, max_length=4, description="x, y, width, height; pixels of an image, units of strokes"
    )
    probabilities: list[Probability] = Field(min_length=CLASSES, max_length=CLASSES)


class Reading(BaseModel):
    """What one image or drawing says."""

    file: str | None = Field(None, description="the name of the file, where it came with one")
    text: str = Field(description="the digits in reading order, lines apart by line breaks")
    digits: list[Digit]


class Failure(BaseModel):
    """Why one of several images could not be read."""

    file: str | None = None
    error: str


class Problem(BaseModel):
    """Why a request is not answered as it wishes."""

    error: str


class Health(BaseModel):
    """That the server answers."""

    status: str


class Model(BaseModel):
    """The model that reads."""

    name: str
    digitcli: str = Field(description="the version of the program")
    bytes: int
    sha256: str
    threshold: Probability = Field(description="the confidence below which a mark is no digit")
    recipe: str | None = Field(description="what it was trained with, where that is known")
    corrections: bool = Field(description="whether corrections that pages send are kept")


_STROKES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "minimum": -1e6, "maximum": 1e6},
        },
    },
}
_DRAWING = {"type": "object", "required": ["strokes"], "properties": {"strokes": _STROKES}}
READ_BODY: dict[str, Any] = {
    "required": True,
    "description": f"An image file ({EXPECTED}; at most {MAX_BODY:,} bytes and {MAX_PIXELS:,} pixels), "
    f"several in a form (at most {MAX_IMAGES}), a drawing as pen strokes, or a list of drawings.",
    "content": {
        **{key: {"schema": {"type": "string", "format": "binary"}} for key in IMAGE_TYPES},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_IMAGES,
                        "items": {"type": "string", "format": "binary"},
                    }
                },
            }
        },
        "application/json": {
            "schema": {
                "oneOf": [
                    _DRAWING,
                    {"type": "array", "minItems": 1, "maxItems": MAX_IMAGES, "items": _DRAWING},
                ]
            },
            "example": {"strokes": [[[10, 10], [60, 10], [30, 80]]]},
        },
    },
}
