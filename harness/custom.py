"""A researcher's own functions in a spec: how they get into a key, and into another process."""

import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..datasets.errors import SpecError


@dataclass(frozen=True)
class Function:
    """A function from a spec file. It is told apart by its source text, and sent by value.

    What it calls in turn is not in the text: a change there is seen only under another name.
    """

    call: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)

    @cached_property
    def name(self) -> str:
        """The function's own name and the hash of its source text."""
        try:
            text = textwrap.dedent(inspect.getsource(self.call))
        except (OSError, TypeError) as error:
            raise SpecError(
                f"the source of {self.call!r} cannot be read ({error}), so results could not be "
                f"told apart when it changes: define it with def, in a file"
            ) from None
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return f"{getattr(self.call, '__name__', 'function')}-{digest}"

    def __reduce__(self) -> tuple[Callable[..., "Function"], tuple[bytes, str]]:
        return _restored, (_by_value(self.call), self.name)


def function(what: str, value: object) -> Function:
    """The function of a spec; raises :class:`~limen.SpecError` for what cannot be called."""
    if isinstance(value, Function):
        return value
    if not callable(value):
        raise SpecError(f"{what}={value!r} must be a function")
    made = Function(value)
    _ = made.name  # unreadable source is a fault of the spec, told when it is made
    return made


def named(rule: str | Function) -> str:
    """The name under which a rule stands in keys and manifests."""
    return rule if isinstance(rule, str) else rule.name


def _by_value(call: Callable[..., Any]) -> bytes:
    """The function as bytes that another process can read: spec files cannot be imported there."""
    import cloudpickle

    module = sys.modules.get(call.__module__)
    if module is None or module.__name__.startswith("limen."):
        return bytes(cloudpickle.dumps(call))
    cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(call))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _restored(data: bytes, name: str) -> Function:
    import cloudpickle

    made = Function(cloudpickle.loads(data))
    made.__dict__["name"] = name
    return made
