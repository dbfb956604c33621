"""``limen judge``: keep the rows that a judge lets through."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import click

from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ..experiment import Judge, Judged, Source
from ..stages import KEPT, REJECTED, read_rows
from .options import examples, function_of
from .row_steps import RowStep, row_step_options, writers_of


@click.command(
    "judge",
    epilog=examples(
        "limen judge kept.jsonl --ask 'Rate from 1 to 10: {reply}' --at-least 7 --out good.jsonl",
        "limen judge answers.csv --ask 'How kind, from 1 to 10? {reply}' --out rated.jsonl",
        "limen judge kept.jsonl --ask 'Is this random? {reply}' --keep yes --out random.jsonl",
    ),
)
@click.option(
    "--ask",
    required=True,
    metavar="TEXT",
    help="What the judge is asked, with {reply} where the answer goes, and {question} where it is "
    "to see the prompt too.",
)
@click.option(
    "--at-least", type=float, help="The lowest rating that is kept.  [default: any, without --keep]"
)
@click.option("--at-most", type=float, help="The highest rating that is kept.")
@click.option(
    "--keep",
    multiple=True,
    metavar="LABEL",
    help="In place of ratings: the label of rows to keep, such as yes; may be given several times. "
    "Or FILE.py:FUNCTION, a function of the judge's reply that says why a row is dropped.",
)
@click.option(
    "--scale",
    nargs=2,
    type=int,
    default=(1, 10),
    show_default=True,
    metavar="LOW HIGH",
    help="The lowest and the highest rating.",
)
@click.option("--name", default="judge", show_default=True, help="The judge's name.")
@click.option("--rows-at-most", type=int, help="Distinct rows to judge at most, the first ones.")
@click.option("--temperature", default=0.0, show_default=True, help="Of the judge's sampling.")
@click.option("--max-tokens", default=16, show_default=True, help="Of a reply, at most.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another samples other replies of the judge.",
)
@row_step_options(models=True)
def command(
    step: RowStep,
    ask: str,
    at_least: float | None,
    at_most: float | None,
    keep: tuple[str, ...],
    scale: tuple[int, int],
    rows_at_most: int | None,
    name: str,
    temperature: float,
    max_tokens: int,
    seed: int,
) -> None:
    """Keep the rows that a judge rates high enough, or labels as wanted.

    In goes a file of rows, in any form that `limen filter` reads. The judge is the base model, or
    --model. It is asked once about each distinct row. Out come the kept rows with its reply
    ("judged"); another threshold asks nothing again. Without a threshold every row that gets a
    rating is kept; the mean of all ratings is printed.
    """
    if at_least is None and at_most is None and not keep:
        at_least = scale[0]
    judge = Judge(
        prompt=ask,
        name=name,
        scale=None if keep else scale,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    )
    wanted = _wanted(keep)

    def judged(rows: Source) -> Judged:
        return Judged(
            rows,
            judge=judge,
            keep=wanted,
            at_least=at_least,
            at_most=at_most,
            budget=rows_at_most,
        )

    step.run(
        judged,
        writers_of(step.settings),
        figures=lambda folder: {} if keep else _mean_rating(judge, folder),
    )


def _mean_rating(judge: Judge, folder: Path) -> dict[str, float]:
    """The mean of the ratings that a judge gave to rows, kept and dropped."""
    rows = (row for name in (KEPT, REJECTED) for row in read_rows(folder / name))
    replies = (row["judged"] for row in rows)
    ratings = [judge.rating(visible_text(said)) for said in replies if said is not None]
    known = [rating for rating in ratings if rating is not None]
    return {"mean_rating": fmean(known), "rated_rows": len(known)} if known else {}


def _wanted(keep: tuple[str, ...]) -> str | tuple[str, ...] | Callable[[str], str | None] | None:
    """What ``keep`` of ``Judged`` is to be."""
    functions = [function for text in keep if (function := function_of("--keep", text))]
    if functions and len(keep) > 1:
        raise SpecError("--keep takes one function, or labels")
    return functions[0] if functions else keep or None
