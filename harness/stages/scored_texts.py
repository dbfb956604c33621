"""Scoring given texts durably: what a service has answered is on the disk and not asked again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from ...backends import ContinuationRequest, ContinuationScorer, LogProbability, Usage
from ...datasets.artifacts import Manifest
from ...datasets.errors import BackendError, LimenError, SpecError
from .row_log import Row, RowLog, read_rows
from .sampling import service_facts
from .stage import Workspace

TOGETHER = 100
"""Rows of an engine that are written down at a time; of a service each is by itself."""

Refusal = Callable[[int, ContinuationRequest, str], LimenError]
"""Makes the error of a row that a service refuses: its place, its request, and the reason."""


@dataclass(frozen=True, kw_only=True)
class ScoredTexts:
    """The log-probabilities of each request's continuations, in the order of the requests."""

    rows: Sequence[Sequence[LogProbability]]
    facts: Manifest
    """The cost, and facts of the server, if the backend is a service."""

    @property
    def errors(self) -> dict[int, str]:
        """By the place of its request, counted from 0, why a service refused it."""
        first = ((place, row[0].error) for place, row in enumerate(self.rows) if row)
        return {place: error for place, error in first if error is not None}


@dataclass(frozen=True, kw_only=True)
class TextScoring:
    """A model's scoring of a stage's texts; ``part`` tells apart those of several models."""

    workspace: Workspace
    backend: str
    model: str
    label: str
    part: int = 0
    refusal: Refusal | None = None
    """The error that a refused row ends the stage with; None where it is recorded."""
    reached: Callable[[int], None] = lambda done: None
    """Is called with the number of rows that are there."""

    def score(self, requests: Iterable[ContinuationRequest], total: int) -> ScoredTexts:
        """Score those of all texts that are not on the disk yet."""
        path = self.workspace.folder / f".scored-{self.part}.jsonl"
        log = RowLog(path)
        try:
            if len(log) < total:
                self._score_missing(requests, log)
            if len(log) < total:
                raise BackendError(
                    f"{self.label}: {total - len(log):,} of {total:,} texts got no "
                    f"log-probability; run the same command again to have them scored"
                )
            log.finish()
        finally:
            log.close()
        backend = self.workspace.backend(self.backend)
        facts = service_facts(backend, self.model, Usage(**log.usage))
        scored = ScoredTexts(rows=[_stored(row) for row in read_rows(path)], facts=facts)
        if total and len(scored.errors) == total:
            path.unlink()  # there is nothing to keep: another run asks again
            raise BackendError(
                f"{self.label}: the service refuses each of {total:,} texts: {scored.errors[0]}"
            )
        return scored

    def _score_missing(self, requests: Iterable[ContinuationRequest], log: RowLog) -> None:
        missing = _Missing(requests, log)
        scorer = continuation_scorer(self.workspace, self.backend)
        service = self.workspace.backend(self.backend).capabilities.service
        together = TOGETHER if service is None else 1
        made: list[Row] = []
        try:
            for scored in scorer.log_probabilities(self.model, iter(missing)):
                place, request = missing.sent.popleft()
                error = scored[0].error if scored else None
                if error is not None and self.refusal is not None:
                    missing.ended = missing.ended or self.refusal(place, request, error)
                elif scored:
                    made.append(_row(place, scored))
                    self.reached(len(log) + len(made))
                if len(made) >= together:
                    log.append(made)
                    made.clear()
        finally:
            log.append(made)
        if missing.ended is not None:
            raise missing.ended


class _Missing:
    """The requests that have no row yet, as they are sent; none any more once the stage ends."""

    def __init__(self, requests: Iterable[ContinuationRequest], log: RowLog) -> None:
        self._requests, self._log = requests, log
        self.sent: deque[tuple[int, ContinuationRequest]] = deque()
        """Those without a result, with their places."""
        self.ended: LimenError | None = None

    def __iter__(self) -> Iterator[ContinuationRequest]:
        for place, request in enumerate(self._requests):
            if self.ended is not None:
                return
            if (place, 0) not in self._log:
                self.sent.append((place, request))
                yield request


def continuation_scorer(workspace: Workspace, backend: str) -> ContinuationScorer:
    """What computes log-probabilities; raises :class:`~limen.SpecError` where nothing does."""
    scorer = workspace.backend(backend).capabilities.continuations
    if scorer is None:
        raise SpecError(f"the backend {backend!r} computes no log-probabilities of given texts")
    return scorer


def _row(place: int, scored: Sequence[LogProbability]) -> Row:
    first = scored[0]
    row: Row = {"row": place, "draw": 0, "finish": "scored" if first.error is None else "error"}
    row["values"] = [(one.nats, one.tokens, one.exact) for one in scored]
    if first.error is not None:
        row["error"] = first.error
    if first.usage is not None:
        row["usage"] = asdict(first.usage)
    return row


def _stored(row: Row) -> list[LogProbability]:
    error = row.get("error")
    return [
        LogProbability(nats=nats, tokens=tokens, exact=exact, error=error)
        for nats, tokens, exact in row["values"]
    ]
