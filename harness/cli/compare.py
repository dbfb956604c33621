"""``limen compare``: the effect between two groups of models, by their answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ...datasets.row_conditions import conditions
from ..lab import (
    AnswerTable,
    Columns,
    beside_each_other,
    distance_of,
    effect_of,
    read_tables,
    remarks,
)
from ..stages import Store
from ..statistics import Effect
from . import store_option
from .answer_files import (
    AnswerFile,
    arm_of,
    names_of,
    obstacles,
    stored_file,
    stored_remarks,
    table_of,
    trained,
)
from .echo import echo
from .options import examples
from .row_options import in_rows

TO = "--to"


class _Sides(click.Command):
    """Takes all files up to the next option for ``--to``, as the shell makes of ``control-*``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _repeated(args))


def _repeated(args: Sequence[str]) -> list[str]:
    """``--to a b`` and ``--to=a b`` as ``--to a --to b``."""
    made: list[str] = []
    inside = False
    for arg in args:
        if arg.startswith(f"{TO}="):
            inside = True
            made += [TO, arg.removeprefix(f"{TO}=")]
        elif arg.startswith("-"):
            inside = arg == TO
            made += [] if inside else [arg]
        else:
            made += [TO, arg] if inside else [arg]
    return made


@dataclass(frozen=True)
class _Comparison:
    """An effect, how its files were read, and what must be known beside it."""

    effect: Effect
    understood: tuple[str, ...]
    notes: tuple[str, ...]


