"""Batch mode: sampling at half the price within a day; resumed, its partial results used.

A stage's batches are in one record below ``batches/``. On resuming, what the recorded batches have
answered is taken first; only what none of them answered goes into another one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.errors import PendingError
from .. import records
from ..base import Completion, Request, ServiceTerms, Usage
from ..budget import Budget
from ..failure_share import DEFAULT as MAX_FAILED
from ..failure_share import FailureShare
from ..records import Record
from . import responses
from .account import Account
from .batch_lines import BatchResults, batch_state, line_of, reasons, response_of, status_of
from .batch_negotiation import BatchNegotiation, RefusedLine
from .chat import maximum_usage
from .choices import MORE_FAILURES
from .error_details import parse_error
from .errors import (
    TRANSIENT,
    Failure,
    FailureKind,
    InvalidResponseError,
    backend_error,
    failure_of,
    require,
)
from .job_details import tag_of
from .job_ledger import now
from .outstanding_draws import OutstandingDraws
from .pages import items
from .prices import Prices
from .request_form import RequestForm
from .retries import A_DAY, Retries
from .server_profile import ServerProfile
from .untagged import untagged
from .uploads import Uploads

if TYPE_CHECKING:
    from openai.types import Batch

LARGEST = 50_000
"""Requests in a batch at most: OpenAI's limit."""
ROUNDS = 5
"""Batches in a row for what stayed unanswered, before the stage ends with an error."""
TOGETHER = 1000
POLL = (0.5, 30.0)
PAUSE, LONGEST_PAUSE = 0.5, 600.0
"""Seconds after a batch that the account has no room for: at first, doubled each time, at most."""
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True)
class Batches:
    """The batches of a store on an account."""

    account: Account
    uploads: Uploads
    retries: Retries
    budget: Budget
    prices: Prices
    terms: ServiceTerms
    folder: Path
    max_failed: float = MAX_FAILED
    """The share of failed lines past which a stage ends."""

    def sample(
        self, model: str, requests: Iterable[Request], key: str, profile: ServerProfile
    ) -> Iterator[Sequence[Completion]]:
        """Complete requests; what earlier batches under the key have answered comes from them."""
        run = _Run(OutstandingDraws(requests), profile, self.max_failed)
        wanted, path = run.wanted, self.path(key)
        record: Record = records.read(path) or {"key": key, "batches": []}
        fruitless = place = 0
        while True:
            for entry in record["batches"][place:]:
                before, form = wanted.left, profile.form
                yield from self._answers(path, record, entry, run)
                failed = entry.get("status") == "failed"  # the account has too much enqueued
                changed = profile.form != form or run.negotiation.trial
                fruitless = fruitless + 1 if wanted.left == before and not failed else 0
                fruitless = 0 if changed else fruitless
            place = len(record["batches"])
            if not wanted.left:
                run.share.check()
                yield from _grouped(iter([run.held]))
                return
            if fruitless >= ROUNDS:
                message = f"{ROUNDS} batches in a row left {wanted.left:,} draws unanswered"
                raise backend_error(
                    record["batches"][-1].get("error") or message, "sampling by batches"
                )
            if record["batches"]:
                self._wait_for_room(record["batches"][-1], run)
            largest = 1 if run.negotiation.trial else int(record.get("largest", LARGEST))
            some = list(islice(wanted.parts(profile.draws), largest))
            self._record_batch(path, record, model, some, profile.form)

    def path(self, key: str) -> Path:
        """Where the record of a stage's batches lies."""
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def _record_batch(
        self, path: Path, record: Record, model: str, parts: list[Request], form: RequestForm
    ) -> None:
        """Write down another batch, which is made next."""
        number = len(record["batches"])
        used = sum((maximum_usage(part) for part in parts), Usage())
        most = self.prices.cost(model, used, batch=True) or 0.0
        entry: Record = {"tag": f"limen-{path.stem}-{number}", "model": model, "most": most}
        entry |= {"requests": len(parts), "intended": now(), "form": asdict(form)}
        record["batches"].append(entry)
        lines = (json.dumps(line_of(model, part, form)) + "\n" for part in parts)
        records.write_bytes(path.with_suffix(f".{number}.jsonl"), "".join(lines).encode())
        records.write(path, record)

    def _answers(
        self, path: Path, record: Record, entry: Record, run: "_Run"
    ) -> Iterator[list[Completion]]:
        """What a batch answered, once it has ended."""
        if entry.get("status") == "failed":  # reported before; nothing of it was done
            return
        reserved = self._create_once(path, record, entry)
        ended = self._ended(entry["id"])
        known_before = entry.get("status") == ended.status
        entry |= {"status": ended.status, "ended": now(), "error": reasons(ended)}
        if ended.status == "failed":
            self._take_back(path, record, entry, run, reserved=reserved)
            return
        records.write(path, record)
        run.refused = 0
        lines = BatchResults(RequestForm.recorded(entry))
        for file_id in (ended.output_file_id, ended.error_file_id):
            yield from _grouped(self._file_answers(file_id, run, lines))
        if reserved:
            self._give_back(entry["model"], lines)
        self._settle(run, lines)
        if ended.status == "cancelled" and run.wanted.left and not known_before:
            message = f"somebody cancelled it, with {run.wanted.left:,} draws unanswered"
            remedy = "run the same command again to have them asked for by another"
            raise backend_error(message, f"the batch {ended.id}", remedy)

    def _take_back(
        self, path: Path, record: Record, entry: Record, run: "_Run", *, reserved: bool
    ) -> None:
        """Nothing of a batch was done, or is charged; the next one is smaller if that may help.

        Raises :class:`~limen.BackendError` unless the account has too much enqueued.
        """
        if reserved:
            self.budget.settle(0.0, -entry["most"])
        full = "limit" in entry["error"].lower()
        if full:
            record["largest"] = max(1, entry["requests"] // 2)
            run.refused += 1
        records.write(path, record)
        if not full:
            raise backend_error(entry["error"], f"the batch {entry['id']} was refused")

    def _wait_for_room(self, entry: Record, run: "_Run") -> None:
        """Let what the account has enqueued become less, longer after each batch in a row.

        Raises :class:`~limen.PendingError` where that is not to be waited for, and
        :class:`~limen.BackendError` after a day.
        """
        if not run.refused:
            return
        if not self.terms.wait and entry["requests"] == 1:
            raise PendingError(f"pending: the account takes no more batches: {entry['error']}")
        pause = min(LONGEST_PAUSE, PAUSE * 2.0 ** min(run.refused - 1, 20))
        run.waited += pause
        if run.waited > A_DAY:
            raise backend_error(entry["error"], "sampling by batches")
        self.retries.sleep(pause)

    def _file_answers(
        self, file_id: str | None, run: "_Run", lines: BatchResults
    ) -> Iterator[list[Completion]]:
        """What the lines of a result file answer of what is still wanted."""
        for line in self._lines(file_id):
            part = run.wanted.of(line.get("custom_id"))
            made = self._completions(line, part, run, lines) if part else None
            if made:
                yield run.wanted.take(made)
            if made or (part is None and status_of(line) == 200):  # or it answered an earlier run
                run.share.answered()

    def _settle(self, run: "_Run", lines: BatchResults) -> None:
        """Change the form after refusals, and record the lines that fail in any form."""
        for line in lines.withheld:
            if line.failure.too_long:
                run.share.failed(line.failure.message, own=True)
            run.hold(line)
        for line in run.negotiation.settle(lines.form, lines.refused, lines.answered):
            run.share.failed(line.failure.message)
            run.hold(line)

    def _give_back(self, model: str, lines: BatchResults) -> None:
        """Lines that were refused cost nothing: the budget gets back what was set aside."""
        for line in (*lines.refused, *(w for w in lines.withheld if w.failure.too_long)):
            most = self.prices.cost(model, maximum_usage(line.part), batch=True) or 0.0
            self.budget.settle(0.0, -most)

    def _create_once(self, path: Path, record: Record, entry: Record) -> bool:
        """Make a recorded batch, exactly once; what it may cost is reserved first.

        Returns whether anything was reserved.
        """
        if "id" in entry:
            return False
        content = path.with_suffix(f".{record['batches'].index(entry)}.jsonl")
        tag = entry["tag"]
        sent_before = "sent" in entry  # by a run that was killed
        found = self._search(entry) if sent_before else self._find(tag)
        reserved = found is None and self.budget.limited
        if found is None:
            self._reserve(entry["most"])
            file_id = self.uploads.upload(content, "batch")
            entry |= {"sent": now(), "file": file_id}
            records.write(path, record)
            found = self._create(entry)
        entry |= {"id": found, "submitted": now()}
        records.write(path, record)
        return reserved

    def _reserve(self, most: float) -> None:
        if self.budget.limited:
            if not self.budget.reserve(most):
                raise self.budget.exhausted(most, "another batch")
            self.budget.settle(most, most)  # a batch is charged for whatever it finishes

    def _create(self, entry: Record) -> str:
        batches, form = self.account.client.batches, RequestForm.recorded(entry)
        message = ""
        for attempt in range(6):
            try:
                made = batches.create(
                    input_file_id=entry["file"],
                    endpoint=form.url,
                    completion_window="24h",
                    metadata={"limen": entry["tag"]},
                )
                return require(made, "id").id
            except Exception as error:
                failure = self.account.classify(error)
                message = failure.message
            if failure.kind not in (*TRANSIENT, FailureKind.RATE):
                break
            if failure.kind is FailureKind.RATE or not failure.sent:
                self.retries.sleep(max(0.5 * 2**attempt, min(failure.wait or 0, 60)))
            elif found := self._search(entry):
                return found
        raise backend_error(message, "making a batch")

    def _search(self, entry: Record) -> str | None:
        """A batch that may exist although no answer arrived; searched for a limited time."""
        return self.retries.search(lambda: self._find(entry["tag"]) or self._find_untagged(entry))

    def _find_untagged(self, entry: Record) -> str | None:
        """The id of the batch of a file, on a server that gives no tags back."""
        if self.account.is_openai or "file" not in entry:
            return None
        known = [e for r in records.read_all(self.folder) for e in r["batches"]]
        found = untagged(
            self._listed(),
            {"input_file_id": entry["file"]},
            since=entry["intended"],
            taken={e["id"] for e in known if "id" in e},
        )
        return found[-1] if found else None  # they are the same lines: any of them will do

    def _listed(self) -> list["Batch"]:
        return self.retries.call(
            lambda: list(items(lambda: self.account.client.batches.list(limit=100))),
            "looking through the account's batches",
        )

    def _find(self, tag: str) -> str | None:
        return next((batch.id for batch in self._listed() if tag_of(batch) == tag), None)

    def _ended(self, batch_id: str) -> "Batch":
        pause = POLL[0]
        batches = self.account.client.batches
        while True:
            doing = f"asking after the batch {batch_id}"
            state = self.retries.call(
                lambda: require(batches.retrieve(batch_id), "id", "status"), doing
            )
            state.status = batch_state(state.status)
            if state.status in ENDED:
                return state
            if not self.terms.wait:
                raise PendingError(
                    f"pending: the batch {batch_id} is {state.status.replace('_', ' ')}; run the "
                    f"same command again"
                )
            self.retries.sleep(pause)
            pause = min(POLL[1], pause * 1.3)

    def _lines(self, file_id: str | None) -> list[Mapping[str, Any]]:
        """The lines of a result file; fetched again if it is not one whole line of JSON a line."""
        if not file_id:
            return []
        files = self.account.client.files

        def fetch() -> list[Mapping[str, Any]]:
            try:
                lines = [json.loads(line) for line in files.content(file_id).content.splitlines()]
            except ValueError as error:
                raise InvalidResponseError(f"the results are not JSON: {error}") from None
            if not all(isinstance(line, dict) for line in lines):
                raise InvalidResponseError("the results are not objects")
            return lines

        return self.retries.call(fetch, f"fetching the results {file_id}")

    def _completions(
        self, line: Mapping[str, Any], part: Request, run: "_Run", lines: BatchResults
    ) -> list[Completion] | None:
        """The completions in a line; None where the request is to be asked again."""
        status, body = status_of(line), response_of(line).get("body")
        failure: Failure | None = None
        if status == 200:
            try:
                return _answers_in(self.account, body, part, run.profile, lines)
            except InvalidResponseError as error:
                failure = self.account.classify(error)
        else:
            details = parse_error(json.dumps(body or line).encode())
            failure = self.account.cleaned(failure_of(status or 500, details, {}))
        if failure.kind is FailureKind.CONTENT:
            lines.withheld.append(RefusedLine(part, failure))
            return None
        if failure.kind is FailureKind.FATAL:
            raise backend_error(failure.message, f"the batch's request {line.get('custom_id')}")
        if failure.kind in (FailureKind.REFUSED, FailureKind.SERVER) and status:
            lines.refused.append(RefusedLine(part, failure))
        return None


class _Run:
    """The sampling of one stage by batches."""

    def __init__(self, wanted: OutstandingDraws, profile: ServerProfile, max_failed: float) -> None:
        self.wanted, self.profile = wanted, profile
        self.negotiation = BatchNegotiation(profile)
        self.share = FailureShare("sampling by batches stopped", max_failed, MORE_FAILURES)
        self.refused = 0
        """Batches in a row that the account had no room for, in this run."""
        self.waited = 0.0
        """Seconds waited for room."""
        self.held: list[Completion] = []
        """Records of lines that failed: kept once the stage ends as it should."""

    def hold(self, line: RefusedLine) -> None:
        """Record a line that fails however often it is sent."""
        failed = responses.failed(line.part, line.failure.message, Usage(calls=1))
        self.held += self.wanted.take(failed)


def _grouped(groups: Iterable[list[Completion]]) -> Iterator[list[Completion]]:
    """The completions in larger groups, which are written down at a time."""
    whole: list[Completion] = []
    for group in groups:
        whole += group
        if len(whole) >= TOGETHER:
            yield whole
            whole = []
    if whole:
        yield whole


def _answers_in(
    account: Account, body: object, part: Request, profile: ServerProfile, lines: BatchResults
) -> list[Completion]:
    """The completions in the body of a line; raises :class:`InvalidResponseError`."""
    answer = responses.parse(json.dumps(body).encode())
    lines.answered += 1
    profile.oddities.update(map(account.scrub, answer.oddities))
    profile.accepted(part, lines.form, len(answer.choices))
    if len(answer.choices) < part.draws and profile.fixed_draws is not None:
        profile.draws.settle(len(answer.choices))
    usage, _ = responses.usage_of(answer, part, lost=0)
    return account.without_secrets(responses.completions(answer, part, usage))
