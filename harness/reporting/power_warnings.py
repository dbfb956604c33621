"""What the designs of a plan can find, and which of their assertions ask for more than that."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ..experiment import Experiment, LogOdds, Measure, Reading
from ..lab import Lab
from ..statistics import POWER, Criterion, Design, Spread, seeds_needed
from .assertions import EffectAssertion
from .seed_spread import known_spread
from .spread_sources import kind_of

Selected = Sequence[tuple[str, Experiment, Mapping[str, None]]]
"""Title, experiment, and the arms that its tests ask for."""

EFFECTS = {
    "rate": (0.05, 0.1, 0.2, 0.4),
    "score": (0.25, 0.5, 1.0, 2.0),
    "log-odds": (0.1, 0.25, 0.5, 1.0),
}
"""True effects that the plan gives sample sizes for."""
IMPOSSIBLE = 1.0
"""Rates never differ by more."""


def design_lines(
    lab: Lab, selected: Selected, asserted: Mapping[str, Sequence[EffectAssertion]]
) -> Iterator[str]:
    """What each experiment can find of student over control, as lines."""
    for title, experiment, arms in selected:
        if design := planned_design(lab, experiment, arms):
            yield from _lines(title, experiment, design, asserted.get(title, ()))


def planned_design(lab: Lab, experiment: Experiment, arms: Collection[str]) -> Design | None:
    """The design of student against control; None without tests that ask for both.

    None too for a measure that samples nothing, except for log-odds: nothing is known beforehand
    of its spread.
    """
    known = isinstance(experiment.measure, LogOdds) or not experiment.measure.computed
    if not ({"student", "control"} <= set(arms) and known):
        return None
    pipe = lab.pipeline(experiment)
    reading = experiment.measure.readings([experiment.trait.shown_by])[0]
    spread = known_spread(lab.store, pipe, reading)
    return design_of(experiment, reading, len(pipe.arms["student"]), spread)


def underpowered(design: Design, asserted: Sequence[EffectAssertion]) -> list[EffectAssertion]:
    """The assertions of a size that a true effect of that size often fails to meet."""
    written = replace(design, criterion=criterion_of(asserted))
    return [one for one in asserted if one.kind == "value" and one.number < written.detectable]


def _lines(
    title: str, experiment: Experiment, design: Design, asserted: Sequence[EffectAssertion]
) -> Iterator[str]:
    draws = ", no draws" if design.kind == "log-odds" else f" x {design.draws} draws"
    yield (
        f"limen: {title}: {design.seeds} v {design.seeds} seeds, "
        f"{design.questions} questions{draws}: {_smallest(design)} "
        f"({design.test}, p < {design.level:.2g})"
    )
    yield from _spread_lines(design)
    if experiment.looks:
        looks = " and ".join(map(str, experiment.looks))
        yield f"limen:   looked at after {looks} seeds, where it may stop"
    yield from _assertion_lines(design, asserted)


def _smallest(design: Design) -> str:
    """The smallest true effect with 80% power, in words."""
    if design.detectable > (IMPOSSIBLE if design.kind == "rate" else sys.float_info.max):
        return f"less than {POWER:.0%} power for every possible effect"
    return f"{POWER:.0%} power for a true effect of {design.show(design.detectable)} or more"


def _spread_lines(design: Design) -> Iterator[str]:
    """What power rests on, and how many seeds other effects need."""
    if design.units != "seeds":
        yield "limen:   one seed an arm: the result is about these two models alone"
        return
    treated, control = map(design.show, (design.spread.treated, design.spread.control))
    yield (
        f"limen:   standard deviation between seeds: {treated} in students with the effect, "
        f"{control} in controls ({design.spread.source})"
    )
    yield f"limen:   seeds an arm for {POWER:.0%} power: {_sample_sizes(design)}"


def _sample_sizes(design: Design) -> str:
    """The seeds that some true effects need, in words."""
    needed = ((size, seeds_needed(design, size)) for size in _effects(design))
    shown = (f"{seeds or 'over 100'} for +{design.show(size)}" for size, seeds in needed)
    return ", ".join(shown)


def _effects(design: Design) -> list[float]:
    return [design.unit * size for size in EFFECTS[design.kind]]


def _assertion_lines(design: Design, asserted: Sequence[EffectAssertion]) -> Iterator[str]:
    """The power of the assertions as they are written, and what is wrong with them."""
    written = replace(design, criterion=criterion_of(asserted))
    if written.criterion != design.criterion:
        lines = ", ".join(f"`{one.line}`" for one in asserted)
        yield f"limen:   with {lines}: {_smallest(written)}"
        if written.units == "seeds":
            yield f"limen:   seeds an arm for that: {_sample_sizes(written)}"
    for one in underpowered(design, asserted):
        yield (
            f"limen:   warning: `{one.line}`: a true effect of {design.show(one.number)} meets "
            f"all that is asserted in {written.power(one.number):.0%} of cases: raise seeds, "
            f"or ask for more"
        )
    if not any(one.kind == "at_least" for one in asserted):
        yield from _point_estimates(design, asserted)


def _point_estimates(design: Design, asserted: Sequence[EffectAssertion]) -> Iterator[str]:
    """Assertions of the point estimate, which are no tests."""
    for one in asserted:
        if one.kind == "value":
            yield (
                f"limen:   note: `{one.line}` compares the point estimate alone; "
                f"effect.at_least({one.number:g}) tests whether the effect is that large"
            )


def criterion_of(asserted: Sequence[EffectAssertion]) -> Criterion:
    """What assertions ask of one effect together: the strictest of each kind."""
    plain = Criterion()

    def numbers(kind: str) -> list[float]:
        return [one.number for one in asserted if one.kind == kind]

    return Criterion(
        level=min([plain.level, *numbers("p_value")]),
        above=max([plain.above, *numbers("value")]),
        minimum=max(numbers("at_least"), default=None),
    )


def design_of(experiment: Experiment, reading: Reading, seeds: int, spread: Spread) -> Design:
    """The design of an experiment's first claim: student against control, by a reading."""
    measure: Measure = experiment.measure
    kind = kind_of(measure, reading)
    ends = measure.value_range if kind == "score" else None
    return Design(
        seeds=seeds,
        questions=len(measure.places(reading.group)),
        draws=measure.draws_per_question,
        spread=spread,
        correction=experiment.family * (len(experiment.looks) + 1),
        kind=kind,
        width=ends[1] - ends[0] if ends else None,
    )
