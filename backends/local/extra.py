"""The libraries of the extra ``limen[local]``, imported when they are first needed."""

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ...datasets.errors import BackendError

LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "gguf")
"""What the extra installs and this backend imports."""


def check_installed() -> None:
    """Raise :class:`~limen.BackendError` unless all of the extra is there; imports none of it."""
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise _missing(missing)


def library(name: str) -> Any:
    """A library of the extra, or a module of one; raises :class:`~limen.BackendError`.

    Untyped on purpose: limen is checked with and without the extra, to the same result.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in LIBRARIES:
            raise _missing([error.name or name]) from None
        raise


def one_line(error: object) -> str:
    """What an error says, without the line breaks that libraries put in."""
    return " ".join(str(error).split())


def quiet() -> None:
    """Have the libraries draw no progress bars (limen shows its own), nor warn one another."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|peft|trl")
    warnings.filterwarnings("ignore", message="Could not find a config file", module="peft")
    library("transformers.utils.logging").disable_progress_bar()
    library("datasets").disable_progress_bars()


def _missing(names: list[str]) -> BackendError:
    return BackendError(
        f"the backend 'local' needs {', '.join(names)}: pip install \"limen[local]\""
    )
