"""Sampling into a file: missing draws are requested, and each answer is on the disk at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

from ...backends import Backend, BatchSampling, Completion, Request, Usage
from ...datasets.artifacts import Manifest
from ...datasets.chat import Message
from ...datasets.errors import BackendError
from ...datasets.unicode_text import is_writable, writable
from .row_log import Row, RowLog, read_rows
from .stage import Stage, Workspace
from .store import Store

Pending = dict[int, tuple[Request, int]]
"""Requests that were sent, by row, each with the number of its draws that have not come."""


@dataclass(frozen=True, kw_only=True)
class SamplingStage(Stage):
    """A stage that samples."""

    @property
    def backend(self) -> str:
        """The backend that samples."""
        raise NotImplementedError

    def asks(self) -> str:
        return self.backend

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        """What is sent, in the order of rows."""
        raise NotImplementedError

    def row_fields(self, request: Request) -> Mapping[str, object]:
        """What a row records of its request, besides number, draw and seed."""
        return {}


def answers_in_store(store: Store, stage: Stage) -> int:
    """Answers of an unfinished stage that have arrived: its next run samples the others alone."""
    return sum(1 for _ in _arrived(store, stage))


def usage_in_store(store: Store, stage: Stage) -> Usage:
    """What the answers of an unfinished stage took that have arrived."""
    used: Counter[str] = Counter()
    for line in _arrived(store, stage):
        used.update(json.loads(line).get("usage") or {})
    return Usage(**used)


def _arrived(store: Store, stage: Stage) -> Iterator[bytes]:
    """The lines of the rows that an unfinished stage has written."""
    if not isinstance(stage, SamplingStage):
        return
    with suppress(OSError):  # finished meanwhile, or not begun
        for log in (store.layout.work / stage.key).glob("*.jsonl"):
            with log.open("rb") as lines:
                yield from (line for line in lines if line.endswith(b"\n"))


Reached = tuple[int, int, str]
"""How far a stage is: done, total, and a note."""


def sample_into(
    path: Path,
    workspace: Workspace,
    stage: SamplingStage,
    model: str,
    *,
    size: int | None = None,
    reached: Callable[[Sequence[Row]], Reached] | None = None,
) -> Manifest:
    """Sample the draws that the file does not have yet, durably; returns facts for the manifest.

    Requests are made as they are sent, and kept only until they are answered. ``size`` is the
    number of completions, where the stage did not know it before; ``reached`` gives how far the
    stage is after new rows, where that is another number than theirs.
    """
    total = stage.size() if size is None else size
    backend = workspace.backend(stage.backend)
    log = RowLog(path)
    pending: Pending = {}
    try:
        if len(log):
            _check_seeds(stage.requests(workspace), log)
        if len(log) < total:
            missing = _missing(stage.requests(workspace), log, pending)
            for completions in _sampled(backend, workspace, stage, model, missing):
                new = list(_rows(stage, completions, log, pending))
                log.append(new)
                workspace.claim.progress(*(reached(new) if reached else (len(log), total, "")))
        if len(log) < total:
            raise BackendError(
                f"{stage.label}: {total - len(log):,} of {total:,} draws got no "
                f"answer; run the same command again to request them again"
            )
        if log.unanswered:
            raise _nothing_answered(stage, log)
        log.finish()
    finally:
        log.close()
    counts = {"completions": total, **dict(sorted(log.ends.items()))}
    return {"counts": counts, **_cost(backend, workspace, stage, model, log)}


def _nothing_answered(stage: SamplingStage, log: RowLog) -> BackendError:
    """The error of a stage without one answer; its refused rows are not kept."""
    *_, last = read_rows(log.path)
    log.discard()
    return BackendError(
        f"{stage.label}: none of {len(log):,} draws got an answer; the last: {last.get('error')} "
        f"(what refuses everything is the server, its settings, or all prompts: nothing is kept, "
        f"and the same command asks again)"
    )


def _sampled(
    backend: Backend,
    workspace: Workspace,
    stage: SamplingStage,
    model: str,
    requests: Iterable[Request],
) -> Iterator[Sequence[Completion]]:
    batches = _batches(backend, workspace, stage)
    if batches is not None:
        return batches.sample_batch(model, requests, stage.key)
    return backend.sample(model, requests)


def _batches(backend: Backend, workspace: Workspace, stage: SamplingStage) -> BatchSampling | None:
    """The batch interface, if it was asked for, or if batches were made that are paid for."""
    batches = backend.capabilities.batches
    if batches is None or not (workspace.terms.batch or batches.has_batches(stage.key)):
        return None
    return batches


def _check_seeds(requests: Iterable[Request], log: RowLog) -> None:
    """Raise :class:`~limen.StoreError` if the rows that are there are not this stage's."""
    for request in requests:
        log.check_seed(request.row, request.seed)


def _missing(requests: Iterable[Request], log: RowLog, pending: Pending) -> Iterator[Request]:
    """The requests for draws that the file does not have, each noted as pending."""
    for request in requests:
        numbers = [n for n in range(request.draws) if (request.row, n) not in log]
        if not numbers:
            continue
        pending[request.row] = request, len(numbers)
        for first, draws in _runs(numbers):
            whole = (first, draws) == (request.first, request.draws)
            yield _sendable(request if whole else replace(request, first=first, draws=draws))


def _sendable(request: Request) -> Request:
    """The request, with U+FFFD for halves of characters, which no server and no tokenizer takes."""
    texts = (request.begin, *(turn["content"] for turn in request.messages))
    if all(map(is_writable, texts)):
        return request
    turns = [Message(role=m["role"], content=writable(m["content"])) for m in request.messages]
    return replace(request, messages=turns, begin=writable(request.begin))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive numbers: where each begins, and its length."""
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], len(members)


def _rows(
    stage: SamplingStage,
    completions: Iterable[Completion],
    log: RowLog,
    pending: Pending,
) -> Iterator[Row]:
    for completion in completions:
        if completion.row in pending and (completion.row, completion.draw) not in log:
            request, left = pending[completion.row]
            yield _row(completion, request, stage.row_fields(request))
            if left > 1:
                pending[completion.row] = request, left - 1
            else:
                del pending[completion.row]


def _row(completion: Completion, request: Request, fields: Mapping[str, object]) -> Row:
    row: Row = {"row": completion.row, "draw": completion.draw, "seed": request.seed, **fields}
    text = completion.text
    row |= {"text": text and writable(text), "finish": completion.finish}
    if completion.error is not None:
        row["error"] = completion.error
    if completion.usage is not None:
        row["usage"] = asdict(completion.usage)
    return row


def _cost(
    backend: Backend, workspace: Workspace, stage: SamplingStage, model: str, log: RowLog
) -> Manifest:
    """What the calls cost, if the backend is a service."""
    batch = _batches(backend, workspace, stage) is not None
    return service_facts(backend, model, Usage(**log.usage), batch=batch)


def service_facts(backend: Backend, model: str, usage: Usage, *, batch: bool = False) -> Manifest:
    """What a manifest records of calls to a service: their cost, and facts of the server."""
    service = backend.capabilities.service
    if service is None:
        return {}
    usd = service.cost(model, usage, batch=batch)
    facts = dict(service.server_facts(model))
    return {"cost": {**asdict(usage), "usd": usd}, **({"server": facts} if facts else {})}
