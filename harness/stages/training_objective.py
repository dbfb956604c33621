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

    def for_job(self, workspace: Workspace) -> TokenObjective:
        """The objective as a backend takes it."""
        return TokenObjective(kind=self.kind, file=workspace.file(self.targets, TARGETS))
