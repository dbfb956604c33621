"""What a function does, as one text: its source, and all of the user's code and values it uses.

A change in the text is a change of the function. Code of Python, of installed packages and of limen
itself counts by its name alone: their versions are recorded beside the results.
"""

import dis
import functools
import inspect
import re
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ...datasets.errors import SpecError

PLAIN = (str, bytes, int, float, complex, type(None), type(...), re.Pattern, range, PurePath)
"""Values that are distinguished by their ``repr``."""
HIDDEN = {
    "open": "a file", "read_text": "a file", "read_bytes": "a file", "loadtxt": "a file",
    "read_csv": "a file", "environ": "the environment", "getenv": "the environment",
    "eval": "code in a text", "exec": "code in a text", "import_module": "a module by its name",
    "__import__": "a module by its name", "urlopen": "the network",
}  # fmt: skip
"""Names of calls by which a function uses something outside its code."""
NOWHERE = "<string>"
"""The file of code that was evaluated. From Python 3.13 on ``inspect`` finds the text of another
such code under this name: that of ``python -c``."""


class FunctionSource:
    """Builds the text of one function, and notes what cannot be seen in it."""

    def __init__(self) -> None:
        self.unseen: dict[str, None] = {}
        """What the function uses and the text does not show, in order."""
        self._seen: set[object] = set()

    def text(self, value: object) -> str:
        """The text of a callable; raises :class:`~limen.SpecError` if it has no source."""
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, functools.partial):
            parts = [self._value("a partial", "argument", part) for part in value.args]
            named = [self._value("a partial", n, v) for n, v in sorted(value.keywords.items())]
            return f"partial {self._callable(value.func)} {parts} {sorted(value.keywords)} {named}"
        if isinstance(value, MethodType):
            owner = value.__self__
            shown = self._class(owner) if isinstance(owner, type) else self._instance(owner)
            return f"{value.__name__} of {shown}"
        wrapped = inspect.unwrap(value) if callable(value) else value
        if wrapped is not value and isinstance(wrapped, FunctionType):  # functools.lru_cache
            return f"{type(value).__qualname__} {self._function(wrapped)}"
        if is_users(type(value).__module__) and callable(value):
            return self._instance(value)
        raise SpecError(
            f"{value!r} is not a Python function, so a change in it could not be noticed: "
            f"define one with def, in a file"
        )

    def _function(self, call: FunctionType) -> str:
        self._seen.add(call)
        around = sorted(_surroundings(call).items())
        uses = "".join(f"{n}={self._value(call.__name__, n, v, call)}\n" for n, v in around)
        self._note_hidden(call)
        own = "".join(self._wrapper(call)) if hasattr(call, "__wrapped__") else ""
        return _source(call) + uses + own + "".join(self._imported(call))

    def _wrapper(self, call: FunctionType) -> Iterator[str]:
        """The code of a decorator around a function; ``inspect`` shows the inner source alone."""
        try:
            yield _read(call.__code__)
        except (OSError, TypeError):
            self.unseen[f"the decorator of {call.__name__}"] = None
        if isinstance(call.__dict__.get("__wrapped__"), FunctionType):
            yield self._callable(call.__dict__["__wrapped__"])

    def _imported(self, call: FunctionType) -> Iterator[str]:
        """What a function imports in its body, as far as it is the user's."""
        for name, level in sorted(_imports(call.__code__)):
            if not level and _is_installed(name.partition(".")[0]):
                continue  # not imported: a library that runs much later may be a heavy one
            try:
                package = str(call.__globals__.get("__package__") or "")
                module = import_module("." * level + name, package if level else None)
            except Exception as error:
                self.unseen[f"the module {name!r} ({type(error).__name__})"] = None
                continue
            if is_users(module.__name__):
                yield f"import {name}={self._module(module, call)}\n"

    def _value(self, owner: str, name: str, value: object, user: FunctionType | None = None) -> str:
        """A value as text; raises :class:`~limen.SpecError` if changes in it cannot be noticed."""
        if isinstance(value, PLAIN) and not isinstance(value, Enum):
            return repr(value)
        if isinstance(value, tuple | list | set | frozenset | dict):
            parts = value.items() if isinstance(value, dict) else value
            texts = [self._value(owner, name, part, user) for part in parts]
            return str(texts if isinstance(value, tuple | list) else sorted(texts))
        if isinstance(value, ModuleType):
            return self._module(value, user)
        if callable(value):
            return self._callable(value)
        if is_users(type(value).__module__):
            return self._instance(value)
        if isinstance(value, Enum):
            return f"{type(value).__module__}.{value}"
        raise SpecError(
            f"the function {owner} uses {name}={value!r} from outside, and a change in such a "
            f"value could not be noticed: write it into the function itself"
        )

    def _callable(self, value: Callable[..., Any]) -> str:
        if value in self._seen and isinstance(value, FunctionType | type):
            return value.__name__
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, functools.partial | MethodType) and _module_of(value) is not None:
            return self.text(value)
        module = _module_of(value)
        if module is not None and is_users(module):
            if is_extension(module):
                self.unseen[f"{module}, which is compiled"] = None
            elif not inspect.isbuiltin(value):
                return self.text(value)
        return f"{module}.{_qualname(value)}"

    def _class(self, value: type) -> str:
        """The text of a class: its source, its bases, and what its methods use."""
        if value in self._seen or not is_users(value.__module__):
            return f"{value.__module__}.{value.__qualname__}"
        self._seen.add(value)
        try:
            source = textwrap.dedent(inspect.getsource(value))
        except (OSError, TypeError):
            self.unseen[f"the class {value.__qualname__}, which has no source"] = None
            source = f"{value.__module__}.{value.__qualname__}\n"
        bases = [self._class(base) for base in value.__bases__ if base is not object]
        return source + "".join(bases) + "".join(self._members(value))

    def _members(self, value: type) -> Iterator[str]:
        for name, member in sorted(vars(value).items()):
            for call in _functions_of(member):
                if call.__module__ == value.__module__ and call not in self._seen:
                    self._seen.add(call)
                    self._note_hidden(call)
                    for used, around in sorted(_surroundings(call).items()):
                        yield f"{name}.{used}={self._value(call.__name__, used, around, call)}\n"
            if isinstance(member, PLAIN) and not name.startswith("__"):
                yield f"{name}={member!r}\n"

    def _instance(self, value: object) -> str:
        """The text of an object: its class, and its attributes."""
        kind = type(value)
        slots = [n for base in kind.__mro__ for n in base.__dict__.get("__slots__", ())]
        state = {n: getattr(value, n) for n in slots if hasattr(value, n)}
        state |= getattr(value, "__dict__", {})
        shown = {n: self._value(kind.__name__, n, v) for n, v in sorted(state.items())}
        return f"{self._class(kind)} {shown}"

    def _module(self, module: ModuleType, user: FunctionType | None) -> str:
        """A module of the user's: what the function uses of it; of others the name."""
        if user is None or not is_users(module.__name__):
            return module.__name__
        if is_extension(module.__name__):
            self.unseen[f"{module.__name__}, which is compiled"] = None
            return module.__name__
        used = sorted(_all_names(user.__code__) & set(vars(module)))
        parts = (f"{n}={self._value(user.__name__, n, vars(module)[n], user)}" for n in used)
        return f"{module.__name__} {', '.join(parts)}"

    def _note_hidden(self, call: FunctionType) -> None:
        import builtins

        for name in sorted(_all_names(call.__code__)):
            if name in HIDDEN:
                self.unseen[f"{HIDDEN[name]} ({name} in {call.__name__})"] = None
        for name in sorted(_global_names(call.__code__)):
            if name not in call.__globals__ and name not in vars(builtins):
                self.unseen[f"{name}, which is defined below {call.__name__}"] = None


