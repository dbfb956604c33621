"""Log-probabilities of given continuations after a measure's questions; nothing is sampled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ...backends import ContinuationRequest, LogProbability, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import VALUES
from .measure import DIGITS, DRAW_SETTINGS, AskQuestions
from .models import Subject, base_of, model_id, training_of
from .scored_texts import ScoredTexts, TextScoring
from .stage import Stage, Workspace

SAMPLING_SETTINGS = (*DRAW_SETTINGS, "temperature", "max_tokens")
"""Settings of an :class:`AskQuestions` that do not change the probability of a given text."""

StoredLogProbability: TypeAlias = tuple[float, int, bool]
"""Nats, number of tokens, and whether the nats are exact or a bound from above."""


@dataclass(frozen=True, kw_only=True)
class ScoreContinuations(Stage):
    """The log-probability of each continuation after each question."""

    kind = "log-probabilities"
    asked: AskQuestions
    """The questions and the model; how answers would be sampled does not matter."""
    continuations: tuple[tuple[str, ...], ...]
    """Those of each question; one entry alone holds for every question."""
    whole: bool = False
    """Whether the answer must end after the continuation."""

    @property
    def subject(self) -> Subject:
        """The model that is asked."""
        return self.asked.subject

    @property
    def system(self) -> str | None:
        """The system prompt."""
        return self.asked.system

    def inputs(self) -> tuple[Stage, ...]:
        return self.asked.inputs()

    def identity(self) -> dict[str, object]:
        settings = self.asked.identity()
        return {
            **{name: settings[name] for name in settings if name not in SAMPLING_SETTINGS},
            "continuations": self.continuations,
            "whole": self.whole,
        }

    def asks(self) -> str:
        return self.asked.backend

    def run(self, workspace: Workspace) -> Manifest:
        model = model_id(workspace, self.subject)
        total = len(self.asked.questions)
        scoring = TextScoring(
            workspace=workspace,
            backend=self.asked.backend,
            model=model,
            label=self.label,
            reached=lambda done: workspace.claim.progress(done, total, ""),
        )
        scored = scoring.score(self.requests(workspace), total)
        rows = [
            dict(zip(texts, map(stored_form, row), strict=True))
            for texts, row in zip(self._texts(), scored.rows, strict=True)
        ]
        workspace.write_json(VALUES, rows)
        return {
            "model": model,
            "system": self.system,
            "questions": list(self.asked.questions),
            "counts": {"questions": total, "continuations": sum(map(len, rows))},
            **_refused(scored),
            **scored.facts,
        }

    def _texts(self) -> Iterator[tuple[str, ...]]:
        """The continuations of each question."""
        each = self.continuations
        return (each[row if len(each) > 1 else 0] for row in range(len(self.asked.questions)))

    def requests(self, workspace: Workspace) -> Iterator[ContinuationRequest]:
        """A request for each question."""
        for request, texts in zip(self.asked.requests(workspace), self._texts(), strict=True):
            yield ContinuationRequest(
                messages=request.messages,
                continuations=texts,
                begin=request.begin,
                whole=self.whole,
                chat=request.chat,
            )

    def work(self) -> WorkRequest:
        """One call for each continuation at most: services differ in what they report."""
        each = [len(texts) for texts in self.continuations]
        questions = len(self.asked.questions)
        return WorkRequest(
            model=base_of(self.subject).model,
            completions=sum(each) if len(each) > 1 else questions * sum(each),
            prompts=self.asked.work().prompts,
            max_tokens=1,
            student=training_of(self.subject) is not None,
        )


def stored_form(one: LogProbability) -> StoredLogProbability:
    """A log-probability as it is stored."""
    return round(one.nats, DIGITS), one.tokens, one.exact


def _refused(scored: ScoredTexts) -> Manifest:
    """The questions that a service refused, by their numbers from 1, and why."""
    errors = {str(place + 1): error for place, error in scored.errors.items()}
    return {"refused": errors} if errors else {}
