"""Scores of rows: how likely a model finds a completion, by itself or against another one."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...backends import ContinuationRequest, LogProbability, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .ask_about_rows import most_rows
from .measure import DIGITS
from .models import Subject, base_of, model_id
from .probabilities import continuation_scorer
from .select_rows import RowScores
from .stage import Stage, Workspace
from .training_rows import asked_of


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
        total = rows * len(self._models)
        values = [
            [self._value(p) for p in self._log_probabilities(workspace, one, rows * place, total)]
            for place, one in enumerate(self._models)
        ]
        scores = [round(own - sum(other), DIGITS) for own, *other in zip(*values, strict=True)]
        return self.write_scores(workspace, scores)

    def _value(self, one: LogProbability) -> float:
        return one.nats / max(one.tokens, 1) if self.per_token else one.nats

    def _log_probabilities(
        self, workspace: Workspace, prompted: PromptedModel, done: int, total: int
    ) -> Iterator[LogProbability]:
        model = model_id(workspace, prompted.subject)
        scorer = continuation_scorer(workspace, base_of(prompted.subject).backend)
        requests = self._requests(workspace, prompted.system)
        for number, scored in enumerate(scorer.log_probabilities(model, requests), start=done + 1):
            if number % 100 == 0:
                workspace.claim.progress(number, total, "")
            yield from scored

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
