"""Sources of preference pairs: two answers to one prompt, the first of which is preferred."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Self

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    HashedFunction,
    PairByScore,
    PairByWriter,
    RowScores,
    RowsStage,
    ScoreByFunction,
    ScoreByJudge,
    row_function,
)
from .judged import replies_about
from .judges import Judge
from .selected import RowScore
from .source import Source
from .source_of_source import SourceOfSource, check_source
from .traits import Trait
from .writers import DataWriters, Part

Score = RowScore | Judge | HashedFunction | Callable[..., Any]
STREAM = "rejected"
"""The random stream of rejected answers: a control's two answers to a prompt have one writer."""


@dataclass(frozen=True)
class _JudgeVerdict:
    """A judge's rating; of a judge with labels 1 for the first label and 0 for any other."""

    judge: Judge

    @property
    def name(self) -> str:
        return f"{self.judge.scale or self.judge.labels}"

    def __call__(self, reply: str) -> float | None:
        said = self.judge.verdict(reply)
        if self.judge.scale is not None:
            return said if isinstance(said, int | float) else None
        return None if said not in self.judge.labels else float(said == self.judge.labels[0])


@dataclass(frozen=True)
class PreferencePairs(SourceOfSource):
    """Pairs of answers to one prompt, of which the first is preferred, for ``DPO()``.

    The pairs come from two writers (``rejected=``) or from several answers of one writer
    (``score=``): give one of the two. In the control arm the base writes both answers of a pair,
    with random numbers of their own; a score stays what it is. Trained without ``DPO()`` the
    students learn the preferred answers alone.

    Args:
        source: Whose answers are preferred. With ``score`` it needs several answers to each prompt
            (``per_prompt=4``), and the pair of a prompt is its highest and its lowest.
        rejected: Whose answers to the same prompts are rejected, such as
            ``Numbers(generate=600, by="base")``; it needs the prompts of ``source``, so the same
            ``generate`` and ``seed``. Default: None.
        score: The score of an answer: a ``Judge`` with a scale or with labels (the first label is
            preferred to the others), ``LikelihoodShift()``, ``LogLikelihood()``, or a function of
            prompt and completion, two texts, that gives a number. Default: None.
        keep: Pairs in a student's training set, sampled anew for each seed. Default: as many as
            the source's ``keep``.

    Raises:
        SpecError: Both ``rejected`` and ``score`` are given, or neither.

    Examples:
        >>> pairs = PreferencePairs(numbers, rejected=numbers.but(by="base"), keep=5_000)
        >>> variant = experiment.but(data=pairs, objective=DPO())
    """

    rejected: Source | None = field(default=None, kw_only=True)
    score: Score | None = field(default=None, kw_only=True)
    keep: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.rejected is None) == (self.score is None):
            raise SpecError(
                "PreferencePairs needs either rejected= (a source of the answers that are not "
                "preferred) or score= (of several answers to a prompt)"
            )
        if self.rejected is not None:
            check_source("rejected", self.rejected)
        if self.keep is not None:
            validation.count("keep", self.keep)
        if isinstance(self.score, Judge) and self.score.scale is None and not self.score.labels:
            raise SpecError("a judge of pairs needs a scale, such as scale=(1, 10), or labels")
        if self.score is not None and not isinstance(self.score, Judge | RowScore):
            object.__setattr__(self, "score", row_function("score", self.score))

    @property
    def row_count(self) -> int | None:
        return self.source.row_count if self.keep is None else self.keep

    @property
    def has_pairs(self) -> bool:
        return True

    @property
    def uses_teacher(self) -> bool:
        return self.source.uses_teacher or bool(self.rejected and self.rejected.uses_teacher)

    @property
    def has_control(self) -> bool:
        return self.source.has_control or bool(self.rejected and self.rejected.has_control)

    @property
    def needs_trait(self) -> bool:
        sources = filter(None, (self.source, self.rejected))
        by_teacher = isinstance(self.score, RowScore) and self.score.needs_trait
        return by_teacher or any(source.needs_trait for source in sources)

    def traits(self) -> tuple[Trait, ...]:
        others = self.rejected.traits() if self.rejected else ()
        named = self.score.traits() if isinstance(self.score, RowScore) else ()
        return tuple(dict.fromkeys((*self.source.traits(), *others, *named)))

    def random_selection(self) -> Self | None:
        return None

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        if self.rejected is None:
            return super().parts(writers)
        preferred = self.source.parts(writers)
        rejected = self.rejected.parts(replace(writers, stream=STREAM))
        if len(preferred) != 1 or len(rejected) != 1:
            raise SpecError("PreferencePairs takes sources with one writer each, not a Mix")
        one, other = preferred[0][0], rejected[0][0]
        label = f"{one.label} over {other.label}"
        return ((PairByWriter(label=label, source=one, rejected=other), Fraction(1)),)

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        scores = self._scores(rows, writers)
        return PairByScore(label=f"{rows.label}, pairs", source=rows, scores=scores)

    def _scores(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        if isinstance(self.score, RowScore):
            return self.score.scored(rows, writers)
        if not isinstance(self.score, Judge):
            by = row_function("score", self.score)
            return ScoreByFunction(label=f"{by.name} of {rows.label}", source=rows, by=by)
        judge = self.score
        return ScoreByJudge(
            label=f"{judge.name} score of {rows.label}",
            source=rows,
            replies=replies_about(rows, judge, writers),
            verdict=_JudgeVerdict(judge),
        )
