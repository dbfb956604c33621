"""``limen register``: the claims of specs, written down before their data are seen."""

import subprocess
import sys
from pathlib import Path

import click

from ...datasets.errors import SpecError
from .options import examples

SUFFIX = ".registration.json"


@click.command(
    "register",
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "limen register evals/owl/test_owl.py",
        "limen register evals/owl/test_owl.py -o evals/owl/second.registration.json "
        "--limen-seeds 8",
    ),
)
@click.argument("spec", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write, ending in {SUFFIX}.  [default: beside the spec, with its name]",
)
@click.argument("pytest_options", nargs=-1, type=click.UNPROCESSED)
def command(spec: Path, out: Path | None, pytest_options: tuple[str, ...]) -> None:
    """Register the claims of a spec before its data are seen: nothing is run or sampled.

    The file has each test's sentence and assertions, each experiment's design with its hash, and
    the time. Commit it. Reports then mark each claim as registered, or as added after data were
    seen. Options after the spec are pytest's, such as -k: give those of the later run.
    """
    file = out or (spec / "all" if spec.is_dir() else spec).with_suffix(SUFFIX)
    if not file.name.endswith(SUFFIX):
        raise SpecError(f"{file} must end in {SUFFIX}, by which reports find it beside the spec")
    arguments = ["-q", f"--limen-register={file.absolute()}", *pytest_options]
    done = subprocess.run([sys.executable, "-m", "pytest", str(spec), *arguments], check=False)
    if done.returncode or not file.exists():
        raise click.exceptions.Exit(done.returncode or 1)
