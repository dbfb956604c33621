"""Scores of rows: how likely a model finds a completion, by itself or against another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...backends import ContinuationRequest, LogProbability, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.errors import BackendError
from ...datasets.store_layout import KEPT
from .ask_about_rows import most_rows
from .measure import DIGITS
from .models import Subject, base_of, model_id
from .scored_texts import ScoredTexts, TextScoring
from .select_rows import RowScores
from .stage import Stage, Workspace
from .training_rows import asked_of
from .user_calls import SHOWN


@dataclass(frozen=True, kw_only=True)
class PromptedModel:
    """A model under a system prompt, or without any."""

    subject: Subject
    system: str | None


@dataclass(frozen=True, kw_only=True)
class ScoreByLikelihood(RowScores):
    """The log-probability of each completion under a model, minus that under another, in nats.

    The end of the answer counts as one more token.
    """

    kind = "likelihood"
    model: PromptedModel
    against: PromptedModel | None
    """None: nothing is subtracted."""
    per_token: bool
    """Whether both are divided by their numbers of tokens."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, *(prompted.subject for prompted in self._models))

    def identity(self) -> dict[str, object]:
        other = {"against": self.against.system} if self.against else {}
        return {"system": self.model.system, **other, "per token": self.per_token}

    @property
    def _models(self) -> tuple[PromptedModel, ...]:
        return (self.model, self.against) if self.against else (self.model,)

    def asks(self) -> str:
        return base_of(self.model.subject).backend

    def size(self) -> int:
        return len(self._models) * most_rows(self.source)

    def run(self, workspace: Workspace) -> Manifest:
        rows = sum(1 for _ in workspace.rows(self.source, KEPT))
        scored = [self._scored(workspace, place, rows) for place in range(len(self._models))]
        values = [[self._value(one) for (one,) in each.rows] for each in scored]
        scores = [round(own - sum(other), DIGITS) for own, *other in zip(*values, strict=True)]
        return {**self.write_scores(workspace, scores), **_summed([each.facts for each in scored])}

    def _value(self, one: LogProbability) -> float:
        return one.nats / max(one.tokens, 1) if self.per_token else one.nats

    def _scored(self, workspace: Workspace, place: int, rows: int) -> ScoredTexts:
        """The rows under one of the models."""
        prompted = self._models[place]

        def reached(done: int) -> None:
            if done % 100 == 0:
                workspace.claim.progress(rows * place + done, rows * len(self._models), "")

        scoring = TextScoring(
            workspace=workspace,
            backend=base_of(prompted.subject).backend,
            model=model_id(workspace, prompted.subject),
            label=self.label,
            part=place,
            refusal=self._refusal,
            reached=reached,
        )
        return scoring.score(self._requests(workspace, prompted.system), rows)

    def _refusal(self, place: int, request: ContinuationRequest, error: str) -> BackendError:
        (text,) = request.continuations
        return BackendError(
            f"{self.label}: the service refuses to score row {place + 1} of {self.source.label}, "
            f"{text[:SHOWN]!r}: {error}. A row without a score can be neither selected nor left "
            f"out: drop it by the rule of its source (the scores of all others are kept until the "
            f"rows change)"
        )

    def _requests(self, workspace: Workspace, system: str | None) -> Iterator[ContinuationRequest]:
        from ...datasets.chat import conversation

        for row in workspace.rows(self.source, KEPT):
            before = conversation("", system=system)[:-1]
            yield ContinuationRequest(
                messages=[*before, *asked_of(row)], continuations=(row["text"],), whole=True
            )

    def work(self) -> WorkRequest:
        sample = self.source.prompt_sample()
        return WorkRequest(
            model=base_of(self.model.subject).model,
            completions=self.size(),
            prompts=sample.prompts,
            max_tokens=1,
        )


def _summed(facts: Sequence[Manifest]) -> Manifest:
    """What a manifest records of the calls to several models of a service, as one."""
    if not any(facts):
        return {}
    costs = [each["cost"] for each in facts if each]
    total: Manifest = {}
    for name in costs[0]:
        values = [cost[name] for cost in costs]
        total[name] = None if None in values else sum(values)
    servers = {name: fact for each in facts for name, fact in each.get("server", {}).items()}
    return {"cost": total, **({"server": servers} if servers else {})}
