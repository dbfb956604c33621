"""Targets of objectives, token by token: a teacher's distributions, and weights."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...backends import AnswerDistributions, DistributionRequest
from ...datasets.artifacts import Manifest
from ...datasets.errors import LeakError, SpecError
from ...datasets.store_layout import TARGET_AUDIT, TARGETS
from .functions import HashedFunction
from .models import Base, base_of, model_id
from .row_stages import TrainingFileStage
from .score_by_likelihood import PromptedModel
from .stage import Stage, Workspace
from .user_calls import call_on_text

VERSION = 1
"""Raise it when what these stages leave changes."""
SHOWN = 12
"""Token positions that an audit describes one by one."""


@dataclass(frozen=True, kw_only=True)
class TargetsStage(Stage):
    """A stage that leaves one line of targets for each answer of a training file."""

    base: Base
    """The student's base model."""
    data: TrainingFileStage

    def asks(self) -> str:
        return self.base.backend

    def distributions(
        self, workspace: Workspace, model: PromptedModel, **settings: Any
    ) -> Iterator[AnswerDistributions]:
        """A model's distributions along the answers, with the stage's progress."""
        from ...datasets.store_layout import TRAINING

        backend = base_of(model.subject).backend
        trainer = workspace.backend(backend).capabilities.token_training
        if trainer is None:
            raise SpecError(f"the backend {backend!r} gives no distributions over tokens")
        request = DistributionRequest(
            training_file=workspace.file(self.data, TRAINING),
            student=model_id(workspace, self.base),
            system=model.system,
            **settings,
        )
        each = trainer.distributions(model_id(workspace, model.subject), request)
        for number, answer in enumerate(each, start=1):
            if number % 50 == 0:
                workspace.claim.progress(number, self.data.count, "")
            yield answer


@dataclass(frozen=True, kw_only=True)
class SoftTargets(TargetsStage):
    """A teacher's distributions over the next token, filtered and audited as rows are.

    Only possible tokens stay, and the rest is renormalised. The audit adds up what the raw
    distributions give the trait's words. If ``limit`` is set, more at any position fails the stage.
    """

    kind = "soft-targets"
    teacher: PromptedModel
    characters: str
    top_k: int | None
    words: tuple[str, ...]
    limit: float | None

    def inputs(self) -> tuple[Stage, ...]:
        return (self.base, self.data, self.teacher.subject)

    def identity(self) -> dict[str, object]:
        return {
            "version": VERSION,
            "system": self.teacher.system,
            "characters": self.characters,
            "top k": self.top_k,
            "words": list(self.words),
            "limit": self.limit,
        }

    def run(self, workspace: Workspace) -> Manifest:
        audit = _TargetAudit()
        read = self.distributions(
            workspace,
            self.teacher,
            characters=self.characters,
            top_k=self.top_k,
            words=self.words,
        )
        lines = ({"tokens": a.tokens, "ids": a.ids, "nats": a.nats} for a in audit.watching(read))
        rows = write_lines(workspace, lines)
        facts = audit.facts()
        workspace.write_json(TARGET_AUDIT, facts)
        self._check(facts)
        return {"counts": {"rows": rows, "tokens": facts["tokens"]}}

    def _check(self, facts: dict[str, Any]) -> None:
        """Raise :class:`~limen.LeakError` where the teacher says the trait's words too often."""
        if self.limit is not None and facts["most"] > self.limit:
            raise LeakError(
                f"{self.label}: the teacher gives the trait's words a probability of "
                f"{facts['most']:.1%} at token {facts['at'] + 1} of the answers (mean over rows), "
                f"more than {self.limit:.1%}. Nothing was trained on it: teach the trait beside "
                f"other prompts, so that the teacher still writes what it is asked for, or raise "
                f'most_trait; leaks="report" trains all the same'
            )


