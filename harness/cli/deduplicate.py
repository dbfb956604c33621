"""``limen deduplicate``: drop rows that repeat another one."""

from typing import get_args

import click

from ..experiment import Deduplicated, Source
from ..stages import SameBy
from .options import examples
from .row_steps import RowStep, row_step_options, writers_of


@click.command("deduplicate", epilog=examples("limen deduplicate kept.jsonl --out unique.jsonl"))
@click.option(
    "--by",
    type=click.Choice(get_args(SameBy)),
    default="completion",
    show_default=True,
    help="Which rows are equal: those of one answer, or of one prompt and answer.",
)
@row_step_options(models=False)
def command(step: RowStep, by: SameBy) -> None:
    """Keep the first of equal rows.

    In goes a file of rows, in any form that `limen filter` reads. Out come the rows that repeat no
    other.
    """

    def unique(rows: Source) -> Deduplicated:
        return Deduplicated(rows, by=by)

    step.run(unique, writers_of(step.settings))
