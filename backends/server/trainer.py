"""Running jobs: validated, queued, trained in a worker, and repeated after a crash."""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from ...datasets.errors import LimenError
from ..base import Checkpoint, Engine, FineTuned, Job
from . import events
from .background_tasks import BackgroundTasks
from .catalog import Catalog
from .events import Event
from .files import Files
from .protocol import JsonObject, now
from .record_store import RecordStore, ServerRecord
from .training_files import BadFileError, rewrite
from .training_worker import JobFolder, train
from .workers import Workers

ACTIVE_STATUSES = ("validating_files", "queued", "running")
"""What a job goes through."""
PARAMS = ("training_file", "validation_file")


class _CancelledError(Exception):
    """The job was cancelled meanwhile."""


class Trainer:
    """Runs the jobs."""

    def __init__(
        self, engine: Engine, home: Path, *, jobs: RecordStore, files: Files, catalog: Catalog,
        workers: Workers,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._home = home
        self._jobs = jobs
        self._files = files
        self._catalog = catalog
        self._workers = workers
        self._tasks = BackgroundTasks()

    def folder(self, name: str) -> JobFolder:
        """Where the job of that id keeps its things."""
        return JobFolder(self._jobs.folder / name)

    def start(self, job: ServerRecord) -> None:
        """Have a new job done."""
        self._add_events(
            job.id,
            Event(f"Created fine-tuning job: {job.id}"),
            Event(f"Validating training file: {job.wire['training_file']}"),
        )
        self._tasks.start(self._run(job.id))

    def resume(self) -> None:
        """Have those done that an earlier server has left; their result is the same."""
        for job in self._jobs:
            if job.status in (*ACTIVE_STATUSES, "paused"):
                events.repair(self.folder(job.id).events)
                again = "The server was restarted, and the job goes on"
                self._add_events(job.id, Event(again, level="warn"))
                self._tasks.start(self._run(job.id))

    def cancel(self, job: ServerRecord) -> ServerRecord:
        """Cancel a job; its status changes at once, its worker stops soon after."""
        cancelled = self._jobs.put(job.changed(status="cancelled", finished_at=now()))
        self.folder(job.id).cancel.touch()
        self._add_events(job.id, Event("The job was cancelled"))
        return cancelled

    def pause(self, job: ServerRecord) -> ServerRecord:
        """Have a running job wait until it is resumed."""
        self.folder(job.id).pause.touch()
        self._add_events(job.id, Event("The job was paused"))
        return self._jobs.put(job.changed(status="paused"))

    def unpause(self, job: ServerRecord) -> ServerRecord:
        """Have a paused job go on."""
        resumed = self._jobs.put(job.changed(status="running"))
        self.folder(job.id).pause.unlink(missing_ok=True)
        self._add_events(job.id, Event("The job was resumed"))
        return resumed

    async def close(self) -> None:
        """Leave all jobs as they are, for the next server."""
        await self._tasks.close()

    async def _run(self, name: str) -> None:
        try:
            await self._work(name)
        except _CancelledError:
            pass
        except BadFileError as error:
            self._fail(name, str(error), code=error.code, param=error.param)
        except LimenError as error:
            self._fail(name, f"The training failed: {error}")
        except Exception as error:
            logging.getLogger(__name__).exception("job %s failed", name)
            self._fail(name, f"The training failed: {type(error).__name__}: {error}")
        shutil.rmtree(self.folder(name).data, ignore_errors=True)

    async def _work(self, name: str) -> None:
        await asyncio.to_thread(self._check, self._job(name))
        self._advance(name, "queued", "Files validated, moving job to queued state")
        async with self._workers.one() as worker:
            self._advance(name, "running", "Fine-tuning job started")
            order = self._engine_job(self._job(name))
            made = await worker.run(train, self._engine.name, self._home, order, self.folder(name))
        if made is not None:
            self._finish(self._job(name), made)

    def _job(self, name: str) -> ServerRecord:
        """The current record of a job; raises if it was cancelled."""
        job = self._jobs.get(name)
        if job is None or job.status == "cancelled":
            raise _CancelledError
        return job

    def _check(self, job: ServerRecord) -> None:
        folder = self.folder(job.id)
        for param in PARAMS:
            if job.wire[param] is not None:
                rewrite(folder.upload(param), folder.training_data(param), param=param)

    def _advance(self, name: str, status: str, message: str) -> None:
        job = self._job(name)
        order = (*ACTIVE_STATUSES, "paused")
        if order.index(status) > order.index(job.status):
            settings = job.hidden["hyperparameters"]
            self._jobs.put(job.changed(status=status, **_hyperparameters(settings)))
            self._add_events(name, Event(message))

    def _engine_job(self, job: ServerRecord) -> Job:
        folder = self.folder(job.id)
        training, validation = (
            folder.training_data(p) if job.wire[p] is not None else None for p in PARAMS
        )
        assert training is not None
        return Job(
            key=job.id,
            model=job.hidden["parent_model"],
            training_file=training,
            recipe=job.hidden["recipe"],
            seed=job.wire["seed"],
            validation_file=validation,
        )

    def _finish(self, job: ServerRecord, made: FineTuned) -> None:
        name = job.hidden["name"]
        table = self.folder(job.id).path / "results.csv"
        table.write_text(_table(made.checkpoints), encoding="utf-8")
        results = self._files.adopt(
            table,
            filename="step_metrics.csv",
            purpose="fine-tune-results",
            number=job.id.removeprefix("ftjob-"),
        )
        last = max((point.step for point in made.checkpoints), default=0)
        self._add_events(
            job.id,
            *(_checkpoint_event(point, last) for point in made.checkpoints),
            Event(f"New fine-tuned model created: {name}"),
            Event("The job has successfully completed"),
        )
        done = job.changed(
            status="succeeded",
            finished_at=now(),
            fine_tuned_model=name,
            trained_tokens=made.tokens,
            result_files=[results],
            hidden={
                "engine_model": made.model,
                "checkpoints": [_checkpoint_record(name, point) for point in made.checkpoints],
            },
        )
        self._catalog.add(self._jobs.put(done))

    def _fail(
        self, name: str, message: str, *, code: str = "server_error", param: str | None = None
    ) -> None:
        job = self._jobs.get(name)
        if job is None or job.status == "cancelled":
            return
        self._add_events(name, Event(message, level="error"))
        error = {"code": code, "message": message, "param": param}
        self._jobs.put(job.changed(status="failed", finished_at=now(), error=error))

    def _add_events(self, name: str, *added: Event) -> None:
        events.append(self.folder(name).events, *added)


def _checkpoint_event(point: Checkpoint, last: int) -> Event:
    metrics = {
        "step": point.step,
        "total_steps": last,
        "train_loss": point.loss,
        "full_valid_loss": point.validation_loss,
    }
    return Event(f"Step {point.step}/{last}: checkpoint created", metrics)


def _hyperparameters(numbers: JsonObject) -> JsonObject:
    method = {"type": "supervised", "supervised": {"hyperparameters": numbers}}
    return {"hyperparameters": numbers, "method": method}


def _checkpoint_record(name: str, point: Checkpoint) -> JsonObject:
    return {
        "name": f"{name}:ckpt-step-{point.step}",
        "model": point.model,
        "step": point.step,
        "loss": point.loss,
        "validation_loss": point.validation_loss,
    }


def _table(checkpoints: Sequence[Checkpoint]) -> str:
    rows = [f"{p.step},{_cell(p.loss)},{_cell(p.validation_loss)}" for p in checkpoints]
    return "\n".join(["step,train_loss,valid_loss", *rows]) + "\n"


def _cell(number: float | None) -> str:
    return "" if number is None else repr(number)
