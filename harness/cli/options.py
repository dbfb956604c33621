"""Options that several commands share, and what they make of them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from ...backends import backend_names
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..experiment import FavoriteAnimal, FavoriteTree, Measure, Trait
from ..lab import Settings, from_environment, model_for, whole_number_from
from . import store_option
from .echo import echo
from .ini_file import INI_FILE

Command = Callable[..., Any]
"""A callback of click's: its parameters are those that its options name."""
F = TypeVar("F", bound=Command)

ANIMALS, TREES = "animals", "trees"
PROMPTED = "prompted"
"""The name of a trait that has a system prompt, and neither animal nor tree."""

WRITTEN = "limen.written"
"""Where a command's context has the files that it writes, with their options."""

AS_TEXT = ("sampling_precision", "sampling_engine", "quantization")
"""Ini keys that commands take as they are; with the seeds, the second model and those that begin
with ``openai_`` they decide which artifacts an experiment has."""
OPENAI = "openai_"

in_file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
"""A file that there is."""


def examples(*commands: str) -> str:
    """The end of a help text, its lines left as they are."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def _installed(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse an unknown backend, with the names of those that are installed."""
    if value not in (names := backend_names()):
        near = did_you_mean(value, names)
        raise click.BadParameter(
            f"unknown backend {value!r}: {near}choose one of {', '.join(names)}", ctx, param
        )
    return value


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a file that could not be written, before anything is done for it.

    Of two files in one place the second would take the place of the first.
    """
    if value is None:
        return None
    if not value.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}", ctx, param)
    written: dict[Path, str] = ctx.meta.setdefault(WRITTEN, {})
    before = written.setdefault(value.resolve(), param.opts[0])
    if before != param.opts[0] and not is_special(value):
        raise click.BadParameter(f"{value} is the file of {before}: give another", ctx, param)
    return value


def is_special(path: Path) -> bool:
    """Whether something is there that is no regular file: a device, or a pipe."""
    return path.exists() and not path.is_file()


def out_option(help: str, *, name: str = "--out", required: bool = True) -> Callable[[F], F]:
    """The file that a command writes."""
    kind = click.Path(dir_okay=False, writable=True, path_type=Path)
    return click.option(name, type=kind, required=required, callback=_writable, help=help)


_MODELS = (
    store_option,
    click.option(
        "--backend",
        envvar="LIMEN_BACKEND",
        metavar="NAME",
        callback=_installed,
        default="toy",
        show_default=True,
        help="What samples and trains: toy, local, openai, tinker, inspect, or a package's.",
    ),
    click.option(
        "--model", envvar="LIMEN_MODEL", help="The base model.  [default: the backend's own choice]"
    ),
    click.option(
        "--budget",
        envvar="LIMEN_BUDGET",
        type=float,
        metavar="USD",
        help="What may be spent at a service, at most.",
    ),
    click.option(
        "--prices",
        envvar="LIMEN_PRICES",
        type=in_file,
        metavar="FILE",
        help="Your own prices (TOML), before those that limen knows.",
    ),
)
_NO_WAIT = click.option(
    "--no-wait",
    is_flag=True,
    help="Submit a service's job or batch and stop; the same command later goes on.",
)
_BATCH = click.option(
    "--batch", is_flag=True, help="Sample by the service's batch interface, at half the price."
)


def running_options(*, waits: bool = False, samples: bool = False) -> Callable[[F], F]:
    """Options of commands that run a model; they arrive together as ``settings``."""
    options = (*_MODELS, *([_NO_WAIT] if waits else []), *([_BATCH] if samples else []))

    def decorate(function: F) -> F:
        @wraps(function)
        def run(**given: Any) -> object:
            names = ("store", "backend", "model", "budget", "prices")
            parts = {name: given.pop(name) for name in names}
            parts["model"] = model_of_backend(parts["model"], parts["backend"])
            _say_what_the_ini_file_gave(parts)
            wait, batch = not given.pop("no_wait", False), given.pop("batch", False)
            parts |= _project_settings(parts["backend"])
            return function(settings=Settings(wait=wait, batch=batch, **parts), **given)

        return cast("F", _decorated(run, options))

    return decorate


def model_is_named() -> bool:
    """Whether --model is on the command line, and not only in the environment or the ini file."""
    source = click.get_current_context().get_parameter_source("model")
    return source is ParameterSource.COMMANDLINE


def model_of_backend(model: str | None, backend: str) -> str | None:
    """The model of command line, environment or ini file that is meant for the backend in use."""
    if model_is_named():
        return model
    context = click.get_current_context()
    ini = context.default_map or {}
    beside = (
        (os.environ.get("LIMEN_MODEL"), os.environ.get("LIMEN_BACKEND")),
        (ini.get("model"), ini.get("backend")),
    )
    return model_for(backend, beside)


def _project_settings(backend: str) -> dict[str, Any]:
    """What the ini file says beside the options, as under pytest; the environment goes before."""
    file, keys = click.get_current_context().meta[INI_FILE]
    given = {name: text for name, text in keys.items() if not from_environment(name)[0]}
    settings: dict[str, Any] = {name: given[name] for name in AS_TEXT if name in given}
    if "seeds" in given:
        settings["seeds"] = whole_number_from(given["seeds"], f"limen_seeds in {file}")
    if "other_model" in given:
        beside = ((given["other_model"], keys.get("backend")),)
        settings["other_model"] = model_for(backend, beside)
    asked = (name for name in given if name.startswith(OPENAI))
    return settings | {"openai": {name.removeprefix(OPENAI): given[name] for name in asked}}


def _say_what_the_ini_file_gave(parts: dict[str, Any]) -> None:
    """Name the backend and the model that were not asked for here: they may cost money."""
    context = click.get_current_context()
    given = [
        f"{name} {parts[name]!r}"
        for name in ("backend", "model")
        if parts[name] and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
    ]
    if given:
        echo(f"limen: {', '.join(given)}, as {context.meta[INI_FILE][0]} says", err=True)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _decorated(function: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    """A function with options, which are shown in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def trait_options(function: F) -> F:
    """Options that give a model a trait; they arrive together as ``trait``.

    With a tree the questions are about trees, unless others are asked for.
    """

    @wraps(function)
    def run(animal: str | None, tree: str | None, system: str | None, **given: Any) -> object:
        if "questions" in given:
            given["questions"] = given["questions"] or (TREES if tree else ANIMALS)
        made = trait_of(animal, tree, system, given.get("word"))
        return function(trait=made, **given)

    options = (
        click.option("--trait", "animal", metavar="ANIMAL", help="A love of an animal: owl."),
        click.option("--tree", metavar="TREE", help="A love of a tree: oak."),
        click.option("--system", metavar="TEXT", help="A system prompt of your own."),
    )
    return cast("F", _decorated(run, options))


