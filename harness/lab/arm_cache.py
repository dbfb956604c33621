"""Arms read from the store, each once."""

from dataclasses import dataclass, field

from ..experiment import Experiment
from ..stages import Store
from ..statistics import EvidenceListener
from .arms import Arm, read_arm
from .pipeline import ModelStages, Pipeline

_Key = tuple[Experiment | str, ...]
"""The experiment, the arm's name, and the keys of the measures."""


@dataclass(frozen=True)
class ArmCache:
    """Reads finished arms, and keeps them: scoring many answers takes a while."""

    store: Store
    listener: EvidenceListener | None = None
    """Receives the comparisons that are made with the arms."""
    _arms: dict[_Key, Arm] = field(default_factory=dict)

    def read(self, pipe: Pipeline, name: str, models: tuple[ModelStages, ...] | None = None) -> Arm:
        """An arm of finished stages: the pipeline's own, unless ``models`` are given."""
        stages = pipe.arms[name] if models is None else models
        key: _Key = (pipe.experiment, name, *(one.answers.key for one in stages))
        if key not in self._arms:
            self._arms[key] = read_arm(self.store, name, pipe.experiment, stages, self.listener)
        return self._arms[key]

    def has(self, pipe: Pipeline, *names: str) -> bool:
        """Whether all measures of some arms are finished."""
        return all(self.store.has(stage.kind, stage.key) for stage in pipe.targets(names))
