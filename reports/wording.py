"""Results in words: what the report and the terminal share."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from ..datasets.visible import visible_line
from .amounts import dollars
from .model import ArmRow, Claim, CostRow, EffectRow, ModelsRow, ReadingRow, Report, Result
from .text import model_name

HELD = {
    "passed": "Held",
    "failed": "Did not hold",
    "failed as expected": "Did not hold, as expected",
    "passed unexpectedly": "Held, which was not expected",
    "skipped": "Not tested",
    "stopped": "Not tested, the experiment stopped",
}
"""What an outcome of a test means for its claim, where its support is not known."""
UNEXPECTED = {"failed as expected": ", as expected", "passed unexpectedly": ", unexpectedly"}
SUPPORTS = ("supported", "held by point estimate only", "not held", "error")
"""How a claim can be supported."""


def held(claim: Claim) -> str:
    """Whether a claim held, in words."""
    if claim.support and claim.outcome != "stopped":
        return claim.support.capitalize() + UNEXPECTED.get(claim.outcome, "")
    return HELD.get(claim.outcome, claim.outcome)


def of_claims(claims: tuple[Claim, ...]) -> str:
    """How many claims a verdict supports; of records of earlier versions, how many held."""
    return f"{sum(map(_is_supported, claims))} of {len(claims)}"


def _is_supported(claim: Claim) -> bool:
    if not claim.support:
        return claim.outcome.startswith("passed")
    return claim.support == "supported"


def support_counts(claims: tuple[Claim, ...]) -> str:
    """How many claims are supported, held by point estimate only, not held, or errors."""
    counts = Counter(claim.support for claim in claims)
    plural = {"error": "errors"}
    return ", ".join(
        f"{counts[name]} {plural.get(name, name) if counts[name] > 1 else name}"
        for name in SUPPORTS
        if counts[name]
    )


def _marks(report: Report) -> str:
    """How many claims were registered, and how many were not; empty without a registration."""
    marks: dict[str, list[Claim]] = {}
    for claim in report.claims:
        if claim.registration:
            marks.setdefault(claim.registration, []).append(claim)
    counts = [_mark_count(mark, claims) for mark, claims in sorted(marks.items(), reverse=True)]
    if untested := untested_claims(report):
        counts.append(f"{len(untested)} not tested as registered")
    return ", ".join(counts)


def _mark_count(mark: str, claims: Sequence[Claim]) -> str:
    """How many claims have a mark, and for how many of the registered ones no commit shows it."""
    notes = Counter(c.registration_note for c in claims if c.registration_note)
    if mark != "registered" or not notes:
        return f"{len(claims)} {mark}"
    every = len(notes) == 1 and notes.total() == len(claims)
    each = ", ".join(note if every else f"{n} {note}" for note, n in sorted(notes.items()))
    return f"{len(claims)} {mark} ({each})"


def mark(claim: Claim) -> str:
    """How a claim was registered, in brackets, with why not; empty without a registration."""
    between = ", " if claim.registration == "registered" else ": "
    parts = filter(None, (claim.registration, claim.registration_note))
    return f" ({between.join(parts)})" if claim.registration else ""


def untested_claims(report: Report) -> list[str]:
    """The registered claims that no run of a report tested as they were registered."""
    rows = [row for run in report.runs for row in run.registrations]
    kept = {claim.test for claim in report.claims if claim.registration == "registered"}
    return sorted({test for row in rows for test in row.untested} - kept)


def tried(report: Report) -> str:
    """How many claims were tried, and how many of them were stated before their data were seen."""
    claims = report.claims
    count = "1 claim was tried" if len(claims) == 1 else f"{len(claims)} claims were tried"
    when = _marks(report) or "none was registered before its data were seen"
    return f"{count}: {support_counts(claims) or f'{of_claims(claims)} held'}; {when}."


def arm_interval(reading: ReadingRow, arm: ArmRow, between: str = " to ") -> str:
    """The interval of an arm's value, or why there is none."""
    shown = between.join(map(reading.show, arm.interval))
    return shown if arm.varies else "no sampling variation"


def difference(reading: ReadingRow, effect: EffectRow) -> str:
    """The size of an effect, with its unit."""
    return f"{reading.show_difference(effect.difference)} {reading.unit}".strip()


def interval(reading: ReadingRow, effect: EffectRow) -> str:
    """The interval of an effect, in the unit of its size."""
    return " to ".join(map(reading.show_difference, effect.interval))


def p_value(value: float) -> str:
    """A p-value in two digits."""
    return f"{value:.2g}"


def size(reading: ReadingRow, effect: EffectRow) -> str:
    """An effect with its interval and p-value, short."""
    low, high = map(reading.show_difference, effect.interval)
    return f"{difference(reading, effect)} [{low}, {high}], p = {p_value(effect.p_value)}"


