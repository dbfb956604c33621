"""Runs the stages of experiments: first what decides the gates, then what they let through."""

import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager

from ...backends import Needs
from ...datasets.errors import DamageError, PendingError, StoreWarning
from ..executors import LOCAL, largest
from ..stages import ChoosingStage, Stage, set_aside_damage
from .arm_cache import ArmCache
from .cluster import cluster_executor
from .durations import TimeEstimate, estimated_time, service_time
from .executors import ExecutorFactory, executor_for
from .gate import TeacherGate
from .interim_looks import InterimLooks
from .interruption import interruptible
from .pipeline import Pipeline, in_order, with_previous
from .progress import ProgressListener
from .run_backends import RunBackends
from .scheduler import execute

Requests = Sequence[tuple[Pipeline, Collection[str]]]
"""Pipelines, each with the arms that are wanted of it."""


class StageRunner:
    """Runs stages, and keeps the failures for whoever asks for the arms that they spoil."""

    def __init__(
        self,
        backends: RunBackends,
        arms: ArmCache,
        *,
        listener: ProgressListener,
        executor: ExecutorFactory | None,
    ) -> None:
        self.failures: dict[str, Exception] = {}
        self.gate = TeacherGate(arms, self.failures)
        self.looks = InterimLooks(arms)
        self._backends = backends
        self._listener = listener
        self._executor = executor

    def run(self, wanted: Requests) -> None:
        """Run what the requests need. A failed stage does not stop the others."""
        requests = with_previous(wanted)
        damaged = self._set_aside_damage(requests)
        if not damaged and self._is_settled(requests):
            return
        self._forget_pending()
        stages = in_order(s for pipe, arms in requests for s in pipe.all_targets(arms))
        self._backends.quotes(stages)  # raises if the budget is too small
        self._backends.store.open()
        self._announce(stages)
        with (
            interruptible(self._backends.store.root),
            self._open_executor(stages, requests) as pool,
            self._stopping_services(stages),
        ):
            for targets in self._rounds(requests):
                failures = execute(
                    in_order(targets),
                    self._backends.settings,
                    self._listener,
                    pool,
                    self.failures,
                    workers=self._backends.window,
                )
                self.failures.update(failures)

    def _announce(self, stages: Sequence[Stage]) -> None:
        """Tell the listener what there is to do at most, and how long it may take."""
        store, backends = self._backends.store, self._backends
        left = [stage for stage in stages if not store.has(stage.kind, stage.key)]

        def estimate() -> TimeEstimate:
            if backends.own.capabilities.service is not None:
                return service_time(left, backends.quotes(left))
            return estimated_time(store, left, backends.workers)

        self._listener.planned(left, estimate)

    def _drop(self, shut: Requests, others: Requests) -> None:
        """Tell the listener which stages a shut gate leaves undone, unless others need them."""
        needed = {s.key for pipe, arms in others for s in in_order(pipe.all_targets(arms))}
        keys = {s.key for pipe, arms in shut for s in in_order(pipe.all_targets(arms))} - needed
        self._listener.dropped(keys)

    def _set_aside_damage(self, requests: Requests) -> bool:
        """Whether artifacts that are read were damaged; they fail if they would be paid twice."""
        targets = in_order(s for pipe, arms in requests for s in pipe.all_targets(arms))
        read: list[Stage] = [s for s in targets if isinstance(s, ChoosingStage)]  # for the report
        read += [stage for pipe, arms in requests for stage in pipe.all_targets(arms)]
        damaged = set_aside_damage(self._backends.store, read, is_paid=self._is_paid)
        for damage in damaged:
            warnings.warn(str(damage), StoreWarning, stacklevel=2)
            if damage.lost:
                self.failures[damage.stage.key] = DamageError(str(damage))
        return bool(damaged)

    def _is_paid(self, stage: Stage) -> bool:
        return bool(stage.asks()) and self._backends.of(stage).capabilities.service is not None

    def _rounds(self, requests: Requests) -> Iterator[list[Stage]]:
        """First what the gates need, then what they let through; one generation after another."""
        for hops in sorted({pipe.experiment.hops for pipe, _ in requests}):
            group = [(pipe, arms) for pipe, arms in requests if pipe.experiment.hops == hops]
            yield [stage for pipe, arms in group for stage in self._before_the_gate(pipe, arms)]
            passed, shut = self._by_gate(group)
            self._tell_of_gates(passed, group)
            if shut:
                self._drop(
                    shut, [*passed, *(one for one in requests if one[0].experiment.hops > hops)]
                )
            yield from self.looks.rounds(passed)

    def _by_gate(self, group: Requests) -> tuple[Requests, Requests]:
        """Those whose gate is open, and those whose gate is shut."""
        is_open = [self.gate.fault(pipe) is None for pipe, _ in group]
        return (
            [one for one, through in zip(group, is_open, strict=True) if through],
            [one for one, through in zip(group, is_open, strict=True) if not through],
        )

    def _tell_of_gates(self, passed: Requests, group: Requests) -> None:
        """Tell the listener of how many experiments the gates let through what is left to do."""
        open_gates = [(pipe, arms) for pipe, arms in passed if pipe.gates]
        if any(self._is_unfinished(pipe, arms) for pipe, arms in open_gates):
            total = sum(bool(pipe.gates) for pipe, _ in group)
            self._listener.passed(len(open_gates), total)

    def _is_unfinished(self, pipe: Pipeline, arms: Collection[str]) -> bool:
        has = self._backends.store.has
        return any(not has(stage.kind, stage.key) for stage in pipe.all_targets(arms))

    def _before_the_gate(self, pipe: Pipeline, arms: Collection[str]) -> list[Stage]:
        if self.gate.fault_before(pipe):
            return pipe.targets(arm for arm in arms if arm in pipe.untrained)
        return [
            *pipe.untrained_targets(arms),
            *pipe.targets(arm for arm in arms if arm == "teacher"),
        ]

    def _is_settled(self, requests: Requests) -> bool:
        """Whether every wanted stage has finished or failed."""
        as_run = ((self.looks.pipeline_as_run(pipe), arms) for pipe, arms in requests)
        return all(
            stage.key in self.failures or self._backends.store.has(stage.kind, stage.key)
            for pipe, arms in as_run
            for stage in pipe.all_targets(arms)
        )

    def _forget_pending(self) -> None:
        """Let stages that only waited for a service be tried again."""
        for key, failure in list(self.failures.items()):
            if isinstance(failure, PendingError):
                del self.failures[key]

    def _open_executor(
        self, stages: Sequence[Stage], requests: Requests
    ) -> AbstractContextManager[Executor]:
        if self._executor is not None:
            return self._executor(self._backends.workers)
        if self._backends.settings.executor != LOCAL:
            return cluster_executor(stages, self._backends, _needs_of_specs(requests))
        return executor_for(stages, self._backends)

    @contextmanager
    def _stopping_services(self, stages: Sequence[Stage]) -> Iterator[None]:
        """Stop waiting for services when the run is interrupted."""
        try:
            yield
        except BaseException:
            self._backends.stop_services(stages)
            raise


def _needs_of_specs(requests: Requests) -> Mapping[str, Needs]:
    """What experiments state that their stages need, by key; of shared ones the most."""
    stated = defaultdict[str, list[Needs]](list)
    for pipe, arms in requests:
        if pipe.experiment.needs is not None:
            for stage in in_order(pipe.all_targets(arms)):
                stated[stage.key].append(pipe.experiment.needs)
    return {key: largest(needs) for key, needs in stated.items()}
