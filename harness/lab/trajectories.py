"""Finished trajectories: the arms of an experiment along their trainings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...datasets.errors import SpecError
from ..experiment import Experiment, Reading, Trajectory
from ..statistics import Combinable, Contrast, Effect, Estimate, difference
from .arms import Arm

AREA = (
    "over the whole training the trait is above the control's",
    "over the whole training the trait is below the control's",
)


@dataclass(frozen=True)
class TrajectoryResults:
    """The measure along each training, as tests see it. Arms are read when they are asked for."""

    experiment: Experiment
    arm: Callable[[str], Arm]
    """The finished arm of a name."""

    def epochs(self, arm: str = "student") -> tuple[int, ...]:
        """The epochs, the last one included, or the steps after which an arm was measured."""
        known = self.experiment.trajectories
        if arm not in known:
            raise SpecError(f"no trajectory of {arm!r}: there are {', '.join(known)}")
        return known[arm]

    def at(self, epoch: int, arm: str = "student") -> Arm:
        """An arm as it was at the end of an epoch, or after a step."""
        epochs = self.epochs(arm)
        if epoch not in epochs:
            unit = self._along.unit
            raise SpecError(f"{arm} was not measured at {unit} {epoch}: only at {epochs}")
        kept = epoch in self._along.checkpoints(epochs)
        return self.arm(self._along.arm_at(arm, epoch) if kept else arm)

    def along(self, arm: str = "student", word: str | Reading | None = None) -> dict[int, Estimate]:
        """What an arm gives at each epoch, or step: the measure's first reading of a word.

        The word is that of the experiment's trait unless another is named, or one of the measure's
        ``readings``.
        """
        reading = self._reading(word)
        return {epoch: self.at(epoch, arm).read(reading) for epoch in self.epochs(arm)}

    def effect(
        self, word: str | Reading | None = None, *, arm: str = "student", against: str = "control"
    ) -> Effect | Contrast:
        """The difference of two arms by the test that the experiment fixed: final, or area."""
        if self._along.test == "final":
            self._check_alike(arm, against)
            reading = self._reading(word)
            return difference(self.arm(arm).read(reading), self.arm(against).read(reading))
        return mean_over_training(self._pairs(word, arm, against))

    def _check_alike(self, arm: str, against: str) -> None:
        if self.epochs(arm) != self.epochs(against):
            raise SpecError(
                f"{arm} and {against} were measured at other {self._along.unit}s: "
                f"{self.epochs(arm)} and {self.epochs(against)}"
            )

    def _pairs(
        self, word: str | Reading | None, arm: str, against: str
    ) -> list[tuple[int, Effect]]:
        self._check_alike(arm, against)
        treated, plain = self.along(arm, word), self.along(against, word)
        return [(epoch, difference(treated[epoch], plain[epoch])) for epoch in treated]

    @property
    def _along(self) -> Trajectory:
        return self.experiment.trajectory or Trajectory()

    def _reading(self, word: str | Reading | None) -> Reading:
        if isinstance(word, Reading):
            return word
        return self.experiment.measure.readings([word or self.experiment.trait.shown_by])[0]


def mean_over_training(effects: Sequence[tuple[int, Combinable]]) -> Contrast:
    """The mean of effects over the epochs from the first to the last, by trapezoids."""
    epochs = [epoch for epoch, _ in effects]
    span = epochs[-1] - epochs[0]
    above, below = AREA
    lowers = effects[0][1].weighted[0][1].lowers
    weights = [
        (after - before) / (2 * span)
        for before, after in zip([epochs[0], *epochs[:-1]], [*epochs[1:], epochs[-1]], strict=True)
    ]
    return Contrast(
        name=f"mean over training of {effects[-1][1].title}",
        parts=tuple(
            (weight * own, estimate)
            for weight, (_, effect) in zip(weights, effects, strict=True)
            for own, estimate in effect.weighted
        ),
        factor=max(effect.correction for _, effect in effects),
        says=(below, above) if lowers else (above, below),
    )
