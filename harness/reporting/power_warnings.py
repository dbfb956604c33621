"""What the designs of a plan can detect, and which of their assertions ask for less."""

from collections.abc import Iterator, Mapping, Sequence

from ..experiment import Experiment, Measure, Reading
from ..lab import Lab
from ..statistics import ALPHA, POWER, SPREAD, Design, Spread
from .assertions import EffectAssertion
from .seed_spread import past_spread

Wanted = Sequence[tuple[str, Experiment, Mapping[str, None]]]
"""Title, experiment, and the arms that its tests ask for."""


def design_lines(
    lab: Lab, wanted: Wanted, asked: Mapping[str, Sequence[EffectAssertion]]
) -> Iterator[str]:
    """The smallest effect of student over control that each experiment detects, as lines."""
    for title, experiment, arms in wanted:
        if {"student", "control"} <= set(arms):
            yield from _lines(lab, title, experiment, asked.get(title, ()))


def _lines(
    lab: Lab, title: str, experiment: Experiment, asked: Sequence[EffectAssertion]
) -> Iterator[str]:
    pipe = lab.pipeline(experiment)
    reading = experiment.measure.readings([experiment.trait.shown_by])[0]
    made = design_of(
        experiment, reading, len(pipe.arms["student"]), past_spread(lab.store, pipe, reading)
    )
    smallest = made.show(made.detectable)
    yield (
        f"limen: {title}: {made.seeds} v {made.seeds} seeds, {made.questions} questions x "
        f"{made.draws} draws: finds {smallest} or more in {POWER:.0%} of cases "
        f"({made.test}, level {ALPHA / made.correction:.2g})"
    )
    if made.units == "seeds":
        spread = made.show(made.spread.between)
        yield f"limen:   seeds differ by {spread} (standard deviation; {made.spread.source})"
    else:
        yield "limen:   one seed an arm: whatever is found is about these two models alone"
    if experiment.looks:
        looks = " and ".join(map(str, experiment.looks))
        yield f"limen:   looked at after {looks} seeds, where it may stop"
    yield from (_warning(made, one) for one in asked if one.least < made.detectable)


def _warning(made: Design, asked: EffectAssertion) -> str:
    return (
        f"limen:   warning: `{asked.line}` asks for less than that: an effect of "
        f"{made.show(asked.least)} would mostly be missed; raise seeds, or ask for more"
    )


def design_of(
    experiment: Experiment, reading: Reading, seeds: int, spread: Spread | None
) -> Design:
    """The design of an experiment's first claim: student against control, by a reading."""
    kind = "score" if reading.word is None else "rate"
    measure: Measure = experiment.measure
    return Design(
        seeds=seeds,
        questions=len(measure.places(reading.group)),
        draws=measure.draws,
        spread=spread or Spread(between=SPREAD[kind], source="a default: no past run tells"),
        correction=experiment.family * (len(experiment.looks) + 1),
        kind=kind,
    )
