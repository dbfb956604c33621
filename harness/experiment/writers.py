"""Which models write the data of an arm, and under which prompt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from ...datasets.errors import SpecError
from ..stages import Base, Filter, FineTune, Generate, GenerateEnough, RowsStage, Subject

if TYPE_CHECKING:
    from .judges import Judge
    from .traits import Trait

Part = tuple[RowsStage, Fraction]
"""Rows to sample from, and their share of a training set."""
TOLERANCE = 1e-9
"""How far from 1 the sum of shares may be: they are given as decimal fractions."""


@dataclass(frozen=True)
class Writer:
    """A model that writes rows: prompted, fine-tuned, or neither."""

    subject: Subject
    system: str | None
    label: str
    systems: tuple[str, ...] = ()
    """Several system prompts, in place of one."""


@dataclass(frozen=True)
class DataWriters:
    """The models that can write the data of one experiment's arm."""

    base_model: Callable[[str | None], Base]
    """The base model of a name; of None, the one that the experiment's data are written with."""
    tuned_teacher: "Callable[[Trait, Base], FineTune]"
    """A base model, fine-tuned to have a trait."""
    trait: "Trait"
    asked_model: Callable[[str | None, str | None], Base] | None = None
    """The model that judges or rewrites rows, by the names of a backend and a model, None for the
    run's own; None where there can be none."""
    computes_likelihoods: bool = True
    """Whether the backend computes the log-probability of given texts."""
    has_traits: bool = True
    """Whether teachers have their traits. In a control arm none has."""
    teacher: Subject | None = None
    """The model that writes as the teacher, where that is a student of the experiment before."""
    control: Subject | None = None
    """The model that writes the control's data in its place, if not the base."""
    generation: int = 0
    """Which generation of the data it is, where every seed has its own; else 0."""
    stream: str = ""
    """Names other random numbers for the same prompts."""

    def writer(self, by: "Trait | Literal['teacher', 'base']", model: str | None) -> Writer:
        """The model that writes, given who writes and the name of a base model."""
        passed_on = self.teacher if self.has_traits else self.control
        if by == "teacher" and passed_on is not None:
            return Writer(passed_on, None, passed_on.label)
        base = self.base_model(model)
        if by == "base" or not self.has_traits:
            return Writer(base, None, self._label("control", base))
        trait = self.trait if by == "teacher" else by
        label = self._label(f"{trait.name} student", base)
        subject: Subject = self.base_model(trait.model) if trait.model else base
        if trait.lesson is not None and isinstance(subject, Base):
            subject, label = self.tuned_teacher(trait, subject), f"{label}, teacher fine-tuned"
        several = trait.prompts if len(trait.prompts) > 1 else ()
        prompt = None if several else next(iter(trait.prompts), None)
        return Writer(subject, prompt, label, tuple(filter(None, several)))

    def check_likelihoods(self) -> None:
        """Raise :class:`~limen.SpecError` if the backend computes no log-probabilities of texts."""
        if not self.computes_likelihoods:
            raise SpecError(
                "this score needs a backend that computes the log-probability of given texts, "
                "such as toy or local: give Selected a score of your own instead"
            )

    def judge_model(self, judge: "Judge") -> Base:
        """The model of a judge; raises :class:`~limen.SpecError` where there can be none."""
        if self.asked_model is None:
            raise SpecError(f"the judge {judge.name!r} has no model here")
        return self.asked_model(judge.backend, judge.model)

    def rewriting_model(self, backend: str | None, model: str | None) -> Base:
        """The model that rewrites rows: one of another backend, or of those that write data."""
        if backend is None:
            return self.base_model(model)
        if self.asked_model is None:
            raise SpecError(f"backend={backend!r}: no model can be asked to rewrite rows here")
        return self.asked_model(backend, model)

    def seed(self, seed: int) -> int:
        """The seed of a source in this generation; the source's own in the first."""
        from ...datasets.seeds import derive

        return derive("generation", seed, self.generation) if self.generation else seed

    def with_traits(self) -> "DataWriters":
        """The same writers, whose teachers have their traits."""
        return replace(self, has_traits=True)

    def _label(self, label: str, base: Base) -> str:
        return label if base == self.base_model(None) else f"{label} by {base.model}"


def merge_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts with equal rows joined into one with the sum of their shares, sorted by key.

    Two parts that differ only in how many rows they generate begin with the same rows: the smaller
    is the beginning of the larger. The larger then stands for both, so that no row is used twice.
    """
    merged: dict[str, Part] = {}
    for rows, share in parts:
        key = _key_without_counts(rows)
        other, sum_before = merged.get(key, (rows, Fraction(0)))
        merged[key] = max(rows, other, key=_counts), sum_before + share
    return tuple(sorted(merged.values(), key=lambda part: part[0].key))


def _key_without_counts(rows: RowsStage) -> str:
    """A key that does not depend on how many rows are generated."""
    if not (isinstance(rows, Filter) and isinstance(rows.source, Generate)):
        return rows.key
    source = {part.name: getattr(rows.source, part.name) for part in fields(Generate)}
    prompts = replace(rows.source.prompts, count=1)
    return replace(rows, source=Generate(**{**source, "count": 1, "prompts": prompts})).key


def _counts(rows: RowsStage) -> tuple[int, int]:
    """The rows that are kept for certain, and those that are generated."""
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
