"""The gate before training: whether a teacher shows its trait at all."""

from dataclasses import dataclass

from ..experiment import Experiment, Trait
from ..statistics import Estimate
from .arms import Arm


@dataclass(frozen=True, kw_only=True)
class TraitCheck:
    """What shows a trait, in a teacher and in its base, and by how much they must differ."""

    trait: str
    reading: str
    """What was read off the two, in words."""
    teacher: Estimate
    base: Estimate
    threshold: float
    """How far the teacher must be above its base, in the estimates' unit; below, if negative."""

    def __bool__(self) -> bool:
        """Whether the teacher passes."""
        difference = self.teacher.value - self.base.value
        return difference >= self.threshold if self.threshold >= 0 else difference <= self.threshold

    @property
    def says(self) -> str:
        """The figures, in words."""
        show, threshold = self.teacher.show, self.teacher.show_difference(self.threshold)
        return (
            f"{self.reading}: {show(self.teacher.value)}, its base {show(self.base.value)}, and "
            f"training waits for {threshold}"
        )


def check_trait(experiment: Experiment, trait: Trait, teacher: Arm, base: Arm) -> TraitCheck:
    """How a teacher shows its trait, by the first reading of the experiment's measure."""
    reading = experiment.measure.readings([trait.shown_by])[0]
    return TraitCheck(
        trait=trait.name,
        reading=reading.name,
        teacher=teacher.read(reading),
        base=base.read(reading),
        threshold=experiment.gate_threshold(trait) or 0.0,
    )
