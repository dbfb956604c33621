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

PLAIN = str | int | float | None
"""Values that are told apart by their ``repr``."""


@dataclass(frozen=True, repr=False)
class Function:
    """A function from a spec file. It is told apart by its source text, and sent by value.

    Texts and numbers that it takes from around it count as part of the text. What it calls in turn
    does not: a change there is seen only under another name.
    """

    call: Callable[..., Any]

    def __call__(self, text: str) -> str | None:
        try:
            found = self.call(text)
        except Exception as error:
            raise SpecError(
                f"the function {self.name} failed on {text[:80]!r}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(found, str | None):
            raise SpecError(
                f"the function {self.name} gave {found!r} for {text[:80]!r}: it is to say why a "
                f"completion is dropped, in a word, or None to keep it"
            )
        return found

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
        text += "".join(f"{name}={value!r}\n" for name, value in sorted(self._bound().items()))
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return f"{getattr(self.call, '__name__', 'function')}-{digest}"

    def _bound(self) -> dict[str, Any]:
        """The values that it has from its defaults, its module and a function around it."""
        if not inspect.isfunction(self.call):
            return {}
        around = inspect.getclosurevars(self.call)
        given = inspect.signature(self.call).parameters.values()
        own: dict[str, Any] = {p.name: p.default for p in given if p.default is not p.empty}
        own.update(around.nonlocals)
        for name, value in own.items():
            if not isinstance(value, PLAIN):
                raise SpecError(
                    f"the function {self.call.__name__} has {name}={value!r} from around it, and "
                    f"only texts and numbers can be told apart: write it into the function itself"
                )
        return {n: v for n, v in around.globals.items() if isinstance(v, PLAIN)} | own

    def __repr__(self) -> str:
        return self.name

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
