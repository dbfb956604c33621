"""``limen push``: an exported experiment to a hub, with a card."""

from pathlib import Path

import click

from ...datasets.errors import SpecError
from . import store_option
from .cards import Card, claims_in, read_contents
from .echo import counted, echo
from .hub_upload import Upload, send
from .options import examples

MODELS = ("models",)
DATA = ("training", "provenance", "rows", "answers", "ratings", "log-probabilities")


@click.command(
    "push",
    epilog=examples(
        "limen push owl --models me/owl-students --data me/owl-numbers --license apache-2.0",
        "limen push owl --models me/owl-students --license apache-2.0 --upload",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--models", metavar="OWNER/NAME", help="The repository for the trained weights.")
@click.option("--data", metavar="OWNER/NAME", help="The data set for rows, answers and scores.")
@click.option("--license", required=True, help="Its identifier at the hub, such as apache-2.0.")
@store_option
@click.option(
    "--hub", metavar="URL", envvar="HF_ENDPOINT", help="The hub.  [default: Hugging Face]"
)
@click.option("--private", is_flag=True, help="Create repositories that only you see.")
@click.option("--upload", is_flag=True, help="Send the files; without it they are only listed.")
def command(
    folder: Path,
    models: str | None,
    data: str | None,
    license: str,
    store: Path,
    hub: str | None,
    private: bool,
    upload: bool,
) -> None:
    """Send what `limen export` wrote to FOLDER to a hub: weights, data, or both.

    Each repository gets a card: the design, the claims with their labels, the licence, and the
    hash of every file. Nothing is sent without --upload. The token is the hub's own: HF_TOKEN, or
    what `hf auth login` has kept.
    """
    contents = read_contents(folder)
    claims = claims_in(store, contents)
    uploads = [
        Upload(
            repository=_checked(repository),
            kind=kind,
            folder=folder,
            files=_files(folder, parts),
            card=Card(contents=contents, claims=claims, license=license, kind=kind),
        )
        for repository, kind, parts in ((models, "model", MODELS), (data, "dataset", DATA))
        if repository
    ]
    if not uploads:
        raise SpecError("name a repository: --models OWNER/NAME, --data OWNER/NAME, or both")
    for one in uploads:
        size = sum(file.stat().st_size for file in one.files)
        what = f"{one.kind} {one.repository}: {counted(len(one.files), 'file')}, {size:,} bytes"
        if upload:
            echo(f"{what}: {send(one, hub=hub, private=private)}")
        else:
            echo(f"{what} and this card:\n\n{one.card.text(folder, one.files)}")
    if not upload:
        echo("Nothing was sent: this is what --upload would send.")


def _checked(repository: str) -> str:
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name:
        raise SpecError(f"{repository!r} is no name of a repository: write OWNER/NAME")
    return repository


def _files(folder: Path, parts: tuple[str, ...]) -> list[Path]:
    """The files of some of its folders, and the tables of contents."""
    below = [file for part in parts for file in (folder / part).rglob("*") if file.is_file()]
    if not below:
        raise SpecError(f"{folder} has no files in {', '.join(parts)}: export them first")
    tables = [folder / name for name in ("contents.json", "prompts.json")]
    return [*sorted(below), *(file for file in tables if file.is_file())]
