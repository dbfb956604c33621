"""How long stages take: by the pace of past ones of the same model in the store, or by figures
that ship with limen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from ...backends import Quote, WorkRequest
from ..stages import (
    Base,
    ComputeProbabilities,
    FineTune,
    Generate,
    GenerateEnough,
    Manifest,
    ScoreContinuations,
    Stage,
    Store,
    TrainingFileStage,
    base_of,
    remaining_work,
)
from .shipped_paces import BASES, DATA, MACHINE, MEASURED, MODELS, START

T = TypeVar("T")
PAST = "past stages of this store"
SHIPPED = f"figures shipped with limen: {MACHINE}, {MEASURED}"
ALIKE: Mapping[str, str] = {GenerateEnough.kind: Generate.kind}
"""Kinds that take as long as another one for each unit, where nothing is known of their own."""


@dataclass(frozen=True)
class Load:
    """The work of a stage."""

    kind: str
    model: str
    """The base model that it asks or trains; empty for a stage that does neither."""
    units: int
    """Completions (of a collection in its first round), rows times epochs, questions, or rows
    read."""


@dataclass(frozen=True, kw_only=True)
class TimeEstimate:
    """How long some stages take."""

    seconds: float
    """From the first stage's start to the last one's end, for those whose time is known."""
    unknown: frozenset[str]
    """The kinds of which nothing is known."""
    basis: str
    """What it rests on; empty where nothing is known."""
    by_stage: dict[str, float]
    """Seconds of each stage by itself, by key, where known."""
    at_a_time: float = 1.0
    """Stages side by side that these seconds are of."""


def estimated_time(store: Store, left: Sequence[Stage], workers: int) -> TimeEstimate:
    """How long stages take, ``workers`` of them at a time; inputs stand before what reads them."""
    rows = _rows_reader()
    past = cache(lambda kind, model: _past_pace(store, kind, model))
    seconds: dict[str, float] = {}
    unknown, sources = set[str](), set[str]()
    for stage in left:
        load = load_of(stage, rows, remaining_work(store, stage))
        known = _first_known(past, load) if load.model else 0.0
        pace, source = (known, PAST) if known else (shipped_pace(load), SHIPPED)
        if pace is None:
            unknown.add(load.kind)
            continue
        seconds[stage.key] = pace * load.units
        if load.model and load.kind != Base.kind:
            sources.add(source)
    return TimeEstimate(
        seconds=START + max(sum(seconds.values()) / workers, longest_chain(left, seconds)),
        unknown=frozenset(unknown),
        basis=", and ".join(sorted(sources, reverse=True)) or (SHIPPED if seconds else ""),
        by_stage=seconds,
        at_a_time=workers,
    )


def service_time(left: Sequence[Stage], quotes: Mapping[str, Quote]) -> TimeEstimate:
    """How long stages take that ask a service: at the account's rate limits, which they share."""
    minutes = {key: quote.minutes for key, quote in quotes.items() if quote.minutes}
    trains = any(isinstance(stage, FineTune) for stage in left)
    return TimeEstimate(
        seconds=60 * sum(minutes.values()),
        unknown=frozenset({FineTune.kind}) if trains else frozenset(),
        basis="the account's rate limits" if minutes else "",
        by_stage={key: 60 * each for key, each in minutes.items()},
    )


def load_of(
    stage: Stage,
    rows: Callable[[Stage], int] | None = None,
    left: WorkRequest | None = None,
) -> Load:
    """The work of a stage, or what is left of it; ``rows`` counts the rows that a stage leaves."""
    if isinstance(stage, Base):
        return Load(stage.kind, stage.model, 1)
    if isinstance(stage, ComputeProbabilities | ScoreContinuations):
        return Load(stage.kind, base_of(stage.asked.subject).model, len(stage.asked.questions))
    if work := left or stage.work():
        epochs = int(work.recipe.get("epochs") or 1)
        return Load(stage.kind, work.model, work.completions or work.rows * epochs)
    asked = [given.model for given in stage.inputs() if isinstance(given, Base)]
    model = asked[0] if stage.asks() and asked else ""
    return Load(stage.kind, model, sum(map(rows or _rows_reader(), stage.inputs())))


def _rows_reader() -> Callable[[Stage], int]:
    """A function that tells how many rows a stage leaves at most; 0 where it is not known."""
    known: dict[str, int] = {}

    def rows(stage: Stage) -> int:
        if stage.key not in known:
            own = stage.count if isinstance(stage, TrainingFileStage) else stage.size()
            known[stage.key] = own or sum(map(rows, stage.inputs()))
        return known[stage.key]

    return rows


def _of_model(shipped: Mapping[str, T], model: str, otherwise: T) -> T:
    """What ships for a model, by a part of its name."""
    return next((value for name, value in shipped.items() if name in model), otherwise)


def shipped_pace(load: Load) -> float | None:
    """Seconds a unit by the figures that ship with limen; None if there are none."""
    if load.kind == Base.kind:
        return _of_model(BASES, load.model, 0.0)
    if not load.model:
        return DATA.get(load.kind, 0.0)
    paces = _of_model(MODELS, load.model, {})
    return paces.get(load.kind, paces.get(ALIKE.get(load.kind, load.kind)))


def longest_chain(stages: Iterable[Stage], seconds: Mapping[str, float]) -> float:
    """The time of the longest chain of stages that wait for each other, by seconds of each key."""
    ends: dict[str, float] = {}
    for stage in stages:
        needed = (*stage.inputs(), *stage.guards())
        start = max((ends.get(given.key, 0.0) for given in needed), default=0.0)
        ends[stage.key] = start + seconds.get(stage.key, 0.0)
    return max(ends.values(), default=0.0)


def _first_known(past: Callable[[str, str], float], load: Load) -> float:
    """Seconds a unit of a stage, or of one that is like it; 0 where nothing is known."""
    like = ALIKE.get(load.kind, load.kind)
    return past(load.kind, load.model) or past(like, load.model)


def _past_pace(store: Store, kind: str, model: str) -> float:
    """Seconds a unit; 0 where nothing is known."""
    seconds = units = 0.0
    for manifest in store.manifests(kind):
        named = str(manifest.get("model", ""))
        if model in (named, manifest.get("base")) or named.startswith(f"ft:{model}:"):
            seconds += float(manifest["seconds"])
            units += _done(manifest)
    return seconds / units if units else 0.0


def _done(manifest: Manifest) -> int:
    counts: dict[str, int] = manifest.get("counts", {})
    if "examples" in counts:
        return counts["examples"] * int(manifest["recipe"].get("epochs") or 1)
    return counts.get("completions", 0) or counts.get("questions", 0)
