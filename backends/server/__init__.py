"""The OpenAI wire over an engine: chat, files, fine-tuning jobs, models and batches.

``serve("toy", state=..., models=..., ready=print)`` serves until it is stopped;
``create_app`` gives the same as an ASGI application. What a server must remember lies below its
``state`` folder, so that it goes on where it was, however it ended.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .options import ServerOptions, is_loopback

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["ServerOptions", "create_app", "is_loopback", "serve"]

DEFAULTS = ServerOptions()


def create_app(
    engine_name: str, *, state: Path, models: Path, options: ServerOptions = DEFAULTS
) -> "Starlette":
    """The server as an ASGI application; it has the state folder to itself until it shuts down.

    Raises :class:`~limen.SpecError` for an unknown engine, and :class:`~limen.StoreError` where
    another server uses the folder.
    """
    from .app import build

    return build(engine_name, state=state, models=models, options=options)


def serve(
    engine_name: str,
    *,
    state: Path,
    models: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    options: ServerOptions = DEFAULTS,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called with the base URL once the server listens.

    Port 0 takes a free one. Raises what :func:`create_app` does, and
    :class:`~limen.BackendError` where the address cannot be had.
    """
    from .sockets import bound, run

    with bound(host, port) as listening:
        app = create_app(engine_name, state=state, models=models, options=options)
        run(app, listening, ready)
