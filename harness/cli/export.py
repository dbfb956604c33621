"""``limen export``: an experiment's models, rows and answers as plain files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ...datasets.errors import StoreError
from ...reports import text
from ..collection import spec_path
from ..lab import Lab, Settings
from .echo import echo
from .exported_files import Exporter, plain_name
from .options import examples, running_options
from .spec_files import arms_of, experiments_in
from .steps import backend_for
from .store import existing_store, seeds_option, with_seeds


@click.command(
    "export",
    epilog=examples(
        "limen export evals/test_owl.py --to owl",
        "limen export evals/test_owl.py --to owl --arm student --arm control",
        "limen export evals/test_owl.py --to owl --no-weights",
        "limen export evals/test_owl.py --to owl --merged --backend local --model ./my-model",
    ),
)
@click.argument(
    "specs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path),
    metavar="SPEC.py|FOLDER...",
)  # fmt: skip
@click.option(
    "--to", "target", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="The folder to write to; new or empty.",
)  # fmt: skip
@click.option("--arm", "arms", multiple=True, help="An arm to export.  [default: all]")
@click.option("--weights/--no-weights", default=True, help="Copy the weights of trained models.")
@click.option("--merged", is_flag=True, help="Write trained models with their bases as one, too.")
@seeds_option
@running_options()
def command(
    specs: tuple[Path, ...],
    target: Path,
    arms: tuple[str, ...],
    weights: bool,
    merged: bool,
    seeds: int | None,
    settings: Settings,
) -> None:
    """Export what is finished of the experiments in the given files, for work outside of limen.

    Weights, training files, rows, answers and log-probabilities are copied as they are, each
    checked first, with a table of contents (contents.json). Nothing is run. Give backend, model and
    seeds as under pytest.
    """
    if target.exists() and any(target.iterdir()):
        raise StoreError(f"{target} is not empty: name a new folder")
    store = existing_store(settings.store)
    lab = Lab(with_seeds(settings, seeds))
    merge = _merging(settings) if merged else None
    found = experiments_in(specs)
    names = text.distinct(plain_name(one.title) for one in found)
    for one, name in zip(found, names, strict=True):
        folder = target / name if len(found) > 1 else target
        chosen = chosen_arms(arms, arms_of(one.experiment), one.title)
        file = spec_path(one.path, store.root.absolute().parent, Path.cwd())
        contents = Exporter(store, folder, weights, merge).export(
            one.title, file, lab.pipeline(one.experiment), chosen
        )
        done = sum(model["finished"] for model in contents["models"])
        echo(f"{folder}: {one.title}: {done} of {len(contents['models'])} models are finished")


def _merging(settings: Settings) -> Callable[[str, Path], None]:
    backend = backend_for(settings)
    write = backend.capabilities.write_merged
    if write is None:
        raise StoreError(
            f"--merged: the models of the backend {backend.name!r} are no adapters beside a base: "
            f"leave it out, or take --backend local"
        )
    return write


def chosen_arms(asked: Sequence[str], known: list[str], title: str) -> list[str]:
    """The arms that are asked for, or all; raises :class:`~limen.StoreError` for one unknown."""
    for arm in asked:
        if arm not in known:
            raise StoreError(f"{title} has no arm {arm!r}: it has {', '.join(known)}")
    return list(asked) or known
