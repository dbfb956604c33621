"""A researcher's own functions in a spec: how they enter a key, and another process."""

import hashlib
import inspect
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from types import FunctionType, MethodType
from typing import Any

from ...datasets.errors import SpecError, SpecWarning
from .function_source import FunctionSource
from .user_calls import SHOWN, call_on_text, is_text, shown

_BY_VALUE = threading.Lock()
"""Modules are registered for all threads."""


@dataclass(frozen=True, repr=False)
class HashedFunction:
    """A function from a spec file. Its source is part of keys, and it is sent by value.

    All of the user's code and values that it uses count as part of the source: classes and helpers
    in any file, defaults, closures, constants, partials. Python, installed packages and limen count
    by their names.
    """

    call: Callable[..., Any]

    def __call__(self, text: str) -> str | None:
        return self.reason(text, text)

    def reason(self, text: str, *given: object) -> str | None:
        """Why a filter rule drops a completion, given what it takes; None to keep it.

        Raises :class:`~limen.SpecError`, quoting the completion, if the function fails or gives
        anything else.
        """
        name = f"the function {self.name}"
        reason = call_on_text(
            self.call, text, name=name, what="the text", error=SpecError, given=given
        )
        if reason is not None and not (isinstance(reason, str) and is_text(reason)):
            raise SpecError(
                f"the function {self.name} gave {shown(reason)} for the text {text[:SHOWN]!r}: it "
                f"must return why the text is dropped, in a word, or None to keep it"
            )
        return reason

    @property
    def name(self) -> str:
        """The function's own name and the hash of its source."""
        return self._described[0]

    @property
    def unseen(self) -> tuple[str, ...]:
        """What the function uses although a change in it does not change the name."""
        return self._described[1]

    @cached_property
    def _described(self) -> tuple[str, tuple[str, ...]]:
        source = FunctionSource()
        digest = hashlib.sha256(source.text(self.call).encode()).hexdigest()[:12]
        return f"{_own_name(self.call)}-{digest}", tuple(source.unseen)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[..., "HashedFunction"], tuple[bytes, str]]:
        return _restored, (_by_value(self.call), self.name)


def hashed_function(what: str, value: object) -> HashedFunction:
    """The function of a spec; raises :class:`~limen.SpecError` for what is not a function.

    Warns where a change in what the function uses could not be noticed.
    """
    if isinstance(value, HashedFunction):
        return value
    if not callable(value):
        raise SpecError(f"{what}={value!r} must be a function")
    made = HashedFunction(value)
    if made.unseen:
        warnings.warn(
            f"{what}={made.name} uses {' and '.join(made.unseen)}: a change there is not noticed, "
            f"and results that are in the store would be used again. Pass it to the function as "
            f"a value, or change the function's text as well",
            SpecWarning,
            stacklevel=3,
        )
    return made


def _own_name(call: Callable[..., Any]) -> str:
    if isinstance(call, partial):
        return _own_name(call.func)
    wrapped = inspect.unwrap(call)
    return wrapped.__name__ if isinstance(wrapped, FunctionType | MethodType) else _kind(call)


def _kind(call: object) -> str:
    return type(call).__name__


def _by_value(call: Callable[..., Any]) -> bytes:
    """The function as bytes that another process can read: spec files cannot be imported there."""
    import cloudpickle

    module = sys.modules.get(_module_name(call))
    if module is None or module.__name__.startswith("limen."):
        return bytes(cloudpickle.dumps(call))
    with _BY_VALUE:
        cloudpickle.register_pickle_by_value(module)
        try:
            return bytes(cloudpickle.dumps(call))
        finally:
            cloudpickle.unregister_pickle_by_value(module)


def _module_name(call: Callable[..., Any]) -> str:
    inner = call.func if isinstance(call, partial) else call
    return str(inner.__module__)


def _restored(data: bytes, name: str) -> HashedFunction:
    import cloudpickle

    made = HashedFunction(cloudpickle.loads(data))
    made.__dict__["_described"] = (name, ())
    return made
