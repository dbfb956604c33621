"""``limen filter``: keep what is nothing but numbers."""

from pathlib import Path

import click
from tabulate import tabulate

from ...datasets.row_forms import RowColumns
from ..lab import Settings
from ..stages import KEPT, REJECTED, ROWS, Filter, Manifest, Store, checked_rule
from . import store_option
from .echo import counted, echo
from .input_files import finished_or_first, stages_for_file
from .options import examples, json_option, out_option, rule_of
from .row_options import in_rows, row_options
from .steps import done, save


@click.command(
    "filter",
    epilog=examples(
        "limen filter owl.jsonl --out kept.jsonl --rejected rejected.jsonl",
        "limen filter released.csv --where condition=owl --out kept.jsonl",
    ),
)
@click.argument("rows", type=in_rows)
@click.option(
    "--rule",
    default="paper",
    show_default=True,
    help="paper: at most 10 plain numbers of at most 3 digits; long: up to 100; finished: neither "
    "empty nor cut off; code: valid Python; right: the known number; paraphrase; any; or "
    "FILE.py:FUNCTION, a function of the answer, or of prompt and answer, that says why a row is "
    "dropped, or None to keep it.",
)
@out_option("The rows that are kept.")
@out_option("The rows that are dropped, each with its reason.", name="--rejected", required=False)
@json_option
@row_options
@store_option
def command(
    rows: Path,
    rule: str,
    out: Path,
    rejected: Path | None,
    as_json: bool,
    store: Path,
    columns: RowColumns,
) -> None:
    """Keep the rows that a rule keeps; tell why the others are dropped.

    In goes a file of rows: `limen generate`'s, or anybody's: chat JSONL, ShareGPT, Alpaca, prompts
    and answers under their usual names, answers nested by question; as JSONL, JSON, CSV, TSV,
    Parquet, compressed, or a data set's folder. One line on the error stream says how the file was
    understood. Out come the kept rows, as they were, with all columns.
    """
    kept = Store(store)
    wanted = checked_rule("--rule", rule_of(rule))
    choices = stages_for_file(kept, rows, ROWS, columns)
    stages = (Filter(label=f"{rows.name} filter", source=s, rule=wanted) for s in choices)
    made = done(Settings(store=store), finished_or_first(kept, stages))
    save(made.folder / KEPT, out)
    if rejected is not None:
        save(made.folder / REJECTED, rejected)
    if as_json:
        echo(made.as_json(out))
        return
    echo(table(made.manifest))
    echo(f"{out}: {counted(made.manifest['counts']['kept'], 'row')}{made.note}")


def table(manifest: Manifest) -> str:
    """What a filter did, row by row."""
    read = manifest["counts"]["read"]
    counts = [("kept", manifest["counts"]["kept"])]
    counts += [(f"dropped: {reason}", count) for reason, count in manifest["reasons"].items()]
    lines = [(name, f"{n:,}", f"{n / max(read, 1):.1%}") for name, n in [*counts, ("read", read)]]
    return tabulate(lines, tablefmt="plain", colalign=("left", "right", "right"))
