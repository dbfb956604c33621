"""``limen compare``: the effect between two groups of models, by their answers."""

from collections.abc import Sequence
from pathlib import Path

import click

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ..lab import Arm
from ..stages import Store
from . import store_option
from .answer_files import arm_of, names_of, obstacles, read_answers, remarks, trained
from .options import examples, in_file

TO = "--to"


class _Sides(click.Command):
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


@click.command(
    "compare",
    cls=_Sides,
    epilog=examples(
        "limen compare student-*.jsonl --to control-*.jsonl --word owl",
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
@click.option("--word", required=True, help="What to count.")
@click.option(
    "--family",
    default=1,
    show_default=True,
    help="Traits that are tried together: p-values and intervals are corrected for as many.",
)
@store_option
def command(
    treated: tuple[Path, ...],
    reference: tuple[Path, ...],
    word: str,
    family: int,
    store: Path,
) -> None:
    """Compare how often two groups of models answer with a word.

    In go the files that `limen measure` left, one a model. Printed are both rates, their
    difference with its 95% interval, p-value and test, and what it supports. From two models a
    side the test is Welch's t over models, below a t test paired by question; a claim about
    training needs three students a side, or more.
    """
    if not treated or not reference:
        raise SpecError("two groups are needed: limen compare A.jsonl ... --to B.jsonl ...")
    checks.count("--family", family)
    kept = Store(store)
    sides = [[read_answers(kept, file) for file in files] for files in (treated, reference)]
    alike = not list(obstacles(*sides))
    arms = [
        arm_of(side, word, name=name, family=family, trained=alike and trained(side))
        for side, name in zip(sides, names_of(*sides), strict=True)
    ]
    for line in _lines(*arms, word=word):
        click.echo(line)
    for note in remarks(*sides):
        click.echo(f"note: {note}", err=True)


def _lines(treated: Arm, reference: Arm, *, word: str) -> list[str]:
    """Both rates, and their difference."""
    effect = treated.rate(word) - reference.rate(word)
    first, *rates = effect.explain()
    return [*(line.strip() for line in rates), first]
