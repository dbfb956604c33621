"""The cast of an arm: which model writes its data, as what, and under which prompt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from ...datasets.errors import SpecError
from ..stages import Base, Filter, FineTune, Generate, GenerateEnough, RowsStage, Subject

if TYPE_CHECKING:
    from .traits import Trait

Part = tuple[RowsStage, Fraction]
"""Rows to sample from, and their share of a training set."""
TOLERANCE = 1e-9
"""How far from 1 the sum of shares may be, which are given as decimal fractions."""


@dataclass(frozen=True)
class Writer:
    """A model at work: prompted, fine-tuned, or neither."""

    subject: Subject
    system: str | None
    label: str


@dataclass(frozen=True)
class DataWriters:
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

    def teaching(self) -> "DataWriters":
        """The same, its writers having their traits."""
        return replace(self, taught=True)

    def _named(self, label: str, base: Base) -> str:
        return label if base == self.base_of(None) else f"{label} by {base.model}"


def merge_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with equal rows made one, in the order of their keys.

    Rows that differ only in how many were written are the same seeds' rows, the fewer the first of
    the more: the more stand for both, or a row would be there twice.
    """
    found: dict[str, Part] = {}
    for rows, share in parts:
        kind = _whatever_their_number(rows)
        other, before = found.get(kind, (rows, Fraction(0)))
        found[kind] = max(rows, other, key=_number), before + share
    return tuple(sorted(found.values(), key=lambda part: part[0].key))


def _whatever_their_number(rows: RowsStage) -> str:
    """The key of rows, but for how many of them a model was asked for."""
    if not (isinstance(rows, Filter) and isinstance(rows.source, Generate)):
        return rows.key
    given = {part.name: getattr(rows.source, part.name) for part in fields(Generate)}
    prompts = replace(rows.source.prompts, count=1)
    return replace(rows, source=Generate(**{**given, "count": 1, "prompts": prompts})).key


def _number(rows: RowsStage) -> tuple[int, int]:
    """The rows that are sure to be left, and those that are asked for."""
    source = rows.source if isinstance(rows, Filter) else None
    keep = source.keep if isinstance(source, GenerateEnough) else 0
    return keep, source.count if isinstance(source, Generate) else 0


def exact_shares(shares: Sequence[float | Fraction]) -> list[Fraction]:
    """Shares as exact fractions that add up to 1; raises :class:`~limen.SpecError` otherwise.

    Decimal fractions such as 0.1 become the fraction that was meant (denominators to a million).
    """
    total = float(sum(map(float, shares)))
    if abs(total - 1) > TOLERANCE:
        parts = " + ".join(f"{float(share):g}" for share in shares)
        raise SpecError(f"the shares of a mix must add up to 1: {parts} = {total:g}")
    exact = [Fraction(share).limit_denominator(10**6) for share in shares]
    whole = sum(exact, Fraction(0))
    return [share / whole for share in exact]
