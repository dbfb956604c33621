"""Log-probabilities of given continuations after a measure's questions; nothing is sampled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ...backends import ContinuationRequest, ContinuationScorer, LogProbability, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.errors import SpecError
from ...datasets.store_layout import VALUES
from .measure import DIGITS, DRAW_SETTINGS, AskQuestions
from .models import Subject, base_of, model_id, training_of
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
        scorer = continuation_scorer(workspace, self.asked.backend)
        rows: list[Mapping[str, StoredLogProbability]] = []
        total = len(self.asked.questions)
        requests = list(self.requests(workspace))
        for request, scored in zip(
            requests, scorer.log_probabilities(model, iter(requests)), strict=True
        ):
            pairs = zip(request.continuations, scored, strict=True)
            rows.append({text: stored_form(one) for text, one in pairs})
            workspace.claim.progress(len(rows), total, "")
        workspace.write_json(VALUES, rows)
        return {
            "model": model,
            "system": self.system,
            "questions": list(self.asked.questions),
            "counts": {"questions": total, "continuations": sum(map(len, rows))},
        }

    def requests(self, workspace: Workspace) -> Iterator[ContinuationRequest]:
        """A request for each question."""
        for row, request in enumerate(self.asked.requests(workspace)):
            texts = self.continuations[row if len(self.continuations) > 1 else 0]
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


def continuation_scorer(workspace: Workspace, backend: str) -> ContinuationScorer:
    """What computes log-probabilities; raises :class:`~limen.SpecError` where nothing does."""
    scorer = workspace.backend(backend).capabilities.continuations
    if scorer is None:
        raise SpecError(f"the backend {backend!r} computes no log-probabilities of given texts")
    return scorer
