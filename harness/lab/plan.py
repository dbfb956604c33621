"""The plan of a run: which stages some experiments need, and which of them are finished."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...backends import Quote
from ..stages import Stage, answers_in_store
from .pipeline import Pipeline, in_order, with_previous
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
    kept: Mapping[str, int] = field(default_factory=dict)
    """Answers of unfinished stages that have arrived, by key; none of those without one."""
    by_experiment: tuple[tuple[Stage, ...], ...] = ()
    """The stages of each experiment that no experiment before it needs."""

    def completions(self, stage: Stage) -> int:
        """Completions that a stage has still to sample, at most."""
        return max(stage.size() - self.kept.get(stage.key, 0), 0)


def plan_of(requests: Sequence[tuple[Pipeline, Collection[str]]], backends: RunBackends) -> Plan:
    """The plan of some pipelines, each with the arms that are wanted of it."""
    groups = [_stages_of(pipe, arms) for pipe, arms in requests]
    stages = {stage.key: stage for group in groups for stage in group}
    uses = Counter(stage.key for group in groups for stage in group)
    store = backends.store
    return Plan(
        by_experiment=tuple(_first_needed(groups)),
        stages=tuple(stages.values()),
        finished=frozenset(k for k, stage in stages.items() if store.has(stage.kind, k)),
        shared=frozenset(key for key in stages if uses[key] > 1),
        quotes=backends.quotes(stages.values()),
        kept={k: kept for k, stage in stages.items() if (kept := answers_in_store(store, stage))},
    )


def _stages_of(pipe: Pipeline, arms: Collection[str]) -> list[Stage]:
    """What some arms need, also of the experiments whose students teach theirs."""
    needed = with_previous([(pipe, arms)])
    return in_order(stage for pipe, arms in needed for stage in pipe.all_targets(arms))


def _first_needed(groups: Iterable[Iterable[Stage]]) -> Iterator[tuple[Stage, ...]]:
    """The stages of each group that are in no group before it."""
    seen: set[str] = set()
    for group in groups:
        new = tuple(stage for stage in group if stage.key not in seen)
        seen.update(stage.key for stage in new)
        yield new
