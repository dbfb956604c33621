"""Options that are given with a blank: their values must not be taken for paths of tests.

Pytest looks for the ini file before it loads plugins. At that time it does not know limen's
options, so the value in ``--limen-store results`` looks to it like a folder of tests as soon as
there is such a folder, and another ini file, or none, would be found. ``--limen-store=results`` has
no such problem. So a run with a blank is started again, with "=" in place of it.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

ADDED = "PYTEST_ADDOPTS"
"""The environment variable with further arguments for pytest."""


def run_with_joined_options(config: pytest.Config, names: Sequence[str]) -> int | None:
    """Run pytest anew with "=" where a blank could mislead it; None if nothing could.

    ``names`` are the options that take a value.
    """
    given = [str(argument) for argument in config.invocation_params.args]
    added = shlex.split(os.environ.get(ADDED, ""))
    folder = config.invocation_params.dir
    if not any(_misleads(arguments, names, folder) for arguments in (given, added)):
        return None
    with _environment(ADDED, shlex.join(joined(added, names))):
        plugins = config.invocation_params.plugins
        return int(pytest.main(joined(given, names), list(plugins) if plugins else None))


def joined(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """The arguments, with "=" in place of a blank between an option and its value."""
    result: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        value = next(rest, None) if argument in names else None
        result.append(argument if value is None else f"{argument}={value}")
    return result


def _misleads(arguments: Sequence[str], names: Sequence[str], folder: Path) -> bool:
    """Whether the value of an option that is given with a blank is also an existing path."""
    pairs = pairwise(arguments)
    return any(name in names and _exists(folder / value) for name, value in pairs)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return False


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while, if it is set at all."""
    before = os.environ.get(name)
    if before is None:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ[name] = before
