"""The HTTP server: a FastAPI app with bounded requests, and uvicorn."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import deftx
from deftx.core.errors import DeftxError, RecipeError
from deftx.core.optional import optional_package
from deftx.serving.batching import Busy
from deftx.serving.service import Service

EXTRA = "serve"
LOOPBACK = ("127.0.0.1", "localhost")
BODY_BYTES = 2**21
RETRY_SECONDS = "2"
MOST_CONNECTIONS = 128


@dataclass(frozen=True)
class Limits:
    """What a request may have at most: texts, characters of a text, and bytes of the body."""

    texts: int = 1_000
    characters: int = 10_000
    body: int = BODY_BYTES


class BodyLimit:
    """Middleware that refuses a body of more than ``most`` bytes while it is read, whatever its header says."""

    def __init__(self, app: Any, most: int, refusal: Callable[[], Exception]) -> None:
        self._app, self._most, self._refusal = app, most, refusal

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, counting the bytes of its body."""
        read = 0

        async def counted() -> Any:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise self._refusal()
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


def make_app(service: Service, limits: Limits | None = None, hosts: tuple[str, ...] | None = None) -> Any:
    """Return the FastAPI app.

    Args:
        service: The service; it is closed when the app shuts down.
        limits: What a request may have at most.
        hosts: The names in the header Host that are answered; None: all.

    Raises:
        DeftxError: If FastAPI is not installed.
    """
    optional_package("fastapi", "The server needs", EXTRA)
    from fastapi import FastAPI, HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    limits = limits or Limits()
    ask, answers, about = _schemas(service, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.batcher.close()

    # FastAPI's own pages of documentation load scripts from another host.
    app = FastAPI(
        title="DeFT-X classifier", version=deftx.__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.add_middleware(
        BodyLimit, most=limits.body, refusal=lambda: HTTPException(413, f"more than {limits.body:,} bytes")
    )
    if hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))  # no page of another site can call it

    _add_refusals(app)

    @app.post("/classify", response_model=answers, summary="Classify texts, each with the vector of its language")
    async def classify(wanted: ask) -> Any:  # pyright: ignore[reportInvalidTypeForm] (a model made from the task)
        if wanted.languages is not None and wanted.language is not None:
            raise DeftxError("Give either language, for all texts, or languages, one for each.")
        told = wanted.languages if wanted.languages is not None else [wanted.language] * len(wanted.texts)
        if len(told) != len(wanted.texts):
            raise DeftxError(f"{len(told)} languages are given for {len(wanted.texts)} texts; give one for each.")
        return {"results": await service.answer(wanted.texts, told)}

    @app.get("/", response_model=about, summary="The labels, the languages, and how many texts wait")
    async def root() -> Any:
        return service.about()

    return app


def _add_refusals(app: Any) -> None:
    """Answer errors that a client can correct with their reason."""
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    @app.exception_handler(DeftxError)
    async def refused(_: Request, error: DeftxError) -> JSONResponse:
        busy = isinstance(error, Busy)
        headers = {"Retry-After": RETRY_SECONDS} if busy else None
        return JSONResponse({"detail": str(error)}, 503 if busy else 422, headers)

    @app.exception_handler(RequestValidationError)
    async def not_understood(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input, which may be text or numbers that JSON cannot hold.
        return JSONResponse(
            {"detail": [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()]}, 422
        )


def run(app: Any, host: str, port: int) -> None:
    """Serve an app until it is interrupted. Raise DeftxError if the address cannot be used, or uvicorn is not installed."""
    uvicorn = optional_package("uvicorn", "The server needs", EXTRA)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", limit_concurrency=MOST_CONNECTIONS)
    try:
        socket = config.bind_socket()
    except SystemExit:
        raise RecipeError(f"Nothing can listen at {host}:{port}: choose another --port or --host.") from None
    uvicorn.Server(config).run(sockets=[socket])


def _schemas(service: Service, limits: Limits) -> tuple[Any, Any, Any]:
    """Return the models of a request, its answer, and the description of the service."""
    from pydantic import BaseModel, ConfigDict, Field, StringConstraints

    sentence = Annotated[str, StringConstraints(max_length=limits.characters)]
    code: Any = Annotated[str, StringConstraints(max_length=40)]
    text: Any = tuple[sentence, sentence] if service.pairs else sentence

    class Ask(BaseModel):
        model_config = ConfigDict(extra="forbid")
        texts: list[text] = Field(  # pyright: ignore[reportInvalidTypeForm]
            min_length=1,
            max_length=limits.texts,
            description="Premise and hypothesis each" if service.pairs else "Texts",
        )
        language: code | None = Field(  # pyright: ignore[reportInvalidTypeForm]
            None, description="The language of all texts; null: it is found for each"
        )
        languages: list[code | None] | None = Field(  # pyright: ignore[reportInvalidTypeForm]
            None, max_length=limits.texts, description="The language of each text; null: it is found"
        )

    class Answer(BaseModel):
        label: str
        probabilities: dict[str, float]
        language: str | None = Field(description="The language whose vector was used; null: the task vector alone")
        found: str | None = Field(description="The language that was found, if none was told; it may be unknown")

    class Answers(BaseModel):
        results: list[Answer]

    class About(BaseModel):
        labels: list[str]
        languages: list[str]
        pairs: bool
        waiting: int

    return Ask, Answers, About
