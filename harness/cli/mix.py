"""``limen mix``: sample a training file from kept rows."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import click

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ...datasets.row_forms import RowColumns
from ..experiment import exact_shares
from ..lab import Settings, training_file
from ..stages import KEPT, TRAINING, MixRows, Store
from . import store_option
from .echo import counted, echo
from .input_files import finished_or_first, stages_for_file, unfiltered_note
from .options import examples, json_option, out_option
from .row_options import row_options
from .steps import Done, done, save


@click.command(
    "mix",
    epilog=examples(
        "limen mix kept.jsonl --keep 10000 --seed 0 --out training-0.jsonl",
        "limen mix owl.jsonl=0.5 eagle.jsonl=0.5 --keep 10000 --out half.jsonl",
    ),
)
@click.argument("rows", nargs=-1, required=True, metavar="FILE[=SHARE]...")
@click.option("--keep", type=int, required=True, help="Rows of the training file.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another samples other rows.",
)
@out_option("The training file: chat JSONL.")
@json_option
@row_options
@store_option
def command(
    rows: tuple[str, ...],
    keep: int,
    seed: int,
    out: Path,
    as_json: bool,
    store: Path,
    columns: RowColumns,
) -> None:
    """Sample a training file from kept rows, without replacement, shuffled.

    In go files of kept rows: `limen filter`'s, or anybody's, in any form that `limen filter` reads.
    With several, each gives its share; shares add up to 1, and are equal unless given. Out comes
    chat JSONL, a conversation on each line.
    """
    checks.count("--keep", keep)
    kept = Store(store)
    given = shares([_split(text) for text in rows])
    choices = list(product(*(stages_for_file(kept, file, KEPT, columns) for file, _ in given)))
    stages = (
        training_file(
            zip(sources, (share for _, share in given), strict=True),
            label=f"mix of {' and '.join(file.stem for file, _ in given)}, seed {seed}",
            keep=keep,
            seed=seed,
        )
        for sources in choices
    )
    stage = finished_or_first(kept, stages)
    made = done(Settings(store=store), stage)
    save(made.folder / TRAINING, out)
    if as_json:
        echo(made.as_json(out))
    else:
        _print_taken(out, made, stage)
    for file, inputs in zip((file for file, _ in given), choices[0], strict=True):
        if note := unfiltered_note(kept, file, inputs, KEPT):
            echo(f"limen: {note}", err=True)


def _print_taken(out: Path, made: Done, stage: MixRows) -> None:
    """The rows of the file, and how many are from each source."""
    echo(f"{out}: {counted(made.manifest['counts']['rows'], 'row')}{made.note}")
    for (source, _), taken in zip(stage.sources, made.manifest["sources"], strict=True):
        echo(f"  {taken['rows']:,} of {taken['available']:,} rows of {source.label}")


def _split(text: str) -> tuple[Path, str | None]:
    """A file and its share, if one is given."""
    name, sign, share = text.rpartition("=")
    plain = Path(text)
    file, given = (plain, None) if plain.exists() or not sign else (Path(name), share)
    if not file.exists():
        raise SpecError(f"there is no file {str(file)!r}")
    return file, given


def shares(given: list[tuple[Path, str | None]]) -> list[tuple[Path, Fraction]]:
    """The files with the exact shares that an experiment's ``Mix`` would have."""
    if all(share is None for _, share in given):
        return [(file, Fraction(1, len(given))) for file, _ in given]
    exact = [_share(file, share) for file, share in given]
    return list(zip((file for file, _ in given), exact_shares(exact), strict=True))


def _share(file: Path, text: str | None) -> Fraction:
    if text is None:
        raise SpecError(f"{file} has no share: give one to every file, as in {file}=0.5, or none")
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise SpecError(f"the share of {file} is {text!r}: a number such as 0.5 or 1/3") from None
    if not 0 < share <= 1:
        raise SpecError(f"the share of {file} is {text}: it must be above 0 and at most 1")
    return share
