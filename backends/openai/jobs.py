"""Fine-tuning over the wire: intent, upload, job, polling; each step resumed, none done twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...datasets.errors import BackendError, PendingError, SpecError
from .. import records
from .. import token_estimates as tokens
from ..base import Checkpoint, FineTuned, Job, Progress, ServiceTerms, Usage
from ..budget import Budget
from ..records import Record
from .account import Account
from .errors import TRANSIENT, FailureKind, backend_error, require, require_page
from .job_details import normalized, tag_of
from .job_form import JobForm
from .job_ledger import ENDED, JobLedger, now
from .pages import items
from .prices import Prices
from .responses import whole_number
from .retries import A_DAY, Retries
from .untagged import untagged
from .uploads import Uploads

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

T = TypeVar("T")
POLL = (0.25, 15.0)
"""Seconds between looks at a job: at first, and at most."""
NOT_YET = (1.0, 2.0, 4.0)
"""Seconds between looks for a job that was just made."""
LISTS_NONE = frozenset({FailureKind.FATAL, FailureKind.REFUSED, FailureKind.INVALID})
"""Answers of a server that has no such list."""
INVALID_LISTS = 3
"""Responses that are no list after which a server is taken to have none."""
TRIES = 6


@dataclass(frozen=True)
class Jobs:
    """The fine-tuning jobs of a store on an account."""

    account: Account
    ledger: JobLedger
    uploads: Uploads
    retries: Retries
    budget: Budget
    prices: Prices
    terms: ServiceTerms

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """The student of a job: makes the job if there is none, and waits for it.

        Raises :class:`~limen.PendingError` where it is not to be waited for, and
        :class:`~limen.BackendError` if the job failed or was cancelled.
        """
        with self.ledger.entry(job.key) as path:
            record = self.ledger.intend(path, job, self.account.url)
            hold = 0.0
            if "job" not in record:
                hold = self._reserve(job)
                try:
                    self._submit(path, record, job)
                except BaseException:
                    self.budget.settle(hold, 0.0 if "job" not in record else hold)
                    raise
        spent = hold
        try:
            ended = self._wait_until_ended(path, record, progress)
            spent = self._spent(job, ended, hold)
        finally:
            self.budget.settle(hold, spent)
        made = self._result(job, ended)
        names = [checkpoint.model for checkpoint in made.checkpoints]
        if record.get("checkpoints", []) != names:
            records.write(path, {**record, "checkpoints": names})
        return made

    def _reserve(self, job: Job) -> float:
        """Set aside the most that a job can cost."""
        if not self.budget.limited:
            return 0.0
        if self.prices.cost(job.model, Usage(), trained_tokens=1) is None:
            raise SpecError(
                f"--limen-budget cannot hold for a fine-tuning of {job.model!r}: no price of its "
                f"training is known. Give it with --limen-prices (training = ...)"
            )
        if self._cost(job, 1) == 0:
            return 0.0
        most = self._cost(job, trained_tokens_upper_bound(job.training_file, epochs_of(job)))
        if not self.budget.reserve(most):
            raise self.budget.exhausted(most, f"another fine-tuning of {job.model}")
        return most

    def _cost(self, job: Job, trained: int) -> float:
        return self.prices.cost(job.model, Usage(), trained_tokens=trained) or 0.0

    def _spent(self, job: Job, ended: "FineTuningJob", hold: float) -> float:
        """What an ended job is booked at: where it may be charged and is not counted, the most."""
        if ended.trained_tokens is None:
            return 0.0 if ended.status == "failed" else hold
        return self._cost(job, ended.trained_tokens) if hold else 0.0

    def _submit(self, path: Path, record: Record, job: Job) -> None:
        """Have the job made, exactly once; its id is in the record before anything else is done."""
        tag = record["tag"]
        sent_before = record["status"] == "submitting"  # by a run that was killed
        found = self._find(tag, path)
        if found is None and sent_before:
            found = self._search(path, record)
        if found is None:
            file_id = self.uploads.upload(job.training_file, "fine-tune")
            records.write(path, {**record, "file": file_id, "status": "submitting"})
            record["file"] = file_id
            found = self._create(path, record, job)
        record |= {"job": found, "status": "submitted", "submitted": now()}
        records.write(path, record)

    def _create(self, path: Path, record: Record, job: Job) -> str:
        doing = f"making the fine-tuning job of {job.model}"
        pause, waited, tries, message = 0.5, 0.0, TRIES, ""
        while tries:
            try:
                return self._post(record, job)
            except Exception as error:
                failure = self.account.classify(error)
                message = failure.message
            if (
                failure.kind is FailureKind.RATE
            ):  # the account's limit of jobs: others must end first
                if not self.terms.wait:
                    self._mark_unsent(path, record, tries)
                    raise PendingError(
                        f"pending: the account takes no more jobs for now: {message}"
                    )
                waited += pause
                if max(waited, failure.wait or 0) > A_DAY:
                    raise backend_error(message, doing)
                pause = min(60.0, pause * 2)
                self.retries.sleep(max(pause, min(failure.wait or 0, 60.0)))
                continue
            if failure.kind not in TRANSIENT:
                self._mark_unsent(path, record, tries)
                raise backend_error(message, doing, "nothing was charged")
            found = self._search(path, record) if failure.sent else None
            if found:
                return found
            tries -= 1
            self.retries.sleep(pause)
        raise backend_error(message, doing)

    def _mark_unsent(self, path: Path, record: Record, tries: int) -> None:
        """Write down that the service refused: there is no job for the next run to look for."""
        if tries == TRIES:  # else an answer was lost before, and a job may be there all the same
            records.write(path, {**record, "status": "intended"})

    def _post(self, record: Record, job: Job) -> str:
        """Make the job, in the form that the server takes: a refusal of a form makes no job."""
        form = JobForm()
        while True:
            try:
                body = form.body(job, record["file"], record["tag"])
                made = self.account.client.fine_tuning.jobs.create(**body)
                return require(made, "id").id
            except Exception as error:
                simpler = form.simpler(self.account.classify(error))
                if simpler is None:
                    raise
                form = simpler

    def _search(self, path: Path, record: Record) -> str | None:
        """A job that may exist although no answer arrived; searched for a limited time."""
        return self.retries.search(
            lambda: self._find(record["tag"], path) or self._find_untagged(path, record)
        )

    def _find_untagged(self, path: Path, record: Record) -> str | None:
        """The id of the job, on a server that gives no tags back.

        Raises :class:`~limen.BackendError` where it may be one of several.
        """
        if self.account.is_openai or "file" not in record:
            return None
        others = self.ledger.others(path)
        taken = {*self.ledger.forgotten(path), *(str(o["job"]) for o in others if "job" in o)}
        wanted = {"training_file": record["file"], "model": record["model"], "seed": record["seed"]}
        listed = self.retries.call(
            lambda: list(items(lambda: self.account.client.fine_tuning.jobs.list(limit=100))),
            "looking through the server's fine-tuning jobs",
        )
        found = untagged(listed, wanted, since=record["intended"], taken=taken)
        parts = ["file", "model", *(["seed"] if any(job.seed for job in listed) else [])]
        rivals = [
            other
            for other in others
            if other["status"] == "submitting" and all(other.get(p) == record[p] for p in parts)
        ]
        if found and len(found) + len(rivals) > 1:
            raise BackendError(
                f"the answer to making a fine-tuning job of {record['model']} was lost, and "
                f"{', '.join(found)} at {self.account.url} may be that job: it gives no tags back. "
                f"Compare them with 'limen jobs list', and run the same command again after "
                f"'limen jobs adopt ID' with the one that is not in the list"
            )
        return next(iter(found), None)

    def _find(self, tag: str, path: Path) -> str | None:
        """The id of the account's job with a tag; servers that do not filter are filtered here."""
        forgotten = self.ledger.forgotten(path)

        def look() -> str | None:
            jobs = self.account.client.fine_tuning.jobs
            try:
                listed = list(items(lambda: jobs.list(limit=100, metadata={"limen": tag})))
            except Exception as error:
                if self.account.classify(error).kind is not FailureKind.REFUSED:
                    raise
                listed = list(items(lambda: jobs.list(limit=100)))
            ours = (j.id for j in listed if tag_of(j) == tag)
            return next((job_id for job_id in ours if job_id not in forgotten), None)

        return self.retries.call(look, "looking through the account's fine-tuning jobs")

    def _wait_until_ended(self, path: Path, record: Record, progress: Progress) -> "FineTuningJob":
        """The job once it has ended; reports progress and records each change of state."""
        job_id, pause = record["job"], POLL[0]
        while True:
            state = self.retrieve(job_id, new=record["status"] == "submitted")
            found = {"status": state.status, "model_made": state.fine_tuned_model}
            if not found.items() <= record.items():
                record |= found
                records.write(path, record)
            if state.status in ENDED:
                return state
            if not self.terms.wait:
                raise PendingError(
                    f"pending: the fine-tuning job {job_id} is {state.status.replace('_', ' ')}; "
                    f"run the same command again, or see limen jobs show {job_id}"
                )
            if come := self._progress(job_id):
                progress(*come)
            self.retries.sleep(pause)
            pause = min(POLL[1], pause * 1.3)

    def ask(self, do: Callable[[], T], doing: str) -> T:
        """The result of a call that is repeated while failures are transient."""
        return self.retries.call(do, doing)

    def retrieve(self, job_id: str, *, new: bool = False) -> "FineTuningJob":
        """A job as the service has it; one that is ``new`` may not be found at once."""
        import openai

        jobs, pauses = self.account.client.fine_tuning.jobs, iter(NOT_YET if new else ())

        def look() -> "FineTuningJob":
            try:
                return normalized(require(jobs.retrieve(job_id), "id", "status"))
            except openai.NotFoundError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            self.retries.sleep(pause)
            return look()

        return self.retries.call(look, f"asking after the job {job_id}")

    def events(self, job_id: str, limit: int = 20) -> list[Any]:
        """A job's latest events, oldest first."""
        jobs = self.account.client.fine_tuning.jobs
        doing = f"reading the events of the job {job_id}"
        found = self.retries.call(
            lambda: require_page(lambda: jobs.list_events(job_id, limit=limit)), doing
        )
        return sorted(found.data, key=lambda event: event.created_at or 0)

    def _progress(self, job_id: str) -> tuple[int, int] | None:
        """Steps done and in all, as the newest events tell; None where there are no events."""
        steps = [e.data for e in self._events_if_any(job_id, 5) if isinstance(e.data, dict)]
        steps_of = [(d.get("step"), d.get("total_steps")) for d in steps]
        whole = [(s, t) for s, t in steps_of if isinstance(s, int) and isinstance(t, int)]
        return max(whole, default=None)

    def _events_if_any(self, job_id: str, limit: int) -> list[Any]:
        """The latest events, asked for once: a job needs none to be used."""
        jobs = self.account.client.fine_tuning.jobs
        try:
            return list(require_page(lambda: jobs.list_events(job_id, limit=limit)).data)
        except Exception as error:
            self.account.classify(error)  # raises nothing: whatever it is, there are no events
            return []

    def _result(self, job: Job, ended: "FineTuningJob") -> FineTuned:
        if ended.status != "succeeded" or not ended.fine_tuned_model:
            raise self._failed(ended)
        checkpoints = self._checkpoints_if_any(ended.id)
        with job.training_file.open("rb") as file:
            examples = sum(1 for _ in file)
        return FineTuned(
            model=ended.fine_tuned_model,
            examples=examples,
            tokens=ended.trained_tokens,
            losses=tuple(c.loss for c in checkpoints if c.loss is not None),
            checkpoints=checkpoints,
            job=ended.id,
        )

    def _checkpoints_if_any(self, job_id: str) -> tuple[Checkpoint, ...]:
        """The checkpoints; none where a server keeps or lists none, which a student can do without.

        Raises :class:`~limen.BackendError` if the server cannot be reached.
        """
        jobs = self.account.client.fine_tuning.jobs.checkpoints
        doing = f"listing the checkpoints of the job {job_id}"
        invalid = iter(range(INVALID_LISTS))

        def look() -> tuple[Checkpoint, ...]:
            try:
                return tuple(_checkpoints_in(list(items(lambda: jobs.list(job_id)))))
            except Exception as error:
                kind = self.account.classify(error).kind
                passing = kind is FailureKind.INVALID and next(invalid, None) is not None
                if kind in LISTS_NONE and not passing:
                    return ()
                raise

        return self.retries.call(look, doing)

    def checkpoints(self, job_id: str) -> Iterable[Checkpoint]:
        """The checkpoints that the service kept, in the order of their steps."""
        jobs = self.account.client.fine_tuning.jobs.checkpoints
        doing = f"listing the checkpoints of the job {job_id}"
        found = self.retries.call(lambda: list(items(lambda: jobs.list(job_id))), doing)
        return _checkpoints_in(found)

    def _failed(self, ended: "FineTuningJob") -> BackendError:
        if ended.status == "succeeded":
            return BackendError(
                f"the fine-tuning job {ended.id} succeeded, and the server names no model that it "
                f"made: see what it says in 'limen jobs show {ended.id}'"
            )
        error = ended.error
        reason = f": {error.message} ({error.code})" if error and error.message else ""
        warnings = [
            e.message for e in self._events_if_any(ended.id, 20) if e.level in ("warn", "error")
        ]
        more = f"; its events say: {'; '.join(warnings[-3:])}" if warnings and not reason else ""
        return BackendError(
            self.account.scrub(
                f"the fine-tuning job {ended.id} {ended.status}{reason}{more}. It is not made "
                f"again by itself: 'limen jobs forget {ended.id}' lets the next run make another"
            )
        )