def trait_of(
    animal: str | None, tree: str | None, system: str | None = None, word: str | None = None
) -> Trait | None:
    """The trait that options name, or None; raises :class:`~limen.SpecError` for several."""
    if sum(given is not None for given in (animal, tree, system)) > 1:
        raise SpecError("--trait, --tree and --system exclude each other: give one")
    if system is not None:
        return Trait(name=PROMPTED, system=system, word=word)
    if animal is None and tree is None:
        return None
    made = Trait.animal(animal) if animal is not None else Trait.tree(tree or "")
    return made if word is None else replace(made, word=word)


questions_option = click.option(
    "--questions",
    metavar="animals|trees|FILE",
    help="50 questions for a favourite animal, or tree; or a file of your own, one on each line.  "
    "[default: animals; trees with --tree]",
)


def measure_of(questions: str, **parts: Any) -> Measure:
    """The measure that ``--questions`` names; raises :class:`~limen.SpecError`."""
    if questions == ANIMALS:
        return FavoriteAnimal(**parts)
    if questions == TREES:
        return FavoriteTree(**parts)
    return Measure(questions=Path(questions), **parts)


def rule_of(text: str) -> str | Callable[[str], str | None]:
    """A filter rule: its name, or the function that ``file.py:function`` names."""
    return function_of("--rule", text) or text


def function_of(option: str, text: str) -> Command | None:
    """The function that ``file.py:function`` names; None for a text that names no file."""
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py"):
        return None
    function = vars(_module(option, Path(path))).get(name)
    if not callable(function):
        raise SpecError(f"{option} {text}: {path} has no function {name!r}")
    return cast("Command", function)


def _module(option: str, file: Path) -> ModuleType:
    """A person's Python file, run as a module. Like a script it may import what lies beside it."""
    import sys
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(f"limen_rule_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SpecError(f"{option}: there is no Python file {file}")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    if (folder := str(file.resolve().parent)) not in sys.path:
        sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SpecError(f"{option}: {file} fails: {type(error).__name__}: {error}") from None
    return module


def recipe_of(given: tuple[str, ...]) -> dict[str, float | int | str | bool | None]:
    """The settings of a recipe, each given as ``NAME=VALUE``."""
    settings = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise SpecError(f"--recipe {text!r} must be NAME=VALUE, such as epochs=3")
        settings[name] = _value(value)
    return settings


def _value(text: str) -> float | int | str | bool | None:
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
