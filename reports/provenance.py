"""Where a report is from: dates, cost and time, and how to make it again.

All that differs between two runs of the same experiments stands here, and nowhere else.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from .amounts import dollars
from .model import Report, Result, Run
from .text import code, prose, table


def sections(report: Report) -> Iterator[str]:
    """The end of a report."""
    yield "## How this was made"
    if report.results:
        yield "### Dates, cost and time"
        yield _costs(report.results)
        yield (
            "Dates (UTC) and time are those of an experiment's stages, whichever run did them; "
            "stages that experiments share count in each."
        )
    yield from reproduction(report.runs)
    yield (
        "A name of two parts, such as `KIND/3f2a...`, is a stage: `stages/KIND/3f2a...` in the "
        "store has what the number is from (of a measure, every answer with question and seed) "
        "and a manifest."
    )


def reproduction(runs: Sequence[Run]) -> Iterator[str]:
    """What was run, when, and with which versions."""
    yield "### To make it again"
    for run in runs:
        yield table(("what", "value"), _run(run))


def _costs(results: Sequence[Result]) -> str:
    rows = [
        (
            prose(result.title),
            prose(result.times.first),
            prose(result.times.last),
            f"{result.times.stages}",
            f"{result.times.seconds:.1f} s",
            "none" if result.cost is None else dollars(result.cost.usd),
            "" if result.cost is None else result.cost.words(),
        )
        for result in results
    ]
    head = ("experiment", "first stage", "last stage", "stages", "time in them", "cost", "paid for")
    return table(head, rows)


def _run(run: Run) -> list[tuple[str, str]]:
    rows = [
        ("run", code(run.id)),
        ("command", code(run.command)),
        ("ended", prose(run.created)),
        ("wall time", f"{run.seconds:.1f} s"),
        ("estimated before", prose(str(run.estimated or ""))),
        ("spent on it", prose(str(run.spent or ""))),
        ("git commit of the specs", _git(run.git)),
        *_registrations(run),
        *((prose(name), prose(number)) for name, number in run.versions.items()),
        *_servers(run.results),
    ]
    return [row for row in rows if row[1]]


def _registrations(run: Run) -> Iterator[tuple[str, str]]:
    """Which files state the claims, since when, and since when there are data."""
    for one in run.registrations:
        commit = f"commit {code(one.commit)} of {prose(one.committed)}"
        yield (
            "registered claims",
            f"{code(one.file)}, written {prose(one.created)}, SHA-256 {code(one.sha256)}; "
            f"{commit if one.commit else 'not committed as it is now'}",
        )
    if run.registrations:
        for result in run.results:
            if result.measured:
                first = f"first model that it trained was measured {prose(result.measured)}"
                yield f"data of {prose(result.title)}", first


def _servers(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """How each server was asked, once for all experiments that asked it in the same way."""
    rows = {(r.model, name, fact) for r in results for name, fact in r.server.items()}
    for model, name, fact in sorted(rows):
        yield prose(f"server of {model}: {name}"), prose(fact)


def _git(commit: str) -> str:
    clean = commit.removesuffix("-dirty")
    return code(clean) + (", with changes that are not committed" if clean != commit else "")


def as_json(value: Mapping[str, object]) -> str:
    """Settings on one line."""
    return json.dumps(dict(value), ensure_ascii=False) if value else ""
