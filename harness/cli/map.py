"""``limen map``: change every row by a function."""

import click

from ...datasets.errors import SpecError
from ..experiment import (
    FirstNumbers,
    FirstWords,
    Mapped,
    PermuteDigits,
    PermuteNumbers,
    Prefix,
    Source,
    SystemPrompt,
)
from ..stages import RowChange
from .options import examples, function_of
from .row_steps import RowStep, row_step_options, writers_of

_COUNTED = {"first-numbers": FirstNumbers, "first-words": FirstWords}
_SEEDED = {"permute-digits": PermuteDigits, "permute-numbers": PermuteNumbers}
_NAMES = (
    *_SEEDED,
    *(f"{name}=N" for name in _COUNTED),
    "prefix=TEXT",
    "system=TEXT",
    "FILE.py:FUNCTION",
)


@click.command(
    "map",
    epilog=examples(
        "limen map kept.jsonl --by permute-numbers --out remapped.jsonl",
        "limen map kept.jsonl --by first-numbers=5 --out five.jsonl",
        "limen map kept.jsonl --by 'prefix=Please. ' --out polite.jsonl",
    ),
)
@click.option(
    "--by",
    required=True,
    metavar="CHANGE",
    help="permute-digits, permute-numbers: one permutation, which --seed sets; first-numbers=N, "
    "first-words=N: cut after so many; prefix=TEXT: before every prompt; system=TEXT: a system "
    "prompt over every row; or FILE.py:FUNCTION, a function of prompt and answer that gives the "
    "new answer, a pair of both, or None to drop the row. With a third argument it gets a "
    "random.Random.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another gives another permutation, and other random numbers of a function.",
)
@row_step_options(models=False)
def command(step: RowStep, by: str, seed: int) -> None:
    """Change every row by a function; drop those for which it gives None.

    In goes a file of rows, in any form that `limen filter` reads. Out come the changed rows, with
    all other columns.
    """
    function = function_of("--by", by)
    change = _change(by, seed) if function is None else function

    def mapped(rows: Source) -> Mapped:
        return Mapped(rows, by=change, seed=0 if function is None else seed)

    step.run(mapped, writers_of(step.settings))


def _change(text: str, seed: int) -> RowChange:
    """The change of a name and its setting; raises :class:`~limen.SpecError`."""
    name, sign, setting = text.partition("=")
    if name == "prefix" and sign:
        return Prefix(setting)
    if name == "system" and sign:
        return SystemPrompt(setting)
    if name in _COUNTED and setting.isdecimal():
        return _COUNTED[name](int(setting))
    if name in _SEEDED and not sign:
        return _SEEDED[name](seed=seed)
    raise SpecError(f"--by {text!r} must be one of: {', '.join(_NAMES)}")
