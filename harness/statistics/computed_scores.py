"""Figures that were computed and not sampled: log-odds, log-likelihoods, a benchmark's scores."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

from .effects import Effect
from .hypothesis_tests import UNBOUNDED
from .samples import Sample
from .scores import Scores


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputedScores(Scores):
    """The mean over questions of an exact figure: what varies are questions and seeds alone."""

    measured_in: str = ""
    """The unit of the figures, such as nats; empty if they have none."""

    @property
    def _draws_shown(self) -> str:
        return ""

    def show(self, value: float) -> str:
        return f"{value:.2f}{self._unit}"

    def show_difference(self, value: float) -> str:
        return f"{value:+.2f}{self._unit}" if abs(value) < UNBOUNDED else "unknown"

    def show_interval(self, interval: tuple[float, float]) -> str:
        return "[{:+.2f}, {:+.2f}]".format(*interval)

    @property
    def _unit(self) -> str:
        return f" {self.measured_in}" if self.measured_in else ""

    @cached_property
    def sample(self) -> Sample:
        return replace(super().sample, exact=True)

    def _draw_variance(self) -> float:
        return 0.0

    def __sub__(self, other: Scores) -> "ComputedEffect":  # type: ignore[override]
        if not isinstance(other, ComputedScores):
            return NotImplemented
        self.check_same(other)
        return ComputedEffect(treated=self, reference=other)


def in_unit(scores: Scores, unit: str) -> ComputedScores:
    """Scores that were computed exactly, in a unit."""
    given = {field.name: getattr(scores, field.name) for field in fields(Scores)}
    return ComputedScores(measured_in=unit, **given)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputedEffect(Effect):
    """The difference of two arms' computed figures, in their unit."""
