"""The page and the JSON API, as one ASGI application."""

import hashlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from digitcli import __version__
from digitcli.config import validation
from digitcli.errors import DigitcliError, ImageError, TooLargeError
from digitcli.recognition.pretrained import NO_DETECTOR, PRETRAINED, PRETRAINED_DETECTOR, model_name
from digitcli.recognition.recognizer import Recognizer
from digitcli.run_record import RunRecord
from digitcli.web import drawings, schemas
from digitcli.web.batch_reader import BatchReader
from digitcli.web.guard import Guard
from digitcli.web.limits import LIMITS, RequestRefused, error_body
from digitcli.web.live import LiveServer

_STATIC = Path(__file__).parent / "static"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": schemas.ProblemSchema,
        "description": "Invalid JSON, form or drawing, or too many images",
    },
    403: {
        "model": schemas.ProblemSchema,
        "description": "Sent by another site, or to another machine's name",
    },
    408: {"model": schemas.ProblemSchema, "description": "The request did not arrive in time"},
    413: {"model": schemas.ProblemSchema, "description": "Too large, or too many pixels"},
    415: {"model": schemas.ProblemSchema, "description": "Neither an image, a form, nor JSON"},
    422: {"model": schemas.ProblemSchema, "description": "An image that cannot be read, or a bad option"},
    503: {"model": schemas.ProblemSchema, "description": "Too many images are waiting to be read"},
}
_FORBIDDEN: dict[int | str, dict[str, Any]] = {403: _PROBLEMS[403]}


@dataclass(frozen=True)
class Settings:
    """What a server process is started with.

    Attributes:
        model: the file of the model that reads.
        host: where it listens.
        collect: the file for corrections; None keeps none.
        detector: the file of the detector; ``none`` where rules find digits alone.
    """

    model: Path
    host: str
    collect: Path | None = None
    detector: Path = PRETRAINED_DETECTOR


class _App(FastAPI):
    """FastAPI, which describes also the models that only the body of `read` refers to."""

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API, made on first use."""
        is_new = self.openapi_schema is None
        description = super().openapi()
        if is_new:
            description["components"]["schemas"].update(schemas.body_models())
        return description


def create_app(settings: Settings) -> FastAPI:
    """Return the application; raises what `Recognizer.load` raises."""
    reader = BatchReader(Recognizer.load(settings.model, detector=settings.detector))
    live = LiveServer(reader, settings.collect)
    app = _App(
        title="digitcli",
        version=__version__,
        description="Reads handwritten digits in images and in pen strokes.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.add_middleware(Guard, host=settings.host)
    _add_handlers(app)
    facts = _describe(settings, reader.recognizer)

    @app.post(
        "/api/read",
        responses={
            **_PROBLEMS,
            200: {
                "model": schemas.ReadingSchema | list[schemas.ReadingSchema | schemas.FailureSchema],
                "description": "The reading; a list if several inputs were sent",
            },
        },
        openapi_extra={"requestBody": schemas.read_body()},
    )
    async def read(
        request: Request,
        single: bool | None = Query(
            None, description="treat each input as one digit; without it, the server decides for drawings"
        ),
    ) -> Response:
        """Read one image, several images, or drawings."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == schemas.JSON_TYPE:
            return _json(await _read_drawings(reader, await request.body(), single))
        if kind == schemas.FORM_TYPE:
            return _json(await _read_form(reader, request, single=bool(single)))
        if kind in ("", *schemas.IMAGE_TYPES):
            content = await request.body()
            reading = await reader.read_image(content, "the image", single=bool(single))
            return _json({"file": None, **reading.as_json()})
        raise RequestRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"found {kind}; expected {', '.join(schemas.BODY_TYPES)}",
        )

    @app.get(
        "/api/health",
        response_model=schemas.HealthSchema,
        response_description="The server is running",
        responses=_FORBIDDEN,
    )
    async def health() -> Response:
        """Confirm that the server is running."""
        return _json({"status": "ok"})

    @app.get(
        "/api/model",
        response_model=schemas.ModelSchema,
        response_description="The model",
        responses=_FORBIDDEN,
    )
    async def model() -> Response:
        """Describe the model."""
        return _json(facts)

    @app.websocket("/api/live")
    async def canvas(socket: WebSocket) -> None:
        await live.serve(socket)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(_STATIC / "docs.html")

    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return app


