"""The application: its parts, and the errors that no part answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ...datasets.errors import (
    LimenError,
    PromptError,
    SpecError,
    StoreError,
    TooLongError,
    UnknownModelError,
)
from .. import open_engine
from ..base import Engine
from .batches import Batches
from .batching_sampler import BatchingSampler
from .catalog import Catalog
from .chat import Chat
from .files import Files
from .jobs import Jobs
from .middleware import RequestChecks
from .options import ServerOptions
from .protocol import ApiError
from .rate_limits import RateLimiter
from .record_store import RecordStore
from .responses_api import Responses
from .trainer import Trainer
from .uploads import Uploads
from .workers import Workers

NICENESS = 5
"""How far training stands back for sampling, which somebody waits for."""


def build(engine_name: str, *, state: Path, models: Path, options: ServerOptions) -> Starlette:
    """See :func:`limen.backends.server.create_app`."""
    engine = open_engine(engine_name, models)
    _made_ready(engine, options)
    lock = _claimed(state)
    limiter = RateLimiter(options)
    sampler = BatchingSampler(engine)
    side_by_side = options.processes(engine.capabilities.max_parallel_stages)
    helpers, workers = Workers(side_by_side), Workers(side_by_side, niceness=NICENESS)
    jobs = RecordStore(state / "jobs", "ftjob")
    files = Files(state / "files", options.max_upload)
    catalog = Catalog(
        engine,
        jobs,
        workers=helpers,
        limiter=limiter,
        home=models,
        names=options.names or {engine.default_model: engine.default_model},
        prepared=bool(options.offered),
    )
    chat = Chat(engine, catalog, sampler, limiter)
    trainer = Trainer(engine, models, jobs=jobs, files=files, catalog=catalog, workers=workers)
    batches = Batches(state / "batches", files, chat)

    def close() -> None:
        for part in (workers, helpers, sampler):
            part.close()
        lock.release()

    lifespan = _lifespan(sampler.start, trainer, batches, close)
    parts = (
        chat, catalog, files, batches, Responses(chat, limiter),
        Uploads(state / "uploads", files, options.max_upload),
        Jobs(
            engine, jobs, files=files, catalog=catalog, trainer=trainer, recipe=options.recipe
        ),
    )  # fmt: skip
    return _application([route for part in parts for route in part.routes()], options, lifespan)


def _lifespan(
    start: Callable[[], None], trainer: Trainer, batches: Batches, close: Callable[[], None]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """What the server does before its first request and after its last."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        start()
        trainer.resume()
        batches.resume()
        try:
            yield
        finally:
            await trainer.close()
            await batches.close()
            close()

    return lifespan


def _application(
    routes: Sequence[BaseRoute],
    options: ServerOptions,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> Starlette:
    """The routes behind the checks that every request passes, and what becomes of errors."""
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestChecks, api_key=options.api_key, allowed_hosts=options.allowed_hosts)
        ],
        exception_handlers={
            ApiError: _refused,
            HTTPException: _unanswered,
            LimenError: _failed,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _made_ready(engine: Engine, options: ServerOptions) -> None:
    """Have the offered models there before anybody asks; raises where one cannot be had."""
    engine.recipe(options.recipe)
    for model in options.offered or [engine.default_model]:
        name = engine.base(model)
        if options.offered:
            engine.prepare(name)


def _claimed(state: Path) -> FileLock:
    """Lock the state folder."""
    state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(state / "server.lock", timeout=0, thread_local=False, is_singleton=False)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"another server is at work on {state}: stop it, or name another store with --store"
        ) from None
    return lock


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


def _unanswered(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: unknown paths, wrong methods, broken forms."""
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path[:200]}"
    messages = {404: f"Invalid URL ({where})", 405: f"Method not allowed ({where})"}
    message = messages.get(error.status_code, error.detail)
    return ApiError(error.status_code, message, headers=error.headers).response()


def _failed(request: Request, error: Exception) -> Response:
    """What limen itself says is wrong."""
    if isinstance(error, UnknownModelError):
        return ApiError(404, str(error), param="model", code="model_not_found").response()
    if isinstance(error, SpecError):
        return ApiError(400, str(error)).response()
    if isinstance(error, PromptError):
        code = "context_length_exceeded" if isinstance(error, TooLongError) else "invalid_prompt"
        return ApiError(400, str(error), param="messages", code=code).response()
    return ApiError(500, str(error), kind="server_error").response()


def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # and nobody there to read it


def _broken(request: Request, error: Exception) -> Response:
    message = "The server had an error while processing your request. Sorry about that!"
    headers = {"connection": "close"}  # which uvicorn does after an error, saying nothing
    return ApiError(500, message, kind="server_error", headers=headers).response()