def counted(effect: EffectRow) -> str:
    """What an effect rests on: models and questions of either arm."""
    (one, other), (asked, also) = effect.seeds, effect.questions
    questions = f"{asked}" if asked == also else f"{asked} v {also}"
    return f"{one} v {other} models, {questions} questions"


def cost(paid: CostRow | None) -> str:
    """What a service was paid, in a word or two."""
    return "no cost" if paid is None else f"cost {dollars(paid.usd)}"


def first_clause(reason: str) -> str:
    """What went wrong, without the figures and remedies after it."""
    return reason.partition(": ")[0]


def result_lines(result: Result, shown: Collection[str] = ()) -> Iterator[str]:
    """An experiment in one line, or a line a trait: effect, interval, p, claim, cost.

    Of the reasons in ``shown``, which the reader has seen, the first clause alone.
    """
    if result.failure:
        yield visible_line(f"{result.title}: {_unfinished(result, shown)}")
        return
    *first, last = _outcomes(result)
    for outcome in first:
        yield visible_line(f"{result.title}: {outcome}")
    yield visible_line(f"{result.title}: {last}; {cost(result.cost)}")


def _outcomes(result: Result) -> list[str]:
    if not result.headlines:
        return [_without_effect(result)]
    return [
        f"{effect.name}, {reading.name} {size(reading, effect)}: {effect.claim}"
        for reading, effect in result.headlines
    ]


def _unfinished(result: Result, shown: Collection[str]) -> str:
    """Why an experiment has not finished, and what it has cost if anything."""
    paid = f" ({cost(result.cost)})" if result.cost else ""
    failure = result.failure
    for reason in shown:
        failure = failure.replace(reason, f"{first_clause(reason)} (the whole reason stands above)")
    return f"not finished{paid}: {failure}"


def _without_effect(result: Result) -> str:
    arms = [f"{arm.name} {r.show(arm.value)}" for r in result.readings[:1] for arm in r.arms]
    return f"{result.readings[0].name}: {', '.join(arms)}" if arms else "no answers"


def lines(report: Report, shown: Collection[str] = ()) -> Iterator[str]:
    """The verdicts in short, an experiment a line; also of those that have no results.

    Of the reasons in ``shown``, which the reader has seen, the first clause alone.
    """
    for result in report.results:
        yield from result_lines(result, shown)
    known = {result.title for result in report.results}
    if counts := support_counts(report.claims):
        yield "; ".join(filter(None, (f"claims: {counts}", _marks(report))))
    lost = {claim.experiment: claim for claim in report.claims if claim.experiment not in known}
    for title, claim in lost.items():
        why = f": {claim.reason}" if claim.reason else ""
        yield visible_line(f"{title}: no results; {claim.says}: {held(claim).lower()}{why}")


def long_lines(report: Report, shown: Collection[str] = ()) -> Iterator[str]:
    """The verdicts with all arms, readings and reasons; of those in ``shown`` the first clause."""
    return map(visible_line, _long_lines(report, shown))


def _long_lines(report: Report, shown: Collection[str]) -> Iterator[str]:
    for result in report.results:
        yield f"{result.title}: {result.trait}, {model_name(result.model)} ({result.backend})"
        if result.failure:
            yield f"  {_unfinished(result, shown)}"
        if result.cost:
            yield f"  {cost(result.cost)}: {result.cost.words()}"
        models = {row.arm: row for row in result.arms}
        for reading in result.readings:
            yield f"  {reading.name}"
            yield from (_arm_line(reading, arm, models[arm.name]) for arm in reading.arms)
            yield from (_effect_line(reading, effect) for effect in reading.effects)
        if result.agreement:
            yield f"  judges: {result.agreement}"
    if counts := support_counts(report.claims):
        yield "; ".join(filter(None, (f"claims: {counts}", _marks(report))))
    for claim in report.claims:
        if claim.reason:
            yield f"{claim.outcome}: {claim.says} ({claim.reason})"


def _arm_line(reading: ReadingRow, arm: ArmRow, models: ModelsRow) -> str:
    count = f"{len(arm.by_seed)} seeds" if len(arm.by_seed) > 1 else "1 model"
    unrated = f", {arm.unrated:,} not rated" if arm.unrated else ""
    return (
        f"    {arm.name:9} {reading.show(arm.value):>6} [{arm_interval(reading, arm, ', ')}]  "
        f"{count}, {models.valid:.0%} valid{unrated}"
    )


def _effect_line(reading: ReadingRow, effect: EffectRow) -> str:
    ranks = f"; {effect.ranks}" if effect.ranks else ""
    return f"    {effect.name} {size(reading, effect)} ({effect.test}): {effect.claim}{ranks}"
