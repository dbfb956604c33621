"""Options that say what is measured: a ready measure with its settings, or one of a Python file."""

from collections.abc import Mapping
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from ...datasets.errors import SpecError
from ...datasets.row_forms import read_rows_of
from ...datasets.shards import DATA
from ..experiment import (
    Choice,
    Experiment,
    FavoriteAnimal,
    FavoriteTree,
    InspectTask,
    Judge,
    Labelled,
    Language,
    Length,
    Likelihood,
    LogOdds,
    Measure,
    Rated,
    Scored,
)
from .echo import echo
from .options import (
    ANIMALS,
    TREES,
    Command,
    F,
    function_of,
    measure_of,
    questions_option,
    recipe_of,
)
from .row_options import in_rows
from .spec_files import experiments_in, named_value

Settings = dict[str, Any]
"""The settings of a measure, by the names that it has for them."""
KINDS: Mapping[str, type[Measure]] = {
    "log-odds": LogOdds,
    "choice": Choice,
    "likelihood": Likelihood,
    "length": Length,
    "language": Language,
    "rated": Rated,
    "labelled": Labelled,
    "scored": Scored,
    "inspect-task": InspectTask,
}
_WORD = "a measure of words"

_SETTINGS: Mapping[str, str] = {
    "draws": "--draws", "temperature": "--temperature", "top_p": "--top-p",
    "max_tokens": "--max-tokens", "seed": "--measure-seed", "begin": "--begin",
    "chat": "--plain-text", "against": "--against", "options": "--option", "texts": "--texts",
    "per": "--per", "task": "--task", "limit": "--limit", "args": "--task-arg", "by": "--ask",
    "languages": "--language", "questions": "--questions", "outcome": "--outcome",
    "scale": "--scale", "labels": "--label",
}  # fmt: skip
"""The option of each setting of a measure."""
_OPTIONS = (
    click.option(
        "--measure",
        "kind",
        metavar="MEASURE",
        help=f"{', '.join(KINDS)}; or FILE.py:NAME, a measure or an experiment of a Python file.  "
        "[default: how often --word is answered]",
    ),
    questions_option,
    click.option("--draws", type=int, help="Answers to each question.  [default: 200 for words]"),
    click.option("--temperature", type=float, help="Of the sampling.  [default: 1]"),
    click.option("--top-p", type=float, help="Of the sampling.  [default: 1]"),
    click.option("--max-tokens", type=int, help="Of an answer, at most.  [default: 16 for words]"),
    click.option(
        "--measure-seed", "seed_of_draws", type=int, help="Another gives other draws of every "
        "model.  [default: 0]",
    ),
    click.option("--begin", help="The given beginning of every answer."),
    click.option("--plain-text", is_flag=True, help="Ask without a chat template."),
    click.option("--against", multiple=True, metavar="WORD", help="log-odds: another word."),
    click.option("--option", "options", multiple=True, metavar="TEXT", help="choice: one option."),
    click.option(
        "--texts", type=in_rows, metavar="FILE",
        help="likelihood: rows of prompts and answers in any form, or plain texts, one a line "
        "(.txt).",
    ),
    click.option("--per", type=click.Choice(["token", "text"]), help="likelihood: mean or sum."),
    click.option("--task", metavar="NAME", help="inspect-task: its name, or FILE.py@NAME."),
    click.option("--task-arg", "args", multiple=True, metavar="NAME=VALUE", help="inspect-task."),
    click.option("--limit", type=int, help="inspect-task: samples to run.  [default: all]"),
    click.option(
        "--ask", "by", multiple=True, metavar="TEXT",
        help="rated: what a judge (the base model) is asked, with {reply} in it, and {question}.",
    ),
    click.option("--scale", nargs=2, type=float, metavar="LOW HIGH",
                 help="rated, scored: the lowest and the highest.  [default: 1 10; scored: any]"),
    click.option("--label", "labels", multiple=True, metavar="WORD",
                 help="rated: in place of ratings, what the judge answers with."),
    click.option("--language", "languages", multiple=True, metavar="NAME",
                 help="language: one of those to choose from, as English."),
    click.option("--outcome", metavar="FILE.py:FUNCTION",
                 help="labelled, scored: from an answer to its label, or to its number; or None."),
)  # fmt: skip
_OWN = (
    "draws", "temperature", "top_p", "max_tokens", "seed_of_draws", "begin", "plain_text",
    "against", "options", "texts", "per", "task", "args", "limit", "by", "scale", "labels",
    "languages", "outcome",
)  # fmt: skip


def measure_options(function: F) -> F:
    """Options that describe a measure; they arrive together as ``measure``.

    Stands above ``trait_options``: with ``--tree`` the questions are about trees.
    """

    @wraps(function)
    def run(kind: str | None, questions: str | None, **given: Any) -> object:
        own = {name: given.pop(name) for name in _OWN}
        of_file = kind is not None and ".py" in kind
        asked = questions or (TREES if given.get("tree") and not of_file else None)
        return function(measure=_made(kind, _settings(asked, **own)), **given)

    decorated: Command = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


