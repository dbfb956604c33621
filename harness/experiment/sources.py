"""Sources: where a student's training data come from, as values of a spec."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, Self, TypedDict

from ...datasets import filters, validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..stages import (
    Filter,
    Generate,
    GenerateEnough,
    HashedFunction,
    NumberPrompts,
    ProgramRows,
    Subject,
    hashed_function,
)
from .traits import Trait
from .writers import DataWriters, Part

By = Trait | Literal["teacher", "base"]
"""Who writes: the experiment's teacher, the base without any prompt, or a trait's teacher."""

EXAMPLES = 8
"""The most example numbers in a prompt."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows to train on: how many of them, and the stages that make them."""

    @property
    def row_count(self) -> int | None:
        """Rows in a student's training set; None for a source that only a mix can use."""
        raise NotImplementedError

    def resized(self, rows: int) -> Self:
        """The same source with another number of rows in a training set."""
        return self.but(keep=rows)

    def random_selection(self) -> "Source | None":
        """The same source with rows chosen at random where a score chooses them; None if no score
        chooses any.
        """
        return None

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        """The stages whose rows a training set is sampled from, each with its share."""
        raise NotImplementedError

    @property
    def uses_teacher(self) -> bool:
        """Whether a teacher writes any of the rows. If not, a control would be the same data."""
        return False

    @property
    def has_control(self) -> bool:
        """Whether there are rows of the same kind without the trait, for a control arm."""
        return self.uses_teacher

    @property
    def no_control(self) -> str:
        """Why there are none, and what to do about it."""
        return (
            f"{type(self).__name__} has no control: no teacher writes it, so its control would be "
            f"its students again. Compare them with the control of Numbers(...), or give the "
            f"experiment a control of its own"
        )

    def traits(self) -> tuple[Trait, ...]:
        """The traits that the source names, beside the experiment's own."""
        return ()

    def but(self, **changes: Any) -> Self:
        """The same source with some parts changed; raises :class:`~limen.SpecError`."""
        fields = self.__dataclass_fields__
        for name in changes:
            if name not in fields:
                near = did_you_mean(name, fields)
                raise SpecError(
                    f"{type(self).__name__} has no {name!r}: {near}it has {', '.join(fields)}"
                )
            if not fields[name].init:
                raise SpecError(
                    f"{type(self).__name__} keeps as many rows as the source that it is made "
                    f"from: change {name} there"
                )
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class SampledSource(Source):
    """A source with a number of rows that are sampled for each training set.

    Args:
        keep: Rows in a student's training set, sampled anew for each seed. A mix ignores its
            sources' and has its own. Default: None.
    """

    keep: int | None = None

    def __post_init__(self) -> None:
        if self.keep is not None:
            validation.count("keep", self.keep)

    @property
    def row_count(self) -> int | None:
        return self.keep


class _Sampling(TypedDict):
    label: str
    writer: Subject
    prompts: NumberPrompts
    count: int
    per_prompt: int
    system: str | None
    temperature: float
    max_tokens: int


