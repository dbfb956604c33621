"""Arms read from the store, each once."""

from dataclasses import dataclass, field
from functools import partial

from ..experiment import Experiment
from ..stages import Store
from ..statistics import EvidenceListener
from .arm_reading import read_arm
from .arms import Arm
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
            others = partial(self._others, pipe, name)
            arm = read_arm(self.store, name, pipe.experiment, stages, self.listener, others)
            self._arms[key] = arm
        return self._arms[key]

    def _others(self, pipe: Pipeline, name: str) -> list[Arm]:
        """The finished arms beside one, with the teachers of all traits of the data."""
        arms = {other: models for other, models in pipe.arms.items() if self.has(pipe, other)}
        for gate in pipe.gates:
            if all(
                self.store.has(stage.kind, stage.key)
                for one in gate.teacher
                for stage in one.targets
            ):
                own = gate.trait == pipe.experiment.trait
                arms["teacher" if own else f"{gate.trait.name} teacher"] = gate.teacher
        return [self.read(pipe, other, models) for other, models in arms.items() if other != name]

    def has(self, pipe: Pipeline, *names: str) -> bool:
        """Whether all measures of some arms are finished."""
        return all(self.store.has(stage.kind, stage.key) for stage in pipe.targets(names))
