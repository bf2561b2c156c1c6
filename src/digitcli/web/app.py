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
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from digitcli import __version__
from digitcli.config import validation
from digitcli.datasets.strokes import Drawing
from digitcli.errors import DigitcliError, ImageError, TooLargeError
from digitcli.recognition.pretrained import PRETRAINED, PRETRAINED_MODEL
from digitcli.recognition.recognizer import Recognizer
from digitcli.run_record import RunRecord
from digitcli.web import drawings, schemas
from digitcli.web.batch_reader import BatchReader
from digitcli.web.guard import Guard
from digitcli.web.limits import MAX_BODY, MAX_IMAGES, Refused, as_error
from digitcli.web.live import Live

_STATIC = Path(__file__).parent / "static"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": schemas.Problem,
        "description": "No JSON, no form, a drawing that is none, or too many images",
    },
    403: {"model": schemas.Problem, "description": "Asked by a page or a name of elsewhere"},
    408: {"model": schemas.Problem, "description": "Not here as a whole in time"},
    413: {"model": schemas.Problem, "description": "Too large, or too many pixels"},
    415: {"model": schemas.Problem, "description": "Neither an image, a form, nor JSON"},
    422: {"model": schemas.Problem, "description": "An image that cannot be read, or a bad option"},
    503: {"model": schemas.Problem, "description": "Too much to read at the moment"},
}
_MAX_NAME = 200  # characters of a file's name that are told again
_NAMES: dict[int | str, dict[str, Any]] = {403: _PROBLEMS[403]}
_Drawings = TypeAdapter(Drawing | list[Drawing])


@dataclass(frozen=True)
class Settings:
    """What a server is told.

    Attributes:
        model: the file of the model that reads.
        host: where it listens.
        collect: the file for corrections; None keeps none.
    """

    model: Path
    host: str
    collect: Path | None = None


def create_app(settings: Settings) -> FastAPI:
    """Return the application; raises what `Recognizer.load` raises."""
    room = BatchReader(Recognizer.load(settings.model))
    live = Live(room, settings.collect)
    app = FastAPI(
        title="digitcli",
        version=__version__,
        description="Reads handwritten digits in images and in pen strokes.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.add_middleware(Guard, host=settings.host)
    _add_handlers(app)
    facts = _describe(settings, room.recognizer)

    @app.post(
        "/api/read",
        responses={
            **_PROBLEMS,
            200: {
                "model": schemas.Reading | list[schemas.Reading | schemas.Failure],
                "description": "What was read; a list where several were sent",
            },
        },
        openapi_extra={"requestBody": schemas.READ_BODY},
    )
    async def read(
        request: Request,
        single: bool | None = Query(
            None, description="take each image for one digit; a drawing tells by itself unless this is given"
        ),
    ) -> Response:
        """Read an image, several, or drawings."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            return _json(await _read_drawings(room, await request.body(), single))
        if kind == "multipart/form-data":
            return _json(await _read_form(room, request, single=bool(single)))
        if kind in ("", *schemas.IMAGE_TYPES):
            content = await request.body()
            reading = await room.read_image(content, "the image", single=bool(single))
            return _json({"file": None, **reading.as_json()})
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"found {kind}; expected {', '.join(schemas.READ_BODY['content'])}",
        )

    @app.get("/api/health", response_model=schemas.Health, response_description="It does", responses=_NAMES)
    async def health() -> Response:
        """Tell that the server answers."""
        return _json({"status": "ok"})

    @app.get("/api/model", response_model=schemas.Model, response_description="That one", responses=_NAMES)
    async def model() -> Response:
        """Tell which model reads."""
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
        "name": PRETRAINED if settings.model == PRETRAINED_MODEL else settings.model.name,
        "digitcli": __version__,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "threshold": recognizer.threshold,
        "recipe": (RunRecord.beside(settings.model) or RunRecord()).recipe_name,
        "corrections": settings.collect is not None,
    }


async def _read_drawings(room: BatchReader, body: bytes, single: bool | None) -> Any:
    try:
        sent = _Drawings.validate_json(body)
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, validation.first(error)) from error
    several = sent if isinstance(sent, list) else [sent]
    _require_count(len(several))

    def read_all() -> list[dict[str, Any]]:
        found = drawings.read(several, single=single, read_canvases=room.read_canvases)
        return [
            {"file": None, **drawings.in_units(drawing, reading)}
            for drawing, reading in zip(several, found, strict=True)
        ]

    told = await anyio.to_thread.run_sync(read_all)
    return told if isinstance(sent, list) else told[0]


async def _read_form(room: BatchReader, request: Request, *, single: bool) -> Any:
    async with request.form(max_files=MAX_IMAGES + 1, max_fields=0, max_part_size=MAX_BODY) as form:
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        _require_count(len(files))
        contents = [(_file_name(part), await part.read()) for part in files]
    if len(contents) == 1:
        name, content = contents[0]
        reading = await room.read_image(content, name or "the image", single=single)
        return {"file": name, **reading.as_json()}
    told = []
    for name, content in contents:
        try:
            reading = await room.read_image(content, name or "an image", single=single)
            told.append({"file": name, **reading.as_json()})
        except ImageError as error:
            told.append({"file": name, "error": str(error)})
    return told


def _file_name(part: UploadFile) -> str | None:
    """Return the name that a file came with, without folders; nothing is ever written under it."""
    return (part.filename or "").replace("\\", "/").split("/")[-1][-_MAX_NAME:] or None


def _require_count(count: int) -> None:
    if count == 0:
        raise Refused(HTTPStatus.BAD_REQUEST, "found no image; expected at least one")
    if count > MAX_IMAGES:
        raise Refused(HTTPStatus.BAD_REQUEST, f"found {count} images; expected at most {MAX_IMAGES}")


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, allow_nan=False), status, media_type="application/json")


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return Response(as_error(words), status, headers, media_type="application/json")


def _add_handlers(app: FastAPI) -> None:
    """Let every problem be a line of JSON with the status that says what kind it is."""

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> Response:
        busy = error.status == HTTPStatus.SERVICE_UNAVAILABLE
        return _error(error.status, error.words, {"retry-after": "1"} if busy else None)

    @app.exception_handler(DigitcliError)
    async def _unreadable(_: Request, error: DigitcliError) -> Response:
        status = 413 if isinstance(error, TooLargeError) else 422 if isinstance(error, ImageError) else 500
        return _error(status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return _error(422, words)

    @app.exception_handler(HTTPException)
    async def _other(request: Request, error: HTTPException) -> Response:
        return _error(error.status_code, f"{request.url.path}: {error.detail}", dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> Response:
        return _error(500, f"unexpected: {type(error).__name__}")
