"""The lab: plans experiments, runs their stages once, and gives out arms."""

from collections.abc import Collection, Sequence

from ...backends import Backend
from ...datasets.errors import ExperimentError, MissingModelError
from ..experiment import Experiment, Grid
from ..stages import Base, Checkpoint, Stage, Store, base_of
from ..statistics import EvidenceListener
from .arm_cache import ArmCache
from .arms import Arm
from .executors import ExecutorFactory
from .grids import GridResults, grid_arms, grid_of
from .notebook_progress import default_listener
from .pipeline import Pipeline, check_arm
from .pipeline_builder import build_pipeline
from .plan import Plan, plan_of
from .progress import ProgressListener
from .run_backends import RunBackends
from .runner import Requests, StageRunner
from .settings import Settings
from .training_checks import check_trainings

Wanted = Sequence[tuple[Experiment, Collection[str]]]
"""Experiments, each with the arms that are wanted of it."""


class Lab:
    """Everything between experiments and their results, for one choice of settings.

    Args:
        settings: Backend, model, store and the like. Default: `Settings()`, from the environment.
        watcher: Receives the progress. Default: lines, or one line that changes in a notebook.
        executor: Opens an executor for a number of stages side by side. Default: worker processes
            of this machine, or threads that wait for a service.
        listener: Receives every comparison that is made. Default: None.

    Raises:
        SpecError: An unknown backend; from its methods: an arm or a recipe that there cannot be.
        TeacherError: From `arm()`: the teacher does not show the trait.
        ExperimentError: From `arm()`: a stage failed.

    Examples:
        >>> lab = Lab(Settings(store=".limen"))
        >>> plan = lab.plan([(experiment, ("baseline", "teacher"))])
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        watcher: ProgressListener | None = None,
        executor: ExecutorFactory | None = None,
        listener: EvidenceListener | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.store = Store(self.settings.store)
        self._backends = RunBackends(self.settings, self.store)
        self._backends.own  # noqa: B018  (an unknown backend is refused here)
        self._arms = ArmCache(self.store, listener)
        self._runner = StageRunner(
            self._backends, self._arms, listener=watcher or default_listener(), executor=executor
        )
        self._pipelines: list[Pipeline] = []
        self._sound = set[tuple[int, str]]()
        """The arms whose trainings were checked, with the id of their pipeline."""

    @property
    def backend(self) -> Backend:
        """The run's own backend."""
        return self._backends.own

    def backend_of(self, stage: Stage) -> Backend:
        """The backend that a stage asks: another one than the run's own where a judge names it.

        Args:
            stage: A stage of a plan; one that asks no model counts for the run's own backend.

        Raises:
            SpecError: There is no such backend, or it cannot be opened with these settings.
        """
        return self._backends.of(stage)

    @property
    def workers(self) -> int:
        """Stages that run side by side."""
        return self._backends.workers

    def pipeline(self, experiment: Experiment) -> Pipeline:
        """The experiment's stages, with all of its seeds.

        Raises :class:`~limen.SpecError` for a recipe or a model that the backend does not have.

        Args:
            experiment: The experiment.
        """
        for known in self._pipelines:
            if known.experiment == experiment:
                return known
        self._pipelines.append(build_pipeline(experiment, self.settings, self.backend))
        return self._pipelines[-1]

    def pipeline_as_run(self, experiment: Experiment) -> Pipeline:
        """The experiment's stages, with the seeds that its interim looks leave.

        Args:
            experiment: The experiment.
        """
        return self._runner.looks.pipeline_as_run(self.pipeline(experiment))

    def unavailable(self, experiment: Experiment, arm: str) -> str | None:
        """Why the backend cannot provide an arm; None if it can.

        Raises :class:`~limen.SpecError` for an arm that the experiment does not have, and for a
        step after the end of a training.

        Args:
            experiment: The experiment.
            arm: The name of one of its arms, such as "student".
        """
        try:
            subject = self._pipeline_with(experiment, arm).subject(arm)
        except MissingModelError as missing:
            return str(missing)
        if isinstance(subject, Base):
            return None
        if isinstance(subject, Checkpoint) and not self.backend.capabilities.checkpoints:
            return (
                f"the arm {arm!r} needs a model of each epoch, and the backend "
                f"{self.backend.name!r} keeps the last one alone"
            )
        model = self.backend.describe(base_of(subject).model)
        if model.can_fine_tune:
            return None
        return (
            f"the arm {arm!r} needs fine-tuning, which the backend {self.backend.name!r} "
            f"cannot do with {model.name!r}: {model.why_not}"
        )

    def plan(self, wanted: Wanted) -> Plan:
        """What the experiments need, and which of it is finished.

        Args:
            wanted: Pairs of an experiment and the names of its arms that are wanted.

        Raises:
            SpecError: A recipe that a training cannot be done with.
        """
        return plan_of(self._checked(wanted), self._backends)

    def run(self, wanted: Wanted) -> None:
        """Run what the experiments need: first the measures that decide the gates.

        A failure is kept for whoever asks for the arm it spoils; the other stages go on.

        Args:
            wanted: Pairs of an experiment and the names of its arms that are wanted.

        Raises:
            SpecError: A recipe that a training cannot be done with.
        """
        self._runner.run(self._checked(wanted))

    def arm(self, experiment: Experiment, name: str) -> Arm:
        """An arm's results; runs what is missing for them.

        Raises :class:`~limen.SpecError` for an arm that the experiment does not have,
        :class:`~limen.TeacherError` for a trained arm whose teacher does not show the trait, and
        :class:`~limen.ExperimentError` if a stage failed.

        Args:
            experiment: The experiment.
            name: The name of one of its arms, such as "student".
        """
        self._runner.run([(self._pipeline_with(experiment, name), [name])])
        pipe = self.pipeline_as_run(experiment)
        if fault := self._runner.gate.fault_of(pipe, name):
            raise fault
        for stage in [*pipe.audits.get(name, ()), *pipe.targets([name])]:
            if failure := self._runner.failures.get(stage.key):
                raise _as_experiment_error(failure) from failure
        return self._arms.read(pipe, name)

    def grid(self, grid: Grid) -> GridResults:
        """A grid's results; runs what is missing for them. Raises as :meth:`arm` does.

        Args:
            grid: The grid, whose arms are run as those of one experiment.
        """
        experiment = grid.experiment
        self.run([(experiment, grid_arms(experiment))])
        return grid_of(experiment, lambda name: self.arm(experiment, name))

    def _pipeline_with(self, experiment: Experiment, arm: str) -> Pipeline:
        check_arm(experiment, arm)
        ((pipe, _),) = self._checked([(experiment, [arm])])
        return pipe

    def _checked(self, wanted: Wanted) -> Requests:
        """Pipelines, whose trainings can be done as far as that is known before the data are made.

        Raises :class:`~limen.SpecError`, once for each experiment and arm.
        """
        requests = [(self.pipeline(experiment), arms) for experiment, arms in wanted]
        for pipe, arms in requests:
            new = [arm for arm in arms if (id(pipe), arm) not in self._sound]
            steps = pipe.experiment.implied_by(new)
            check_trainings(self.backend, self.store, pipe.targets([*new, *steps]))
            self._sound.update((id(pipe), arm) for arm in new)
        return requests


def _as_experiment_error(failure: Exception) -> ExperimentError:
    """A new error for each time that a stage's failure is raised: tracebacks are not shared."""
    kind = type(failure) if isinstance(failure, ExperimentError) else ExperimentError
    return kind(str(failure))
