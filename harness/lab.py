"""The lab: plans experiments, runs their stages once, and hands out arms."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ..backends import Quote, is_service
from ..datasets.errors import ExperimentError, PendingError, TeacherError
from .execution import Watcher, execute, local_executor, thread_executor
from .experiment import Experiment
from .pipeline import TRAINED, Pipeline, check_arm, in_order, pipeline
from .results import Arm, read_arm
from .settings import Settings
from .stage import Stage, backend_of, forget_backends
from .stages import Measure
from .store import Store

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
        watcher: Watcher | None = None,
        executor: Callable[[int], AbstractContextManager[Executor]] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.store = Store(self.settings.store)
        self.backend = backend_of(self.settings.backend, self.store, self.settings.terms)
        self._watcher = watcher or Watcher()
        waiting = is_service(self.backend)
        self._executor = executor or (thread_executor if waiting else local_executor)
        self._workers = self.settings.side_by_side(waiting=waiting)
        self._pipelines: list[Pipeline] = []
        self._failures: dict[str, Exception] = {}
        self._arms: dict[tuple[str, ...], Arm] = {}

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
        base = self.pipeline(experiment).arms["baseline"][0].subject.identity()
        if arm not in TRAINED:
            return None
        model = self.backend.describe(base["model"])
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
        if not is_service(self.backend):
            return {}
        undone = (s for s in stages if not self.store.has(s.kind, s.key))
        works = {stage.key: stage.work() for stage in undone}
        return {key: self.backend.quote(work) for key, work in works.items() if work}

    def run(self, wanted: Wanted) -> None:
        """Do what the experiments need: first what tells whether the teachers have the trait.

        A failure is kept for whoever asks for the arm it spoils; the other stages go on.
        """
        pipes = [(self.pipeline(experiment), arms) for experiment, arms in wanted]
        if all(self._settled(m) for pipe, arms in pipes for m in pipe.targets(arms)):
            return
        self._failures = {k: f for k, f in self._failures.items() if not is_pending(f)}
        self._quotes(in_order(m for pipe, arms in pipes for m in pipe.rest(arms)))  # refuses first
        self.store.open()
        with self._executor(self._workers) as pool, self._stopping():
            self._execute([m for pipe, arms in pipes for m in pipe.first(arms)], pool)
            willing = [(pipe, arms) for pipe, arms in pipes if self._gate_fault(pipe) is None]
            self._execute([m for pipe, arms in willing for m in pipe.rest(arms)], pool)

    def arm(self, experiment: Experiment, name: str) -> Arm:
        """An arm's results; does what is missing for them.

        Raises :class:`~limen.TeacherError` for a trained arm whose teacher does not show the trait,
        and :class:`~limen.ExperimentError` if a stage failed.
        """
        check_arm(experiment, name)
        pipe = self.pipeline(experiment)
        self.run([(experiment, [name])])
        if name in TRAINED and (fault := self._gate_fault(pipe)):
            raise fault
        for measure in pipe.arms[name]:
            if failure := self._failures.get(measure.key):
                raise _told(failure, str(failure)) from failure
        return self._read(pipe, name, pipe.arms[name])

    def _execute(self, targets: Sequence[Measure], pool: Executor) -> None:
        self._failures = execute(
            in_order(targets),
            self.settings,
            self._watcher,
            pool,
            self._failures,
            workers=self._workers,
        )

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Have nothing wait for a service any longer once the run is being ended."""
        try:
            yield
        except BaseException:
            if is_service(self.backend):
                self.backend.stop()
                forget_backends()
                self.backend = backend_of(self.settings.backend, self.store, self.settings.terms)
            raise

    def _settled(self, stage: Stage) -> bool:
        return stage.key in self._failures or self.store.has(stage.kind, stage.key)

    def _gate_fault(self, pipe: Pipeline) -> ExperimentError | None:
        """Why the trained arms are not to be trained; None if they may, or if that is unknown."""
        if pipe.gate is None:
            return None
        for measure in pipe.gate:
            if failure := self._failures.get(measure.key):
                if isinstance(failure, PendingError):
                    return failure
                return TeacherError(
                    f"whether the teacher shows the trait could not be measured: {failure}"
                )
        if not all(self.store.has(measure.kind, measure.key) for measure in pipe.gate):
            return None
        experiment = pipe.experiment
        word, least = experiment.trait.shown_by, experiment.gate or 0.0
        teacher, base = (
            self._read(pipe, name, (measure,)).rate(word)
            for name, measure in zip(("teacher", "its base"), pipe.gate, strict=True)
        )
        if teacher.value - base.value >= least:
            return None
        return TeacherError(
            f"the teacher does not show the trait {experiment.trait.name!r}: it says {word!r} in "
            f"{teacher.value:.1%} of its answers, its base in {base.value:.1%}, and training waits "
            f"for {100 * least:+.0f} points, so nothing was generated or trained for it. "
            f"Strengthen the trait's system prompt, or lower gate={experiment.gate} "
            f"(gate=None: train in any case)"
        )

    def _read(self, pipe: Pipeline, name: str, measures: tuple[Measure, ...]) -> Arm:
        experiment = pipe.experiment
        keys = (measure.key for measure in measures)
        key = (name, *keys, experiment.measure.rule, experiment.trait.shown_by)
        if key not in self._arms:
            self._arms[key] = read_arm(
                self.store, name, experiment, measures, trained=name in TRAINED
            )
        return self._arms[key]


def is_pending(failure: Exception) -> bool:
    """Whether a stage only waits for a service."""
    return isinstance(failure, PendingError)


def _told(failure: Exception, says: str) -> ExperimentError:
    """A stage's failure, as whoever asks for its arm is told."""
    return PendingError(says) if isinstance(failure, PendingError) else ExperimentError(says)
