"""What a report is made of: finished results as plain values, ready to travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """An arm's rate of the trait's word."""

    name: str
    rate: float
    interval: tuple[float, float]
    valid: float
    """The share of answers that are a valid animal word."""
    missing: int
    by_seed: tuple[float, ...]
    models: tuple[str, ...]
    keys: tuple[str, ...]
    """The measure stages that the rate is computed from."""
    answers: tuple[tuple[str, int], ...]
    """The most frequent answers, with how often each was given."""


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """The difference of two arms; rates and differences as shares, not points."""

    name: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    test: str
    seeds: tuple[int, int]
    claim: str
    note: str = ""


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
    word: str
    system: str
    """The teacher's system prompt, verbatim."""
    questions: int
    draws: int
    temperature: float
    rule: str
    seeds: int
    data_spec: str
    """The source of the training data, as the spec has it."""
    recipe: Mapping[str, Any]
    arms: tuple[ArmRow, ...]
    effects: tuple[EffectRow, ...]
    data: tuple[DataRow, ...]
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
