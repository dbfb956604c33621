"""Files of Python that commands import, by themselves or through pytest."""

import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ...datasets.errors import SpecError

_names = set[str]()
"""The modules, or their packages, that were imported in this process: pytest would take one for
another file of its name."""


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
    """Keep the names of modules, to be forgotten before others are collected."""
    _names.update(_top(module.__name__) for module in modules)


def forget() -> None:
    """Let pytest import files anew that have the names of earlier ones."""
    for name in [name for name in sys.modules if _top(name) in _names]:
        del sys.modules[name]
    _names.clear()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _place(file: Path) -> tuple[Path, str]:
    """The folder to import a file from, and its name there: in its package, if it is in one."""
    root, name = file.parent, file.stem
    while (root / "__init__.py").is_file():
        root, name = root.parent, f"{root.name}.{name}"
    return root, name
