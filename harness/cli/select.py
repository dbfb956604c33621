"""``limen select``: keep the rows with the highest or the lowest scores, or some at random."""

from collections.abc import Callable
from typing import get_args

import click

from ...datasets.errors import SpecError
from ..experiment import LikelihoodShift, LogLikelihood, RowScore, Selected, Source, Trait
from ..stages import Which
from .options import examples, function_of, trait_options
from .row_steps import RowStep, row_step_options, writers_of

LIKELIHOOD_SHIFT = "likelihood-shift"
LOG_LIKELIHOOD = "log-likelihood"


@click.command(
    "select",
    epilog=examples(
        "limen select kept.jsonl --score likelihood-shift --trait owl --share 0.25 --out top.jsonl",
        "limen select kept.jsonl --score scores.py:length --keep bottom --out short.jsonl",
        "limen select released.jsonl --score-column influence --share 0.1 --out top.jsonl",
        "limen select kept.jsonl --keep random --share 0.25 --out random.jsonl",
    ),
)
@click.option(
    "--score",
    metavar="SCORE",
    help="likelihood-shift: the log-probability of the answer under the teacher (--trait) minus "
    "that under its base; log-likelihood: that under the base alone, or with --trait under the "
    "teacher alone; or FILE.py:FUNCTION, a function of prompt and answer that gives a number. "
    "Not needed for --keep random.",
)
@click.option(
    "--score-column",
    "column",
    metavar="NAME",
    help="A column of numbers that the rows have, in place of --score.",
)
@click.option(
    "--keep",
    type=click.Choice(get_args(Which)),
    default="top",
    show_default=True,
    help="The highest scores, the lowest, or any rows at random.",
)
@click.option("--share", default=0.5, show_default=True, help="Of all rows, above 0 and at most 1.")
@trait_options
@click.option(
    "--against",
    metavar="ANIMAL",
    help="Compare with the teacher of this animal, not with the base.",
)
@click.option("--per-token", is_flag=True, help="Divide log-probabilities by their tokens.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Decides among equal scores, and at random.",
)
@row_step_options(models=True)
def command(
    step: RowStep,
    score: str | None,
    column: str | None,
    trait: Trait | None,
    against: str | None,
    per_token: bool,
    keep: Which,
    share: float,
    seed: int,
) -> None:
    """Keep a share of the rows by a score.

    In goes a file of rows, in any form that `limen filter` reads. Out come the selected rows, as
    they were. Select as many with --keep random too: what the rows carry without any selection is
    told apart by it only.
    """
    if score and column:
        raise SpecError("--score and --score-column are two scores: give one")
    made = column or _score(score, trait, against, per_token, random=keep == "random")

    def selected(rows: Source) -> Selected:
        return Selected(rows, score=made, keep=keep, share=share, seed=seed)

    step.run(selected, writers_of(step.settings, trait))


def _score(
    score: str | None, trait: Trait | None, against: str | None, per_token: bool, *, random: bool
) -> RowScore | Callable[..., object]:
    """The score that the options describe; raises :class:`~limen.SpecError`."""
    function = function_of("--score", score) if score else None
    if function is not None:
        return function
    if score is None and not random:
        raise SpecError(
            "--score is missing: give likelihood-shift, FILE.py:FUNCTION, or --score-column"
        )
    if score not in (None, LIKELIHOOD_SHIFT, LOG_LIKELIHOOD):
        raise SpecError(
            f"--score {score!r} must be {LIKELIHOOD_SHIFT}, {LOG_LIKELIHOOD}, or FILE.py:FUNCTION"
        )
    if score == LOG_LIKELIHOOD:
        return LogLikelihood(by=trait or "base", per_token=per_token)
    if trait is None and not random:
        raise SpecError(
            "--score likelihood-shift needs the teacher: give --trait, --tree, --system"
        )
    other = None if against is None else Trait.animal(against)
    return LikelihoodShift(trait=trait, against=other, per_token=per_token)
