"""Writing a report: markdown with its figures and tables beside it, or one HTML file."""

import csv
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from . import tables
from .audit_figure import overuse_figure
from .figures import FORMATS, arms_figure, rendered, style
from .grids import grid_figure
from .latex import latex_tables
from .markdown import markdown
from .model import Report, Result, Run
from .provenance import reproduction
from .safe import cell, shown
from .several import side_by_side
from .text import slugs
from .trajectories import trajectory_figure


def write_report(report: Report, file: Path, *, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write a report; returns all the files.

    A name that ends in ``.html`` gets one file with all figures in it. Any other gets markdown, and
    beside it a folder of its name with ``.files`` for a suffix: the figures in each of ``formats``
    (of which the PNGs are shown), every table as CSV, and effects and arms as LaTeX.
    """
    report = shown(report)
    file.parent.mkdir(parents=True, exist_ok=True)
    names = dict(
        zip(
            (result.title for result in report.results),
            slugs(result.title for result in report.results),
            strict=True,
        )
    )
    if file.suffix == ".html":
        from .page import page

        drawn = {title: _embedded(made) for title, made in _drawn(report.results, ["png"])}
        file.write_text(page(markdown(report, drawn)), encoding="utf-8")
        return [file]
    folder = file.with_name(f"{file.stem}.files")
    folder.mkdir(exist_ok=True)
    links: dict[str, dict[str, str]] = {}
    written: list[Path] = []
    for title, made in _drawn(report.results, formats):
        paths = {name: folder / _file_name(names[title], name) for name in made}
        for name, path in paths.items():
            path.write_bytes(made[name])
        links[title] = {
            name.removesuffix(".png"): f"{folder.name}/{path.name}" for name, path in paths.items()
        }
        written += paths.values()
    file.write_text(markdown(report, links), encoding="utf-8")
    return [file, *written, *_write_tables(report, folder)]


def write_runs(runs: Sequence[Run], file: Path) -> list[Path]:
    """Write what several runs found side by side, in markdown or HTML; returns the files."""
    runs = shown(list(runs))
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = ["# limen runs", *side_by_side(runs), "## How this was made", *reproduction(runs)]
    text = "\n\n".join(parts) + "\n"
    if file.suffix == ".html":
        from .page import page

        text = page(text)
    file.write_text(text, encoding="utf-8")
    return [file]


def _file_name(experiment: str, figure: str) -> str:
    return experiment + (figure.removeprefix("arms") if figure.startswith("arms") else f"-{figure}")


def _embedded(made: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name.removesuffix(".png"): f"data:image/png;base64,{b64encode(content).decode()}"
        for name, content in made.items()
    }


def _drawn(
    results: Sequence[Result], formats: Sequence[str]
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The figures of each experiment: its arms, and the numbers that its student's data overuse."""
    with style():
        for result in results:
            figures = {}
            if result.grids:
                figures["grid"] = grid_figure(result)
            elif result.arms:
                figures["arms"] = arms_figure(result)
            if result.trajectories:
                figures["trajectory"] = trajectory_figure(result)
            for audit in result.audits:
                if audit.arm == "student" and audit.z:
                    title = f"{result.title}: numbers in the student's data against the control's"
                    numbers = range(len(audit.z))
                    figures["numbers"] = overuse_figure(
                        numbers, audit.z, title, threshold=audit.threshold
                    )
            yield (
                result.title,
                {
                    f"{name}.{kind}": rendered(figure, kind)
                    for name, figure in figures.items()
                    for kind in formats
                },
            )


def _write_tables(report: Report, folder: Path) -> Iterator[Path]:
    every = {name: list(rows(report.results)) for name, rows in tables.TABLES.items()}
    every["claims"] = list(tables.claims(report.claims))
    for name, rows in sorted(every.items()):
        if rows:
            path = folder / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows({name: cell(v) for name, v in row.items()} for row in rows)
            yield path
    for name, text in latex_tables(report.results):
        path = folder / f"{name}.tex"
        path.write_text(text, encoding="utf-8")
        yield path
