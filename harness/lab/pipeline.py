"""The last stages of an experiment: measures by arm, the gates before training, and audits."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from ...datasets.errors import SpecError
from ..experiment import ARMS, Experiment, Models, Trait
from ..stages import (
    AskQuestions,
    Audit,
    CompareData,
    ComputeProbabilities,
    JudgeReplies,
    MixRows,
    RunInspectTask,
    ScoreContinuations,
    Stage,
    Subject,
)

UNTRAINED = frozenset({"baseline", "teacher"})
"""The arms that need no training data: all others wait for the teacher to show its trait."""


def teacher_arms(experiment: Experiment) -> dict[str, Trait]:
    """The arms of a mix's other teachers: "panda teacher", and its trait."""
    others = (trait for trait in experiment.traits if trait != experiment.trait)
    named = {f"{trait.name} teacher": trait for trait in others}
    return {name: trait for name, trait in named.items() if name not in experiment.all_arms}


@dataclass(frozen=True)
class ModelStages:
    """One model's answers, and what the judges say of them."""

    answers: AskQuestions | ScoreContinuations | RunInspectTask
    """The answers, or what is computed in their place."""
    judged: tuple[JudgeReplies, ...] = ()
    exact: ComputeProbabilities | None = None
    """The probabilities of some answers, if they are wanted and the backend can compute them."""

    @property
    def sampled(self) -> AskQuestions:
        """The sampled answers; raises :class:`~limen.SpecError` for a computed measure."""
        if not isinstance(self.answers, AskQuestions):
            raise SpecError(f"{self.answers.label}: nothing was sampled")
        return self.answers

    @property
    def targets(self) -> tuple[Stage, ...]:
        """The last stages: answers, ratings and probabilities."""
        return (self.answers, *self.judged, *([self.exact] if self.exact else []))


@dataclass(frozen=True)
class Gate:
    """The measures of one teacher and its base, by which training waits for the trait."""

    trait: Trait
    teacher: tuple[ModelStages, ...]
    base: tuple[ModelStages, ...]

    @property
    def targets(self) -> list[Stage]:
        """The measures of both."""
        return [stage for models in (*self.teacher, *self.base) for stage in models.targets]


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The last stages of an experiment: the measures of each arm's models."""

    experiment: Experiment
    arms: Mapping[str, tuple[ModelStages, ...]]
    """Each arm's models, one a seed."""
    gates: tuple[Gate, ...]
    """One for each teacher; none if training does not wait."""
    data: Mapping[str, tuple[MixRows, ...]]
    """The training files of each arm that has any, one a seed."""
    audits: Mapping[str, tuple[Audit, ...]]
    """The audits of these files for leaks, one a seed."""
    previous: "Pipeline | None" = None
    """The experiment whose students teach, in a hop."""

    @property
    def untrained(self) -> frozenset[str]:
        """The arms that need no training data."""
        first = frozenset({"baseline"}) if self.previous else UNTRAINED
        arms = self.experiment.all_arms
        models = {name for name, arm in arms.items() if isinstance(arm, Models)}
        return first | models | teacher_arms(self.experiment).keys()

    def targets(self, arms: Iterable[str]) -> list[Stage]:
        """The measures of some arms."""
        return [stage for arm in arms for models in self.arms[arm] for stage in models.targets]

    def untrained_targets(self, arms: Iterable[str]) -> list[Stage]:
        """What runs first: the arms without training, and the gates' measures if any is trained."""
        requested = list(arms)
        gates = self.gates if set(requested) - self.untrained else ()
        gate_targets = [stage for gate in gates for stage in gate.targets]
        return [*self.targets(arm for arm in requested if arm in self.untrained), *gate_targets]

    def trained_targets(self, arms: Iterable[str]) -> list[Stage]:
        """What waits for the gates: audits, measures and comparisons of the trained arms."""
        trained = [arm for arm in arms if arm not in self.untrained]
        audits = [audit for arm in trained for audit in self.audits.get(arm, ())]
        return [*audits, *self.targets(trained), *self.data_comparisons(trained)]

    def all_targets(self, arms: Iterable[str]) -> list[Stage]:
        """Everything that some arms need, in the order that it runs."""
        requested = list(arms)
        return [*self.untrained_targets(requested), *self.trained_targets(requested)]

    @property
    def has_exact_rates(self) -> bool:
        """Whether probabilities are computed beside the draws."""
        return self.arms["baseline"][0].exact is not None

    def data_comparisons(self, arms: Iterable[str]) -> list[CompareData]:
        """The comparisons of the arms' data with the control's, if that is among them."""
        requested = list(arms)
        if "control" not in requested:
            return []
        return [
            CompareData(label=f"{mix.label} v control", trait=mix, control=control)
            for arm in requested
            for mix, control in zip(self.data.get(arm, ()), self.data["control"], strict=False)
            if mix.key != control.key
        ]

    def with_seeds(self, seeds: int) -> "Pipeline":
        """The same pipeline with only the first ``seeds`` models of each trained arm."""
        return replace(
            self,
            arms={n: m[: None if n in self.untrained else seeds] for n, m in self.arms.items()},
            data={name: mixes[:seeds] for name, mixes in self.data.items()},
            audits={name: audits[:seeds] for name, audits in self.audits.items()},
        )

    def subject(self, arm: str) -> Subject:
        """The first model of an arm."""
        return self.arms[arm][0].answers.subject


def with_previous(
    requests: Iterable[tuple[Pipeline, Collection[str]]],
) -> list[tuple[Pipeline, Collection[str]]]:
    """The requests, and before them what they need of experiments whose students teach."""
    requested = list(requests)
    before = [
        (pipe.previous, ("student", "control"))
        for pipe, arms in requested
        if pipe.previous and set(arms) - pipe.untrained
    ]
    return [*with_previous(before), *requested] if before else requested


def check_arm(experiment: Experiment, arm: str) -> None:
    """Raise :class:`~limen.SpecError` for an arm that the experiment cannot have."""
    known = (*ARMS, *teacher_arms(experiment), *experiment.all_arms, *experiment.epoch_arms)
    if arm not in known:
        raise SpecError(f"an experiment has no arm {arm!r}: it has {', '.join(known)}")
    if arm == "control" and not experiment.has_control:
        raise SpecError(experiment.data.no_control)


def in_order(targets: Iterable[Stage]) -> list[Stage]:
    """The targets and all stages that they depend on, each once, inputs first."""
    ordered: dict[str, Stage] = {}
    seen: dict[int, Stage] = {}  # holds each stage, so that no id is used again

    def add(stage: Stage) -> None:
        if id(stage) in seen:
            return
        seen[id(stage)] = stage
        for given in (*stage.inputs(), *stage.guards()):
            add(given)
        known = ordered.setdefault(stage.key, stage)
        if stage.size() > known.size():  # the same but for a higher cap: at_most
            ordered[stage.key] = stage

    for target in targets:
        add(target)
    return list(ordered.values())
