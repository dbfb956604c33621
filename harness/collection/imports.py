"""Files of Python that commands import, by themselves or through pytest."""

import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ...datasets.errors import SpecError

MARK = "limen: a spec file"
"""Stands in the spec of modules that commands imported."""


def imported(file: Path) -> ModuleType:
    """A spec file as a module; files beside it can be imported in it, as under pytest.

    Raises :class:`~limen.SpecError` for a file that cannot be imported.
    """
    root, name = _place(file.absolute())
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SpecError(f"there is no Python file {file}")
    module = module_from_spec(spec)
    sys.modules[name] = module
    remember([module])
    sys.path.insert(0, str(root))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SpecError(f"{file} fails: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(root))
    return module


def remember(modules: Iterable[ModuleType]) -> None:
    """Mark modules, to be forgotten before others are collected."""
    for module in modules:
        if module.__spec__ is not None:
            module.__spec__.loader_state = MARK


def forget() -> None:
    """Forget marked modules with their packages: pytest would take one for another file of its
    name.
    """
    modules = [each for each in sys.modules.values() if isinstance(each, ModuleType)]
    specs = [vars(module).get("__spec__") for module in modules]
    marked = {
        _top(spec.name)
        for spec in specs
        if isinstance(spec, ModuleSpec) and spec.loader_state == MARK
    }
    for name in [name for name in sys.modules if _top(name) in marked]:
        del sys.modules[name]


def _top(name: str) -> str:
    return name.partition(".")[0]


def _place(file: Path) -> tuple[Path, str]:
    """The folder to import a file from, and its name there: in its package, if it is in one."""
    root, name = file.parent, file.stem
    while (root / "__init__.py").is_file():
        root, name = root.parent, f"{root.name}.{name}"
    return root, name
