"""What a report is made of: finished results as plain values, ready to travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """What one arm's answers come to in one reading."""

    name: str
    value: float
    """A share from 0 to 1, or a score."""
    interval: tuple[float, float]
    by_seed: tuple[float, ...]
    unrated: int = 0
    """Answers that were not scored."""


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """The difference of two arms; of rates as a share, not points."""

    name: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    test: str
    seeds: tuple[int, int]
    claim: str
    note: str = ""
    ranks: str = ""
    """Mann-Whitney's U and Cliff's delta, of scores."""


@dataclass(frozen=True, kw_only=True)
class ReadingRow:
    """One number that is read off every arm: a rate or a mean score."""

    name: str
    kind: str
    """``rate`` or ``score``."""
    arms: tuple[ArmRow, ...]
    effects: tuple[EffectRow, ...]

    def show(self, value: float) -> str:
        """A value as people read it."""
        return f"{value:.1%}" if self.kind == "rate" else f"{value:.2f}"

    def show_difference(self, value: float) -> str:
        """A difference of two values as people read it, without its unit."""
        return f"{100 * value:+.1f}" if self.kind == "rate" else f"{value:+.2f}"

    @property
    def unit(self) -> str:
        """What differences are in."""
        return "points" if self.kind == "rate" else ""


@dataclass(frozen=True, kw_only=True)
class ModelsRow:
    """The models of an arm, and what they answered."""

    arm: str
    models: tuple[str, ...]
    keys: tuple[str, ...]
    """The measure stages that the answers are from."""
    valid: float
    """The share of answers that are valid, as the measure says."""
    missing: int
    answers: tuple[tuple[str, int], ...]
    """The most frequent answers, with how often each was given."""


@dataclass(frozen=True, kw_only=True)
class JudgeRow:
    """A judge, as it was asked."""

    name: str
    model: str
    prompt: str
    scale: tuple[int, int] | None


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
    over: tuple[tuple[int, int, int, float, float], ...] = ()
    """Number, count, control's count, log-odds-ratio, z: the most over-represented ones."""
    under: tuple[tuple[int, int, int, float, float], ...] = ()
    z: tuple[float, ...] = ()
    """(1000,), each number's z-score."""
    threshold: float = 0.0
    lengths: tuple[float, float] | None = None
    """Numbers a row on average, here and in the control's data."""
    length_p: float | None = None
    """Of Kolmogorov and Smirnov's test that rows are as long as the control's."""


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
class Result:
    """One experiment's results."""

    title: str
    backend: str
    model: str
    fingerprint: str
    teacher_model: str
    trait: str
    system: str
    """The teacher's system prompt, verbatim."""
    measure: str
    questions: int
    draws: int
    temperature: float
    seeds: int
    data_spec: str
    """The source of the training data, as the spec has it."""
    recipe: Mapping[str, Any]
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
    stage_seconds: float
    """Summed over the stages, whenever they were done."""
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A test: what it asserts, and whether it held."""

    test: str
    says: str
    outcome: str
    reason: str = ""
    """Why it was expected to fail, or was skipped."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report shows."""

    created: str
    command: str
    seconds: float
    versions: Mapping[str, str]
    claims: tuple[Claim, ...]
    results: tuple[Result, ...]


def result_to_json(result: Result) -> str:
    """The result as JSON text, to travel between processes."""
    from pydantic import TypeAdapter

    return TypeAdapter(Result).dump_json(result).decode()


def result_from_json(text: str) -> Result:
    """The result that :func:`result_to_json` made this text of."""
    from pydantic import TypeAdapter

    return TypeAdapter(Result).validate_json(text)
