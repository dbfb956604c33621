"""The plan of a run: which stages some experiments need, and which of them are finished."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ...backends import Quote
from ..stages import Stage
from .pipeline import Pipeline, in_order
from .run_backends import RunBackends


@dataclass(frozen=True)
class Plan:
    """The stages that some experiments need, each once."""

    stages: tuple[Stage, ...]
    finished: frozenset[str]
    """Keys of the stages that are finished."""
    shared: frozenset[str]
    """Keys of the stages that more than one experiment needs."""
    quotes: Mapping[str, Quote]
    """What a service will charge for the unfinished stages, by key."""


def plan_of(requests: Sequence[tuple[Pipeline, Collection[str]]], backends: RunBackends) -> Plan:
    """The plan of some pipelines, each with the arms that are wanted of it."""
    groups = [in_order(pipe.all_targets(arms)) for pipe, arms in requests]
    stages = {stage.key: stage for group in groups for stage in group}
    uses = Counter(stage.key for group in groups for stage in group)
    store = backends.store
    return Plan(
        stages=tuple(stages.values()),
        finished=frozenset(k for k, stage in stages.items() if store.has(stage.kind, k)),
        shared=frozenset(key for key in stages if uses[key] > 1),
        quotes=backends.quotes(stages.values()),
    )
