"""What a report is made of: finished results as plain values, ready to travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .effort import Effort
from .readings import (
    ArmRow,
    EffectRow,
    EpochRow,
    GridCellRow,
    GridRow,
    ReadingRow,
    TrajectoryRow,
)
from .registration import RegistrationRow


@dataclass(frozen=True, kw_only=True)
class GenerationRow:
    """One generation of students in a chain where students teach the next."""

    generation: int
    """From 1."""
    teacher: float
    """The mean of those that taught it, by the reading that shows the trait."""
    student: float
    student_interval: tuple[float, float]
    control: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    claim: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """An answer of an arm: to one question the most frequent, with how often it was given."""

    question: str
    answer: str
    count: int


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """A distinct answer of an arm's models to a question, and what it counted as."""

    question: str
    answer: str
    """The text, long ones cut; empty where none came."""
    outcome: str
    """What the measure made of it: that it counts for a word, its score, ``invalid``, or that there
    was no answer."""
    count: int


@dataclass(frozen=True, kw_only=True)
class ModelsRow:
    """The models of an arm, and what they answered."""

    arm: str
    models: tuple[str, ...]
    keys: tuple[str, ...]
    """The measure stages that the answers are from."""
    base: str
    """The base model that they are, or were trained from."""
    fingerprint: str
    recipe: Mapping[str, object] = field(default_factory=dict)
    """How they were trained; empty if they were not."""
    surroundings: Mapping[str, str | None] = field(default_factory=dict)
    """What stood before a question when they were ``asked`` and ``trained``, and the hashes of
    ``template`` and ``tokenizer``; empty where the backend does not tell."""
    valid: float
    """The share of answers that are valid, as the measure says."""
    missing: int
    answers: tuple[tuple[str, int], ...]
    """The most frequent answers, with how often each was given."""
    words: tuple[tuple[str, int], ...] = ()
    """The most frequent words of all answers, in lower case."""
    examples: tuple[Example, ...] = ()
    given: tuple[GivenAnswer, ...] = ()
    """Answers to browse, question by question; of records of earlier versions empty."""


@dataclass(frozen=True, kw_only=True)
class JudgeRow:
    """A judge, as it was asked."""

    name: str
    model: str
    prompt: str
    scale: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class SoftTargetRow:
    """What a teacher's distributions over the next token give the trait's own words.

    Probabilities before the distributions were filtered, as means over the rows of all files.
    """

    words: tuple[float, ...]
    """Of the trait's words, at each of the first tokens of an answer."""
    mean_words: float
    """The same over all tokens."""
    most: float
    """The greatest at any one token, in any file."""
    kept: float
    """Of all possible tokens together, over all tokens of the answers."""


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """How an arm's training data differ from the control's, file by file.

    AUC and accuracy are means over the seeds' files; numbers and lengths are the first file's.
    """

    arm: str
    files: int
    """Training files audited, one a seed."""
    rows: int
    """Rows of them together."""
    mentions: int
    """Mentions of the trait in them."""
    examples: tuple[str, ...]
    auc: float | None = None
    auc_range: tuple[float, float] | None = None
    """Least and largest over the files."""
    accuracy: float | None = None
    significant: int | None = None
    """Numbers that are more or less frequent than in the control's data, after Bonferroni."""
    over: tuple[tuple[int | str, int, int, float, float], ...] = ()
    """Number, count, control's count, log-odds-ratio, z: the most over-represented ones; in rows
    of text, words."""
    under: tuple[tuple[int | str, int, int, float, float], ...] = ()
    z: tuple[float, ...] = ()
    """(1000,), each number's z-score."""
    soft_targets: "SoftTargetRow | None" = None
    """What a teacher's distributions give the trait, where students were trained on them."""
    threshold: float = 0.0
    lengths: tuple[float, float] | None = None
    """Numbers a row on average, here and in the control's data."""
    unit: str = "numbers"
    """What is counted: "numbers", or "words" in rows of text."""
    length_p: float | None = None
    """Of Kolmogorov and Smirnov's test that rows are as long as the control's."""
    keys: tuple[str, ...] = ()
    """The stages that all this is from, as ``kind/key``."""


@dataclass(frozen=True, kw_only=True)
class DataRow:
    """What became of one source of training data."""

    label: str
    key: str
    read: int
    kept: int
    reasons: Mapping[str, int]
    examples: tuple[str, ...]
    """Some kept completions."""
    rejected: tuple[tuple[str, str], ...]
    """Some dropped completions, each with its reason."""
    prompt: str = ""
    """What the first of them was asked."""
    kind: str = "filter"
    """The kind of stage."""
    given: bool = False
    """Whether its rows existed before the experiment."""


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """What a service was paid for an experiment's stages, whenever they were done."""

    usd: float | None
    """None if no price is known."""
    calls: int
    input_tokens: int
    output_tokens: int
    trained_tokens: int
    lost: int
    """Calls that may have been charged although no answer arrived; not in the amount."""

    def words(self) -> str:
        """What it was paid for."""
        lost = f", {self.lost:,} calls perhaps charged beside" if self.lost else ""
        return (
            f"{self.calls:,} calls, {self.input_tokens:,} tokens in, {self.output_tokens:,} out, "
            f"{self.trained_tokens:,} trained{lost}"
        )


