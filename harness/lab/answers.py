"""What the models of an arm answered, as it is read from the store."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...backends import WordProbabilities
from ...datasets.answer_text import opened_reasoning
from ..experiment import Measure
from ..stages import (
    CHANCES,
    RATINGS,
    TALLY,
    ComputeProbabilities,
    JudgeReplies,
    Manifest,
    Store,
)
from .pipeline import ModelStages

JudgeReplyTexts = Mapping[str, str | None]
"""A judge's answer to each distinct reply to one question; None where it did not answer."""


@dataclass(frozen=True)
class ModelAnswers:
    """What one model answered."""

    model: str
    key: str
    """The key of the measure stage that the answers are from."""
    counts: tuple[Counter[str], ...]
    """(questions,), how often each answer was given."""
    missing: int
    """Draws without an answer, failed or refused."""
    said: Mapping[str, tuple[JudgeReplyTexts, ...]]
    """By judge: (questions,), what it said of the replies."""
    chances: tuple[WordProbabilities, ...] | None = None
    """(questions,), the probabilities of some answers, where they were computed."""
    labels: tuple[str, ...] = ()
    """(questions,), the names of the questions, where the measure does not know them."""
    figures: tuple[Mapping[str, Any], ...] = ()
    """(questions,), what was stored for each question of a computed measure."""
    surroundings: Mapping[str, str | None] = field(default_factory=dict)
    """What stood around the questions, where the backend reports it."""

    def share(self, question: int, counts: Callable[[int, str], bool | None]) -> float | None:
        """The share of a question's answers that count; None where there are none.

        Answers for which ``counts`` gives None (unknown) are left out.
        """
        given = self.counts[question]
        counted = {text: counts(question, text) for text in given}
        total = sum(given[text] for text, counts in counted.items() if counts is not None)
        return sum(given[text] for text in given if counted[text]) / total if total else None

    def missing_at(self, question: int, draws: int) -> int:
        """How many of a question's draws have no answer."""
        return max(0, draws - self.counts[question].total()) if self.missing else 0


def stored_answers(store: Store, manifest: Manifest) -> ModelAnswers:
    """What a model answered, from the manifest of a finished measure and its tally."""
    tally = store.json(manifest["kind"], manifest["key"], TALLY)
    counts = tuple(Counter[str](question) for question in tally)
    return ModelAnswers(
        model=manifest["model"],
        key=manifest["key"],
        counts=counts,
        missing=manifest["counts"]["completions"] - sum(count.total() for count in counts),
        said={},
        surroundings=manifest.get("surroundings", {}),
    )


def read_answers(store: Store, stages: ModelStages, measure: Measure) -> ModelAnswers:
    """The answers that a model's finished stages left in the store."""
    stage = stages.answers
    answers = stored_answers(store, store.finished(stage.kind, stage.key))
    said = {
        judge.name: _judge_replies(store, judged, answers.counts)
        for judge, judged in zip(measure.judges, stages.judged, strict=True)
    }
    chances = None if stages.exact is None else _probabilities(store, stages.exact)
    counts = measure.by_question(answers.counts)
    answers = replace(answers, counts=counts, said=said, chances=chances)
    opened = opened_reasoning(measure.begin)
    return _reasoning(answers, opened) if opened else answers


def _reasoning(answers: ModelAnswers, opened: str) -> ModelAnswers:
    """The answers with the tag before each that their given beginning opened.

    What a model goes on to think counts for nothing, also where it never closes the tag.
    """
    said = {
        judge: tuple({opened + text: reply for text, reply in replies.items()} for replies in each)
        for judge, each in answers.said.items()
    }
    counts = tuple(
        Counter({opened + text: count for text, count in question.items()})
        for question in answers.counts
    )
    return replace(answers, counts=counts, said=said)


def _probabilities(store: Store, exact: ComputeProbabilities) -> tuple[WordProbabilities, ...]:
    rows = store.json(exact.kind, exact.key, CHANCES)
    return tuple(WordProbabilities(**row) for row in rows)


def _judge_replies(
    store: Store, judged: JudgeReplies, counts: tuple[Counter[str], ...]
) -> tuple[JudgeReplyTexts, ...]:
    """What a judge said, assigned to the replies in the order in which it was asked."""
    answers = store.rows(judged.kind, judged.key, RATINGS)
    texts = (row["text"] for row in answers)
    return tuple({text: next(texts) for text in sorted(count)} for count in counts)
