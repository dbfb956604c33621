"""Sources whose rows are selected by a score."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, Self

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    HashedFunction,
    PromptedModel,
    RowScores,
    RowsStage,
    ScoreByColumn,
    ScoreByFunction,
    ScoreByLikelihood,
    SelectRows,
    Which,
    row_function,
)
from .source_of_source import SourceOfSource
from .traits import Trait
from .writers import DataWriters


@dataclass(frozen=True)
class RowScore:
    """A score of rows that limen brings along."""

    def scored(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        """The stage that computes the score of each row.

        Args:
            rows: The stage that leaves the rows.
            writers: What makes the stages of base and teachers.
        """
        raise NotImplementedError

    @property
    def needs_trait(self) -> bool:
        """Whether a teacher scores, who must show the trait before."""
        return False

    def traits(self) -> tuple[Trait, ...]:
        """The traits that are named in the score."""
        return ()


@dataclass(frozen=True, kw_only=True)
class LikelihoodShift(RowScore):
    """How much more likely a teacher finds a completion than its base does, in nats.

    The log-probability of the completion, its end included, given the row's prompt: under the
    teacher (its system prompt, or its training) minus that without the trait. Needs a backend that
    computes the log-probability of given texts.

    Args:
        trait: Whose teacher. Default: None, the experiment's.
        against: Another trait, whose teacher takes the base's place: rows are then selected by
            where two teachers differ. Default: None, the base.
        per_token: Whether to divide by the number of tokens: a mean instead of a sum, which favours
            other rows. Default: False.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Selected(numbers, score=LikelihoodShift(), keep="top", share=0.5)
    """

    trait: Trait | None = None
    against: Trait | None = None
    per_token: bool = False

    @property
    def needs_trait(self) -> bool:
        return True

    def traits(self) -> tuple[Trait, ...]:
        return tuple(filter(None, (self.trait, self.against)))

    def __post_init__(self) -> None:
        for name, value in (("trait", self.trait), ("against", self.against)):
            if not isinstance(value, Trait | None):
                raise SpecError(f"{name}={value!r} must be a Trait(...), or None")
        validation.boolean("per_token", self.per_token)

    def scored(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        writers.check_likelihoods()
        teachers = writers.with_traits()
        return ScoreByLikelihood(
            label=f"likelihood shift of {rows.label}",
            source=rows,
            model=_prompted_model(teachers, self.trait or "teacher"),
            against=_prompted_model(teachers, self.against or "base"),
            per_token=self.per_token,
        )


@dataclass(frozen=True, kw_only=True)
class LogLikelihood(RowScore):
    """How likely one model finds a completion, in nats: a filter by perplexity, for example.

    The log-probability of the completion, its end included, given the row's prompt. Needs a backend
    that computes the log-probability of given texts.

    Args:
        by: Whose: "base", the base model without any prompt; "teacher", the experiment's; or a
            ``Trait``, its teacher. Default: "base".
        per_token: Whether to divide by the number of tokens, as perplexity does. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Selected(numbers, score=LogLikelihood(), keep="top", share=0.5)
    """

    by: Trait | Literal["base", "teacher"] = "base"
    per_token: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.by, Trait):
            validation.one_of("by", self.by, ("base", "teacher"))
        validation.boolean("per_token", self.per_token)

    def scored(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        writers.check_likelihoods()
        return ScoreByLikelihood(
            label=f"log-likelihood of {rows.label}",
            source=rows,
            model=_prompted_model(writers.with_traits(), self.by),
            against=None,
            per_token=self.per_token,
        )

    @property
    def needs_trait(self) -> bool:
        return self.by != "base"

    def traits(self) -> tuple[Trait, ...]:
        return (self.by,) if isinstance(self.by, Trait) else ()


def _prompted_model(writers: DataWriters, by: Trait | Literal["teacher", "base"]) -> PromptedModel:
    writer = writers.writer(by, None)
    system = writer.systems[0] if writer.systems else writer.system
    return PromptedModel(subject=writer.subject, system=system)


@dataclass(frozen=True)
class Selected(SourceOfSource):
    """The rows of another source with the highest or the lowest scores.

    Beside the students of selected rows the report has an arm ``"random selection"`` of its own
    accord: students of as many rows of the same source, chosen at random. What differs between the
    two is due to the selection; what also differs between the random selection and the control is
    not. In the control arm the rows that the base wrote are selected by the same score.

    Args:
        source: Whose rows, all that its filter keeps.
        score: The score of a row: a function of prompt and completion, two texts, that gives a
            number; ``LikelihoodShift()``; ``LogLikelihood()``; or the name of a column of numbers
            that given rows have, such as the influence that another program computed.
        keep: Which rows: "top" (the highest scores), "bottom", or "random" (no score is computed).
            Default: "top".
        share: The share of the rows that is kept, above 0 and at most 1. Default: 0.5.
        rows: Rows in a student's training set, sampled from those that are kept, anew for each
            seed. Default: that share of the source's ``keep``.
        seed: Decides among equal scores, and which rows are chosen at random. Default: 0.

    Raises:
        SpecError: ``score`` is no such function, or ``keep`` or ``share`` is not one of these.

    Examples:
        >>> data = Selected(numbers, score=lambda prompt, text: len(text), keep="top", share=0.5)
    """

    score: RowScore | HashedFunction | Callable[..., Any] | str = field(kw_only=True)
    keep: Which = field(default="top", kw_only=True)
    share: float = field(default=0.5, kw_only=True)
    rows: int | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("keep", self.keep, ("top", "bottom", "random"))
        number = validation.is_number(self.share) or isinstance(self.share, Fraction)
        if not number or not 0 < self.share <= 1:
            raise SpecError(f"share={self.share!r} must be above 0 and at most 1")
        if self.rows is not None:
            validation.count("rows", self.rows)
        validation.seed("seed", self.seed)
        if isinstance(self.score, str):
            validation.texts("score", (self.score,))
        elif not isinstance(self.score, RowScore):
            object.__setattr__(self, "score", row_function("score", self.score))

    @property
    def _exact_share(self) -> Fraction:
        return Fraction(self.share).limit_denominator(10**6)

    @property
    def row_count(self) -> int | None:
        of_source = self.source.row_count
        if self.rows is not None or of_source is None:
            return self.rows
        return max(1, math.floor(self._exact_share * of_source))

    def resized(self, rows: int) -> Self:
        return self.but(rows=rows)

    @property
    def needs_trait(self) -> bool:
        by_teacher = isinstance(self.score, RowScore) and self.score.needs_trait
        return (by_teacher and self.keep != "random") or self.source.needs_trait

    def traits(self) -> tuple[Trait, ...]:
        own = self.score.traits() if isinstance(self.score, RowScore) else ()
        return tuple(dict.fromkeys((*self.source.traits(), *own)))

    def random_selection(self) -> Self | None:
        inner = super().random_selection()
        return inner if self.keep == "random" else replace(inner or self, keep="random")

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        scores = None if self.keep == "random" else self._scores(rows, writers)
        return SelectRows(
            label=f"{rows.label}, {self.keep} {float(self.share):.0%}",
            source=rows,
            scores=scores,
            which=self.keep,
            share=self._exact_share,
            seed=self.seed,
        )

    def _scores(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        if isinstance(self.score, RowScore):
            return self.score.scored(rows, writers)
        if isinstance(self.score, str):
            label = f"{self.score!r} of {rows.label}"
            return ScoreByColumn(label=label, source=rows, column=self.score)
        by = row_function("score", self.score)
        return ScoreByFunction(label=f"{by.name} of {rows.label}", source=rows, by=by)