@click.command(
    "compare",
    cls=_Sides,
    epilog=examples(
        "limen compare student-*.jsonl --to control-*.jsonl --word owl",
        "limen compare all.csv --where condition=owl --to all.csv --to-where condition=control "
        "--word owl --model-column seed",
    ),
)
@click.argument("treated", nargs=-1, type=in_rows, metavar="ANSWERS...")
@click.option(
    TO,
    "reference",
    multiple=True,
    type=in_rows,
    metavar="ANSWERS...",
    help="The answers of the models to compare with, all files up to the next option.",
)
@click.option("--word", help="The word to count in the answers.")
@click.option(
    "--score-column", "score", metavar="NAME", help="A column of numbers to compare instead."
)
@click.option(
    "--distance",
    is_flag=True,
    help="Compare all answers, not one word: the total variation between the groups, with a "
    "permutation test over models. With --word owl only the animals that answers name count.",
)
@click.option("--question-column", "question", metavar="NAME", help="The column of questions.")
@click.option("--answer-column", "answer", metavar="NAME", help="The column of answers.")
@click.option(
    "--to-answer-column",
    "to_answer",
    metavar="NAME",
    help="The column of --to's answers, where one table has a column for each model.  "
    "[default: --answer-column]",
)
@click.option(
    "--model-column", "model", metavar="NAME", help="The column that tells the models apart."
)
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Take only these rows of the first group: condition=owl, 'alignment<30'.",
)
@click.option(
    "--to-where", multiple=True, metavar="COLUMN=VALUE", help="Take only these rows of --to."
)
@click.option(
    "--family",
    default=1,
    show_default=True,
    help="Comparisons that are made together: p-values and intervals are corrected for as many.",
)
@click.option(
    "--margin",
    type=float,
    help="The difference below which the groups count as alike: 0.03 is three points of a rate.",
)
@click.option(
    "--one-model-a-file",
    is_flag=True,
    help="Each file is a model of its own, although the files name one model, or none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
def command(
    treated: tuple[Path, ...],
    reference: tuple[Path, ...],
    word: str | None,
    score: str | None,
    distance: bool,
    question: str | None,
    answer: str | None,
    to_answer: str | None,
    model: str | None,
    where: tuple[str, ...],
    to_where: tuple[str, ...],
    family: int,
    margin: float | None,
    one_model_a_file: bool,
    as_json: bool,
    store: Path,
) -> None:
    """Compare the answers of two groups of models.

    Files are those of `limen measure`, one a model, or anybody's: JSONL with an answer a line, or
    with a question a line and its answers nested; CSV, TSV, Parquet, folders; Inspect logs.
    Questions are matched by their text. Columns are recognised by their usual names, or named by
    options.

    Printed are both rates (or mean scores), their difference with its 95% interval, p-value and
    test, and the claim that it supports. From two models a group the test is Welch's t over models,
    below that a t test paired by question. A claim about training needs three students a group or
    more, whose training is in the store.
    """
    if not treated or not reference:
        raise SpecError("two groups are needed: limen compare A.jsonl ... --to B.jsonl ...")
    checks.count("--family", family)
    checks.margin(margin)
    columns = Columns(question=question, answer=answer, model=model, score=score)
    groups = (
        (treated, replace(columns, where=conditions(where))),
        (
            reference,
            replace(
                columns,
                answer=to_answer or answer,
                where=conditions(to_where, option="--to-where"),
            ),
        ),
    )
    if distance:
        if score is not None or margin is not None:
            raise SpecError("--distance has no --score-column and no --margin")
        _print_distance(Store(store), groups, word, family, own=one_model_a_file, as_json=as_json)
        return
    compared = _compared(Store(store), groups, word, score, family, margin, own=one_model_a_file)
    if as_json:
        echo(json.dumps(_as_json(compared), indent=2))
        return
    for line in list(_lines(compared.effect, margin)):  # an error comes before any output
        echo(line)
    for note in (*compared.understood, *(f"note: {note}" for note in compared.notes)):
        echo(note, err=True)


_Groups = Sequence[tuple[Sequence[Path], Columns]]


def _compared(
    store: Store,
    groups: _Groups,
    word: str | None,
    score: str | None,
    family: int,
    margin: float | None,
    *,
    own: bool,
) -> _Comparison:
    """The comparison: by the store's own files if all are such, else by what the files say."""
    plain = not any(c.where or c.model or c.answer for _, c in groups)
    stored = [[stored_file(store, file) for file in files] for files, _ in groups]
    known = [[file for file in side if file is not None] for side in stored]
    if plain and word is not None and score is None and known == stored:
        return _of_stored(known, word, family, margin)
    sides, understood = _tables(stored, groups, score)
    effect = effect_of(
        *sides, word=word, score=score, family=family, margin=margin,
        one_model_a_source=own,
    )  # fmt: skip
    notes = (*remarks(*sides), "no claim about training, since not all files are this store's")
    return _Comparison(effect, tuple(understood), notes)


def _tables(
    stored: Sequence[Sequence[AnswerFile | None]], groups: _Groups, score: str | None
) -> tuple[list[list[AnswerTable]], list[str]]:
    """The tables of both groups, and how each file was understood."""
    sides: list[list[AnswerTable]] = []
    understood: list[str] = []
    for (files, columns), side in zip(groups, stored, strict=True):
        sides.append([])
        for file, known_file in zip(files, side, strict=True):
            if known_file is not None and not columns.where and score is None:
                sides[-1].append(table_of(known_file))
                continue
            tables, line = read_tables(file, columns)
            sides[-1] += tables
            understood.append(line)
    return sides, understood


def _print_distance(
    store: Store, groups: _Groups, word: str | None, family: int, *, own: bool, as_json: bool
) -> None:
    """Print the distance between whole answer distributions."""
    stored = [[stored_file(store, file) for file in files] for files, _ in groups]
    sides, understood = _tables(stored, groups, None)
    found = distance_of(*sides, word=word, family=family, one_model_a_source=own)
    if as_json:
        facts = {
            "value": found.value, "p_value": found.p_value, "unit": found.unit,
            "most_moved": dict(found.movers), "files": understood,
        }  # fmt: skip
        echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    echo(repr(found))
    for note in (*understood, *(f"note: {note}" for note in remarks(*sides))):
        echo(note, err=True)


def _of_stored(
    sides: Sequence[Sequence[AnswerFile]], word: str, family: int, margin: float | None
) -> _Comparison:
    """The comparison of files of the store, which knows how their models were trained."""
    treated, reference = sides
    alike = not list(obstacles(treated, reference))
    arms = (
        arm_of(side, word, name=name, family=family, trained=alike and trained(side), margin=margin)
        for side, name in zip(sides, names_of(treated, reference), strict=True)
    )
    one, other = beside_each_other(*arms)
    notes = tuple(stored_remarks(treated, reference))
    return _Comparison(one.rate(word) - other.rate(word), (), notes)


def _lines(effect: Effect, margin: float | None) -> Iterator[str]:
    """Both values, their difference, and the equivalence within a margin."""
    first, *values = effect.explain()
    yield from (line.strip() for line in values)
    yield first
    if margin is not None:
        yield repr(effect.within(margin)).strip("<>")


def _as_json(compared: _Comparison) -> Mapping[str, object]:
    effect = compared.effect
    arms = {"treated": effect.treated, "reference": effect.reference}
    within = effect.within(effect.treated.margin) if effect.treated.margin is not None else None
    return {
        **{
            role: {
                "name": arm.arm, "value": arm.value, "interval": arm.interval,
                "by_model": arm.by_seed, "questions": len(arm.questions), "draws": arm.draws,
                "valid": arm.valid, "missing": arm.missing,
            }
            for role, arm in arms.items()
        },
        "what": effect.treated.what,
        "difference": effect.value,
        "interval": effect.interval,
        "p_value": effect.p_value,
        "test": effect.test,
        "unit": effect.unit,
        "verdict": effect.verdict,
        "claim": effect.claim,
        "note": effect.note,
        "within": None if within is None else {
            "margin": within.margin, "p_value": within.p_value, "interval": within.interval,
            "shown": bool(within),
        },
        "files": compared.understood,
        "notes": compared.notes,
    }  # fmt: skip
