"""The lab: plans experiments, runs their stages once, and hands out arms."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ...backends import Backend, Quote
from ...datasets.errors import (
    ExperimentError,
    MissingModelError,
    PendingError,
    ScoreError,
    TeacherError,
)
from ..experiment import Experiment
from ..stages import FineTune, Stage, Store, backend_of, base_of, forget_backends
from ..statistics import difference
from .arms import Arm, read_arm
from .gate import check_trait
from .pipeline import UNTRAINED, Gate, ModelStages, Pipeline, check_arm, in_order, pipeline
from .scheduler import ProgressListener, RoutingExecutor, execute, local_executor, thread_executor
from .settings import Settings

Wanted = Sequence[tuple[Experiment, Collection[str]]]
"""Experiments, each with the arms that are asked for."""


@dataclass(frozen=True)
class Plan:
    """The stages that some experiments need, each once."""

    stages: tuple[Stage, ...]
    finished: frozenset[str]
    """Keys of the stages that are done."""
    shared: frozenset[str]
    """Keys of the stages that more than one experiment needs."""
    quotes: Mapping[str, Quote]
    """What a service will take for the stages to do, by key."""


class Lab:
    """Everything between experiments and their results, for one choice of settings."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        watcher: ProgressListener | None = None,
        executor: Callable[[int], AbstractContextManager[Executor]] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.store = Store(self.settings.store)
        self.backend = backend_of(self.settings.backend, self.store, self.settings.terms)
        self._watcher = watcher or ProgressListener()
        self._executor = executor
        able = self.backend.capabilities
        self._workers = self.settings.side_by_side(
            waiting=able.service is not None, most=able.max_parallel_stages
        )
        self._pipelines: list[Pipeline] = []
        self._failures: dict[str, Exception] = {}
        self._arms: dict[tuple[Experiment | str, ...], Arm] = {}

    def pipeline(self, experiment: Experiment) -> Pipeline:
        """The experiment's stages; raises :class:`~limen.SpecError` for what cannot be meant."""
        for known in self._pipelines:
            if known.experiment == experiment:
                return known
        made = pipeline(experiment, self.settings, self.backend)
        self._pipelines.append(made)
        return made

    def cannot(self, experiment: Experiment, arm: str) -> str | None:
        """Why the backend cannot have an arm; None if it can."""
        try:
            subject = self.pipeline(experiment).subject(arm)
        except MissingModelError as missing:
            return str(missing)
        if not isinstance(subject, FineTune):
            return None
        model = self.backend.describe(base_of(subject).model)
        if model.can_fine_tune:
            return None
        return (
            f"the arm {arm!r} needs fine-tuning, which the backend {self.backend.name!r} "
            f"cannot do with {model.name!r}: {model.why_not}"
        )

    def plan(self, wanted: Wanted) -> Plan:
        """What the experiments need, and what of it is there already."""
        each = [
            in_order([*pipe.first(arms), *pipe.rest(arms)])
            for pipe, arms in ((self.pipeline(e), arms) for e, arms in wanted)
        ]
        stages = {stage.key: stage for group in each for stage in group}
        uses = Counter(stage.key for group in each for stage in group)
        finished = frozenset(k for k, s in stages.items() if self.store.has(s.kind, k))
        return Plan(
            stages=tuple(stages.values()),
            finished=finished,
            shared=frozenset(key for key in stages if uses[key] > 1),
            quotes=self._quotes(stages.values()),
        )

    def _quotes(self, stages: Iterable[Stage]) -> dict[str, Quote]:
        undone = (stage for stage in stages if not self.store.has(stage.kind, stage.key))
        quotes = ((stage.key, self._quote(stage)) for stage in undone)
        return {key: quote for key, quote in quotes if quote}

    def _quote(self, stage: Stage) -> Quote | None:
        """What a service will take for a stage; None if none is asked for anything."""
        service = self._backend_of(stage).capabilities.service
        work = None if service is None else stage.work()
        return service.quote(work) if service and work else None

    def _backend_of(self, stage: Stage) -> Backend:
        """The backend that a stage asks; a judge may be another backend's. Else the run's own."""
        if stage.asks() in ("", self.backend.name):
            return self.backend
        return backend_of(stage.asks(), self.store, self.settings.terms)

    @contextmanager
    def _pool(self, stages: Sequence[Stage]) -> Iterator[Executor]:
        """Where the stages are done: what waits for a service in threads, which share it.

        All others in worker processes; in threads as well if the run's backend is a service and
        no other is asked, since then the rest is little.
        """
        waits = {
            name: self._backend_of(stage).capabilities.service is not None
            for stage in stages
            if (name := stage.asks())
        }
        own = self.backend.capabilities.service is not None
        if self._executor is not None or len({*waits.values(), own}) == 1:
            make = self._executor or (thread_executor if own else local_executor)
            with make(self._workers) as pool:
                yield pool
            return
        asked = (self._backend_of(stage).capabilities for stage in stages)
        most = [able.max_parallel_stages for able in asked if able.max_parallel_stages]
        cores = self.settings.side_by_side(waiting=False, most=min(most, default=None))
        with local_executor(cores) as local, thread_executor(self._workers) as threads:
            yield RoutingExecutor(local, threads, lambda stage: waits.get(stage.asks(), own))

    def run(self, wanted: Wanted) -> None:
        """Do what the experiments need: first what tells whether the teachers have the trait.

        A failure is kept for whoever asks for the arm it spoils; the other stages go on.
        """
        pipes = [(self.pipeline(experiment), arms) for experiment, arms in wanted]
        taken = ((self.taken(experiment), arms) for experiment, arms in wanted)
        if all(self._settled(stage) for pipe, arms in taken for stage in pipe.all(arms)):
            return
        self._failures = {k: f for k, f in self._failures.items() if not is_pending(f)}
        every = in_order(m for pipe, arms in pipes for m in [*pipe.first(arms), *pipe.rest(arms)])
        self._quotes(every)  # refuses first
        self.store.open()
        with self._pool(every) as pool, self._stopping(every):
            self._execute([m for pipe, arms in pipes for m in pipe.first(arms)], pool)
            willing = [(pipe, arms) for pipe, arms in pipes if self._fault(pipe) is None]
            for targets in self._rounds(willing):
                self._execute(targets, pool)

    def _rounds(self, willing: Sequence[tuple[Pipeline, Collection[str]]]) -> Iterator[list[Stage]]:
        """What is trained in turn: all at once, but for experiments that are looked at between."""
        most = max((len(self._looks(pipe)) for pipe, _ in willing), default=1)
        for turn in range(most):
            due = ((pipe, arms, self._looks(pipe)[turn:]) for pipe, arms in willing)
            yield [
                stage
                for pipe, arms, looks in due
                if looks and looks[0] <= self._reached(pipe)
                for stage in pipe.first_seeds(looks[0]).rest(arms)
            ]

    def _looks(self, pipe: Pipeline) -> list[int]:
        """The seeds after which an experiment is looked at; all of its seeds are the last."""
        seeds = len(pipe.arms["student"])
        return [*(look for look in pipe.experiment.looks if look < seeds), seeds]

    def _reached(self, pipe: Pipeline) -> int:
        """The seeds that are needed: those of the first look that tells student from control."""
        *looks, seeds = self._looks(pipe)
        return next((look for look in looks if self._decided(pipe.first_seeds(look))), seeds)

    def _decided(self, pipe: Pipeline) -> bool:
        """Whether what there is by a look tells student from control, or that they are alike."""
        both = ("student", "control")
        if not all(self.store.has(s.kind, s.key) for s in pipe.targets(both)):
            return False
        reading = pipe.experiment.measure.readings([pipe.experiment.trait.shown_by])[0]
        try:
            student, control = (self._read(pipe, name, pipe.arms[name]).read(reading)
                                for name in both)  # fmt: skip
        except ScoreError:
            return False
        return difference(student, control).verdict != "inconclusive"

    def taken(self, experiment: Experiment) -> Pipeline:
        """The experiment's stages, with the seeds that its looks left it."""
        pipe = self.pipeline(experiment)
        return pipe.first_seeds(self._reached(pipe)) if pipe.experiment.looks else pipe

    def arm(self, experiment: Experiment, name: str) -> Arm:
        """An arm's results; does what is missing for them.

        Raises :class:`~limen.TeacherError` for a trained arm whose teacher does not show the trait,
        and :class:`~limen.ExperimentError` if a stage failed.
        """
        check_arm(experiment, name)
        self.run([(experiment, [name])])
        pipe = self.taken(experiment)
        if name not in UNTRAINED and (fault := self._fault(pipe)):
            raise fault
        for stage in [*pipe.audits.get(name, ()), *pipe.targets([name])]:
            if failure := self._failures.get(stage.key):
                raise _told(failure, str(failure)) from failure
        return self._read(pipe, name, pipe.arms[name])

    def _execute(self, targets: Sequence[Stage], pool: Executor) -> None:
        self._failures = execute(
            in_order(targets),
            self.settings,
            self._watcher,
            pool,
            self._failures,
            workers=self._workers,
        )

    @contextmanager
    def _stopping(self, stages: Sequence[Stage]) -> Iterator[None]:
        """Have nothing wait for a service any longer once the run is being ended."""
        try:
            yield
        except BaseException:
            asked = {stage.asks(): self._backend_of(stage) for stage in stages}
            services = [service for b in asked.values() if (service := b.capabilities.service)]
            if services:
                for service in services:
                    service.stop()
                forget_backends()
                self.backend = backend_of(self.settings.backend, self.store, self.settings.terms)
            raise

    def _settled(self, stage: Stage) -> bool:
        return stage.key in self._failures or self.store.has(stage.kind, stage.key)

    def _fault(self, pipe: Pipeline) -> ExperimentError | None:
        """Why the trained arms are not to be trained; None if they may, or if that is unknown."""
        faults = (self._gate_fault(pipe, gate) for gate in pipe.gates)
        return next((fault for fault in faults if fault is not None), None)

    def _gate_fault(self, pipe: Pipeline, gate: Gate) -> ExperimentError | None:
        targets = [*gate.teacher.targets, *gate.base.targets]
        for stage in targets:
            if failure := self._failures.get(stage.key):
                if isinstance(failure, PendingError):
                    return failure
                return TeacherError(
                    f"whether the teacher shows the trait could not be measured: {failure}"
                )
        if not all(self.store.has(stage.kind, stage.key) for stage in targets):
            return None
        try:
            return self._passed(pipe, gate)
        except ScoreError as error:
            return TeacherError(
                f"whether the teacher shows the trait could not be measured: {error}"
            )

    def _passed(self, pipe: Pipeline, gate: Gate) -> TeacherError | None:
        """Why a teacher does not pass, by the reading that shows its trait; None if it does."""
        experiment = pipe.experiment
        teacher, base = (
            self._read(pipe, name, (asked,))
            for name, asked in (("teacher", gate.teacher), ("its base", gate.base))
        )
        found = check_trait(experiment, gate.trait, teacher, base)
        if found:
            return None
        how = "its lesson's recipe" if gate.trait.lesson else "the trait's system prompt"
        return TeacherError(
            f"the teacher does not show the trait {gate.trait.name!r}: {found.says}, so nothing "
            f"was generated or trained for it. Strengthen {how}, or lower "
            f"gate={experiment.least or 0:g} (gate=None: train in any case)"
        )

    def _read(self, pipe: Pipeline, name: str, asked: tuple[ModelStages, ...]) -> Arm:
        models = (one.answers.key for one in asked)
        key: tuple[Experiment | str, ...] = (pipe.experiment, name, *models)
        if key not in self._arms:
            self._arms[key] = read_arm(self.store, name, pipe.experiment, asked)
        return self._arms[key]


def is_pending(failure: Exception) -> bool:
    """Whether a stage only waits for a service."""
    return isinstance(failure, PendingError)


def _told(failure: Exception, says: str) -> ExperimentError:
    """A stage's failure, as whoever asks for its arm is told."""
    return type(failure)(says) if isinstance(failure, ExperimentError) else ExperimentError(says)
