"""On-policy distillation: a teacher's distribution along the student's own answers."""

from dataclasses import dataclass, replace

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import Base, OnPolicyTeacher, SoftTargets, TrainingFileStage, TrainingObjective
from .objectives import Distillation, Objective
from .traits import Trait
from .writers import DataWriters


@dataclass(frozen=True, kw_only=True)
class OnPolicyDistillation(Objective):
    """KL(student, teacher) at each token of answers that the student samples (Agarwal et al. 2024).

    In each step the student, as it is then, answers the prompts of the step's rows at temperature
    1, and its distribution at each token of its answers is moved towards the teacher's (reverse
    KL, a mean over the tokens of an answer and over answers). No gradient passes through the
    sampling. Only tokens of the support can be sampled and are compared, renormalised, so that the
    trait's words can reach no student. The answers in the data are not trained on: the teacher is
    audited along them, as for :class:`Distillation`, before anything is trained.

    Args:
        support: The characters that a token may consist of; the end of the turn is always
            possible. "numbers" stands for digits, separators and brackets. Default: "numbers".
        max_tokens: The longest answer that is sampled, in tokens. Default: 48.
        most_trait: The greatest probability that the teacher may give the trait's words at any
            position of the data's answers, as a mean over rows, from 0 to 1; ``leaks="report"``
            only shows it. Default: 0.01.
        neutral: Who teaches the control arm: a trait whose teacher was trained in the same way on
            prompts without the trait. Default: None, the base: the control then stays the base.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(objective=OnPolicyDistillation(max_tokens=32))
    """

    support: str = "numbers"
    max_tokens: int = 48
    most_trait: float = 0.01
    neutral: Trait | None = None

    def __post_init__(self) -> None:
        validation.count("max_tokens", self.max_tokens)
        if not self.support:
            raise SpecError(f"support={self.support!r} must be characters, or 'numbers'")
        self._audit  # noqa: B018  (the other values are checked)

    @property
    def _audit(self) -> Distillation:
        """The objective whose targets audit the teacher."""
        validation.text("support", self.support)
        return Distillation(
            direction="reverse",
            support=self.support,
            most_trait=self.most_trait,
            neutral=self.neutral,
        )

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
        made = self._audit.of(data, base, writers, words=words, strict=strict)
        if made is None or not isinstance(made.targets, SoftTargets):
            return None
        soft = made.targets
        teacher = OnPolicyTeacher(
            subject=soft.teacher.subject,
            system=soft.teacher.system,
            characters=soft.characters,
            max_tokens=self.max_tokens,
        )
        return replace(made, kind="on-policy", teacher=teacher)
