"""The simulated experiments of ``calibration.py``: arms, and what is tested of them.

Spreads between seeds are those of 36 students of Qwen2.5-7B: 7.0 and 8.5 points where a trait
transmits fully, 3.7 and 4.2 weakly, 0.1 to 0.8 in controls.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from limen.harness import Effect, Rate, Scores, dose_response, dunnett, holm
from limen.harness.statistics import Coverage, Criterion, Design, Spread

Random = np.random.Generator
Event = Callable[[Random], bool]
Pair = tuple[float, float]
Counts = tuple[int, int]
Cells = NDArray[np.float64]
"""(seeds, questions)."""
Whole = NDArray[np.int64]
"""(seeds, questions), numbers of draws."""

QUESTIONS, DRAWS = 50, 200
LEVEL = 0.3
"""The true rate of an arm, the mean over questions."""
LARGE, SMALL = 0.07, 0.003
"""Standard deviations between students with an effect, and between controls."""
NAMES = "abcdefgh"
KNOWN = Spread(treated=LARGE, control=SMALL, answer=(LEVEL * (1 - LEVEL)) ** 0.5, source="")
"""What the plan knows of the spread."""


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    test: str
    arms: str
    kind: str
    """What the figure is: ``level``, ``coverage``, ``power``, or ``plan`` (see ``expected``)."""
    limit: float
    event: Event
    """Whether what is counted happens in one simulated experiment."""
    expected: Callable[[], float] | None = None
    """What the share of events is compared with; unless given it is the figure itself."""


def levels_of(
    random: Random, seeds: int, sd: float, level: float = LEVEL, questions: int = QUESTIONS
) -> Cells:
    """True rates: questions a little apart, and models that differ by their seeds alone."""
    offsets = np.linspace(-0.15, 0.15, questions)
    return (level + random.normal(0, sd, (seeds, 1)) + offsets).clip(0, 1)


def rate_of(name: str, table: Cells, *, draws: int = DRAWS, **changes: object) -> Rate:
    """An arm with these rates."""
    return Rate(
        **{
            "word": "horse",
            "arm": name,
            "questions": tuple(f"q{i}" for i in range(table.shape[1])),
            "table": tuple(map(tuple, table.tolist())),
            "draws": draws,
            "valid": 1.0,
            "missing": 0,
            "trained": name != "baseline",
            **changes,
        }  # type: ignore[arg-type]
    )


def rates(random: Random, name: str, seeds: int, sd: float, level: float = LEVEL) -> Rate:
    """An arm of students, with the sampling error of its draws."""
    answers = random.binomial(DRAWS, levels_of(random, seeds, sd, level))
    return rate_of(name, answers / DRAWS)


def effect_of(random: Random, counts: Counts, sds: Pair, difference: float = 0.0) -> Effect:
    """Students against controls."""
    student = rates(random, "student", counts[0], sds[0], LEVEL + difference)
    return student - rates(random, "control", counts[1], sds[1])


def significant(effect: Effect) -> bool:
    """Whether a difference is found."""
    return effect.p_value < 0.05


def decided(effect: Effect) -> bool:
    """Whether the verdict is a difference."""
    return effect.verdict in {"higher", "lower"}


def points(sds: Sequence[float]) -> str:
    """Standard deviations in words."""
    return " / ".join(f"{100 * sd:g}" for sd in sds)


def two_arms() -> Iterator[Case]:
    """Students against controls, with equal and unequal numbers and spreads."""
    for counts in ((3, 3), (5, 5), (8, 8), (2, 8), (8, 2), (3, 10), (10, 3), (4, 7)):
        for sds in ((0.02, 0.02), (LARGE, SMALL), (SMALL, LARGE), (0.03, 0.02)):
            if counts[0] == counts[1] and sds == (SMALL, LARGE):
                continue  # the mirror image of the case before
            arms = f"{counts[0]} v {counts[1]} ({points(sds)})"
            event = partial(_differs, counts=counts, sds=sds)
            yield Case("Welch over seed means", arms, "level", 0.06, event)


def _differs(random: Random, *, counts: Counts, sds: Pair) -> bool:
    return significant(effect_of(random, counts, sds))


def intervals() -> Iterator[Case]:
    """The interval of a true effect of ten points, over seeds."""
    for seeds in (3, 5, 8):
        arms = f"{seeds} v {seeds} (7 / 0.3), +10 points"
        yield Case("interval over seeds", arms, "coverage", 0.94, partial(_covered, seeds=seeds))


def _covered(random: Random, *, seeds: int) -> bool:
    low, high = effect_of(random, (seeds, seeds), (LARGE, SMALL), 0.1).interval
    return low <= 0.1 <= high


def against_base() -> Iterator[Case]:
    """Students against the single base model, sampled as often."""
    for sd in (0.01, 0.02, 0.05):
        event = partial(_differs_from_base, sd=sd)
        yield Case("students v base", f"5 v 1 ({points((sd,))})", "level", 0.06, event)


def _differs_from_base(random: Random, *, sd: float) -> bool:
    base = rates(random, "baseline", 1, 0.0)
    return decided(rates(random, "student", 5, sd) - base)


def families() -> Iterator[Case]:
    """Several arms against one control, several traits, and several looks."""
    for seeds in (3, 5):
        arms = f"4 arms, {seeds} seeds (7 / 0.3 / 0.3 / 0.3)"
        event = partial(_any_arm_differs, seeds=seeds)
        yield Case("dunnett(): Holm over Welch", arms, "level", 0.06, event)
    for seeds, limit in ((3, 0.09), (5, 0.06)):
        traits = partial(_any_trait_differs, seeds=seeds)
        yield Case("holm()", f"5 traits, {seeds} v {seeds} (7 / 0.3)", "level", limit, traits)
    yield Case("looks after 3, 5 and 8 seeds", "8 v 8 (7 / 0.3)", "level", 0.06, _any_look_differs)


def _any_arm_differs(random: Random, *, seeds: int) -> bool:
    sds = (LARGE, SMALL, SMALL)
    treated = {n: rates(random, n, seeds, sd) for n, sd in zip(NAMES, sds, strict=False)}
    effects = dunnett(treated, rates(random, "control", seeds, SMALL))
    return any(map(significant, effects.values()))


def _any_trait_differs(random: Random, *, seeds: int) -> bool:
    effects = {name: effect_of(random, (seeds, seeds), (LARGE, SMALL)) for name in NAMES[:5]}
    return any(map(significant, holm(effects).values()))


def _any_look_differs(random: Random) -> bool:
    a, b = (levels_of(random, 8, sd) for sd in (LARGE, SMALL))
    return any(
        significant(rate_of("student", a[:n], looks=3) - rate_of("control", b[:n], looks=3))
        for n in (3, 5, 8)
    )


def doses() -> Iterator[Case]:
    """The trend over doses without one, where doses vary unequally."""
    for sds in ((0.003, 0.01, 0.04), (0.04, 0.01, 0.003), (0.003, 0.01, 0.04, LARGE)):
        for own, controls in ((False, "one control"), (True, "own controls")):
            arms = f"{len(sds)} doses, 3 seeds ({points(sds)}), {controls}"
            event = partial(_has_trend, sds=sds, own=own)
            yield Case("dose_response()", arms, "level", 0.06, event)


def _has_trend(random: Random, *, sds: Sequence[float], own: bool) -> bool:
    shared = None if own else rates(random, "control", 3, SMALL)
    effects = {
        2**i: rates(random, "student", 3, sd) - (shared or rates(random, "control", 3, SMALL))
        for i, sd in enumerate(sds)
    }
    return dose_response(effects).p_value < 0.05


def margins() -> Iterator[Case]:
    """Tests against a margin, where the true difference is the margin."""
    for seeds, sds in ((3, (LARGE, SMALL)), (5, (0.01, SMALL))):
        arms = f"{seeds} v {seeds} ({points(sds)})"
        within = partial(_within, seeds=seeds, sds=sds)
        at_least = partial(_at_least, seeds=seeds, sds=sds)
        yield Case("within(0.03) at a true 3 points", arms, "level", 0.06, within)
        yield Case("at_least(0.1) at a true 10 points", arms, "level", 0.06, at_least)


def _within(random: Random, *, seeds: int, sds: Pair) -> bool:
    return bool(effect_of(random, (seeds, seeds), sds, 0.03).within(0.03))


def _at_least(random: Random, *, seeds: int, sds: Pair) -> bool:
    return bool(effect_of(random, (seeds, seeds), sds, 0.1).at_least(0.1))


def powers() -> Iterator[Case]:
    """The plan's power for the assertions as written, against simulated experiments."""
    asked = [
        (Criterion(), 0.1),
        (Criterion(), 0.2),
        (Criterion(level=0.001, above=0.05), 0.45),
        (Criterion(minimum=0.05), 0.2),
    ]
    for seeds in (3, 5, 8):
        for criterion, size in asked:
            design = Design(
                seeds=seeds, questions=QUESTIONS, draws=DRAWS, spread=KNOWN, criterion=criterion
            )
            arms = f"{seeds} v {seeds} (7 / 0.3), +{100 * size:g} points, {_words(criterion)}"
            event = partial(_passes, design=design, difference=size)
            planned = partial(design.power, size)
            yield Case("the plan's power, off by", arms, "plan", 0.05, event, planned)


