"""What all sources have in common that a model writes, answer by answer, to prompts."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypedDict

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    Filter,
    Generate,
    GenerateEnough,
    HashedFunction,
    Prompts,
    RowRule,
    Subject,
    checked_rule,
)
from .source import SampledSource
from .traits import Trait
from .writers import DataWriters, Part, Writer

By = Trait | Literal["teacher", "base"]
"""Who writes: the experiment's teacher, the base without any prompt, or a trait's teacher."""
OneGivenRule = str | RowRule | HashedFunction | Callable[..., Any]
GivenRule = OneGivenRule | tuple[OneGivenRule, ...]
"""A filter rule as a spec gives it: a name, a ready rule, a function, or a tuple of these."""


class _Sampling(TypedDict):
    label: str
    writer: Subject
    prompts: Prompts
    count: int
    per_prompt: int
    system: str | None
    systems: tuple[str, ...]
    temperature: float
    max_tokens: int
    top_p: float
    stream: str


@dataclass(frozen=True, kw_only=True)
class WrittenSource(SampledSource):
    """Answers to prompts, written by the teacher (for the control: by its base), and filtered."""

    generate: int
    at_most: int | None = None
    by: By = "teacher"
    model: str | None = None
    per_prompt: int = 1
    rule: GivenRule = "finished"
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("generate", self.generate)
        validation.count("per_prompt", self.per_prompt)
        validation.count("max_tokens", self.max_tokens)
        validation.temperature(self.temperature)
        validation.top_p(self.top_p)
        validation.seed("seed", self.seed)
        validation.model_name("model", self.model)
        if self.by not in ("teacher", "base") and not isinstance(self.by, Trait):
            raise SpecError(f"by={self.by!r} must be 'teacher', 'base' or a Trait(...)")
        self._check_counts()
        object.__setattr__(self, "rule", checked_rule("rule", self.rule))

    def _check_counts(self) -> None:
        if self.at_most is not None:
            validation.count("at_most", self.at_most)
            if self.at_most < self.generate:
                raise SpecError(
                    f"at_most={self.at_most:,} is less than generate={self.generate:,}, which "
                    f"is generated in any case"
                )
            if self.keep is None:
                raise SpecError("at_most needs keep: generating ends once so many rows are kept")
        most = self.at_most or self.generate
        if self.keep is not None and self.keep > most:
            name = "at_most" if self.at_most else "generate"
            raise SpecError(
                f"keep={self.keep:,} is more than {name}={most:,}: "
                f"the filter can only take rows away"
            )

    @property
    def medium(self) -> str:
        """What the rows consist of, for labels."""
        raise NotImplementedError

    def asked(self, count: int, seed: int) -> Prompts:
        """The prompts, as many as there are calls.

        Args:
            count: Completions that are sampled.
            seed: Another seed asks other prompts.
        """
        raise NotImplementedError

    @property
    def uses_teacher(self) -> bool:
        return self.by != "base"

    def traits(self) -> tuple[Trait, ...]:
        return (self.by,) if isinstance(self.by, Trait) else ()

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        writer = writers.writer(self.by, self.model)
        rows = Filter(
            label=f"{writer.label} filter",
            source=self._generated(writer, writers),
            rule=checked_rule("rule", self.rule),
        )
        return ((rows, Fraction(1)),)

    def _generated(self, writer: Writer, writers: DataWriters) -> Generate:
        most = self.at_most or self.generate
        sampling: _Sampling = {
            "label": f"{writer.label} {self.medium}",
            "writer": writer.subject,
            "prompts": self.asked(-(-most // self.per_prompt), writers.seed(self.seed)),
            "count": self.generate,
            "per_prompt": self.per_prompt,
            "system": writer.system,
            "systems": writer.systems,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "top_p": self.top_p,
            "stream": writers.stream,
        }
        if self.at_most is None:
            return Generate(**sampling)
        rule, keep = checked_rule("rule", self.rule), self.keep or 0
        return GenerateEnough(**sampling, rule=rule, keep=keep, at_most=self.at_most)
