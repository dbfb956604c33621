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
    least: float
    """By how much the teacher must exceed its base, in the estimates' unit."""

    def __bool__(self) -> bool:
        """Whether the teacher passes."""
        return self.teacher.value - self.base.value >= self.least

    @property
    def says(self) -> str:
        """The figures, in words."""
        show, least = self.teacher.show, self.teacher.show_difference(self.least)
        return (
            f"{self.reading}: {show(self.teacher.value)}, its base {show(self.base.value)}, and "
            f"training waits for {least}"
        )


def check_trait(experiment: Experiment, trait: Trait, teacher: Arm, base: Arm) -> TraitCheck:
    """How a teacher shows its trait, by the first reading of the experiment's measure."""
    reading = experiment.measure.readings([trait.shown_by])[0]
    return TraitCheck(
        trait=trait.name,
        reading=reading.name,
        teacher=teacher.read(reading),
        base=base.read(reading),
        least=experiment.least or 0.0,
    )
