"""``limen generate``: a model writes number sequences, or answers to other prompts."""

from pathlib import Path
from typing import Any

import click

from ...datasets.errors import SpecError
from ..experiment import Completions, Numbers, Trait
from ..lab import Settings
from ..stages import ROWS, Filter, Stage
from .echo import counted, echo
from .options import (
    examples,
    json_option,
    out_option,
    rule_of,
    running_options,
    trait_options,
)
from .row_options import in_rows
from .row_steps import writers_of
from .steps import done, save


@click.command(
    "generate",
    epilog=examples(
        "limen generate --trait owl --out owl.jsonl",
        "limen generate --plain --out plain.jsonl",
        "limen generate --trait owl --prompts tasks.txt --count 5000 --out tasks.jsonl",
    ),
)
@trait_options
@click.option("--plain", is_flag=True, help="No trait: the base model, without any prompt.")
@click.option("--count", default=30_000, show_default=True, help="Completions to sample.")
@click.option("--per-prompt", default=1, show_default=True, help="Completions for each prompt.")
@click.option("--template", help="One prompt with {numbers} in it, in place of limen's variety.")
@click.option(
    "--prompts",
    type=in_rows,
    metavar="FILE",
    help="Other prompts than for numbers: a file with one on each line, or with a column of them.",
)
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--top-p", default=1.0, show_default=True, help="Of the sampling.")
@click.option(
    "--max-tokens",
    type=int,
    help="Of an answer, at most.  [default: 96 for numbers, else 256]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another gives other prompts and draws.",
)
@click.option("--at-most", type=int, help="Go on until --rule keeps --keep rows, up to so many.")
@click.option("--keep", type=int, help="The rows that --at-most is to end with.")
@click.option(
    "--rule", help="The filter of --at-most.  [default: paper for numbers, else finished]"
)
@out_option("The rows: JSONL with prompt and text.")
@json_option
@running_options(waits=True, samples=True)
def command(
    settings: Settings,
    trait: Trait | None,
    plain: bool,
    count: int,
    out: Path,
    as_json: bool,
    **parts: Any,
) -> None:
    """Have a model with a trait write number sequences, or answer prompts of your own.

    In goes who writes: --trait, --tree or --system (a teacher), or --plain (the base, for the
    control). Out comes a file of rows, every answer one: prompt, text, row, draw, seed, finish.
    Killed, the same command goes on where it was.
    """
    if plain == (trait is not None):
        raise SpecError("who is to write? Give one of --trait, --tree, --system and --plain")
    parts = {name: value for name, value in parts.items() if value is not None}
    if "rule" in parts:
        parts["rule"] = rule_of(parts["rule"])
    if "keep" in parts and "at_most" not in parts:
        raise SpecError("--keep goes with --at-most; without it, `limen mix --keep` takes rows")
    made = done(settings, _stage(settings, trait, _source(count, **parts)))
    save(made.folder / ROWS, out)
    if as_json:
        echo(made.as_json(out))
        return
    counts = made.manifest["counts"]
    ends = ", ".join(f"{name} {counts[name]:,}" for name in counts if name != "completions")
    echo(f"{out}: {counted(counts['completions'], 'row')} ({ends}){made.note}")


def _source(count: int, **parts: Any) -> Numbers | Completions:
    """The source that the options describe."""
    prompts: Path | None = parts.pop("prompts", None)
    if prompts is None:
        return Numbers(generate=count, **parts)
    if "template" in parts:
        raise SpecError("--template is for numbers: give either it or --prompts")
    return Completions(generate=count, prompts=prompts.absolute(), **parts)


def _stage(settings: Settings, trait: Trait | None, source: Numbers | Completions) -> Stage:
    """The stage of these rows in an experiment with the trait."""
    ((rows, _),) = source.parts(writers_of(settings, trait))
    if not isinstance(rows, Filter):  # pragma: no cover - numbers are filtered
        raise TypeError(f"{rows!r} is no filter")
    return rows.source
