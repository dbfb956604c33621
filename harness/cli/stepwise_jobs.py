"""``limen jobs kept`` and ``delete``: what a step-wise service keeps, and what it has cost."""

from collections.abc import Iterator
from pathlib import Path

import click
from tabulate import tabulate

from ...backends import ServiceTerms, Usage
from ...backends.stepwise import KeptForTraining, Trainings, TrainingSummary
from ...backends.tinker import TinkerBackend
from ...datasets.errors import BackendError
from ..stages import Store
from . import store_option
from .echo import echo
from .job_rows import JobRow
from .options import examples, in_file

SERVICE = "tinker"
"""The backend whose trainings have ledgers of steps."""
MEGABYTE = 1_000_000


def stepwise_rows(store: Path) -> list[JobRow]:
    """The trainings of a store at a step-wise service; the service is not asked."""
    return [
        JobRow(
            job=each.training,
            made_by=SERVICE,
            state=each.state,
            base_model=each.base,
            seed=str(each.seed),
            student=" ".join(each.students),
        )
        for each in _trainings(store).all()
    ]


def forget_training(store: Path, job: str) -> str | None:
    """Drop a training from the records; None if there is none of that id."""
    trainings = _trainings(store)
    try:
        found = trainings.find(job)
    except BackendError:
        return None
    trainings.forget(found.training)
    return found.training


@click.command("kept", epilog=examples("limen jobs kept"))
@store_option
@click.option("--prices", type=in_file, metavar="FILE", help="Your own prices (TOML).")
def kept(store: Path, prices: Path | None) -> None:
    """List what the service keeps for the store's trainings, and what these have cost.

    The service is the one that TINKER_BASE_URL and TINKER_API_KEY name.
    """
    backend = _backend(store, prices)
    rows = [row for each in _trainings(store).all() for row in _kept_rows(backend, store, each)]
    if not rows:
        echo(f"nothing is kept for trainings of {store}")
        return
    head = ("job", "base model", "training USD", "kept", "after step", "MB", "expires", "address")
    echo(tabulate(rows, headers=head, disable_numparse=True))


@click.command("delete", epilog=examples("limen jobs delete ftjob-abc123"))
@click.argument("job")
@click.option("--states", is_flag=True, help="Only the states to train on; students stay.")
@store_option
def delete(job: str, states: bool, store: Path) -> None:
    """Delete what the service keeps for a training. JOB: its id, or a student's.

    Its students can no longer be asked; finished results stay in the store.
    """
    trainings, backend = _trainings(store), _backend(store, None)
    found = trainings.find(job)
    wanted = [
        each
        for each in trainings.kept(backend.service, found.training)
        if each.weights.kind == "state" or not states
    ]
    gone, left = trainings.delete(backend.service, wanted)
    echo(f"{found.training}: {gone} deleted")
    if left:
        raise BackendError(
            f"{backend.service.address} still has {left}: it cannot delete. Remove them where the "
            f"server keeps its checkpoints"
        )


def _kept_rows(
    backend: TinkerBackend, store: Path, training: TrainingSummary
) -> Iterator[tuple[str, ...]]:
    usd = backend.cost(training.base, Usage(), trained_tokens=training.tokens)
    cost = "unknown" if usd is None else f"{usd:.4f}"
    for each in _trainings(store).kept(backend.service, training.training):
        yield training.training, training.base, cost, *_of_weights(each)


def _of_weights(kept: KeptForTraining) -> tuple[str, ...]:
    weights = kept.weights
    size = "" if weights.size is None else f"{weights.size / MEGABYTE:,.1f}"
    step = "" if kept.step is None else str(kept.step)
    return weights.kind, step, size, weights.expires or "", weights.path


def _trainings(store: Path) -> Trainings:
    return Trainings(Store(store).models(SERVICE).resolve())


def _backend(store: Path, prices: Path | None) -> TinkerBackend:
    return TinkerBackend(Store(store).models(SERVICE).resolve(), ServiceTerms(prices=prices))
