"""Scores of rows: how much more likely one model finds a completion than another."""

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


@dataclass(frozen=True, kw_only=True)
class PromptedModel:
    """A model under a system prompt, or without any."""

    subject: Subject
    system: str | None


@dataclass(frozen=True, kw_only=True)
class ScoreByLikelihood(RowScores):
    """The log-probability of each completion under one model minus that under another, in nats.

    The end of the answer counts as one more token.
    """

    kind = "likelihood"
    model: PromptedModel
    against: PromptedModel
    per_token: bool
    """Whether both are divided by their numbers of tokens."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.model.subject, self.against.subject)

    def identity(self) -> dict[str, object]:
        return {
            "system": self.model.system,
            "against": self.against.system,
            "per token": self.per_token,
        }

    def asks(self) -> str:
        return base_of(self.model.subject).backend

    def size(self) -> int:
        return 2 * most_rows(self.source)

    def run(self, workspace: Workspace) -> Manifest:
        total = 2 * sum(1 for _ in workspace.rows(self.source, KEPT))
        both = [
            [self._value(one) for one in self._log_probabilities(workspace, prompted, done, total)]
            for done, prompted in ((0, self.model), (total // 2, self.against))
        ]
        shifts = [round(a - b, DIGITS) for a, b in zip(*both, strict=True)]
        return self.write_scores(workspace, shifts)

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
            turns = [*row.get("history", ()), *conversation(row["prompt"])]
            before = conversation("", system=system)[:-1]
            yield ContinuationRequest(
                messages=[*before, *turns], continuations=(row["text"],), whole=True
            )

    def work(self) -> WorkRequest:
        sample = self.source.prompt_sample()
        return WorkRequest(
            model=base_of(self.model.subject).model,
            completions=self.size(),
            prompts=sample.prompts,
            max_tokens=1,
        )
