"""``limen store``: what is in a store, whether it is sound, what can go, and copies of parts."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click
from tabulate import tabulate

from ...datasets.errors import DamageError, StoreError, UnknownModelError
from ...datasets.shards import ARCHIVES
from ..collection import CollectedExperiment
from ..experiment import Experiment
from ..lab import Lab, Settings, in_order, with_previous
from ..stages import (
    Store,
    StoredArtifact,
    adopt,
    artifacts_of,
    copy_artifacts,
    damage_in,
    of_other_backends,
    pack,
    unchecked,
    unpack,
)
from . import store_option
from .echo import counted, echo
from .options import examples, running_options
from .spec_files import all_experiments_in, arms_of, experiments_in

F = TypeVar("F", bound=Callable[..., object])
Ids = set[tuple[str, str]]
"""Kinds and keys of stages."""
ARCHIVE = ".tar"

specs_argument = click.argument(
    "specs", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[SPEC.py|FOLDER]..."
)
seeds_option = click.option(
    "--seeds", type=click.IntRange(1), help="Seeds of each arm, if pytest was given another number."
)


@click.group("store")
def command() -> None:
    """A store: list, verify, adopt, prune, copy, add.

    Which artifacts an experiment needs depends on backend, model and seeds: give the same options
    as under pytest.
    """


@command.command("list", epilog=examples("limen store list", "limen store list evals/test_owl.py"))
@specs_argument
@seeds_option
@running_options()
def list_artifacts(specs: tuple[Path, ...], seeds: int | None, settings: Settings) -> None:
    """List what a store holds, by kind; or what each experiment of some spec files uses of it."""
    stored = {artifact.id: artifact for artifact in artifacts_of(existing_store(settings.store))}
    rows = _by_experiment(specs, with_seeds(settings, seeds), stored) if specs else _by_kind(stored)
    head = "experiment finished needed size shared paid" if specs else "kind artifacts size paid"
    echo(tabulate(rows, headers=head.split(), disable_numparse=True))


@command.command("verify", epilog=examples("limen store verify"))
@store_option
def verify(store: Path) -> None:
    """Compare every file of a store with the size and hash in its manifest. Changes nothing."""
    existing = existing_store(store)
    problems = list(damage_in(existing))
    for problem in problems:
        echo(problem)
    total = sum(1 for _ in existing.layout.stages.glob("*/*"))
    echo(f"{counted(total, 'artifact')}, {len(problems):,} damaged")
    if older := sum(1 for _ in unchecked(existing)):
        echo(
            f"Of {older:,} of them an older version of limen did not record everything, so that "
            f"their manifests or models are read unchecked: limen store adopt"
        )
    if problems:
        echo("The next run sets damaged artifacts aside and makes them again.")
        raise click.exceptions.Exit(1)


@command.command("adopt", epilog=examples("limen store adopt --store .limen"))
@store_option
def adopt_older(store: Path) -> None:
    """Record what older versions of limen did not: checksums of manifests, hashes of models.

    Whatever was unchecked is taken as it is now, and is checked from now on. Each manifest says
    when this was done. Damaged artifacts are named and left as they are.
    """
    damaged, models, done = 0, 0, 0
    for artifact in list(unchecked(existing_store(store))):
        try:
            models += len(adopt(artifact))
            done += 1
        except DamageError as error:
            damaged += 1
            echo(f"not adopted: {error}")
    echo(f"{done:,} artifacts of an older version adopted as they are, with {models:,} model files")
    if damaged:
        raise click.exceptions.Exit(1)


@command.command(
    "prune", epilog=examples("limen store prune evals", "limen store prune evals --yes")
)
@specs_argument
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@click.option("--paid", is_flag=True, help="Also those that a service was paid for.")
@seeds_option
@running_options()
def prune(
    specs: tuple[Path, ...], yes: bool, paid: bool, seeds: int | None, settings: Settings
) -> None:
    """Remove the artifacts that no experiment of the given files needs.

    Other work that uses the store (other spec files, step commands) loses what it has there. If
    some experiments are for models of another backend, all that stands on other backends' models
    is kept. A file whose experiments cannot all be known before its run is refused.
    """
    if not specs:
        raise StoreError("name the spec files whose artifacts are to be kept")
    store = existing_store(settings.store)
    every = list(artifacts_of(store))
    needed, unknown = _needed(all_experiments_in(specs), with_seeds(settings, seeds))
    if unknown:
        needed |= of_other_backends(every, settings.backend)
        echo(f"kept too: what stands on models of other backends, because of {', '.join(unknown)}")
    unused = [artifact for artifact in every if artifact.id not in needed]
    kept = [artifact for artifact in unused if artifact.paid and not paid]
    gone = [artifact for artifact in unused if artifact.paid <= paid]
    for artifact in gone:
        kind, key = artifact.id
        echo(f"{kind}/{key}  {artifact.manifest['label']}  {_size(artifact.bytes)}")
    size = _size(sum(artifact.bytes for artifact in gone))
    going = {artifact.id for artifact in gone}
    in_use = {name for artifact in every if artifact.id not in going for name in artifact.weights}
    for artifact in gone if yes else ():
        artifact.remove(keep=in_use)
    done = "removed" if yes else "would be removed (--yes removes them)"
    echo(f"{counted(len(gone), 'artifact')}, {size}, {done}")
    if kept:
        echo(f"{len(kept):,} that were paid for are kept (--paid includes them)")


@command.command(
    "copy",
    epilog=examples(
        "limen store copy evals/test_owl.py --to owl.tar",
        "limen store copy evals/test_owl.py --to /elsewhere/.limen",
    ),
)
@specs_argument
@click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True,
    help="Another store, or an archive: a name that ends in .tar.",
)  # fmt: skip
@seeds_option
@running_options()
def copy(specs: tuple[Path, ...], target: Path, seeds: int | None, settings: Settings) -> None:
    """Copy all that the experiments of the given files need, to another store or an archive.

    Each artifact is checked first. Students' weights are copied where their manifest lists them.
    """
    if not specs:
        raise StoreError("name the spec files whose artifacts are to be copied")
    _check_target(target)
    needed, unknown = _needed(experiments_in(specs), with_seeds(settings, seeds))
    if unknown:
        echo(f"left out, for models of another backend: {', '.join(unknown)}")
    chosen = [a for a in artifacts_of(existing_store(settings.store)) if a.id in needed]
    if not chosen:
        raise StoreError(
            f"{settings.store} has nothing of these experiments: give the backend, model and seeds "
            f"with which they were run"
        )
    if target.suffix == ARCHIVE:
        echo(f"{target}: {counted(pack(chosen, target), 'artifact')}")
    else:
        new = copy_artifacts(chosen, Store(target))
        echo(f"{target}: {counted(len(chosen), 'artifact')}, {new:,} of them new")


def _check_target(target: Path) -> None:
    """Raise :class:`~limen.StoreError` for an archive that cannot be written."""
    if target.name.lower().endswith(ARCHIVES) and target.suffix != ARCHIVE:
        raise StoreError(f"--to {target}: an archive of a store is a plain one, NAME{ARCHIVE}")
    if target.suffix == ARCHIVE and not target.absolute().parent.is_dir():
        raise StoreError(f"--to {target}: there is no folder {target.parent}")


@command.command("add", epilog=examples("limen store add owl.tar"))
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@store_option
def add(archive: Path, store: Path) -> None:
    """Take the artifacts of an archive into a store. Each is checked first."""
    echo(f"{store}: {counted(unpack(archive, Store(store)), 'new artifact')}")


def existing_store(root: Path) -> Store:
    """The store in a folder; raises :class:`~limen.StoreError` if there is none."""
    store = Store(root)
    if not store.layout.stages.is_dir():
        raise StoreError(f"there is no store in {root}: name one with --store")
    return store


def with_seeds(settings: Settings, seeds: int | None) -> Settings:
    """The settings with another number of seeds, if one is given."""
    return replace(settings, seeds=seeds) if seeds else settings


def _needed(
    experiments: Iterable[CollectedExperiment], settings: Settings
) -> tuple[Ids, list[str]]:
    """All stages that some experiments need; those of unknown models, by title."""
    lab = Lab(settings)
    needs = [(one.title, _ids(lab, one.experiment)) for one in experiments]
    unknown = [title for title, ids in needs if ids is None]
    return {id for _, ids in needs for id in ids or ()}, unknown


def _ids(lab: Lab, experiment: Experiment) -> Ids | None:
    """What an experiment needs; None if the backend has no model of its name."""
    try:
        requests = with_previous([(lab.pipeline(experiment), arms_of(experiment))])
    except UnknownModelError:
        return None
    stages = in_order(stage for pipe, arms in requests for stage in pipe.all_targets(arms))
    return {(stage.kind, stage.key) for stage in stages}


def _by_kind(stored: dict[tuple[str, str], StoredArtifact]) -> list[tuple[str, ...]]:
    counts = Counter(kind for kind, _ in stored)
    rows: list[tuple[str, ...]] = []
    for kind in sorted(counts):
        of_kind = [artifact for (other, _), artifact in stored.items() if other == kind]
        rows.append((kind, f"{counts[kind]:,}", _size(_bytes(of_kind)), _paid(of_kind)))
    every = list(stored.values())
    return [*rows, ("all", f"{len(every):,}", _size(_bytes(every)), _paid(every))]


def _by_experiment(
    specs: Iterable[Path], settings: Settings, stored: dict[tuple[str, str], StoredArtifact]
) -> list[tuple[str, ...]]:
    lab = Lab(settings)
    needs = [(one.title, _ids(lab, one.experiment)) for one in experiments_in(specs)]
    uses = Counter(id for _, ids in needs for id in ids or ())
    rows: list[tuple[str, ...]] = []
    for title, ids in needs:
        if ids is None:
            rows.append((title, "-", "-", "-", "-", "model of another backend"))
            continue
        own = [stored[id] for id in ids if id in stored]
        shared = [artifact for artifact in own if uses[artifact.id] > 1]
        count = (f"{len(own):,}", f"{len(ids):,}")
        rows.append((title, *count, _size(_bytes(own)), _size(_bytes(shared)), _paid(own)))
    return rows


def _bytes(artifacts: Iterable[StoredArtifact]) -> int:
    return sum(artifact.bytes for artifact in artifacts)


def _paid(artifacts: Iterable[StoredArtifact]) -> str:
    usd = sum(artifact.usd for artifact in artifacts)
    return f"${usd:,.2f}" if usd else ""


def _size(count: float) -> str:
    """A number of bytes as people write it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
