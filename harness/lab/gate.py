"""The gate before training: whether a teacher shows its trait."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...datasets.errors import ExperimentError, PendingError, TeacherError
from ..experiment import Experiment, FavoriteAnimal, FavoriteTree, Trait
from ..statistics import Estimate
from .arm_cache import ArmCache
from .arms import Arm
from .pipeline import Gate, Pipeline

SHOWN_ANSWERS = 5
"""Answers of a teacher that are shown where its gate stays shut."""
LONGEST_ANSWER = 60
"""Characters of each that are shown."""
SHOWN_LABELS = 3
"""Labels of a measure that are shown where none of them shows the trait."""


@dataclass(frozen=True, kw_only=True)
class TraitCheck:
    """The reading that shows a trait, in a teacher and in its base."""

    trait: str
    reading: str
    """The name of the reading."""
    teacher: Estimate
    base: Estimate
    tuned: bool
    """Whether the teacher is fine-tuned, not prompted."""
    lowers: bool = False
    """Whether the trait is one that lowers the reading, such as a dislike."""
    passed_on: bool = False
    """Whether the teachers are students of the experiment before."""
    threshold: float
    """How far the teacher must be above its base, in the unit of the estimates; below, if
    negative."""

    def __bool__(self) -> bool:
        """Whether the teacher passes."""
        difference = self.teacher.value - self.base.value
        return difference >= self.threshold if self.threshold >= 0 else difference <= self.threshold

    @property
    def summary(self) -> str:
        """The figures, in words."""
        show, threshold = self.teacher.show, self.teacher.show_difference(self.threshold)
        low, high = map(show, self.teacher.interval) if self.teacher.sampling_varies else ("", "")
        interval = f" [{low}, {high}]" if low else ""
        return (
            f"{self.reading}: {show(self.teacher.value)}{interval}, its base "
            f"{show(self.base.value)}, and training waits for {threshold}"
        )

    @property
    def remedy(self) -> str:
        """What to do about a teacher that does not pass."""
        if self._is_opposite:
            return self._remedy_of_opposite(-self.threshold)
        if self.passed_on:
            return (
                f"Train the students before on more rows or for longer, or change "
                f"gate={self.threshold:g} (gate=None: train in any case)"
            )
        how = "Strengthen the trait's system prompt"
        if self.tuned:
            how = 'Teach it for longer, as by .fine_tuned(recipe={"epochs": 20})'
        return f"{how}, or {self._other_gate}gate=None: train in any case)"

    @property
    def _is_opposite(self) -> bool:
        """Whether the teacher differs in the other direction: by as much, or beyond doubt."""
        if not self.threshold:
            return False
        low, high = self.teacher.interval
        doubtless = high < self.base.value if self.threshold > 0 else low > self.base.value
        return doubtless or bool(replace(self, threshold=-self.threshold))

    def _remedy_of_opposite(self, reverse: float) -> str:
        """What to do about a teacher that differs in the other direction."""
        means = "lesson" if self.tuned else "prompt"
        if not self.lowers:
            lowers = "Trait(..., lowers=True) or " if reverse < 0 else ""
            return (
                f"The teacher differs in the other direction: its {means} is about something else, "
                f"or works against the trait. If that is meant, write {lowers}gate={reverse:g}"
            )
        return (
            f"The teacher differs in the other direction: its {means} does the opposite of what is "
            f"meant. Teach it the answers that it is to give instead: Trait(...)"
            f".fine_tuned(answers=(...)). If a rise is meant, leave out lowers=True, or likes=False"
        )

    @property
    def _other_gate(self) -> str:
        """How to make the gate open at less."""
        if not self.threshold:
            return "open the gate ("
        if self.threshold < 0:
            return f"set a gate nearer to 0 than {self.threshold:g} ("
        return f"lower gate={self.threshold:g} ("


def check_trait(experiment: Experiment, trait: Trait, teacher: Arm, base: Arm) -> TraitCheck:
    """Compare a teacher with its base, by the first reading of the experiment's measure."""
    reading = experiment.measure.readings([trait.shown_by])[0]
    of_base = base.read(reading)
    return TraitCheck(
        trait=trait.name,
        reading=reading.name,
        teacher=teacher.read(reading),
        base=of_base,
        tuned=trait.lesson is not None,
        lowers=trait.lowers,
        passed_on=experiment.teachers_from is not None and trait == experiment.trait,
        threshold=_threshold(experiment, trait, of_base),
    )


def _threshold(experiment: Experiment, trait: Trait, base: Estimate) -> float:
    """How far the teacher must be from its base.

    By default a trait that lowers a rate or a rating must halve it at most, since a base may be
    nearer to the lower end than a tenth of the range.
    """
    threshold = experiment.gate_threshold(trait) or 0.0
    limits = experiment.measure.value_range
    if experiment.gate == "default" and trait.lowers and limits is not None:
        half = (limits[0] - base.value) / 2
        return max(threshold, half) if half < 0 else threshold
    return threshold