def _passes(random: Random, *, design: Design, difference: float) -> bool:
    effect = effect_of(random, (design.seeds, design.seeds), (LARGE, SMALL), difference)
    asked = design.criterion
    large = asked.minimum is None or bool(effect.at_least(asked.minimum))
    return effect.p_value < asked.level and effect.value > asked.above and large


def _words(criterion: Criterion) -> str:
    minimum = "" if criterion.minimum is None else f", at_least({criterion.minimum:g})"
    return f"p < {criterion.level:g}{minimum}"


def scores() -> Iterator[Case]:
    """Judges' scores: the verdict, and Cliff's delta over seeds."""
    for seeds, sds in ((3, (0.3, 0.3)), (5, (0.7, 0.05)), (8, (0.3, 0.1))):
        arms = f"{seeds} v {seeds} ({sds[0]:g} / {sds[1]:g} on a scale of 1 to 10)"
        verdict = partial(_scores_differ, seeds=seeds, sds=sds)
        ranks = partial(_ranks_differ, seeds=seeds, sds=sds)
        yield Case("scores: Welch over seed means", arms, "level", 0.06, verdict)
        yield Case("scores: Cliff's delta over seeds", arms, "level", 0.07, ranks)


def _scores_differ(random: Random, *, seeds: int, sds: Pair) -> bool:
    return significant(
        judged(random, "student", seeds, sds[0]) - judged(random, "control", seeds, sds[1])
    )


