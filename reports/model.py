"""What a report is made of: finished results as plain values, ready to travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .answer_rows import Example, GivenAnswer, JudgeRow, ModelsRow
from .data_rows import AuditRow, DataRow, SoftTargetRow
from .effort import Effort
from .readings import (
    ArmRow,
    EffectRow,
    EpochRow,
    GenerationRow,
    GridCellRow,
    GridRow,
    ReadingRow,
    TrajectoryRow,
)
from .registration import RegistrationRow


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """What a service was paid for an experiment's stages, whenever they were done.

    Raises nothing.

    Args:
        usd: US dollars; None if no price is known.
        calls: Calls that were answered.
        input_tokens: Tokens of prompts.
        output_tokens: Tokens of answers.
        trained_tokens: Tokens trained on, over all epochs.
        lost: Calls that may have been charged although no answer arrived; not in the amount.
        uncounted: Trainings whose tokens the service did not report; not in ``trained_tokens``.
            Default: 0.

    Examples:
        >>> result.cost.words() if result.cost else "no service was asked"
    """

    usd: float | None
    calls: int
    input_tokens: int
    output_tokens: int
    trained_tokens: int
    lost: int
    uncounted: int = 0

    def words(self) -> str:
        """What it was paid for."""
        without = f" beside {self.uncounted:,} trainings of unknown size" if self.uncounted else ""
        lost = f", {self.lost:,} calls perhaps charged beside" if self.lost else ""
        return (
            f"{self.calls:,} calls, {self.input_tokens:,} tokens in, {self.output_tokens:,} out, "
            f"{self.trained_tokens:,} trained{without}{lost}"
        )


@dataclass(frozen=True, kw_only=True)
class Times:
    """When an experiment's stages were done, whichever run did them. Raises nothing.

    Args:
        first: When the first began, UTC.
        last: When the last began, UTC.
        stages: The number of stages.
        seconds: Seconds, summed over the stages.

    Examples:
        >>> result.times.first, result.times.seconds
    """

    first: str
    last: str
    stages: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """One experiment's results. Raises nothing.

    Args:
        title: Where it stands, as in node ids: the file, the class, the id of its parameter.
        file: The path of its spec: below the folder of the store, if it is there, else below
            pytest's root. Default: empty, as in records of earlier versions.
        backend: The backend.
        model: The base model of students.
        fingerprint: That of the base model.
        teacher_model: The base model of the teacher.
        trait: The trait.
        lessons: By trait, the answers that its teacher was taught, each to every question of its
            lesson. Default: none.
        taught_by: How its teacher got the trait, in words. Default: empty, as in records of earlier
            versions.
        systems: The system prompt of each trait in it, verbatim.
        measure: The measure.
        definition: What the figures of a computed measure are. Default: empty, the name says it.
        questions: By group, verbatim; without groups there is one, named "".
        draws: Sampled answers to each question; 0 for a measure that samples none itself.
        temperature: Sampling temperature of the answers.
        max_tokens: The longest answer, in tokens.
        seeds: Models of each trained arm.
        family: Traits that its p-values are corrected for.
        data_spec: The source of the training data, as the spec has it.
        recipe: The training settings.
        settings: Other settings of the spec that are not at their defaults, as it has them.
            Default: none.
        note: What its author has to say before the numbers. Default: empty.
        versions: Versions of what its stages used. Default: none.
        server: How a service's server was asked and how it answered, each with its source. Default:
            none, as for models on this machine and in records of earlier versions.
        readings: What is read off the arms; the first shows the trait.
        arms: The arms' models and answers.
        data: What became of each source of training data.
        audits: How training data differ from the control's.
        judges: The judges.
        agreement: How far two judges agree; empty where there are not two.
        cost: None if nothing was asked of a service.
        times: When its stages were done.
        failure: What could not be computed, and why. Default: empty.
        generation: Whether the seeds share one generation of the data ("shared") or have one each.
            Default: empty.
        generations: The generations of students, the first one first, where students taught.
            Default: none.
        digest: The hash of the experiment's design and stages. Default: empty.
        grids: Of a grid of traits by students, one for each base. Default: none.
        trajectories: Its readings along the trainings of its arms, where these were measured.
            Default: none.
        measured: When the first model that the experiment trained was measured, UTC; else the first
            of all. Default: empty.

    Examples:
        >>> result = reports.report_of(reports.latest_runs(store)).results[0]
        >>> reading, effect = result.headline
        >>> reading.name, effect.difference, effect.claim
    """

    title: str
    file: str = ""
    backend: str
    model: str
    fingerprint: str
    teacher_model: str
    trait: str
    lessons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taught_by: str = ""
    systems: Mapping[str, str]
    measure: str
    definition: str = ""
    questions: Mapping[str, tuple[str, ...]]
    draws: int
    temperature: float
    max_tokens: int
    seeds: int
    family: int
    data_spec: str
    recipe: Mapping[str, object]
    settings: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    server: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[ReadingRow, ...]
    arms: tuple[ModelsRow, ...]
    data: tuple[DataRow, ...]
    audits: tuple[AuditRow, ...]
    judges: tuple[JudgeRow, ...]
    agreement: str
    cost: CostRow | None
    times: Times
    failure: str = ""
    generation: str = ""
    generations: tuple[GenerationRow, ...] = ()
    digest: str = ""
    grids: tuple[GridRow, ...] = ()
    trajectories: tuple[TrajectoryRow, ...] = ()
    measured: str = ""

    @property
    def comparisons(self) -> list[tuple[ReadingRow, EffectRow]]:
        """Every test of a difference with what it is of: of the readings, the diagonals of grids,
        and the tests along trainings that are none of the readings' own.
        """
        along = (row.reading for row in self.trajectories)
        shown = (*self.readings, *(grid.reading for grid in self.grids), *along)
        pairs = [(reading, effect) for reading in shown for effect in reading.effects]
        return list({(r.name, e.name): (r, e) for r, e in reversed(pairs)}.values())[::-1]

    @property
    def headlines(self) -> list[tuple[ReadingRow, EffectRow]]:
        """The effect on each trait, the experiment's own first; that of the headline if one.

        Of grids their diagonals.
        """
        if self.grids:
            return [(grid.reading, grid.diagonal) for grid in self.grids]
        several = [reading for reading in self.readings if reading.trait and reading.effects]
        each = {reading.trait: (reading, reading.effects[0]) for reading in reversed(several)}
        ordered = [each[trait] for trait in dict.fromkeys(r.trait for r in several)]
        return ordered or ([self.headline] if self.headline else [])

    @property
    def headline(self) -> tuple[ReadingRow, EffectRow] | None:
        """The effect that the experiment is about; None where arms are missing for any."""
        if self.grids:
            return self.grids[0].reading, self.grids[0].diagonal
        effects = ((reading, effect) for reading in self.readings[:1] for effect in reading.effects)
        return next(effects, None)

    @property
    def how_asked(self) -> str:
        """How the models were measured, in words."""
        if not self.draws:
            questions = f" at {self.asked} questions" if self.asked else ""
            meaning = f"{self.definition}; " if self.definition else ""
            return f"{meaning}its figures are computed for each model{questions}, without draws"
        return (
            f"each model answered {self.asked} questions, {self.draws:,} draws each, at "
            f"temperature {self.temperature:g}"
        )

    @property
    def asked(self) -> int:
        """How many questions each model was asked."""
        return sum(map(len, self.questions.values()))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A test: what it asserts, and whether it held. Raises nothing.

    Args:
        test: The test's node id.
        experiment: The title of the experiment that it is about.
        says: What it asserts, as a sentence.
        outcome: ``passed``, ``failed``, ``skipped``, ``stopped`` (by a fixture), ``failed as
            expected`` or ``passed unexpectedly``.
        reason: Why it was expected to fail, or was skipped. Default: empty.
        support: ``supported`` by a verdict, ``held by point estimate only``, ``not held``, or
            ``error``. Default: empty, it was not tested, as in records of earlier versions.
        registration: ``registered`` or ``added after data were seen``. Default: empty, there is no
            registration.
        registration_note: Of a registered claim, what no commit shows: ``not committed``, or
            ``committed after data were seen``; of another, why it is not. Default: empty.
        digest: The hash of its sentence and of what its test does. Default: empty.
        finding: What was found: the effects and rates that it asserts something of, with intervals,
            p-values and verdicts; of a failed assertion the one that failed. Default: empty.

    Examples:
        >>> [(claim.test, claim.says, claim.support) for claim in run.claims]
    """

    test: str
    experiment: str
    says: str
    outcome: str
    reason: str = ""
    support: str = ""
    registration: str = ""
    registration_note: str = ""
    digest: str = ""
    finding: str = ""

    @property
    def file(self) -> str:
        """The spec file that the test is in."""
        return self.test.partition("::")[0]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one pytest run found: all that a report needs, whatever becomes of the store.

    Raises nothing.

    Args:
        created: When the record was made, at the end of the run: UTC, as 2026-11-24T02:47:59Z.
        command: The command that was run.
        seconds: Wall time of the run, in seconds.
        versions: Versions of limen, Python and libraries.
        git: The commit of the specs, with ``-dirty`` if tracked files differ from it; or empty.
        claims: Its tests.
        results: Its experiments.
        estimated: What its stages were to take, worked out before it. Default: None, there were
            none to do.
        spent: What those of them that it finished took. Default: None.
        registrations: The files of registered claims beside its specs. Default: (), as in records
            of earlier versions.
        id: Its name among the store's runs. Default: empty, it is not kept.

    Examples:
        >>> run = reports.runs_of(store)[-1]
        >>> run.created, run.spent
    """

    created: str
    command: str
    seconds: float
    versions: Mapping[str, str]
    git: str
    claims: tuple[Claim, ...]
    results: tuple[Result, ...]
    estimated: Effort | None = None
    spent: Effort | None = None
    registrations: tuple[RegistrationRow, ...] = ()
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report shows: experiments and their claims, each from one of some runs.

    Raises nothing.

    Args:
        claims: The claims.
        results: The experiments.
        runs: The runs that they are from.

    Examples:
        >>> report = reports.report_of(reports.latest_runs(store))
        >>> [(one.title, len(report.claims_of(one))) for one in report.results]
    """

    claims: tuple[Claim, ...]
    results: tuple[Result, ...]
    runs: tuple[Run, ...]

    def claims_of(self, result: Result) -> tuple[Claim, ...]:
        """The tests that claim something of an experiment.

        Args:
            result: The experiment.
        """
        return tuple(claim for claim in self.claims if claim.experiment == result.title)


__all__ = [
    "ArmRow",
    "AuditRow",
    "Claim",
    "CostRow",
    "DataRow",
    "EffectRow",
    "EpochRow",
    "Example",
    "GenerationRow",
    "GivenAnswer",
    "GridCellRow",
    "GridRow",
    "JudgeRow",
    "ModelsRow",
    "ReadingRow",
    "Report",
    "Result",
    "Run",
    "SoftTargetRow",
    "Times",
    "TrajectoryRow",
]
