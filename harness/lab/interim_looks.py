"""Interim looks: experiments that may stop before all of their seeds are trained."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..stages import Stage
from ..statistics import difference
from .arm_cache import ArmCache
from .pipeline import Pipeline

COMPARED = ("student", "control")
"""The arms whose comparison may end an experiment early."""


@dataclass(frozen=True)
class InterimLooks:
    """Which seeds of an experiment are needed, given what earlier looks showed."""

    arms: ArmCache

    def pipeline_as_run(self, pipe: Pipeline) -> Pipeline:
        """The pipeline with the seeds that its looks leave."""
        return pipe.with_seeds(self._needed_seeds(pipe)) if pipe.experiment.looks else pipe

    def rounds(self, requests: Sequence[tuple[Pipeline, Collection[str]]]) -> Iterator[list[Stage]]:
        """The trained targets, round by round: a single round unless an experiment has looks."""
        count = max((len(_looks(pipe)) for pipe, _ in requests), default=1)
        for index in range(count):
            due = ((pipe, arms, _looks(pipe)[index:]) for pipe, arms in requests)
            yield [
                stage
                for pipe, arms, looks in due
                if looks and looks[0] <= self._needed_seeds(pipe)
                for stage in pipe.with_seeds(looks[0]).trained_targets(arms)
            ]

    def _needed_seeds(self, pipe: Pipeline) -> int:
        """The seeds of the first look that decides; all seeds if none does."""
        *looks, seeds = _looks(pipe)
        return next((look for look in looks if self._decides(pipe.with_seeds(look))), seeds)

    def _decides(self, pipe: Pipeline) -> bool:
        """Whether student and control are shown to differ, or to be alike, with these seeds."""
        if not self.arms.has(pipe, *COMPARED):
            return False
        experiment = pipe.experiment
        reading = experiment.measure.readings([experiment.trait.shown_by])[0]
        try:
            student, control = (self.arms.read(pipe, name).read(reading) for name in COMPARED)
        except Exception:  # whoever asks for the arm gets the error
            return False
        return difference(student, control).verdict != "inconclusive"


def _looks(pipe: Pipeline) -> list[int]:
    """The numbers of seeds after which an experiment is looked at; the last is all of them."""
    seeds = len(pipe.arms["student"])
    return [*(look for look in pipe.experiment.looks if look < seeds), seeds]