def _ranks_differ(random: Random, *, seeds: int, sds: Pair) -> bool:
    effect = judged(random, "student", seeds, sds[0]) - judged(random, "control", seeds, sds[1])
    return effect.delta_p_value < 0.05


def judged(random: Random, name: str, seeds: int, sd: float, questions: int = 20) -> Scores:
    """An arm with a judge's ratings from 1 to 10, ten of them a question."""
    center = 5 + random.normal(0, sd, (seeds, 1, 1)) + np.linspace(-1, 1, questions)[:, None]
    ratings = random.normal(center, 1.5, (seeds, questions, 10)).round().clip(1, 10)
    return Scores(
        name="judge",
        arm=name,
        questions=tuple(f"q{i}" for i in range(questions)),
        table=tuple(map(tuple, ratings.mean(2).tolist())),
        draws=10,
        valid=1.0,
        missing=0,
        trained=True,
        each=tuple(tuple(map(tuple, row)) for row in np.sort(ratings, 2).tolist()),
    )


def missing() -> Iterator[Case]:
    """Equal rates and scores, of which one arm refuses or loses some that are not like the rest."""
    arms = "5 v 5 (1 / 0.3)"
    yield Case("students refuse the 20 lowest questions", arms, "level", 0.06, _refuse_the_lowest)
    yield Case("98% v 55% of the answers are valid", arms, "level", 0.06, _valid_unequally)
    yield Case("30% of other answers are lost", arms, "level", 0.06, _lose_other_answers)
    yield Case("a judge leaves low scores unrated", "5 v 5 (0.1 / 0.1)", "level", 0.06, _unrated)
    found = partial(_found_with_losses, difference=0.2)
    yield Case("+20 points, 2% lost at random", "5 v 5 (7 / 0.3)", "power", 0.8, found)


