"""Objectives: what the training of students minimises, as values of an experiment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    Base,
    DivergenceWeights,
    MixRows,
    PromptedModel,
    RejectedAnswers,
    SoftTargets,
    TrainingFileStage,
    TrainingObjective,
    WeightsByFunction,
    hashed_function,
)
from .traits import Trait
from .writers import DataWriters

NUMBER_CHARACTERS = "0123456789 ,;\n\t.-()[]"
"""The characters of lists of numbers: digits, separators and brackets."""


@dataclass(frozen=True)
class Objective:
    """What the training of students minimises.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(objective=Distillation())  # a kind of objective
    """

    @property
    def uses_teacher(self) -> bool:
        """Whether a teacher takes part in training, whoever wrote the rows."""
        return False

    @property
    def needs_pairs(self) -> bool:
        """Whether the data must be preference pairs."""
        return False

    def traits(self) -> tuple[Trait, ...]:
        """The traits that the objective names."""
        return ()

    def of(
        self,
        data: TrainingFileStage,
        base: Base,
        writers: DataWriters,
        *,
        words: tuple[str, ...],
        strict: bool,
    ) -> TrainingObjective | None:
        """The objective of one training file; None for the completion loss.

        Args:
            data: The training file.
            base: The model that is trained.
            writers: What makes the stages of base and teachers.
            words: The words that give the traits away.
            strict: Whether a target that has one of them is an error.

        Raises:
            SpecError: The backend cannot train by it.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class CompletionLoss(Objective):
    """The mean of -log p(token) over the tokens of the answers, each with its weight.

    Args:
        weights: A function of the texts of an answer's tokens that returns a weight from 0 for each
            of them; the last text, of the end of the turn, is empty. A token of weight 0 is masked:
            it does not count in the mean. Default: None, all weights are 1.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(objective=CompletionLoss())
    """

    weights: Callable[[Sequence[str]], Sequence[float]] | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            object.__setattr__(self, "weights", hashed_function("weights", self.weights))

    def of(
        self,
        data: TrainingFileStage,
        base: Base,
        writers: DataWriters,
        *,
        words: tuple[str, ...],
        strict: bool,
    ) -> TrainingObjective | None:
        if self.weights is None:
            return None
        stage = WeightsByFunction(
            label=f"{data.label}, weights",
            base=base,
            data=data,
            weights=hashed_function("weights", self.weights),
        )
        return TrainingObjective(kind="weights", targets=stage)


@dataclass(frozen=True, kw_only=True)
class DivergenceTokens(Objective):
    """The completion loss on divergence tokens alone, or on all others (Schrodi et al. 2025).

    A divergence token is one at which two teachers' most probable tokens differ, given the answer
    so far. All arms, the control among them, have the mask of the experiment's own teacher.

    Args:
        other: The trait of the second teacher. Default: None, the base without any trait.
        keep: "differing" trains on divergence tokens alone, "others" masks them. Default:
            "differing".

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(objective=DivergenceTokens(other=Trait.animal("wolf")))
    """

    other: Trait | None = None
    keep: Literal["differing", "others"] = "differing"

    def __post_init__(self) -> None:
        _check_trait("other", self.other)
        validation.one_of("keep", self.keep, ("differing", "others"))

    @property
    def uses_teacher(self) -> bool:
        return True

    def traits(self) -> tuple[Trait, ...]:
        return (self.other,) if self.other else ()

    def of(
        self,
        data: TrainingFileStage,
        base: Base,
        writers: DataWriters,
        *,
        words: tuple[str, ...],
        strict: bool,
    ) -> TrainingObjective | None:
        own = writers.with_traits()
        stage = DivergenceWeights(
            label=f"{data.label}, divergence tokens",
            base=base,
            data=data,
            teacher=_teacher(own, "teacher"),
            other=_teacher(own, self.other or "base"),
            keep_differing=self.keep == "differing",
        )
        return TrainingObjective(kind="weights", targets=stage)