def _checkpoints_in(listed: Iterable[Any]) -> list[Checkpoint]:
    """Checkpoints of a list, in the order of their steps; those without a name are left out."""
    points = [p for p in listed if isinstance(p.fine_tuned_model_checkpoint, str)]
    made = [
        Checkpoint(
            model=point.fine_tuned_model_checkpoint,
            step=whole_number(point.step_number) or 0,
            loss=point.metrics.train_loss if point.metrics else None,
            validation_loss=point.metrics.full_valid_loss if point.metrics else None,
        )
        for point in points
    ]
    return sorted(made, key=lambda checkpoint: checkpoint.step)


def epochs_of(job: Job) -> int:
    """The epochs of a job; raises :class:`~limen.BackendError` if the service chooses them."""
    epochs = job.recipe.get("epochs")
    if not isinstance(epochs, int):
        raise BackendError(
            f"a budget cannot hold for a fine-tuning of {job.model} with epochs={epochs!r}: the "
            f"service would choose. Say how many, as in recipe={{'epochs': 3}}"
        )
    return epochs


def trained_tokens_upper_bound(file: Path, epochs: int) -> int:
    """The most tokens that training on a file can be charged for."""
    from ...datasets import chat

    return epochs * sum(tokens.prompt_upper_bound(messages) for messages in chat.read(file))
