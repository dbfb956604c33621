"""``limen jobs``: the fine-tuning jobs of a store, and what the service knows of them."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

from ...backends.openai import OpenAIBackend
from ...backends.openai.job_ledger import ENDED, JobLedger
from ...backends.records import read_all
from ...datasets.errors import BackendError
from ..stages import TRAINING, MixRows, Store, trainings_in
from . import store_option
from .echo import echo
from .job_rows import JobRow
from .options import examples
from .stepwise_jobs import delete, forget_training, kept, stepwise_rows

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJobEvent

JobRecord = dict[str, Any]
"""What the ledger keeps of a job."""

SERVICE = "openai"
"""The backend whose jobs are kept in a ledger."""
COLUMNS = ("job", "made by", "state", "base model", "seed", "student", "key")
"""What `limen jobs list` says of each job."""
OUTAGE = 10.0
"""Seconds that a command waits for a service that is away."""
TICK = 1.0
"""Seconds between looks at a job that is followed."""


@click.group("jobs")
def command() -> None:
    """The fine-tuning jobs of a store, at the service that OPENAI_BASE_URL and the key name."""


@command.command("list", epilog=examples("limen jobs list"))
@store_option
def list_jobs(store: Path) -> None:
    """List all fine-tunings of the store: of a service, of `limen serve`, and in progress here.

    "made by" is the backend of a run or step command, or "limen serve" for what its clients made.
    The seed is the training's own: 0 for the first student of an arm.
    """
    ours = _ledger_rows(store)
    known = {row.job for row in ours}
    served = [row for row in _served_rows(store) if row.job not in known]
    rows = [*ours, *stepwise_rows(store), *served, *_training_rows(store)]
    if not rows:
        echo(f"there are no jobs in {store}")
        return
    echo(tabulate([astuple(row) for row in rows], headers=COLUMNS, disable_numparse=True))


@command.command("show", epilog=examples("limen jobs show ftjob-abc123"))
@click.argument("job")
@store_option
def show(job: str, store: Path) -> None:
    """Show a job: its settings, state, checkpoints and latest events. JOB: its id, or its key.

    Of a training on this machine, or at a step-wise service, what `limen jobs list` has of it.
    """
    if row := _elsewhere(store, job):
        for name, value in zip(COLUMNS, astuple(row), strict=True):
            echo(f"{name:10}  {value}")
        return
    backend = _backend(store)
    remote = backend.jobs.retrieve(_id(backend, job))
    facts = remote.model_dump(exclude_none=True, exclude={"object", "integrations"})
    width = max(map(len, facts))
    for name, value in facts.items():
        echo(f"{name:{width}}  {value}")
    for point in backend.jobs.checkpoints(remote.id):
        echo(f"checkpoint at step {point.step}: {point.model} (loss {point.loss})")
    for event in backend.jobs.events(remote.id):
        echo(_line(event))


@command.command("follow", epilog=examples("limen jobs follow ftjob-abc123"))
@click.argument("job")
@store_option
def follow(job: str, store: Path) -> None:
    """Print a job's events as they come, until it ends. JOB: its id, or its key."""
    _refuse_elsewhere(store, job)
    backend = _backend(store)
    job_id = _id(backend, job)
    seen: set[str] = set()
    while True:
        remote = backend.jobs.retrieve(job_id)
        for event in backend.jobs.events(job_id, 100):
            if event.id not in seen:
                seen.add(event.id)
                echo(_line(event))
        if remote.status in ENDED:
            break
        time.sleep(TICK)
    echo(f"{job_id} {remote.status}: {remote.fine_tuned_model or remote.error or ''}")
    if remote.status != "succeeded":
        raise click.exceptions.Exit(1)


@command.command("cancel", epilog=examples("limen jobs cancel ftjob-abc123"))
@click.argument("job")
@store_option
def cancel(job: str, store: Path) -> None:
    """Cancel a job. What it has trained so far may be charged. JOB: its id, or its key."""
    _refuse_elsewhere(store, job)
    backend = _backend(store)
    job_id = _id(backend, job)
    jobs = backend.account.client.fine_tuning.jobs
    remote = backend.jobs.ask(lambda: jobs.cancel(job_id), f"cancelling {job_id}")
    echo(f"{job_id} {remote.status}")


@command.command(
    "adopt",
    epilog=examples("limen jobs adopt ftjob-abc123", "limen jobs adopt ftjob-abc123 --any-seed"),
)
@click.argument("job")
@click.option("--any-seed", is_flag=True, help="Let it stand for whichever seed wants it first.")
@store_option
def adopt(job: str, any_seed: bool, store: Path) -> None:
    """Have a job made elsewhere stand for a student of this store, so that it is not paid twice.

    It stands for the fine-tuning of the same base model on a file of the same content (the
    training.jsonl of a mix stage), with the same seed. JOB: the service's id of it.
    """
    backend = _backend(store)
    remote = backend.jobs.retrieve(job)
    files = backend.account.client.files
    doing = f"fetching the training file of {job}"
    content = backend.jobs.ask(lambda: files.content(remote.training_file).content, doing)
    digest = hashlib.sha256(content).hexdigest()
    backend.ledger.adopt(remote.id, digest, remote.model, None if any_seed else remote.seed)
    known = _mixes(store).get(digest)
    echo(f"{remote.id} ({remote.status}) adopted: base {remote.model}, seed {remote.seed}")
    echo(
        f"its training file is that of the mix {known}"
        if known
        else "no mix in this store has that training file yet; it is used once one does"
    )


