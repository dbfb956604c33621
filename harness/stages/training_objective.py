"""What a training minimises in place of the completion loss, as part of a stage."""

from dataclasses import dataclass

from ...backends import TokenObjective
from ...backends.objectives import Kind
from ...datasets.store_layout import TARGETS
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class TrainingObjective:
    """An objective, and the stage that leaves its targets in ``targets.jsonl``."""

    kind: Kind
    targets: Stage
    beta: float | None = None
    """Of DPO."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return "weights of tokens" if self.kind == "weights" else self.kind

    @property
    def identity(self) -> dict[str, float | str]:
        """Its part of the training's key, beside that of the targets."""
        return {"objective": self.kind, **({} if self.beta is None else {"beta": self.beta})}

    def for_job(self, workspace: Workspace) -> TokenObjective:
        """The objective as a backend takes it."""
        file = workspace.file(self.targets, TARGETS)
        return TokenObjective(kind=self.kind, file=file, beta=self.beta)