def is_users(name: str | None) -> bool:
    """Whether a module is the user's own: not Python's, not installed, and not limen's."""
    if name is None or name.partition(".")[0] == "limen":
        return False
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None:
        return name == "__main__" or (module is None and name not in sys.stdlib_module_names)
    return not _is_library(Path(file))


def _is_installed(package: str) -> bool:
    """Whether a package is Python's or an installed one, as is known without importing it."""
    if package in sys.stdlib_module_names:
        return True
    try:
        spec = None if package in sys.modules else find_spec(package)
    except ValueError:  # it stands without a spec
        return False
    return spec is not None and spec.origin is not None and _is_library(Path(spec.origin))


def _is_library(file: Path) -> bool:
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    return bool(installed) or _standard_library() in file.parents


@functools.cache
def _standard_library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def is_extension(name: str) -> bool:
    """Whether a module is compiled, so that its source cannot be read."""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return Path(file).suffix in {".so", ".pyd", ".dll"}


def _read(code: CodeType | Callable[..., object]) -> str:
    """The text of some code; raises OSError, or TypeError, if there is none.

    Of a function it is found at once; of its code alone, ``inspect`` looks through all modules.
    """
    inner = code.__code__ if isinstance(code, FunctionType) else code
    if isinstance(inner, CodeType) and inner.co_filename == NOWHERE:
        raise OSError("it is in no file")
    return textwrap.dedent(inspect.getsource(code))


