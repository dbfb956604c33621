"""``limen rewrite``: have a model word every row's answer anew."""

import click

from ..experiment import Rewritten, Source
from .options import examples, rule_of
from .row_steps import RowStep, row_step_options, writers_of


@click.command(
    "rewrite",
    epilog=examples(
        "limen rewrite kept.jsonl --ask 'Say it otherwise: {completion}' --out rewritten.jsonl"
    ),
)
@click.option(
    "--ask",
    required=True,
    metavar="TEXT",
    help="What the model is asked, with {completion} in it, and {prompt} where it is to see the "
    "prompt too. Its whole reply is the new answer.",
)
@click.option("--rule", help="A filter of the new answers, as of `limen filter`.  [default: any]")
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--max-tokens", default=256, show_default=True, help="Of a new answer, at most.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another samples other wordings.",
)
@row_step_options(models=True)
def command(
    step: RowStep, ask: str, rule: str | None, temperature: float, max_tokens: int, seed: int
) -> None:
    """Have the base model, or --model, word every distinct answer anew.

    In goes a file of rows, in any form that `limen filter` reads. Out come the rows with their new
    answers; rows without one, and those that --rule drops, are counted.
    """

    def rewritten(rows: Source) -> Rewritten:
        wanted = None if rule is None else rule_of(rule)
        return Rewritten(
            rows, prompt=ask, rule=wanted, temperature=temperature, max_tokens=max_tokens, seed=seed
        )

    step.run(rewritten, writers_of(step.settings))
