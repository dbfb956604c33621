"""A researcher's own functions in a spec: how they get into a key, and into another process."""

import dis
import hashlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ...datasets.errors import SpecError

PLAIN = (str, bytes, int, float, type(None), re.Pattern)
"""Values that are told apart by their ``repr``."""


@dataclass(frozen=True, repr=False)
class HashedFunction:
    """A function from a spec file. It is told apart by its source text, and sent by value.

    What it takes from around it counts as part of the text: texts, numbers, patterns, collections
    of them, and the source of other functions of its file. Other libraries' do not: a change there
    is seen only under another name.
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
        if not isinstance(self.call, FunctionType):
            raise SpecError(
                f"{self.call!r} is no plain function, so results could not be told apart when it "
                f"changes: define one with def, in a file"
            )
        digest = hashlib.sha256(_text(self.call, set()).encode()).hexdigest()[:12]
        return f"{self.call.__name__}-{digest}"

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[..., "HashedFunction"], tuple[bytes, str]]:
        return _restored, (_by_value(self.call), self.name)


def _text(call: FunctionType, seen: set[FunctionType]) -> str:
    """All that tells a function apart: its source, and what it has from around it."""
    seen.add(call)
    around = sorted(_around(call).items())
    told = (f"{name}={_told(call, name, value, seen)}\n" for name, value in around)
    return _source(call) + "".join(told)


def _source(call: FunctionType) -> str:
    try:
        text = textwrap.dedent(inspect.getsource(call))
    except (OSError, TypeError) as error:
        raise SpecError(
            f"the source of {call!r} cannot be read ({error}), so results could not be "
            f"told apart when it changes: define it with def, in a file"
        ) from None
    if call.__name__ == "<lambda>" and text.count("lambda") > 1:
        raise SpecError(f"two lambdas in one place cannot be told apart, use def: {text.strip()!r}")
    return text


def _around(call: FunctionType) -> dict[str, Any]:
    """The values that a function has from its defaults, its module and a function around it."""
    given = inspect.signature(call).parameters.values()
    own: dict[str, Any] = {p.name: p.default for p in given if p.default is not p.empty}
    names = _global_names(call.__code__)
    own |= {name: call.__globals__[name] for name in names if name in call.__globals__}
    return own | dict(inspect.getclosurevars(call).nonlocals)


def _global_names(code: CodeType) -> set[str]:
    """The module's names that a function's code uses, in the functions inside it too."""
    read = {str(i.argval) for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return read.union(*map(_global_names, inner))


def _told(call: FunctionType, name: str, value: object, seen: set[FunctionType]) -> str:
    """A value as text; raises :class:`~limen.SpecError` for what cannot be told apart."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, tuple | list | set | frozenset | dict):
        parts = value.items() if isinstance(value, dict) else value
        told = [_told(call, name, part, seen) for part in parts]
        return str(told if isinstance(value, tuple | list) else sorted(told))
    if isinstance(value, FunctionType) and value.__module__ == call.__module__:
        return value.__name__ if value in seen else _text(value, seen)
    if isinstance(value, ModuleType):
        return value.__name__
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise SpecError(
        f"the function {call.__name__} has {name}={value!r} from around it, and only texts, "
        f"numbers and the like can be told apart: write it into the function itself"
    )


def hashed_function(what: str, value: object) -> HashedFunction:
    """The function of a spec; raises :class:`~limen.SpecError` for what cannot be called."""
    if isinstance(value, HashedFunction):
        return value
    if not callable(value):
        raise SpecError(f"{what}={value!r} must be a function")
    made = HashedFunction(value)
    _ = made.name  # unreadable source is a fault of the spec, told when it is made
    return made


def rule_name(rule: str | HashedFunction) -> str:
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


def _restored(data: bytes, name: str) -> HashedFunction:
    import cloudpickle

    made = HashedFunction(cloudpickle.loads(data))
    made.__dict__["name"] = name
    return made
