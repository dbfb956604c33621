"""What samples and trains.

``open_backend("toy", home)`` gives a :class:`Backend`; its module is imported only then.
"""

from importlib import import_module
from pathlib import Path
from typing import cast

from ..datasets.errors import SpecError
from .base import (
    Backend,
    Checkpoint,
    Completion,
    Engine,
    Explicit,
    FineTuned,
    Job,
    Model,
    Progress,
    Quote,
    Recipe,
    RenderedContext,
    Rendering,
    Request,
    Service,
    ServiceTerms,
    Token,
    Usage,
    WordProbabilities,
    WorkRequest,
    is_explicit,
    is_rendering,
    is_service,
)

__all__ = [
    "BACKENDS",
    "ENGINES",
    "Backend",
    "Checkpoint",
    "Completion",
    "Engine",
    "Explicit",
    "FineTuned",
    "Job",
    "Model",
    "Progress",
    "Quote",
    "Recipe",
    "RenderedContext",
    "Rendering",
    "Request",
    "Service",
    "ServiceTerms",
    "Token",
    "Usage",
    "WordProbabilities",
    "WorkRequest",
    "is_explicit",
    "is_rendering",
    "is_service",
    "open_backend",
    "open_engine",
]

BACKENDS = {
    "toy": (".toy", "ToyBackend"),
    "openai": (".openai", "OpenAIBackend"),
    "inspect": (".inspect", "InspectBackend"),
    "local": (".local", "LocalBackend"),
}
"""Where each backend lives: its module, relative to this package, and its class."""


ENGINES = ("toy", "local")
"""The backends whose models run on this machine."""


def open_backend(name: str, home: Path, terms: ServiceTerms | None = None) -> Backend:
    """The backend of that name, keeping its models below ``home``, on the given terms.

    Raises :class:`~limen.SpecError` for an unknown name.
    """
    if name not in BACKENDS:
        raise SpecError(f"unknown backend {name!r}: choose one of {', '.join(sorted(BACKENDS))}")
    module, kind = BACKENDS[name]
    made = getattr(import_module(module, __package__), kind)(home, terms or ServiceTerms())
    return cast(Backend, made)


def open_engine(name: str, home: Path) -> Engine:
    """The engine of that name; raises :class:`~limen.SpecError` for an unknown one."""
    if name not in ENGINES:
        raise SpecError(f"unknown engine {name!r}: choose one of {', '.join(ENGINES)}")
    return cast(Engine, open_backend(name, home))