@dataclass(frozen=True, kw_only=True)
class Times:
    """When an experiment's stages were done, whichever run did them."""

    first: str
    """When the first began, UTC."""
    last: str
    """When the last began."""
    stages: int
    seconds: float
    """Summed over the stages."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One experiment's results."""

    title: str
    """Where it stands, as in node ids: the file, the class, the id of its parameter."""
    backend: str
    model: str
    fingerprint: str
    teacher_model: str
    trait: str
    lessons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By trait, the answers that its teacher was taught, each to every question of its lesson."""
    systems: Mapping[str, str]
    """The system prompt of each trait in it, verbatim."""
    measure: str
    questions: Mapping[str, tuple[str, ...]]
    """By group, verbatim; without groups there is one, named ""."""
    draws: int
    """Sampled answers to each question; 0 for a measure that samples none itself."""
    temperature: float
    max_tokens: int
    seeds: int
    family: int
    """Traits that its p-values are corrected for."""
    data_spec: str
    """The source of the training data, as the spec has it."""
    recipe: Mapping[str, object]
    note: str = ""
    """What its author has to say before the numbers."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what its stages used."""
    server: Mapping[str, str] = field(default_factory=dict)
    """How a service's server was asked and how it answered, each with its source; of records of
    earlier versions and of models on this machine empty."""
    readings: tuple[ReadingRow, ...]
    """The first shows the trait."""
    arms: tuple[ModelsRow, ...]
    data: tuple[DataRow, ...]
    audits: tuple[AuditRow, ...]
    judges: tuple[JudgeRow, ...]
    agreement: str
    """How far two judges agree; empty where there are not two."""
    cost: CostRow | None
    """None if nothing was asked of a service."""
    times: Times
    failure: str = ""
    generation: str = ""
    """Whether the seeds share one generation of the data ("shared") or have one each."""
    generations: tuple[GenerationRow, ...] = ()
    """The generations of students, the first one first, where students taught; else empty."""
    digest: str = ""
    """The hash of the experiment's design and stages."""
    grids: tuple[GridRow, ...] = ()
    """Of a grid of traits by students, one for each base."""
    trajectories: tuple[TrajectoryRow, ...] = ()
    """Its readings along the trainings of its arms, where these were measured."""
    measured: str = ""
    """When the first model that the experiment trained was measured, UTC; else the first of all."""

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
            return f"its figures are computed for each model{questions}, without draws"
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
    """A test: what it asserts, and whether it held."""

    test: str
    experiment: str
    """The title of the experiment that it is about."""
    says: str
    outcome: str
    reason: str = ""
    """Why it was expected to fail, or was skipped."""
    support: str = ""
    """``supported`` by a verdict, ``held by point estimate only``, ``not held``, or ``error``.
    Empty if it was not tested, and in records of earlier versions."""
    registration: str = ""
    """``registered`` or ``added after data were seen``; empty without a registration."""
    digest: str = ""
    """The hash of its sentence and of what its test does."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one pytest run found: all that a report needs, whatever becomes of the store."""

    created: str
    """UTC, as 2026-11-24T02:47:59Z."""
    command: str
    seconds: float
    versions: Mapping[str, str]
    git: str
    """The commit of the specs, with ``-dirty`` if tracked files differ from it; or empty."""
    claims: tuple[Claim, ...]
    results: tuple[Result, ...]
    estimated: Effort | None = None
    """What its stages were to take, worked out before it; None if there were none to do."""
    spent: Effort | None = None
    """What those of them that it finished took."""
    registrations: tuple[RegistrationRow, ...] = ()
    """The registrations beside the specs; of records of earlier versions empty."""
    id: str = ""
    """Its name among the store's runs; empty while it is not kept."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report shows: experiments and their claims, each from one of some runs."""

    claims: tuple[Claim, ...]
    results: tuple[Result, ...]
    runs: tuple[Run, ...]

    def claims_of(self, result: Result) -> tuple[Claim, ...]:
        """The tests that claim something of an experiment."""
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
    "GivenAnswer",
    "GridCellRow",
    "GridRow",
    "JudgeRow",
    "ModelsRow",
    "ReadingRow",
    "Report",
    "Result",
    "Run",
    "Times",
    "TrajectoryRow",
]
