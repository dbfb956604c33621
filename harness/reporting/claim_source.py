"""What a test claims by its source, and by what it uses from outside itself.

Comments and the layout of the code do not count. Of limen, of Python and of installed packages the
name alone counts: their versions are recorded beside the results.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import PurePath
from types import FunctionType, ModuleType

from ..stages import is_users

PLAIN = (str, bytes, int, float, complex, type(None), type(...), re.Pattern, range, PurePath, Enum)
"""Values that are distinguished by their ``repr``."""


def source_tree(test: object) -> ast.AST:
    """The syntax tree of a function or class; an empty one where its source is not there."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(test)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError):
        return ast.Module([], [])


def used_outside(test: Callable[..., object] | None) -> str:
    """The module's values and functions that a test uses, and all that these use, as one text."""
    return "".join(_Uses().of(test)) if isinstance(test, FunctionType) else ""


class _Uses:
    """Writes what functions use, each function once."""

    def __init__(self) -> None:
        self._seen: set[object] = set()

    def of(self, function: FunctionType) -> Iterator[str]:
        """A line for each name that a function has from outside."""
        self._seen.add(function)
        tree = source_tree(function)
        around = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for name in sorted(names & around.keys()):
            yield f"{name}={self._text(around[name], tree)}\n"

    def _text(self, value: object, user: ast.AST) -> str:
        if isinstance(value, PLAIN):
            return repr(value)
        if isinstance(value, tuple | list):
            return str([self._text(part, user) for part in value])
        if isinstance(value, set | frozenset | dict):
            parts = value.items() if isinstance(value, dict) else value
            return str(sorted(self._text(part, user) for part in parts))
        if isinstance(value, ModuleType):
            return self._module(value, user)
        return self._users(value, user)

    def _users(self, value: object, user: ast.AST) -> str:
        """A function, a class or an object of the user's; of others the name."""
        kind = value if isinstance(value, FunctionType | type) else type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if not is_users(kind.__module__) or kind in self._seen:
            return name
        self._seen.add(kind)
        if isinstance(kind, FunctionType):
            return f"{ast.unparse(source_tree(kind))}\n{''.join(self.of(kind))}"
        state = {} if isinstance(value, type) else vars(value)
        return f"{ast.unparse(source_tree(kind))}\n{self._text(state, user)}"

    def _module(self, module: ModuleType, user: ast.AST) -> str:
        """A module of the user's: what is used of it; of others the name."""
        if not is_users(module.__name__):
            return module.__name__
        named = {node.attr for node in ast.walk(user) if isinstance(node, ast.Attribute)}
        used = sorted(named & vars(module).keys())
        return str([f"{name}={self._text(vars(module)[name], user)}" for name in used])
