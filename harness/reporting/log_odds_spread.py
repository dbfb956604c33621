"""How much students' log-odds differ by their seeds alone; nothing is drawn, so only seeds vary."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...datasets.errors import DamageError
from ..experiment import LogOdds, Reading
from ..lab import Pipeline
from ..stages import VALUES, Store, base_of
from ..statistics import Spread, mean, seed_deviation
from .spread_sources import KnownDeviation, kind_of, spread_elsewhere, spread_of


def log_odds_spread(store: Store, pipe: Pipeline, measure: LogOdds, reading: Reading) -> Spread:
    """The between-seed spread of log-odds in nats, of students and of controls.

    Of the experiment's own arms in the store (two models or more), else the shipped one of the
    toy, or for other models the published one.
    """
    own = {arm: _deviation(store, pipe, measure, reading, arm) for arm in ("student", "control")}
    model = base_of(pipe.arms["baseline"][0].answers.subject).model
    elsewhere = spread_elsewhere(kind_of(measure, reading), model)
    return spread_of(own["student"], own["control"], elsewhere, answer=0.0)


def _deviation(
    store: Store, pipe: Pipeline, measure: LogOdds, reading: Reading, arm: str
) -> KnownDeviation | None:
    word, places = str(reading.word), measure.places(reading.group)
    tables = (
        [measure.figure(word, rows[q]) for q in places] for rows in _finished(store, pipe, arm)
    )
    known = ([each for each in table if each is not None] for table in tables)
    values = [mean(table) for table in known if table]
    deviation = seed_deviation([values], 0.0)
    source = f"{len(values)} models of this experiment in the store"
    return None if deviation is None else KnownDeviation(deviation, source)


def _finished(store: Store, pipe: Pipeline, arm: str) -> Iterator[list[Mapping[str, Any]]]:
    """The log-probabilities of each of an arm's models; a run reports those that are damaged."""
    for model in pipe.arms.get(arm, ()):
        stage = model.answers
        if store.has(stage.kind, stage.key):
            try:
                yield store.json(stage.kind, stage.key, VALUES)
            except DamageError:
                continue
