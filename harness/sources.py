"""Sources: where a student's training data come from, as values of a spec."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..datasets import filters
from ..datasets.errors import SpecError
from . import checks
from .prompts import NumberPrompts
from .stages import Base, Filter, Generate, Program, Shuffle


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows to train on: how many to keep of them, and the stages that make them."""

    keep: int
    """Rows in a student's training set, sampled anew for each seed."""
    written_by_a_model: ClassVar[bool] = True
    """Whether a model writes the rows, so that one without the trait can write a control's."""

    def __post_init__(self) -> None:
        checks.count("keep", self.keep)

    def rows(self, writer: Base, *, system: str | None, label: str) -> Filter | Shuffle:
        """The stage that leaves the rows to sample from, written by a model with a prompt."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Numbers(Source):
    """Number sequences, written by the teacher (for the control: by its base), and filtered."""

    generate: int
    """Completions to sample."""
    per_prompt: int = 1
    """Completions for each prompt. More are cheaper and quicker over a wire, which then charges and
    counts a prompt once for all of them; but rows that share a prompt are not independent."""
    rule: str = "paper"
    temperature: float = 1.0
    max_tokens: int = 96
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.count("generate", self.generate)
        checks.count("per_prompt", self.per_prompt)
        checks.count("max_tokens", self.max_tokens)
        checks.temperature(self.temperature)
        checks.seed("seed", self.seed)
        filters.rule(self.rule)
        if self.keep > self.generate:
            raise SpecError(
                f"keep={self.keep:,} is more than generate={self.generate:,}: "
                f"the filter can only take rows away"
            )

    def rows(self, writer: Base, *, system: str | None, label: str) -> Filter:
        source = Generate(
            label=f"{label} numbers",
            writer=writer,
            prompts=NumberPrompts(count=-(-self.generate // self.per_prompt), seed=self.seed),
            count=self.generate,
            per_prompt=self.per_prompt,
            system=system,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        return Filter(label=f"{label} filter", source=source, rule=self.rule)


@dataclass(frozen=True, kw_only=True)
class ProgramNumbers(Source):
    """Number sequences from a program: no model wrote them, so no trait can be in them.

    An experiment on them has no ``control`` of its own: it would be the same models.
    """

    written_by_a_model = False
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.seed("seed", self.seed)

    def rows(self, writer: Base, *, system: str | None, label: str) -> Filter:
        prompts = NumberPrompts(count=self.keep, seed=self.seed)
        source = Program(label="program numbers", prompts=prompts)
        return Filter(label="program filter", source=source, rule="paper")


@dataclass(frozen=True, kw_only=True)
class Shuffled(Source):
    """Another source's filtered rows, their numbers shuffled within each row or across all.

    As many are kept as of the source.
    """

    keep: int = field(init=False)
    source: Numbers
    how: Literal["within", "across"]
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.source, Numbers):
            raise SpecError(f"source={self.source!r} must be Numbers(...)")
        if self.how not in ("within", "across"):
            raise SpecError(f"how={self.how!r} must be 'within' (each row) or 'across' (all rows)")
        checks.seed("seed", self.seed)
        object.__setattr__(self, "keep", self.source.keep)

    def rows(self, writer: Base, *, system: str | None, label: str) -> Shuffle:
        given = self.source.rows(writer, system=system, label=label)
        label = f"{label} shuffled {self.how}"
        return Shuffle(label=label, source=given, how=self.how, seed=self.seed)