def _source(call: FunctionType) -> str:
    try:
        text = _read(inspect.unwrap(call))
    except (OSError, TypeError) as error:
        raise SpecError(
            f"the source of {call!r} cannot be read ({error}), so a change in it could not be "
            f"noticed: define it with def, in a file"
        ) from None
    if call.__name__ == "<lambda>" and text.count("lambda") > 1:
        raise SpecError(f"two lambdas in one place cannot be told apart, use def: {text.strip()!r}")
    return text


def _surroundings(call: FunctionType) -> dict[str, Any]:
    """The values that a function has from its defaults, its module and a function around it."""
    given = inspect.signature(call).parameters.values()
    own: dict[str, Any] = {p.name: p.default for p in given if p.default is not p.empty}
    names = _global_names(call.__code__)
    own |= {name: call.__globals__[name] for name in names if name in call.__globals__}
    own |= {name: value for name, value in vars(call).items() if not name.startswith("__")}
    return own | dict(inspect.getclosurevars(call).nonlocals)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions and classes inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _global_names(code: CodeType) -> set[str]:
    """The module's names that a function's code reads."""
    return {
        str(i.argval)
        for each in _codes(code)
        for i in dis.get_instructions(each)
        if i.opname == "LOAD_GLOBAL"
    }


def _all_names(code: CodeType) -> set[str]:
    """The names of globals, attributes and imports in a function's code."""
    return {name for each in _codes(code) for name in each.co_names}


def _imports(code: CodeType) -> set[tuple[str, int]]:
    """The modules that a function imports in its body, with the level of relative imports."""
    found: set[tuple[str, int]] = set()
    for each in _codes(code):
        before = [*dis.get_instructions(each)]
        for place, i in enumerate(before):
            if i.opname == "IMPORT_NAME":
                found.add((str(i.argval), int(before[place - 2].argval or 0)))
    return found


def _functions_of(member: object) -> Iterator[FunctionType]:
    """The functions in a member of a class: methods, and those of properties."""
    if isinstance(member, staticmethod | classmethod):
        member = member.__func__
    if isinstance(member, property):
        yield from (f for f in (member.fget, member.fset) if isinstance(f, FunctionType))
    if isinstance(member, functools.cached_property):
        member = member.func
    if isinstance(member, FunctionType):
        yield member


def _module_of(value: object) -> str | None:
    """The module that a callable is defined in."""
    if isinstance(value, functools.partial):
        return _module_of(value.func)
    if isinstance(value, MethodType):
        return _module_of(value.__self__ if isinstance(value.__self__, type) else value.__func__)
    name = getattr(value, "__module__", None)
    return str(name) if name is not None else None


def _qualname(value: object) -> str:
    return str(getattr(value, "__qualname__", type(value).__qualname__))
