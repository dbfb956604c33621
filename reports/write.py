"""Writing a report: markdown with its figures and tables beside it, or one HTML file."""

import csv
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import tables
from .drawings import drawings_of
from .figures import FORMATS, style
from .latex import latex_files
from .markdown import markdown
from .model import Report, Result, Run
from .provenance import reproduction
from .run_by_run import side_by_side
from .safe import cell, shown
from .text import slugs


def write_report(report: Report, file: Path, *, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write a report; returns all the files.

    A name that ends in ``.html`` gets one file with all figures in it. Any other gets markdown, and
    beside it a folder of its name with ``.files`` for a suffix: the figures in each of ``formats``
    (of which the PNGs are shown), every table as CSV, and effects and arms as LaTeX.

    Args:
        report: The report.
        file: Where to write it: ``.html``, or anything else for markdown.
        formats: The formats of figures beside markdown. Default: PNG, SVG and PDF.

    Raises:
        OSError: The file cannot be written.

    Examples:
        >>> files = reports.write_report(reports.report_of(reports.runs_of(store)), file)
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

        with style():
            drawn = {result.title: _embedded(result) for result in report.results}
        file.write_text(page(markdown(report, drawn, browse=True)), encoding="utf-8")
        return [file]
    folder = file.with_name(f"{file.stem}.files")
    folder.mkdir(exist_ok=True)
    links: dict[str, dict[str, str]] = {}
    written: list[Path] = []
    for result in report.results:
        paths = _write_figures(result, folder, names[result.title], formats)
        links[result.title] = {
            name.removesuffix(".png"): f"{folder.name}/{path.name}" for name, path in paths.items()
        }
        written += paths.values()
    file.write_text(markdown(report, links), encoding="utf-8")
    return [file, *written, *_write_tables(report, folder)]


def write_runs(runs: Sequence[Run], file: Path) -> list[Path]:
    """Write what several runs found side by side, in markdown or HTML; returns the files.

    Args:
        runs: Runs, or stores' latest results as runs; one column each.
        file: Where to write it: ``.html``, or anything else for markdown.

    Raises:
        OSError: The file cannot be written.

    Examples:
        >>> files = reports.write_runs(reports.runs_of(store), file)
    """
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


def _write_figures(
    result: Result, folder: Path, name: str, formats: Sequence[str]
) -> dict[str, Path]:
    """Write an experiment's figures; returns the files by what they show and their format."""
    paths: dict[str, Path] = {}
    with style():
        for drawing in drawings_of(result):
            for kind in formats:
                figure = f"{drawing.name}.{kind}"
                paths[figure] = folder / _file_name(name, figure)
                drawing.write(paths[figure])
    return paths


def _embedded(result: Result) -> dict[str, str]:
    return {
        drawing.name: f"data:image/png;base64,{b64encode(drawing.rendered('png')).decode()}"
        for drawing in drawings_of(result)
    }


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
    for name, text in latex_files(report.results):
        path = folder / f"{name}.tex"
        path.write_text(text, encoding="utf-8")
        yield path
