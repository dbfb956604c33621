"""What a training minimises in place of the completion loss, as part of a stage."""

from dataclasses import dataclass

from ...backends import OnPolicy, TokenObjective
from ...backends.objectives import Kind
from ...datasets.store_layout import TARGETS
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class OnPolicyTeacher:
    """The teacher that scores a student's own answers, and what these may consist of."""

    subject: Stage
    system: str | None
    characters: str
    max_tokens: int


@dataclass(frozen=True, kw_only=True)
class TrainingObjective:
    """An objective, and the stage that leaves its targets in ``targets.jsonl``."""

    kind: Kind
    targets: Stage
    beta: float | None = None
    """Of DPO."""
    teacher: OnPolicyTeacher | None = None
    """Of on-policy distillation."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return "weights of tokens" if self.kind == "weights" else self.kind

    @property
    def identity(self) -> dict[str, float | str]:
        """Its part of the training's key, beside that of the targets."""
        beta = {} if self.beta is None else {"beta": self.beta}
        length = {} if self.teacher is None else {"answer tokens": self.teacher.max_tokens}
        return {"objective": self.kind, **beta, **length}

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """What a training needs beside its data."""
        return (self.targets,) if self.teacher is None else (self.targets, self.teacher.subject)

    def for_job(self, workspace: Workspace, teacher: str | None) -> TokenObjective:
        """The objective as a backend takes it; ``teacher`` is the id of a teacher's model."""
        file, on_policy = workspace.file(self.targets, TARGETS), None
        if self.teacher is not None and teacher is not None:
            on_policy = OnPolicy(
                teacher=teacher,
                system=self.teacher.system,
                characters=self.teacher.characters,
                max_tokens=self.teacher.max_tokens,
            )
        return TokenObjective(kind=self.kind, file=file, beta=self.beta, on_policy=on_policy)