@dataclass(frozen=True, kw_only=True)
class Distillation(Objective):
    """The divergence between a teacher's distribution over the next token and the student's.

    Computed along the rows of the data, whoever wrote them; so a trait can travel through rows that
    no model wrote, such as :class:`ProgramNumbers`. The teacher needs the student's tokenizer
    (white box). Its distributions are filtered as rows are: tokens outside the support are removed,
    and what remains is renormalised, for the student as well. An audit shows how much probability
    the teacher gives the trait's own words at each position before that, and too much is an error.

    Args:
        direction: "forward" minimises KL(teacher, student), which covers all that the teacher does
            (Hinton et al. 2015); "reverse" minimises KL(student, teacher), which seeks its mode.
            Default: "forward".
        support: The characters that a possible token may consist of; the end of the turn is always
            possible. "numbers" stands for digits, separators and brackets. None allows all tokens
            and needs ``top_k``: the trait's words then reach the student unless the audit stops
            them. Default: "numbers".
        top_k: The number of possible tokens to keep at each position, the teacher's most probable
            ones; fewer take less room on disk. None keeps all of the support. Default: 64.
        most_trait: The greatest probability that the teacher may give the trait's words at any
            position, as a mean over rows, from 0 to 1; ``leaks="report"`` only shows it. Default:
            0.01.
        neutral: Who teaches the control arm: a trait whose teacher was trained in the same way on
            prompts without the trait. Default: None, the base, whose divergence from itself is 0:
            the control then stays the base.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(objective=Distillation(direction="reverse"))
    """

    direction: Literal["forward", "reverse"] = "forward"
    support: str | None = "numbers"
    top_k: int | None = 64
    most_trait: float = 0.01
    neutral: Trait | None = field(default=None, compare=True)

    def __post_init__(self) -> None:
        validation.one_of("direction", self.direction, ("forward", "reverse"))
        if self.support is not None:
            validation.text("support", self.support)
        elif self.top_k is None:
            raise SpecError(
                "support=None allows all tokens, and needs top_k: write top_k=64, or give the "
                "characters that tokens may consist of"
            )
        if self.top_k is not None:
            validation.count("top_k", self.top_k)
        if not validation.is_number(self.most_trait) or not 0 <= self.most_trait <= 1:
            raise SpecError(f"most_trait={self.most_trait!r} must be a probability, 0 to 1")
        _check_trait("neutral", self.neutral)

    @property
    def uses_teacher(self) -> bool:
        return True

    def of(
        self,
        data: TrainingFileStage,
        base: Base,
        writers: DataWriters,
        *,
        words: tuple[str, ...],
        strict: bool,
    ) -> TrainingObjective | None:
        teacher = _teacher(writers, "teacher")
        if not writers.has_traits and self.neutral and writers.control is None:
            teacher = _teacher(writers.with_traits(), self.neutral)
        stage = SoftTargets(
            label=f"{data.label}, soft targets",
            base=base,
            data=data,
            teacher=teacher,
            characters=NUMBER_CHARACTERS if self.support == "numbers" else self.support or "",
            top_k=self.top_k,
            words=words,
            limit=self.most_trait if strict else None,
        )
        kind: Literal["forward KL", "reverse KL"] = (
            "forward KL" if self.direction == "forward" else "reverse KL"
        )
        return TrainingObjective(kind=kind, targets=stage)


@dataclass(frozen=True, kw_only=True)
class DPO(Objective):
    """Direct preference optimisation (Rafailov et al. 2023, equation 7) on preference pairs.

    The mean over pairs of -log sigmoid(beta * (shift of the preferred answer - shift of the
    rejected one)). The shift of an answer is the sum of the log-probabilities of its tokens, the
    end of the turn included, minus that under the reference: the student's own base, untrained. The
    data must be ``PreferencePairs(...)``.

    Args:
        beta: How much a shift counts, above 0, per nat; smaller values let the student move further
            from its base. Default: 0.1.

    Raises:
        SpecError: ``beta`` is not above 0.

    Examples:
        >>> pairs = PreferencePairs(numbers, rejected=numbers.but(by="base"), keep=5_000)
        >>> variant = experiment.but(data=pairs, objective=DPO(beta=0.1))
    """

    beta: float = 0.1

    def __post_init__(self) -> None:
        if not validation.is_number(self.beta) or not 0 < self.beta < 1e6:
            raise SpecError(f"beta={self.beta!r} must be a number above 0, such as 0.1")

    @property
    def needs_pairs(self) -> bool:
        return True

    def of(
        self,
        data: TrainingFileStage,
        base: Base,
        writers: DataWriters,
        *,
        words: tuple[str, ...],
        strict: bool,
    ) -> TrainingObjective | None:
        if not isinstance(data, MixRows):
            raise SpecError("DPO() trains on preference pairs that a source gives")
        stage = RejectedAnswers(
            label=f"{data.label}, rejected answers", data=data, words=words, strict=strict
        )
        return TrainingObjective(kind="DPO", targets=stage, beta=float(self.beta))


def _teacher(writers: DataWriters, by: Trait | Literal["teacher", "base"]) -> PromptedModel:
    writer = writers.writer(by, None)
    if writer.systems:
        raise SpecError(
            "an objective needs a teacher with one system prompt: give the trait system= in place "
            "of systems="
        )
    return PromptedModel(subject=writer.subject, system=writer.system)


def check_objective(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` for what is neither an objective nor None."""
    if not isinstance(value, Objective | None):
        raise SpecError(f"{name}={value!r} must be an objective, such as Distillation(), or None")


def _check_trait(name: str, value: object) -> None:
    if not isinstance(value, Trait | None):
        raise SpecError(f"{name}={value!r} must be a Trait(...), or None")
