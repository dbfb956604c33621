"""The experiments of spec files, for commands that ask what an experiment needs."""

import sys
from collections.abc import Iterable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ...datasets.errors import SpecError
from ..experiment import ARMS, Experiment, as_experiment


def experiments_in(paths: Iterable[Path]) -> Iterator[tuple[str, Experiment]]:
    """The experiments of spec files and of folders of them, each with a title.

    Raises :class:`~limen.SpecError` for a file that cannot be imported, and if there are none.
    """
    count = 0
    for file in _files(paths):
        for number, experiment in enumerate(_experiments(imported(file))):
            count += 1
            yield f"{file.name}{f' [{number + 1}]' if number else ''}", experiment
    if not count:
        raise SpecError("there is no experiment in the given files: name files as pytest would")


def arms_of(experiment: Experiment) -> list[str]:
    """The arms that an experiment can have."""
    known = (*ARMS, *experiment.all_arms, *experiment.epoch_arms)
    return [name for name in known if name != "control" or experiment.has_control]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("**/test_*.py")) if path.is_dir() else [path]


def imported(file: Path) -> ModuleType:
    """A spec file as a module; files beside it can be imported in it, as under pytest."""
    name = file.stem
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SpecError(f"there is no Python file {file}")
    module = module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(file.absolute().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SpecError(f"{file} fails: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(file.absolute().parent))
    return module


def named_value(text: str) -> object:
    """The value that ``FILE.py:NAME`` names, a grid as its experiment; None if it has no such name.

    Raises :class:`~limen.SpecError` for a file that cannot be imported.
    """
    path, _, name = text.rpartition(":")
    return as_experiment(vars(imported(Path(path))).get(name))


def _experiments(module: ModuleType) -> list[Experiment]:
    """The experiments of a module: by name, in classes, and as parameters of tests."""
    found: list[Experiment] = []
    for value in map(as_experiment, _values(module)):
        if isinstance(value, Experiment) and value not in found:
            found.append(value)
    return found


def _values(holder: object) -> Iterator[object]:
    for value in list(vars(holder).values()):
        yield value
        if isinstance(value, type) and value.__module__ == vars(holder).get("__name__"):
            yield from _values(value)
        if isinstance(value, list | tuple):
            yield from value
        if isinstance(value, dict):
            yield from value.values()
        yield from _parameters(value)


def _parameters(value: object) -> Iterator[object]:
    """The values of ``@pytest.mark.parametrize`` on a test."""
    marks = vars(value).get("pytestmark", []) if hasattr(value, "__dict__") else []
    for mark in marks if isinstance(marks, list) else [marks]:
        for parameter in mark.args[1] if len(mark.args) > 1 else ():
            values = vars(parameter).get("values") if hasattr(parameter, "__dict__") else None
            yield from values if isinstance(values, tuple) else [parameter]