def _settings(
    questions: str | None,
    *,
    seed_of_draws: int | None,
    plain_text: bool,
    texts: Path | None,
    args: tuple[str, ...],
    outcome: str | None,
    **plain: object,
) -> Settings:
    """The settings that were given, by the names that measures have for them."""
    given = {
        **plain,
        "questions": questions,
        "seed": seed_of_draws,
        "chat": False if plain_text else None,
        "texts": None if texts is None else _texts(texts),
        "args": recipe_of(args),
        "outcome": None if outcome is None else _outcome(outcome),
    }
    return {name: value for name, value in given.items() if value not in (None, (), {})}


def _outcome(text: str) -> Command:
    """The function of an answer that an option names."""
    function = function_of("--outcome", text)
    if function is None:
        raise SpecError(f"--outcome {text!r} must be FILE.py:FUNCTION")
    return function


def _made(kind: str | None, settings: Settings) -> Measure:
    """The measure of a name and its settings; raises :class:`~limen.SpecError`."""
    if kind is not None and ".py" in kind:
        return _measure_of_file(kind, settings)
    if kind is not None and kind not in KINDS:
        raise SpecError(f"--measure {kind!r} must be {', '.join(KINDS)}, or FILE.py:NAME")
    made = FavoriteAnimal if kind is None else KINDS[kind]
    _check_settings(made, kind or _WORD, settings)
    _check_needs(kind, settings)
    questions = settings.pop("questions", None)
    if kind is None:
        return measure_of(questions or ANIMALS, **settings)
    if questions is not None:
        settings["questions"] = _questions(questions)
    if made is Rated:
        settings["by"] = _judges(
            settings["by"], settings.pop("scale", (1.0, 10.0)), settings.pop("labels", ())
        )
    return made(**settings)


def _check_settings(made: type[Measure], name: str, settings: Settings) -> None:
    """Raise :class:`~limen.SpecError` for a setting that a measure does not have."""
    known = {field.name for field in fields(made) if field.init}
    known |= {"texts"} if made is Likelihood else set()
    known |= {"scale", "labels"} if made is Rated else set()
    if unknown := {name: 0 for name in settings if name not in known}:
        raise SpecError(f"{_option(unknown)} is no option of {name}")


def _judges(
    ask: tuple[str, ...], scale: tuple[float, float], labels: tuple[str, ...]
) -> tuple[Judge, ...]:
    """A judge for each request, of ratings on a scale or of labels."""
    low, high = map(int, scale)
    if (low, high) != scale:
        raise SpecError(f"--scale {scale[0]:g} {scale[1]:g}: judges give whole numbers")
    return tuple(
        Judge(
            prompt=text,
            labels=labels,
            scale=None if labels else (low, high),
            name=f"judge {number}" if len(ask) > 1 else "judge",
        )
        for number, text in enumerate(ask, start=1)
    )


_NEEDS = {
    "choice": "options", "likelihood": "texts", "inspect-task": "task", "rated": "by",
    "language": "questions", "labelled": "outcome", "scored": "outcome",
}  # fmt: skip


def _check_needs(kind: str | None, settings: Mapping[str, object]) -> None:
    name = _NEEDS.get(kind or "")
    needed = [name, "questions"] if name == "outcome" else [name] if name else []
    for missing in (one for one in needed if one not in settings):
        raise SpecError(f"--measure {kind} needs {_SETTINGS[missing]}")


def _option(settings: Mapping[str, object]) -> str:
    return _SETTINGS[next(iter(settings))]


def _questions(text: str) -> tuple[str, ...] | Path:
    ready = {ANIMALS: FavoriteAnimal, TREES: FavoriteTree}
    return ready[text]().asked if text in ready else Path(text)


def _texts(file: Path) -> list[str] | list[tuple[str, str]]:
    """Texts whose likelihood is computed: lines of a text file, or prompts and answers."""
    if not file.is_dir() and not {s.lower() for s in file.suffixes} & DATA:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    table = read_rows_of(file, answered=True)
    echo(f"limen: {file}: {table.understood}", err=True)
    if any(row.get("history") or row.get("system") for row in table.rows):
        raise SpecError(f"--texts {file}: conversations of several turns, or with a system prompt")
    return [(row["prompt"], row["text"]) for row in table.rows]


def _measure_of_file(text: str, settings: Settings) -> Measure:
    """The measure that ``FILE.py:NAME`` names, or the one measure of a spec's experiments."""
    path, _, name = text.rpartition(":")
    value = named_value(text) if path.endswith(".py") else None
    if callable(value) and not isinstance(value, type):
        raise SpecError(
            f"--measure {text} is a function, and no measure: for the labels that it gives, write "
            f"--measure labelled --outcome {text} --questions FILE; for its numbers, --measure "
            f"scored instead; or name a measure made of it, such as Labelled(questions=..., "
            f"outcome={name})"
        )
    if settings:
        raise SpecError(
            f"{_option(settings)} goes with a measure of limen: {text} has its own settings, so "
            f"change them in the file"
        )
    if not path.endswith(".py"):
        found = [one.experiment.measure for one in experiments_in([Path(text)])]
        if any(measure != found[0] for measure in found):
            raise SpecError(f"{text} has several measures: name one, as in {text}:experiment")
        return found[0]
    measure = value.measure if isinstance(value, Experiment) else value
    if not isinstance(measure, Measure):
        raise SpecError(f"--measure {text}: {path} has no measure or experiment {name!r}")
    return measure