@dataclass(frozen=True, kw_only=True)
class Numbers(SampledSource):
    """Number sequences, written by the teacher (for the control: by its base), and filtered.

    Args:
        generate: Completions to sample.
        keep: Rows in a student's training set, sampled anew for each seed. Default: None, which
            only a source within a ``Mix`` may have.
        at_most: If the filter keeps fewer than ``keep`` rows, go on generating until it keeps
            enough, up to this many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher" (the experiment's), "base" (without any prompt), or the teacher
            of a ``Trait``. In the control arm always the base. Default: "teacher".
        model: The writer's base model. Default: the experiment's ``teacher_model`` or ``model``.
        per_prompt: Completions for each prompt. More are cheaper and faster with a service, which
            charges and counts a prompt once; but rows that share a prompt are not independent.
            Default: 1.
        template: One prompt with ``{numbers}`` in it. Default: limen's own varied prompts.
        examples: The fewest and the most example numbers in a prompt, 1 to 8. Default: (3, 8).
        rule: The filter: "paper" (Cloud et al. 2025: at most 10 numbers), "long" (up to 100
            numbers), or a function that returns why a completion is dropped, or None to keep it.
            Default: "paper".
        temperature: Of the sampling, 0 (greedy: every prompt has one answer) to 2. Default: 1.
        max_tokens: The longest completion, in tokens. Default: 96.
        seed: Another seed gives other prompts and other completions. Default: 0.
    """

    generate: int
    at_most: int | None = None
    by: By = "teacher"
    model: str | None = None
    per_prompt: int = 1
    template: str | None = None
    examples: tuple[int, int] = (3, EXAMPLES)
    rule: str | HashedFunction | Callable[[str], str | None] = "paper"
    temperature: float = 1.0
    max_tokens: int = 96
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("generate", self.generate)
        validation.count("per_prompt", self.per_prompt)
        validation.count("max_tokens", self.max_tokens)
        validation.temperature(self.temperature)
        validation.seed("seed", self.seed)
        validation.model_name("model", self.model)
        if self.by not in ("teacher", "base") and not isinstance(self.by, Trait):
            raise SpecError(f"by={self.by!r} must be 'teacher', 'base' or a Trait(...)")
        self._check_prompts()
        self._check_counts()
        object.__setattr__(self, "rule", self._hashed_rule)

    def _check_prompts(self) -> None:
        if self.template is not None and "{numbers}" not in str(self.template):
            raise SpecError(
                f"template={self.template!r} must have {{numbers}} in it, where the examples go"
            )
        ends = list(self.examples) if isinstance(self.examples, tuple) else []
        whole = len(ends) == 2 and all(map(validation.is_integer, ends))
        if not whole or not 1 <= ends[0] <= ends[1] <= EXAMPLES:
            raise SpecError(
                f"examples={self.examples!r} must be the fewest and the most, 1 to {EXAMPLES}"
            )

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
    def _hashed_rule(self) -> str | HashedFunction:
        """The rule, by its name or as a function that a key can tell apart."""
        if not isinstance(self.rule, str):
            return hashed_function("rule", self.rule)
        filters.rule(self.rule)  # raises for an unknown name
        return self.rule

    @property
    def uses_teacher(self) -> bool:
        return self.by != "base"

    def traits(self) -> tuple[Trait, ...]:
        return (self.by,) if isinstance(self.by, Trait) else ()

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        writer = writers.writer(self.by, self.model)
        most = self.at_most or self.generate
        prompts = NumberPrompts(
            count=-(-most // self.per_prompt),
            seed=writers.seed(self.seed),
            template=self.template,
            examples=self.examples,
        )
        sampling: _Sampling = {
            "label": f"{writer.label} numbers",
            "writer": writer.subject,
            "prompts": prompts,
            "count": self.generate,
            "per_prompt": self.per_prompt,
            "system": writer.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        rows = Filter(
            label=f"{writer.label} filter", source=self._generate(sampling), rule=self._hashed_rule
        )
        return ((rows, Fraction(1)),)

    def _generate(self, sampling: _Sampling) -> Generate:
        if self.at_most is None:
            return Generate(**sampling)
        keep, rule = self.keep or 0, self._hashed_rule
        return GenerateEnough(**sampling, rule=rule, keep=keep, at_most=self.at_most)


@dataclass(frozen=True, kw_only=True)
class ProgramNumbers(SampledSource):
    """Number sequences from a program: no model wrote them, so no trait can be in them.

    An experiment on them has no ``control`` of its own: it would be the same models.

    Args:
        keep: Rows in a student's training set, sampled anew for each seed.
        seed: Another seed gives other numbers. Default: 0.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.seed("seed", self.seed)
        if self.keep is None:
            raise SpecError("ProgramNumbers needs keep: the rows that the program is to write")

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        prompts = NumberPrompts(count=self.keep or 0, seed=writers.seed(self.seed))
        source = ProgramRows(label="program numbers", prompts=prompts)
        return ((Filter(label="program filter", source=source, rule="paper"), Fraction(1)),)
