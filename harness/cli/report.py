"""``limen report``: reports from the store alone, of any run or of several side by side."""

from collections.abc import Callable
from pathlib import Path

import click

from ...datasets.errors import SpecError
from ...reports import Run, latest_runs, report_of, runs_of, wording, write_report, write_runs
from . import store_option
from .echo import counted, echo
from .options import examples
from .title_filter import title_filter


@click.command(
    "report",
    epilog=examples(
        "limen report -o owl.md -k owl",
        "limen report --list",
        "limen report --run 20261124T02 --run 20261125 -o both.html",
        "limen report before/.limen after/.limen -o both.md",
    ),
)
@click.argument(
    "stores",
    nargs=-1,
    metavar="[STORE]...",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: .html for one page with everything in it, else markdown with figures "
    "and tables beside it; of several runs side by side tables alone.  "
    "[default: print a line an experiment]",
)
@click.option("-k", "wanted", metavar="EXPR", help="Experiments by title, as pytest's -k.")
@click.option(
    "--run", "ids", metavar="RUN", multiple=True, help="A run, by its name or a part of it."
)
@click.option("--list", "listed", is_flag=True, help="List the runs, and do nothing else.")
@store_option
def command(
    stores: tuple[Path, ...],
    out: Path | None,
    wanted: str | None,
    ids: tuple[str, ...],
    listed: bool,
    store: Path,
) -> None:
    """Report what experiments found, from the store alone: nothing is run or sampled.

    Of each experiment the latest run is taken, unless --run names one. Several runs are set side
    by side, a column each; so are several STOREs, each with the latest results of its own.
    """
    if len(stores) > 1:
        if ids or listed:
            raise SpecError("--run and --list are about one store: name it alone")
        _several([_part(_latest(each), title_filter(wanted)) for each in stores], out)
        return
    store = stores[0] if stores else store
    runs = runs_of(store, ids) if ids or listed else latest_runs(store)
    if listed:
        for run in runs:
            echo(_listed(run))
        return
    matches = title_filter(wanted)
    if len(ids) > 1:
        _several([_part(run, matches) for run in runs], out)
        return
    report = report_of(runs, wanted=matches)
    if not report.results and not report.claims:
        raise SpecError(
            f"-k {wanted!r} matches no experiment of the runs in {store}: write words of its "
            f"title, as the report shows it"
        )
    for line in wording.lines(report) if out is None else ():
        echo(line)
    if out is not None:
        _written(write_report(report, out))


def _several(runs: list[Run], out: Path | None) -> None:
    if out is None:
        raise SpecError("several runs or stores side by side need a file: -o both.md")
    _written(write_runs(runs, out))


def _latest(store: Path) -> Run:
    """The latest results of a store as one run that is called as the store is."""
    from dataclasses import replace

    runs = latest_runs(store)
    report = report_of(runs)
    return replace(runs[-1], id=str(store), results=report.results, claims=report.claims)


def _written(files: list[Path]) -> None:
    beside = f" and {counted(len(files) - 1, 'file')} beside it" if len(files) > 1 else ""
    echo(f"report: {files[0]}{beside}")


def _listed(run: Run) -> str:
    held = wording.of_claims(run.claims)
    count = counted(len(run.results), "experiment")
    return f"{run.id}  {count}, {held} claims supported  {run.command}"


def _part(run: Run, wanted: Callable[[str], bool]) -> Run:
    """A run as if it had been of the wanted experiments alone."""
    from dataclasses import replace

    return replace(
        run,
        results=tuple(result for result in run.results if wanted(result.title)),
        claims=tuple(claim for claim in run.claims if wanted(claim.experiment)),
    )
