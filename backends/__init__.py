"""What samples and trains.

``open_backend("toy", home)`` gives a :class:`Backend`; its module is imported only then.
"""

from importlib import import_module
from pathlib import Path
from typing import cast

from ..datasets.errors import SpecError
from .base import Backend, Completion, FineTuned, Job, Model, Progress, Recipe, Request

__all__ = [
    "BACKENDS",
    "Backend",
    "Completion",
    "FineTuned",
    "Job",
    "Model",
    "Progress",
    "Recipe",
    "Request",
    "open_backend",
]

BACKENDS = {"toy": (".toy", "ToyBackend")}
"""Where each backend lives: its module, relative to this package, and its class."""


def open_backend(name: str, home: Path) -> Backend:
    """The backend of that name, keeping its models below ``home``.

    Raises :class:`~limen.SpecError` for an unknown name.
    """
    if name not in BACKENDS:
        raise SpecError(f"unknown backend {name!r}: choose one of {', '.join(sorted(BACKENDS))}")
    module, kind = BACKENDS[name]
    return cast(Backend, getattr(import_module(module, __package__), kind)(home))
