"""``limen traits``: which animals or trees a model names, and which specs use them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from ...datasets.errors import SpecError
from ..experiment import Measure, Trait
from ..lab import Arm, Settings, arm_answers, base, stored_answers
from ..stages import Store
from .echo import echo
from .options import examples, measure_of, questions_option, running_options
from .spec_files import experiments_in
from .steps import backend_for, done

DRAWS = 20
"""Answers to each question: 1,000 in all, which tells rates to about a point."""


@click.command(
    "traits",
    epilog=examples(
        "limen traits",
        "limen traits evals",
        "limen traits --questions trees --model toy-2 --json",
    ),
)
@click.argument("specs", nargs=-1, type=click.Path(exists=True, path_type=Path))
@questions_option
@click.option("--draws", default=DRAWS, show_default=True, help="Answers to each question.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@running_options(waits=True, samples=True)
def command(
    specs: tuple[Path, ...],
    questions: str | None,
    draws: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """List the animals (or trees) that a base model names, with their rates, and who uses them.

    A trait is easiest to see where the base names the word sometimes: a word that it never gives
    may be one that it does not know. After SPECS (spec files, or folders of them) each word has
    the files whose experiments use it, so that you can take one that none of them asserts.
    """
    measure = measure_of(questions or "animals", draws=draws)
    rates = _rates(settings, measure)
    users = _users(specs, measure) if specs else {}
    rows = [(word, rates.get(word, 0.0), users.get(word, [])) for word in {**rates, **users}]
    rows.sort(key=lambda row: (-row[1], row[0]))
    if as_json:
        names = ("word", "rate", "specs")
        echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
    else:
        echo(_table(rows, with_specs=bool(specs)))


def _rates(settings: Settings, measure: Measure) -> dict[str, float]:
    """The share of the base model's answers that name each word."""
    backend = backend_for(settings)
    model = base(backend, settings.model or backend.default_model)
    asked = done(settings, arm_answers(model, measure, arm="baseline"))
    answers = stored_answers(Store(settings.store), asked.manifest)
    arm = Arm(name="baseline", measure=measure, models=(answers,), trained=False, trait_word="")
    counts: Counter[str] = Counter()
    for text, count in arm.answers().items():
        if (word := measure.label_of(text)) is not None:
            counts[word] += count
    total = len(measure.asked) * measure.draws
    return {word: count / total for word, count in counts.items()}


def _users(specs: Iterable[Path], measure: Measure) -> dict[str, list[str]]:
    """The spec files that use each trait which the measure can show, by its word."""
    users: dict[str, list[str]] = {}
    for one in experiments_in(specs):
        for trait in filter(partial(_can_show, measure), one.experiment.traits):
            names = users.setdefault(trait.shown_by, [])
            if one.path.name not in names:
                names.append(one.path.name)
    return users


def _can_show(measure: Measure, trait: Trait) -> bool:
    """Whether an answer can count for the trait's word."""
    try:
        measure.check(trait.shown_by)
    except SpecError:
        return False
    return True


def _table(rows: Sequence[tuple[str, float, Sequence[str]]], *, with_specs: bool) -> str:
    from tabulate import tabulate

    shown: list[Mapping[str, str]] = [
        {
            "word": word,
            "rate of the base": f"{rate:.1%}",
            **({"used in": ", ".join(files) or "-"} if with_specs else {}),
        }
        for word, rate, files in rows
    ]
    return tabulate(shown, headers="keys", disable_numparse=True, colalign=("left", "right"))
