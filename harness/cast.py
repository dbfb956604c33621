"""The cast of an arm: which model writes its data, as what, and under which prompt."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from .stages import Base, FineTune, Rows, Subject

if TYPE_CHECKING:
    from .traits import Trait

Part = tuple[Rows, Fraction]
"""Rows to sample from, and their share of a training set."""


@dataclass(frozen=True)
class Writer:
    """A model at work: prompted, fine-tuned, or neither."""

    subject: Subject
    system: str | None
    label: str


@dataclass(frozen=True)
class Cast:
    """Who there is to write the data of one experiment's arm."""

    base_of: Callable[[str | None], Base]
    """The base model of a name; of None, the one that the experiment's data are written with."""
    pupil_of: "Callable[[Trait, Base], FineTune]"
    """A teacher that is fine-tuned to have a trait."""
    trait: "Trait"
    taught: bool = True
    """Whether writers have their traits; in a control none has."""

    def writing(self, by: "Trait | Literal['teacher', 'base']", model: str | None) -> Writer:
        """The model that writes."""
        base = self.base_of(model)
        if by == "base" or not self.taught:
            return Writer(base, None, self._named("control", base))
        trait = self.trait if by == "teacher" else by
        label = self._named(f"{trait.name} student", base)
        if trait.lesson is not None:
            return Writer(self.pupil_of(trait, base), None, f"{label}, teacher fine-tuned")
        return Writer(base, trait.system, label)

    def teaching(self) -> "Cast":
        """The same, its writers having their traits."""
        return replace(self, taught=True)

    def _named(self, label: str, base: Base) -> str:
        return label if base == self.base_of(None) else f"{label} by {base.model}"


def merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with equal rows made one, in the order of their keys."""
    found: dict[str, Part] = {}
    for rows, share in parts:
        _, before = found.get(rows.key, (rows, Fraction(0)))
        found[rows.key] = rows, before + share
    return tuple(found[key] for key in sorted(found))
