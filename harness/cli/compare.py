"""``limen compare``: the effect between two groups of models, by their answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from ...datasets.errors import SpecError
from ..answers import AnswerColumns, AnswerComparison, QuestionIds, compare_models
from ..stages import Store
from . import store_option
from .answer_files import (
    AnswerFile,
    AnswerReader,
    names_of,
    obstacles,
    remarks,
    trained,
    trait_word,
)
from .options import examples, in_file

TO = "--to"


class _TwoGroups(click.Command):
    """Takes all files up to the next option for ``--to``, as the shell makes of ``control-*``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _repeated(args))


def _repeated(args: Sequence[str]) -> list[str]:
    """``--to a b`` as ``--to a --to b``."""
    made: list[str] = []
    inside = False
    for arg in args:
        if arg.startswith("-"):
            inside = arg == TO
            made += [] if inside else [arg]
        else:
            made += [TO, arg] if inside else [arg]
    return made


def _conditions(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """``COLUMN=VALUE`` options as a dictionary."""
    pairs = [text.partition("=") for text in given]
    if any(not (column and sign) for column, sign, _ in pairs):
        raise click.BadParameter("must be COLUMN=VALUE, such as condition=owl", ctx, param)
    return {column: value for column, _, value in pairs}


def _where_option(name: str, help: str) -> "click.Option":
    return click.Option(
        [name], multiple=True, metavar="COLUMN=VALUE", callback=_conditions, help=help
    )


def _column_option(role: str, help: str) -> "click.Option":
    return click.Option([f"--{role}-column"], metavar="NAME", help=help)


@click.command(
    "compare",
    cls=_TwoGroups,
    epilog=examples(
        "limen compare student-*.jsonl --to control-*.jsonl --word owl",
        "limen compare all.csv --from-where condition=owl --to all.csv --to-where condition=plain "
        "--word owl",
        "limen compare a.eval --to b.eval --word owl --margin 0.03 --json",
    ),
)
@click.argument("treated", nargs=-1, type=in_file, metavar="ANSWERS...")
@click.option(
    TO,
    "reference",
    multiple=True,
    type=in_file,
    metavar="ANSWERS...",
    help="The answers of the models to compare with, all files up to the next option.",
)
@click.option("--word", help="The word to count.")
@click.option(
    "--family",
    default=1,
    show_default=True,
    help="Traits that are tried together: p-values and intervals are corrected for as many.",
)
@click.option(
    "--margin",
    type=float,
    help="Also test whether the groups differ by less than this: of rates a share, such as 0.03.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--one-model-a-file",
    is_flag=True,
    help="Each file is a model of its own, whatever its column of models says.",
)
@store_option
def command(
    treated: tuple[Path, ...],
    reference: tuple[Path, ...],
    word: str | None,
    family: int,
    margin: float | None,
    as_json: bool,
    one_model_a_file: bool,
    store: Path,
    where: Mapping[str, str],
    from_where: Mapping[str, str],
    to_where: Mapping[str, str],
    **columns: str | None,
) -> None:
    """Compare how two groups of models answer: how often with a word, or their mean score.

    ANSWERS are files that `limen measure` left, JSONL with one answer or one question on a line,
    CSV, or Inspect logs. Each model is counted once; questions are matched by their text. Printed
    are both values, their difference with its 95% interval, p-value and test, and what it
    supports. From two models a side the test is Welch's t over models, below a t test paired by
    question; a claim about training needs three students a side, or more.
    """
    if not treated or not reference:
        raise SpecError("two groups are needed: limen compare A.jsonl ... --to B.jsonl ...")
    chosen = AnswerColumns(**{name.removesuffix("_column"): v for name, v in columns.items()})
    if (word is None) == (chosen.score is None):
        raise SpecError("give either --word WORD or --score-column NAME")
    reader = AnswerReader(
        store=Store(store), columns=chosen, ids=QuestionIds(), by_model=not one_model_a_file
    )
    wheres = ({**where, **from_where}, {**where, **to_where})
    sides, understood = _read(reader, (treated, reference), wheres)
    alike = not list(obstacles(*sides)) and all(map(trained, sides))
    first, second = ([one.model for one in side] for side in sides)
    made = compare_models(
        first, second, word=word, score=chosen.score, margin=margin, family=family,
        names=names_of(*sides), trained=alike, understood=understood,
        trait_words=(trait_word(sides[0], word), trait_word(sides[1], word)),
        one_model_a_source=one_model_a_file,
    )  # fmt: skip
    _print(made, [*made.notes, *remarks(*sides)], as_json=as_json)


command.params += [
    _where_option("--where", "Take only the rows with this value, of all files."),
    _where_option("--from-where", "The same, of the files before --to."),
    _where_option("--to-where", "The same, of the files after --to."),
    _column_option("question", "The column with the question.  [default: found by its name]"),
    _column_option("answer", "The column with the answer."),
    _column_option("model", "The column with the model: every value is one model."),
    _column_option("score", "A column of numbers, whose mean is compared in place of a word."),
]


def _read(
    reader: AnswerReader,
    groups: Sequence[Sequence[Path]],
    wheres: Sequence[Mapping[str, str]],
) -> tuple[list[list[AnswerFile]], tuple[str, ...]]:
    """The models of each group, and a line for each file that says how it was understood."""
    sides, lines = [], []
    for files, where in zip(groups, wheres, strict=True):
        side: list[AnswerFile] = []
        for file in files:
            models, line = reader.read(file, where)
            side += models
            lines.append(line)
        sides.append(side)
    return sides, tuple(lines)


def _print(made: AnswerComparison, notes: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**made.as_dict(), "notes": list(notes)}, indent=1, default=str))
        return
    for line in made.understood:
        click.echo(line, err=True)
    for line in _lines(made):
        click.echo(line)
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _lines(made: AnswerComparison) -> Iterator[str]:
    """Both values, their difference, and the test against the margin."""
    first, *rates = made.effect.explain()
    yield from (line.strip() for line in rates)
    yield first
    if made.equivalence is not None:
        yield repr(made.equivalence)