@dataclass(frozen=True)
class TeacherGate:
    """Decides whether the arms of an experiment may be trained."""

    arms: ArmCache
    failures: Mapping[str, Exception]
    """The failures of stages, by key."""

    def fault(self, pipe: Pipeline) -> ExperimentError | None:
        """Why the trained arms must not be trained; None if they may, or if it is not known yet."""
        if fault := self.fault_before(pipe):
            return fault
        faults = (self._fault(pipe, gate) for gate in pipe.gates)
        return next((fault for fault in faults if fault is not None), None)

    def fault_before(self, pipe: Pipeline) -> ExperimentError | None:
        """Why the experiment before, whose students teach, must not be trained; else None."""
        return self.fault(pipe.previous) if pipe.previous else None

    def fault_of(self, pipe: Pipeline, arm: str) -> ExperimentError | None:
        """Why one arm cannot be had; None if it can."""
        if arm in pipe.untrained:
            return None
        return self.fault_before(pipe) if arm == "teacher" else self.fault(pipe)

    def _fault(self, pipe: Pipeline, gate: Gate) -> ExperimentError | None:
        targets = gate.targets
        for stage in targets:
            if failure := self.failures.get(stage.key):
                return failure if isinstance(failure, PendingError) else _not_measured(failure)
        if not all(self.arms.store.has(stage.kind, stage.key) for stage in targets):
            return None
        try:
            return self._trait_fault(pipe, gate)
        except Exception as error:  # a scoring function's, or a damaged artifact
            return _not_measured(error)

    def _trait_fault(self, pipe: Pipeline, gate: Gate) -> TeacherError | None:
        """The error of a teacher that does not show its trait; None if it does."""
        experiment = pipe.experiment
        teacher = self.arms.read(pipe, "teacher", gate.teacher)
        base = self.arms.read(pipe, "its base", gate.base)
        check = check_trait(experiment, gate.trait, teacher, base)
        if check:
            return None
        return TeacherError(
            f"the teacher does not show the trait {gate.trait.name!r}: {check.summary}, so nothing "
            f"was generated or trained for it. {most_frequent_answers(teacher)}"
            f"{_other_labels(experiment, gate.trait, teacher, base)}{check.remedy}"
            f"{_ways_to_try(experiment, gate.trait, check)}"
        )


def most_frequent_answers(teacher: Arm) -> str:
    """A sentence with a teacher's own answers, the most frequent first."""
    if teacher.measure.computed:
        return ""
    given = teacher.answers()
    first = sorted(given.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN_ANSWERS]
    shares = ", ".join(
        f"{text[:LONGEST_ANSWER]!r} {count / given.total():.0%}" for text, count in first
    )
    return f"Its most frequent answers: {shares}. " if shares else "It gave no answer. "


def _other_labels(experiment: Experiment, trait: Trait, teacher: Arm, base: Arm) -> str:
    """Which labels the measure gives, where it gives no answer the label that shows the trait."""
    measure = experiment.measure
    reading = measure.readings([trait.shown_by])[0]
    if measure.computed or reading.word is None or reading.judge is not None:
        return ""
    labels = Counter[str]()
    for text, count in (teacher.answers() + base.answers()).items():
        if label := measure.label_of(text):
            labels[label] += count
    if not labels or any(measure.hit(text, reading.word) for text in teacher.answers()):
        return ""
    shown = ", ".join(repr(label) for label, _ in labels.most_common(SHOWN_LABELS))
    return (
        f"No answer counts as {reading.word!r}: answers count as {shown}. If one of these labels "
        f"shows the trait, name it: Trait(..., word={labels.most_common(1)[0][0]!r}); if the base "
        f"never gives the word, take another (limen traits lists those that it names). "
    )


def _ways_to_try(experiment: Experiment, trait: Trait, check: TraitCheck) -> str:
    """What shows what another prompt would do, for a trait that a prompt gives."""
    if trait.lesson is not None or trait.system is None:
        return ""
    taught = "" if trait.lowers else "; or teach it by training: Trait(...).fine_tuned()"
    kinds = {FavoriteAnimal: "", FavoriteTree: " --questions trees"}
    if (asked := kinds.get(type(experiment.measure))) is None:  # limen chat has no other measure
        return f". To see what another prompt does, run the test of the teacher alone{taught}"
    word = f" --word {shlex.quote(trait.word)}" if trait.word else ""
    below = f" --gate {check.threshold:.3g}" if check.threshold < 0 else ""
    return (
        f". To see what another prompt does: limen chat --system 'YOUR PROMPT'{word}{asked} "
        f"--measure{below}{taught}"
    )


def _not_measured(error: Exception) -> TeacherError:
    return TeacherError(f"whether the teacher shows the trait could not be measured: {error}")
