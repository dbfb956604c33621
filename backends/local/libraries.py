"""The libraries of the extra ``limen[local]``, imported when they are first needed."""

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

from ...datasets.errors import BackendError

LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "gguf")
"""The packages of the extra that this backend imports."""

Untyped: TypeAlias = Any
"""Anything of these libraries: limen is type-checked with and without them, to the same result."""
Tensor: TypeAlias = Any
"""A tensor of PyTorch; its shape stands beside it."""
CausalLM: TypeAlias = Any
"""A causal language model of Transformers or PEFT."""
Tokenizer: TypeAlias = Any
"""A tokenizer of Transformers."""


def check_installed() -> None:
    """Raise :class:`~limen.BackendError` unless the whole extra is installed; imports nothing."""
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise _not_installed(missing)


def library(name: str) -> Untyped:
    """A library of the extra, or a module of one; raises :class:`~limen.BackendError`."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in LIBRARIES:
            raise _not_installed([error.name or name]) from None
        raise


def one_line(error: object) -> str:
    """An error's message without line breaks."""
    return " ".join(str(error).split())


def quiet() -> None:
    """Silence the libraries' progress bars (limen shows its own) and their mutual warnings."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|peft|trl")
    warnings.filterwarnings("ignore", message="Could not find a config file", module="peft")
    library("transformers.utils.logging").disable_progress_bar()
    library("datasets").disable_progress_bars()


def _not_installed(names: list[str]) -> BackendError:
    return BackendError(
        f"the backend 'local' needs {', '.join(names)}: pip install \"limen[local]\""
    )