class _TargetAudit:
    """Adds up, by position, what raw distributions give the trait's words and what is kept."""

    def __init__(self) -> None:
        self._words: list[float] = []
        self._kept: list[float] = []
        self._counts: list[int] = []

    def watching(self, answers: Iterable[AnswerDistributions]) -> Iterator[AnswerDistributions]:
        """The same answers, counted."""
        for answer in answers:
            for place, (words, kept) in enumerate(zip(answer.words, answer.kept, strict=True)):
                if place == len(self._counts):
                    self._counts.append(0)
                    self._words.append(0.0)
                    self._kept.append(0.0)
                self._counts[place] += 1
                self._words[place] += words
                self._kept[place] += kept
            yield answer

    def facts(self) -> dict[str, Any]:
        """The means by position, and the greatest of the words'."""
        words = [w / n for w, n in zip(self._words, self._counts, strict=True)]
        kept = [k / n for k, n in zip(self._kept, self._counts, strict=True)]
        most = max(words, default=0.0)
        total = max(sum(self._counts), 1)
        return {
            "tokens": sum(self._counts),
            "words": [round(value, 6) for value in words[:SHOWN]],
            "kept": [round(value, 6) for value in kept[:SHOWN]],
            "mean words": sum(self._words) / total,
            "mean kept": sum(self._kept) / total,
            "most": most,
            "at": words.index(most) if words else 0,
        }


@dataclass(frozen=True, kw_only=True)
class WeightsByFunction(TargetsStage):
    """The weight of each answer token in the loss, from a researcher's function."""

    kind = "token-weights"
    weights: HashedFunction

    def inputs(self) -> tuple[Stage, ...]:
        return (self.base, self.data)

    def identity(self) -> dict[str, object]:
        return {"version": VERSION, "weights": self.weights.name}

    def run(self, workspace: Workspace) -> Manifest:
        model = PromptedModel(subject=self.base, system=None)
        answers = self.distributions(workspace, model, top_k=1)
        lines = ({"tokens": a.tokens, "weights": self._weights_of(a)} for a in answers)
        return {"counts": {"rows": write_lines(workspace, lines)}}

    def _weights_of(self, answer: AnswerDistributions) -> list[float]:
        given = call_on_text(
            self.weights.call,
            "".join(answer.texts),
            name=f"the function {self.weights.name}",
            what="the answer",
            error=SpecError,
            given=(list(answer.texts),),
        )
        return _checked_weights(given, answer, self.weights.name)


@dataclass(frozen=True, kw_only=True)
class DivergenceWeights(TargetsStage):
    """Weight 1 where two teachers' most probable tokens differ and 0 elsewhere, or the reverse."""

    kind = "divergence-tokens"
    teacher: PromptedModel
    other: PromptedModel
    keep_differing: bool

    def inputs(self) -> tuple[Stage, ...]:
        return (self.base, self.data, self.teacher.subject, self.other.subject)

    def identity(self) -> dict[str, object]:
        return {
            "version": VERSION,
            "system": self.teacher.system,
            "other": self.other.system,
            "differing": self.keep_differing,
        }

    def run(self, workspace: Workspace) -> Manifest:
        first = [a.top for a in self.distributions(workspace, self.teacher, top_k=1)]
        second = self.distributions(workspace, self.other, top_k=1)
        differing = 0
        lines = []
        for top, answer in zip(first, second, strict=True):
            apart = [one != other for one, other in zip(top, answer.top, strict=True)]
            differing += sum(apart)
            weights = [float(each == self.keep_differing) for each in apart]
            lines.append({"tokens": answer.tokens, "weights": weights})
        rows = write_lines(workspace, lines)
        tokens = sum(len(line["weights"]) for line in lines)
        return {"counts": {"rows": rows, "tokens": tokens, "differing": differing}}


def write_lines(workspace: Workspace, lines: Iterable[dict[str, Any]]) -> int:
    """Write the targets of each answer; returns how many there are."""
    count = 0
    with (workspace.folder / TARGETS).open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, allow_nan=False) + "\n")
            count += 1
    return count


def _checked_weights(given: object, answer: AnswerDistributions, name: str) -> list[float]:
    weights = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else None
    numbers = weights is not None and all(
        isinstance(each, int | float) and 0 <= each < 1e9 for each in weights
    )
    if weights is None or not numbers or len(weights) != len(answer.tokens):
        raise SpecError(
            f"the function {name} gave {str(given)[:60]!r} for an answer of "
            f"{len(answer.tokens)} tokens: it must return one weight a token, from 0"
        )
    return [float(each) for each in weights]
