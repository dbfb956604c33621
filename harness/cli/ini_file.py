"""What a project's ini file says, for commands: the same keys that pytest reads."""

import configparser
import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain, zip_longest
from pathlib import Path

import click

from ...datasets.store_layout import DEFAULT_FOLDER

SECTIONS = {
    "pytest.toml": "pytest",
    ".pytest.toml": "pytest",
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pyproject.toml": "tool.pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
"""The files that pytest reads, in its order, with the section that has its keys."""
PROJECT = "pyproject.toml"
"""Where pytest finds no section at all, the nearest of these counts as an empty ini file."""
PREFIX = "limen_"
OPTIONS = ("store", "backend", "model", "budget", "prices")
"""The options of commands that an ini file may give, as ``limen_store`` and so on."""
PATHS = ("store", "prices")
INI_FILE = "limen.ini_file"
"""Where a command's context has the file, and its keys."""


def ini_defaults(file: Path | None, keys: Mapping[str, str]) -> dict[str, str]:
    """What an ini file gives to the options of commands.

    Paths are those beside the file, and so is the store where it names none.
    """
    if file is None:
        return {}
    given = {"store": DEFAULT_FOLDER, **{name: keys[name] for name in OPTIONS if name in keys}}
    beside = {
        name: file.parent / os.path.expanduser(given[name]) for name in PATHS if name in given
    }
    return {**given, **{name: str(path) for name, path in beside.items()}}


def read_ini_file(folder: Path) -> tuple[Path | None, dict[str, str]]:
    """The nearest ini file, and its keys of limen that are not empty, without ``limen_``.

    Raises :class:`click.ClickException` for a file that cannot be read.
    """
    for file, keys in chain(_ini_files(folder), _projects(folder)):
        given = {**keys, **dict(_added_options(keys.get("addopts", "")))}
        own = {name: text for name, text in given.items() if name.startswith(PREFIX) and text}
        return file, {name.removeprefix(PREFIX): text for name, text in own.items()}
    return None, {}


def _added_options(text: str) -> Iterator[tuple[str, str]]:
    """The options of limen in ``addopts``, as the ini keys of the same meaning."""
    try:
        words = shlex.split(text)
    except ValueError:
        return  # pytest will say what is wrong
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name.startswith("--limen-"):
            yield name[2:].replace("-", "_"), value if equals else after


def _ini_files(folder: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The files with a section for pytest, the nearest first."""
    for place in (folder, *folder.parents):
        for name, section in SECTIONS.items():
            file = place / name
            if file.is_file():
                keys = _keys(file, section)
                if keys is not None:
                    yield file, keys


def _projects(folder: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The project files without a section for pytest, the nearest first."""
    files = (place / PROJECT for place in (folder, *folder.parents))
    return ((file, {}) for file in files if file.is_file())


def _keys(file: Path, section: str) -> Mapping[str, str] | None:
    try:
        text = file.read_text(encoding="utf-8")
        keys = (_toml_keys if file.suffix == ".toml" else _ini_keys)(text, section)
    except (configparser.Error, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from None
    return {} if keys is None and file.stem.endswith("pytest") else keys  # pytest takes it, empty


def _ini_keys(text: str, section: str) -> Mapping[str, str] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.read_string(text)
    if not parser.has_section(section):
        return None
    return {key: value or "" for key, value in parser[section].items()}


def _toml_keys(text: str, section: str) -> Mapping[str, str] | None:
    """The keys of a section, numbers as texts; a table without any is none, as for pytest."""
    table = tomllib.loads(text)
    for name in section.split("."):
        inner = table.get(name)
        if not isinstance(inner, dict):
            return None
        table = inner
    keys = table.get("ini_options", table or None) if section != "pytest" else table
    return None if keys is None else {key: _as_text(value) for key, value in keys.items()}


def _as_text(value: object) -> str:
    """A value of TOML as an ini file has it; a list, as ``addopts`` may be one, by words."""
    return shlex.join(map(str, value)) if isinstance(value, list) else str(value)
