"""Several experiments side by side: traits that one test tries."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..datasets.corrected_p_values import benjamini_hochberg, holm
from . import wording
from .model import EffectRow, ReadingRow, Result
from .text import heading, prose, table


@dataclass(frozen=True, kw_only=True)
class CorrectedPValue:
    """A p-value among several, corrected for their number in two ways."""

    raw: float
    holm: float
    """Holm's: the chance of any false one among those called significant. To claim."""
    q: float
    """Benjamini and Hochberg's: the share of false ones among them. To explore."""


def corrected(p_values: Sequence[float]) -> list[CorrectedPValue]:
    """Each p-value with Holm's and with Benjamini and Hochberg's correction for all of them."""
    rows = zip(p_values, holm(p_values), benjamini_hochberg(p_values), strict=True)
    return [CorrectedPValue(raw=raw, holm=held, q=share) for raw, held, share in rows]


@dataclass(frozen=True, kw_only=True)
class TraitComparison:
    """One of several traits that a parametrized test tries."""

    spec: str
    """The test file or class; all its comparisons are corrected together."""
    result: Result
    reading: ReadingRow
    effect: EffectRow
    p: CorrectedPValue


def trait_comparisons(results: Sequence[Result]) -> list[TraitComparison]:
    """The experiments that are parameters of one test, where there are several with an effect."""
    groups: dict[str, list[tuple[Result, ReadingRow, EffectRow]]] = defaultdict(list)
    for result in results:
        spec, bracket, _ = result.title.partition("[")
        if bracket and (headline := result.headline):
            groups[spec].append((result, *headline))
    return [
        TraitComparison(spec=spec, result=result, reading=reading, effect=effect, p=p)
        for spec, group in groups.items()
        if len(group) > 1
        for (result, reading, effect), p in zip(
            group, corrected([effect.raw_p_value for *_, effect in group]), strict=True
        )
    ]


def several_traits(results: Sequence[Result]) -> Iterator[str]:
    """The sections on traits that were tried together."""
    every = trait_comparisons(results)
    for spec in dict.fromkeys(one.spec for one in every):
        yield f"## Several traits: {heading(spec)}"
        rows = [_comparison_row(one) for one in every if one.spec == spec]
        head = ("experiment", "effect", "what", "difference", "p, raw", "p, Holm", "q, BH")
        yield table(head, rows)
        yield (
            f"Corrected here for the {len(rows)} of this table: Holm's p-values hold for claims "
            f"(the chance of a single false one), Benjamini and Hochberg's q for exploring (the "
            f"share of false ones). Tables of effects below have what the tests asserted."
        )


def _comparison_row(one: TraitComparison) -> tuple[str, ...]:
    return (
        prose(one.result.title.removeprefix(one.spec).strip("[]")),
        prose(one.effect.name),
        prose(one.reading.name),
        wording.difference(one.reading, one.effect),
        *map(wording.p_value, (one.p.raw, one.p.holm, one.p.q)),
    )
