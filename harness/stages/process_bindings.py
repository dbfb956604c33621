"""What names of modules stand for: functions and classes that are replaced, modules removed.

After ``json.dumps = None`` in a researcher's function, whatever runs next fails. Such a change is
found by comparing all modules but the researcher's own with what they were, in some 10
milliseconds, and is undone.

What a library replaces, as some do when they are imported, is left: it works.
"""

import builtins
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

from .function_source import is_users

OWN = frozenset({"limen", "pytest", "_pytest", "pluggy"}) | sys.stdlib_module_names
"""Packages that no library has to change. Their classes are compared, attribute by attribute."""
CONSTANTS = (str, bytes, int, float, tuple, frozenset)
HOOKS = frozenset(
    "warnings.showwarning sys.excepthook sys.unraisablehook sys.displayhook sys.breakpointhook "
    "threading.excepthook".split()
)
"""Functions that are meant to be replaced."""
_ABSENT = object()
_users: dict[str, bool] = {}
"""Whether each module is the researcher's own."""


class ModuleBindings:
    """What the names of all modules but the researcher's own stand for now."""

    def __init__(self) -> None:
        self._table = sys.modules
        self._imported = dict(sys.modules)
        self._modules = {
            name: module
            for name, module in self._imported.items()
            if issubclass(type(module), ModuleType) and not _is_users(name)
        }
        self._names = {name: dict(module.__dict__) for name, module in self._modules.items()}
        self._classes = {
            f"{name}.{kind.__name__}": (kind, dict(kind.__dict__))
            for name, names in self._names.items()
            if name.partition(".")[0] in OWN
            for kind in _classes_of(name, names)
        }

    def imported_since(self) -> tuple[str, ...]:
        """The modules, but for the researcher's own, that were imported after this was made."""
        new = [name for name in list(self._table) if name not in self._imported]
        return tuple(name for name in new if not _is_users(name))

    def renew(self, name: str) -> None:
        """Let what the names of a module stand for now count from here on."""
        self._names[name] = dict(self._modules[name].__dict__)

    def undo(self) -> list[str]:
        """Undo what was changed; returns the names of it."""
        found = self._undo_in("builtins", builtins.__dict__)  # what follows needs them
        found += self._undo_modules()
        for name, module in self._modules.items():
            if not _is_equal(module.__dict__, self._names[name]):
                found += self._undo_in(name, module.__dict__)
        for name, (kind, before) in self._classes.items():
            if not _is_equal(kind.__dict__, before):
                found += [f"{name}.{each}" for each in _undo_class(kind, before)]
        return found

    def _undo_in(self, name: str, now: dict[str, Any]) -> list[str]:
        before = self._names[name]
        changed = [each for each in _changed(before, now) if _counts(name, each, before[each])]
        for each in changed:
            now[each] = before[each]
        return [f"{name}.{each}" for each in changed]

    def _undo_modules(self) -> list[str]:
        """Put back modules that nothing can import any more."""
        changed = [] if sys.modules is self._table else ["modules"]
        sys.modules = self._table
        lost = list(_changed(self._imported, self._table))
        self._table.update({name: self._imported[name] for name in lost})
        return [f"sys.{each}" for each in changed] + [f"sys.modules[{name!r}]" for name in lost]


def note_modules() -> None:
    """Find out which modules are the researcher's, once for this process and all copies of it."""
    for name in list(sys.modules):
        _is_users(name)


def _is_users(name: str) -> bool:
    if name not in _users:
        _users[name] = name.partition(".")[0] not in OWN and is_users(name)
    return _users[name]


def _classes_of(name: str, names: Mapping[str, object]) -> Iterator[type]:
    """The classes that are defined in a module. Some libraries' objects fail on ``isinstance``."""
    for value in names.values():
        if _is_class(value) and value.__dict__.get("__module__") == name:
            yield value


def _is_class(value: object) -> TypeGuard[type]:
    return issubclass(type(value), type)


def _is_equal(now: Mapping[str, object], before: Mapping[str, object]) -> bool:
    """Whether nothing was changed for sure, found out fast."""
    try:
        return bool(now == before)
    except Exception:  # arrays cannot be compared so
        return False


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """The names that stand for nothing any more, or for something that is no library's."""
    for name, value in before.items():
        found = now.get(name, _ABSENT)
        if found is not value and not _is_librarys(found):
            yield name


def _is_librarys(value: object) -> bool:
    """Whether a value was defined by a library other than Python's own, limen and pytest."""
    if issubclass(type(value), ModuleType):
        return "site-packages" in str(value.__dict__.get("__file__"))
    with suppress(Exception):
        name = _defining_module(value)
        return name.partition(".")[0] not in OWN and not _is_users(name)
    return False


def _defining_module(value: object) -> str:
    """The module that a value is defined in. A decorator may give a function another's name."""
    if isinstance(value, FunctionType):
        return str(value.__globals__["__name__"])
    return str(value.__module__ if callable(value) else type(value).__module__)


def _counts(module: str, name: str, value: object) -> bool:
    """Whether others depend on what a name stands for: a counter or a cache may change."""
    if f"{module}.{name}" in HOOKS:
        return False
    if callable(value) or issubclass(type(value), ModuleType):
        return True
    is_public = module in sys.stdlib_module_names and not name.startswith("_")
    return is_public and module != "sys" and type(value) in CONSTANTS


def _undo_class(kind: type, before: Mapping[str, object]) -> list[str]:
    """Put back what a class does: its methods, properties and other descriptors."""
    undone = []
    for name in _changed(before, kind.__dict__):
        value = before[name]
        has_effect = callable(value) or "__get__" in type(value).__dict__
        if has_effect and not _is_set_by_typing(value):
            with suppress(AttributeError, TypeError):  # of a class that cannot be changed
                type.__setattr__(kind, name, value)
                undone.append(name)
    return undone


def _is_set_by_typing(value: object) -> bool:
    """Whether Python itself replaces a method, when a protocol's class is first used."""
    return str(getattr(value, "__name__", "")) == "_no_init_or_replace_init"
