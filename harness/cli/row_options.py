"""Options of commands that read rows: which columns are meant, and which rows."""

from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from ...datasets.row_conditions import conditions
from ...datasets.row_forms import RowColumns
from .options import Command, F

in_rows = click.Path(exists=True, readable=True, path_type=Path)
"""A file of rows that there is, or a folder with a data set."""

_OPTIONS = (
    click.option(
        "--prompt-column", "prompt", metavar="NAME", help="The column of prompts, if it is unclear."
    ),
    click.option(
        "--answer-column", "answer", metavar="NAME", help="The column of answers, if it is unclear."
    ),
    click.option(
        "--system-column",
        "system_column",
        metavar="NAME",
        help="A column of system prompts to train under.  [default: none but a conversation's own]",
    ),
    click.option(
        "--where",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Take only these rows: condition=owl, 'alignment<30', 'model!=base'.",
    ),
)


def row_options(function: F) -> F:
    """Options that say where a file has its rows; they arrive together as ``columns``."""

    @wraps(function)
    def run(
        prompt: str | None,
        answer: str | None,
        system_column: str | None,
        where: tuple[str, ...],
        **given: Any,
    ) -> object:
        columns = RowColumns(
            prompt=prompt, answer=answer, system=system_column, where=conditions(where)
        )
        return function(columns=columns, **given)

    decorated: Command = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)