def _describe(settings: Settings, recognizer: Recognizer) -> dict[str, Any]:
    content = settings.model.read_bytes()
    return {
        "name": _short_name(settings.model),
        "digitcli": __version__,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "threshold": recognizer.threshold,
        "recipe": (RunRecord.beside(settings.model) or RunRecord()).recipe_name,
        "corrections": settings.collect is not None,
        "detector": None if str(settings.detector) == NO_DETECTOR else _short_name(settings.detector),
    }


def _short_name(path: Path) -> str:
    """Return what a file is called where nobody is to learn its folder."""
    return PRETRAINED if model_name(path) == PRETRAINED else path.name


async def _read_drawings(reader: BatchReader, body: bytes, single: bool | None) -> Any:
    try:
        sent = schemas.DRAWINGS.validate_json(body)
    except ValidationError as error:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, validation.first(error)) from error
    several = sent if isinstance(sent, list) else [sent]
    _require_count(len(several))

    def read_all() -> list[dict[str, Any]]:
        found = drawings.read(several, single=single, read_canvases=reader.read_canvases)
        return [
            {"file": None, **drawings.in_units(drawing, reading)}
            for drawing, reading in zip(several, found, strict=True)
        ]

    answers = await anyio.to_thread.run_sync(read_all)
    return answers if isinstance(sent, list) else answers[0]


async def _read_form(reader: BatchReader, request: Request, *, single: bool) -> Any:
    async with request.form(
        max_files=LIMITS.request_images + 1, max_fields=0, max_part_size=LIMITS.body_bytes
    ) as form:
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        sent = schemas.ImageForm.model_validate({"image": files})  # whatever the fields are called
        _require_count(len(sent.image))
        contents = [(_file_name(part), await part.read()) for part in sent.image]
    if len(contents) == 1:
        name, content = contents[0]
        reading = await reader.read_image(content, name or "the image", single=single)
        return {"file": name, **reading.as_json()}
    answers = []
    for name, content in contents:
        try:
            reading = await reader.read_image(content, name or "an image", single=single)
            answers.append({"file": name, **reading.as_json()})
        except ImageError as error:
            answers.append({"file": name, "error": str(error)})
    return answers


def _file_name(part: UploadFile) -> str | None:
    """Return the name that a file came with, without folders; nothing is ever written under it."""
    return (part.filename or "").replace("\\", "/").split("/")[-1][-LIMITS.file_name_characters :] or None


def _require_count(count: int) -> None:
    if count == 0:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "found no image; expected at least one")
    if count > LIMITS.request_images:
        raise RequestRefused(
            HTTPStatus.BAD_REQUEST, f"found {count} images; expected at most {LIMITS.request_images}"
        )


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, allow_nan=False), status, media_type="application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(error_body(message), status, headers, media_type="application/json")


def _add_handlers(app: FastAPI) -> None:
    """Let every problem be a line of JSON with the status that says what kind it is."""

    @app.exception_handler(RequestRefused)
    async def _refused(_: Request, error: RequestRefused) -> Response:
        busy = error.status == HTTPStatus.SERVICE_UNAVAILABLE
        return _error(error.status, error.reason, {"retry-after": "1"} if busy else None)

    @app.exception_handler(DigitcliError)
    async def _unreadable(_: Request, error: DigitcliError) -> Response:
        status = 413 if isinstance(error, TooLargeError) else 422 if isinstance(error, ImageError) else 500
        return _error(status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        message = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return _error(422, message)

    @app.exception_handler(HTTPException)
    async def _other(request: Request, error: HTTPException) -> Response:
        return _error(error.status_code, f"{request.url.path}: {error.detail}", dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> Response:
        return _error(500, f"unexpected: {type(error).__name__}")