@command.command("forget", epilog=examples("limen jobs forget ftjob-abc123"))
@click.argument("job")
@store_option
def forget(job: str, store: Path) -> None:
    """Drop a job from the ledger, so that the next run makes another. JOB: its id, or its key."""
    if forgotten := forget_training(store, job):
        echo(f"{forgotten} forgotten")
        return
    backend = _backend(store)
    record = backend.ledger.find(job)
    status = _status(backend, record)
    if status not in (*ENDED, "never made", "unknown there"):
        raise BackendError(f"{record['job']} is {status}: cancel it first, or it is paid twice")
    backend.ledger.forget(record)
    echo(f"{record.get('job', record['key'])} ({status}) forgotten")


command.add_command(kept)
command.add_command(delete)


def _backend(store: Path) -> OpenAIBackend:
    return OpenAIBackend(Store(store).models(SERVICE).resolve(), outage=OUTAGE)


def _status(backend: OpenAIBackend, record: JobRecord) -> str:
    """What the service says of a recorded job."""
    if not record.get("job"):
        return "never made"
    try:
        return backend.jobs.retrieve(record["job"]).status
    except BackendError as error:
        if "HTTP 404" in str(error):
            return "unknown there"
        raise


def _id(backend: OpenAIBackend, what: str) -> str:
    """The service's id of a job, from itself or from what the ledger has."""
    if what.startswith("ftjob"):
        return what
    record = backend.ledger.find(what)
    if "job" not in record:
        raise BackendError(f"the job {what!r} is {record['status']}: the service knows none yet")
    return str(record["job"])


def _ledger_rows(store: Path) -> list[JobRow]:
    """The jobs that runs and step commands made at a service; it is asked about open ones alone."""
    backend = cache(lambda: _backend(store))
    return [_row(backend, record) for record in JobLedger(Store(store).models(SERVICE)).all()]


def _row(backend: Callable[[], OpenAIBackend], record: JobRecord) -> JobRow:
    status, job = record["status"], record.get("job", "")
    if job and status not in ENDED:
        status = _or_unknown(lambda: backend().jobs.retrieve(job).status)
    return JobRow(
        job=job,
        made_by=SERVICE,
        state=status,
        base_model=record["model"],
        seed=str(record["seed"]),
        student=record.get("model_made") or "",
        key=record["key"][:12],
    )


def _served_rows(store: Path) -> list[JobRow]:
    """The jobs that clients of `limen serve` made, as the server has recorded them."""
    jobs = [record["wire"] for record in read_all(Store(store).layout.server / "jobs")]
    return [
        JobRow(
            job=job["id"],
            made_by="limen serve",
            state=job["status"],
            base_model=job["model"],
            seed=str(job["seed"]),
            student=job["fine_tuned_model"] or "",
        )
        for job in sorted(jobs, key=lambda job: job["created_at"])
    ]


def _training_rows(store: Path) -> list[JobRow]:
    """The fine-tunings that are in progress on this machine, or were stopped."""
    return [
        JobRow(
            job=training.label,
            made_by=training.backend,
            state=state,
            base_model=training.model,
            seed=str(training.seed),
            key=training.key[:12],
        )
        for training, state in trainings_in(Store(store))
    ]


def _elsewhere(store: Path, job: str) -> JobRow | None:
    """The training of an id or key, if it is no job of an OpenAI-like service."""
    for row in (*stepwise_rows(store), *_training_rows(store)):
        if job == row.job or (job and row.key and job.startswith(row.key[: len(job)])):
            return row
    return None


def _refuse_elsewhere(store: Path, job: str) -> None:
    """Raise :class:`~limen.BackendError` for a training that no service runs by itself."""
    if row := _elsewhere(store, job):
        raise BackendError(
            f"{row.job} is {row.state}; it is trained by the run that began it (backend "
            f"{row.made_by!r}): Ctrl-C ends that run, and the same command goes on. See limen jobs "
            f"show {job}"
        )


def _or_unknown(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except BackendError as error:
        return f"unknown ({error})"


def _line(event: "FineTuningJobEvent") -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(event.created_at))
    return f"{moment}  {event.level:5}  {event.message}"


def _mixes(store: Path) -> dict[str, str]:
    """The mixes of a store, by the hash of their training file."""
    return {
        manifest["files"][TRAINING]["sha256"]: f"{manifest['label']} ({manifest['key'][:12]})"
        for manifest in Store(store).manifests(MixRows.kind)
    }
