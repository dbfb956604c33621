"""What a test claims by its source, and by what it uses from outside itself.

Comments and the layout of the code do not count. Of limen, of Python and of installed packages the
name alone counts: their versions are recorded beside the results.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from functools import partial
from pathlib import PurePath
from types import FunctionType, MethodType, ModuleType

from ...datasets.python_syntax import syntax_tree
from ..stages import is_users

PLAIN = (str, bytes, int, float, complex, type(None), type(...), re.Pattern, range, PurePath, Enum)
"""Values that are distinguished by their ``repr``."""


def source_tree(test: object) -> ast.AST:
    """The syntax tree of a function or class; an empty one where its source is not there."""
    try:
        return syntax_tree(textwrap.dedent(inspect.getsource(test)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, SystemError):
        return ast.Module([], [])


def used_outside(test: Callable[..., object] | None) -> str:
    """The module's values and functions that a test uses, and all that these use, as one text."""
    return "".join(_Uses().of(test)) if isinstance(test, FunctionType) else ""


class _Uses:
    """Writes what functions use, each function once."""

    def __init__(self) -> None:
        self._seen: set[object] = set()
        self._objects: set[int] = set()

    def of(self, function: FunctionType) -> Iterator[str]:
        """A line for each name that a function has from outside."""
        tree = source_tree(function)
        around = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for name in sorted(names & around.keys()):
            yield f"{name}={self._text(around[name], tree)}\n"

    def _text(self, value: object, user: ast.AST) -> str:
        if isinstance(value, PLAIN):
            return repr(value)
        if (parts := _parts_of(value)) is not None:
            return str([self._text(part, user) for part in parts])
        if isinstance(value, set | frozenset | dict):
            parts = value.items() if isinstance(value, dict) else value
            return str(sorted(self._text(part, user) for part in parts))
        if isinstance(value, ModuleType):
            return self._module(value, user)
        wrapped = inspect.unwrap(value) if callable(value) else value  # as by functools.cache
        return self._users(wrapped, user)

    def _users(self, value: object, user: ast.AST) -> str:
        """A function, a class or an object of the user's; of others the name."""
        if isinstance(value, FunctionType | type):
            return self._source(value)
        kind = type(value)
        if not is_users(kind.__module__) or id(value) in self._objects:
            return kind.__qualname__
        self._objects.add(id(value))
        return f"{self._source(kind)} {self._text(_state_of(value), user)}"

    def _source(self, kind: FunctionType | type) -> str:
        """The source of a function or class of the user's, once, with what it uses in turn."""
        if not is_users(kind.__module__) or kind in self._seen:
            return f"{kind.__module__}.{kind.__qualname__}"
        self._seen.add(kind)
        uses = "".join(line for each in _functions_of(kind) for line in self.of(each))
        bases = () if isinstance(kind, FunctionType) else kind.__bases__
        return f"{ast.unparse(source_tree(kind))}\n{uses}{''.join(map(self._source, bases))}"

    def _module(self, module: ModuleType, user: ast.AST) -> str:
        """A module of the user's: what is used of it; of others the name."""
        if not is_users(module.__name__):
            return module.__name__
        named = {node.attr for node in ast.walk(user) if isinstance(node, ast.Attribute)}
        used = sorted(named & vars(module).keys())
        return str([f"{name}={self._text(vars(module)[name], user)}" for name in used])


def _parts_of(value: object) -> Collection[object] | None:
    """The parts of a value that is made of others in an order; None of other values."""
    if isinstance(value, partial):
        return value.func, value.args, value.keywords
    if isinstance(value, MethodType):
        return value.__func__, value.__self__
    return value if isinstance(value, tuple | list) else None


def _state_of(value: object) -> object:
    """The attributes of an object; of one with slots what it shows."""
    try:
        return vars(value)
    except TypeError:
        return repr(value)


def _functions_of(kind: FunctionType | type) -> Iterator[FunctionType]:
    """A function itself; of a class its methods."""
    members = (kind,) if isinstance(kind, FunctionType) else vars(kind).values()
    yield from (member for member in members if isinstance(member, FunctionType))
