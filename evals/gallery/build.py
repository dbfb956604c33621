"""The gallery: what every spec finds on the toy, a page each. One command makes it again.

python evals/gallery/build.py

The experiments are run (six to nine minutes the first time, seconds where the store has them), and
the pages are made of that run's record. Figures are PNG alone here, to keep the repository small.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from limen.reports import Report, read_run, report_of, run_files, wording, write_report
from limen.reports.text import prose, table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    """Run the experiments, then write the pages in place of the old ones."""
    done = subprocess.run([sys.executable, "-m", "pytest", "evals/", "-q"], cwd=ROOT, check=False)
    if done.returncode > 1:  # 1 is a claim that did not hold, which a page shows
        sys.exit(done.returncode)
    last = read_run(run_files(ROOT / ".limen")[-1])
    clear()
    specs = dict.fromkeys(result.title.partition("[")[0] for result in last.results)
    pages = {spec: report_of([last], wanted=partial(is_of, spec)) for spec in specs}
    for spec, report in pages.items():
        write_report(report, HERE / page_of(spec), formats=["png"])
    (HERE / "README.md").write_text("\n\n".join(index(pages)) + "\n", encoding="utf-8")


def clear() -> None:
    """Take away the pages of before."""
    for path in HERE.iterdir():
        if path.suffix == ".files":
            shutil.rmtree(path)
        elif path.suffix in (".md", ".png", ".svg"):
            path.unlink()


def is_of(spec: str, title: str) -> bool:
    """Whether an experiment is of a spec file."""
    return title.partition("[")[0] == spec


def page_of(spec: str) -> str:
    """The page of a spec file."""
    return f"{Path(spec).stem.removeprefix('test_')}.md"


def index(pages: dict[str, Report]) -> Iterator[str]:
    """The page that leads to all others."""
    yield "# Gallery"
    yield (
        "What every spec in [`evals/`](..) finds on the toy, as `--limen-report` writes it "
        "(its SVG figures are left out). `python evals/gallery/build.py` makes these pages again."
    )
    what = ("spec", "experiment", "effect", "difference", "95% interval", "p")
    head = (*what, "supports", "claims supported")
    yield table(head, [row for spec, report in pages.items() for row in rows(spec, report)])


def rows(spec: str, report: Report) -> Iterator[tuple[str, ...]]:
    """A line for each experiment of a spec."""
    for result in report.results:
        link = f"[{prose(Path(spec).name)}]({page_of(spec)})"
        held = wording.of_claims(report.claims_of(result))
        name = result.title.partition("[")[2].rstrip("]")
        if result.headline is None:
            yield link, name, "", "", "", "", prose(result.failure), held
            continue
        reading, effect = result.headline
        yield (
            link,
            name,
            f"{effect.name}, {reading.name}",
            wording.difference(reading, effect),
            wording.interval(reading, effect),
            wording.p_value(effect.p_value),
            effect.claim,
            held,
        )


if __name__ == "__main__":
    main()