def _refuse_the_lowest(random: Random) -> bool:
    answers = np.where(np.arange(QUESTIONS) < 20, 0.0, 1.0)
    return _selected(random, valid=(answers, np.ones(QUESTIONS)))


def _valid_unequally(random: Random) -> bool:
    return _selected(random, valid=(np.full(QUESTIONS, 0.98), np.full(QUESTIONS, 0.55)))


def _selected(random: Random, *, valid: tuple[Cells, Cells]) -> bool:
    """Whether arms with equal rates among valid answers are found to differ."""
    arms = []
    for name, sd, share in zip(("student", "control"), (0.01, SMALL), valid, strict=True):
        counts = random.binomial(DRAWS, share, (5, QUESTIONS))
        hits = random.binomial(counts, levels_of(random, 5, sd))
        arms.append(_covered_rate(name, hits, np.full((5, QUESTIONS), DRAWS), counts))
    return decided(arms[0] - arms[1])


def _lose_other_answers(random: Random) -> bool:
    hits = random.binomial(DRAWS, levels_of(random, 5, 0.01))
    answered = DRAWS - random.binomial(DRAWS - hits, 0.3)
    student = _covered_rate("student", hits, answered, answered)
    return decided(student - rates(random, "control", 5, SMALL))


def _found_with_losses(random: Random, *, difference: float) -> bool:
    answered = random.binomial(DRAWS, 0.98, (5, QUESTIONS))
    hits = random.binomial(answered, levels_of(random, 5, LARGE, LEVEL + difference))
    student = _covered_rate("student", hits, answered, answered)
    return decided(student - rates(random, "control", 5, SMALL))


def _covered_rate(name: str, hits: Whole, answered: Whole, valid: Whole) -> Rate:
    """An arm of which it is known what became of every draw."""
    among = np.where(valid > 0, hits / np.maximum(valid, 1), np.nan)
    means = tuple(tuple(None if np.isnan(x) else x for x in row) for row in among.tolist())
    coverage = Coverage(
        answered=_cells(answered),
        missing=_cells(DRAWS - answered),
        valid=_cells(valid),
        valid_means=means,
    )
    share, lost = float(valid.sum() / answered.sum()), int((DRAWS - answered).sum())
    return rate_of(name, hits / answered, valid=share, missing=lost, coverage=coverage)


def _cells(values: Whole) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, values.tolist()))


def _unrated(random: Random) -> bool:
    student, control = (judged(random, name, 5, 0.1) for name in ("student", "control"))
    each = tuple(
        tuple(tuple(s for s in cell if s > 4 or random.random() > 0.8) for cell in row)
        for row in student.each
    )
    rated = np.array([[len(cell) for cell in row] for row in each])
    means = tuple(tuple(float(np.mean(c)) if c else None for c in row) for row in each)
    coverage = Coverage(
        answered=_cells(rated),
        missing=_cells(10 - rated),
        valid=_cells(rated),
        valid_means=means,
    )
    lost = int((10 - rated).sum())
    return decided(
        replace(student, each=each, table=means, unrated=lost, coverage=coverage) - control
    )


def crossed() -> Iterator[Case]:
    """Intervals over seeds and questions, both random; effects of questions differ by 14 points."""
    for seeds in (3, 5, 8):
        for questions in (10, 20, 50):
            event = partial(_covered_over_both, seeds=seeds, questions=questions)
            arms = f"{seeds} v {seeds} (7 / 0.3), {questions} questions, +25 points"
            yield Case('interval of over("both")', arms, "coverage", 0.92, event)


def _covered_over_both(random: Random, *, seeds: int, questions: int) -> bool:
    offsets, effects = random.normal(0.3, 0.1, questions), random.uniform(0, 0.5, questions)
    noise = random.normal(0, 0.03, (2, seeds, questions))
    student = offsets + effects + random.normal(0, LARGE, (seeds, 1)) + noise[0]
    control = offsets + random.normal(0, SMALL, (seeds, 1)) + noise[1]
    effect = rate_of("student", student) - rate_of("control", control)
    low, high = effect.over("both").interval
    return low <= 0.25 <= high


CASES = tuple(
    case
    for cases in (
        two_arms,
        intervals,
        crossed,
        against_base,
        families,
        doses,
        margins,
        missing,
        scores,
        powers,
    )
    for case in cases()
)
