"""Sources: where a student's training data come from, as values of a spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from ...datasets import filters
from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ..stages import (
    Filter,
    Generate,
    GenerateEnough,
    HashedFunction,
    MatchLengths,
    NumberPrompts,
    ProgramRows,
    Shuffle,
    hashed_function,
)
from .traits import Trait
from .writers import DataWriters, Part, exact_shares, merge_parts

By = Trait | Literal["teacher", "base"]
"""Who writes: the experiment's teacher, the base without any prompt, or a trait's teacher."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows to train on: how many to keep of them, and the stages that make them."""

    keep: int | None = None
    """Rows in a student's training set, sampled anew for each seed. A mix takes its own number."""

    def __post_init__(self) -> None:
        if self.keep is not None:
            checks.count("keep", self.keep)

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        """The stages that leave the rows to sample from, each with its share."""
        raise NotImplementedError

    @property
    def taught(self) -> bool:
        """Whether a teacher writes any of it, so that without one it is a control's data."""
        return False

    def traits(self) -> tuple[Trait, ...]:
        """The traits that it names, beside the experiment's own."""
        return ()

    def but(self, **changes: Any) -> "Source":
        """The same source but for the given parts."""
        unknown = sorted(set(changes) - set(self.__dataclass_fields__))
        if unknown:
            known = ", ".join(self.__dataclass_fields__)
            raise SpecError(f"{type(self).__name__} has no {unknown[0]!r}: it has {known}")
        if not all(self.__dataclass_fields__[name].init for name in changes):
            raise SpecError(
                f"{type(self).__name__} keeps as many rows as the source that it is made of: "
                f"give that one another keep"
            )
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Numbers(Source):
    """Number sequences, written by the teacher (for the control: by its base), and filtered."""

    generate: int
    """Completions to sample."""
    at_most: int | None = None
    """Where the filter keeps too few: go on generating until it keeps enough, up to so many."""
    by: By = "teacher"
    """Who writes them. In the control arm always the base, without any prompt."""
    model: str | None = None
    """The writer's base model; the experiment's ``teacher_model`` or ``model`` unless given."""
    per_prompt: int = 1
    """Completions for each prompt. More are cheaper and quicker over a wire, which then charges and
    counts a prompt once for all of them; but rows that share a prompt are not independent."""
    template: str | None = None
    """One prompt with ``{numbers}`` in it, in place of limen's own variety."""
    examples: tuple[int, int] = (3, 8)
    """The fewest and the most example numbers in a prompt."""
    rule: str | HashedFunction | Callable[[str], str | None] = "paper"
    """The filter: ``paper``, ``long`` (up to 100 numbers), or a function that says why a completion
    is dropped, or None to keep it."""
    temperature: float = 1.0
    """0 is greedy: every prompt has one answer, whatever the seed."""
    max_tokens: int = 96
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.count("generate", self.generate)
        checks.count("per_prompt", self.per_prompt)
        checks.count("max_tokens", self.max_tokens)
        checks.temperature(self.temperature)
        checks.seed("seed", self.seed)
        self._check_prompts()
        if self.by not in ("teacher", "base") and not isinstance(self.by, Trait):
            raise SpecError(f"by={self.by!r} must be 'teacher', 'base' or a Trait(...)")
        if not isinstance(self.model, str | None):
            raise SpecError(f"model={self.model!r} must be a model's name, or None")
        if isinstance(self.rule, str):
            filters.rule(self.rule)
        else:
            object.__setattr__(self, "rule", hashed_function("rule", self.rule))
        self._check_sizes()

    def _check_prompts(self) -> None:
        if self.template is not None and "{numbers}" not in str(self.template):
            raise SpecError(
                f"template={self.template!r} must have {{numbers}} in it, where the examples go"
            )
        whole = (
            isinstance(self.examples, tuple)
            and len(self.examples) == 2
            and all(isinstance(end, int) for end in self.examples)
        )
        if not (whole and 1 <= self.examples[0] <= self.examples[1] <= 8):
            raise SpecError(f"examples={self.examples!r} must be the fewest and the most, 1 to 8")

    def _check_sizes(self) -> None:
        if self.at_most is not None:
            checks.count("at_most", self.at_most)
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
    def taught(self) -> bool:
        return self.by != "base"

    def traits(self) -> tuple[Trait, ...]:
        return (self.by,) if isinstance(self.by, Trait) else ()

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        who = cast.writing(self.by, self.model)
        most = self.at_most or self.generate
        shared: dict[str, Any] = {
            "label": f"{who.label} numbers",
            "writer": who.subject,
            "prompts": NumberPrompts(
                count=-(-most // self.per_prompt),
                seed=self.seed,
                template=self.template,
                examples=self.examples,
            ),
            "count": self.generate,
            "per_prompt": self.per_prompt,
            "system": who.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        rule: Any = self.rule
        source = (
            GenerateEnough(**shared, rule=rule, keep=self.keep or 0, at_most=self.at_most)
            if self.at_most
            else Generate(**shared)
        )
        return ((Filter(label=f"{who.label} filter", source=source, rule=rule), Fraction(1)),)


@dataclass(frozen=True, kw_only=True)
class ProgramNumbers(Source):
    """Number sequences from a program: no model wrote them, so no trait can be in them.

    An experiment on them has no ``control`` of its own: it would be the same models.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.seed("seed", self.seed)
        if self.keep is None:
            raise SpecError("ProgramNumbers needs keep: the rows that the program is to write")

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        prompts = NumberPrompts(count=self.keep or 0, seed=self.seed)
        source = ProgramRows(label="program numbers", prompts=prompts)
        return ((Filter(label="program filter", source=source, rule="paper"), Fraction(1)),)


@dataclass(frozen=True, kw_only=True)
class Shuffled(Source):
    """Another source's filtered rows, their numbers shuffled within each row or across all.

    As many are kept as of the source.
    """

    keep: int | None = field(init=False)
    source: Source
    how: Literal["within", "across"]
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.source, Source):
            raise SpecError(f"source={self.source!r} must be a source, such as Numbers(...)")
        if self.how not in ("within", "across"):
            raise SpecError(f"how={self.how!r} must be 'within' (each row) or 'across' (all rows)")
        checks.seed("seed", self.seed)
        object.__setattr__(self, "keep", self.source.keep)

    @property
    def taught(self) -> bool:
        return self.source.taught

    def traits(self) -> tuple[Trait, ...]:
        return self.source.traits()

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        how, seed = self.how, self.seed
        return tuple(
            (Shuffle(label=f"{rows.label} shuffled {how}", source=rows, how=how, seed=seed), share)
            for rows, share in self.source.parts(cast)
        )


@dataclass(frozen=True, kw_only=True)
class LengthMatched(Source):
    """Numbers of one source in rows as long as another's: a control for what length carries.

    Rows are cut, and joined where they are too short. As many are kept as of ``like``.
    """

    keep: int | None = field(init=False)
    source: Source
    """Whose numbers; ``Numbers(by="base", ...)`` for a control."""
    like: Source
    """Whose lengths."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("source", "like"):
            if not isinstance(getattr(self, name), Source):
                raise SpecError(f"{name}={getattr(self, name)!r} must be a source")
        checks.seed("seed", self.seed)
        object.__setattr__(self, "keep", self.like.keep)

    @property
    def taught(self) -> bool:
        return self.source.taught

    def traits(self) -> tuple[Trait, ...]:
        return tuple(dict.fromkeys((*self.source.traits(), *self.like.traits())))

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        (source, *more), (like, *others) = self.source.parts(cast), self.like.parts(cast.teaching())
        if more or others:
            raise SpecError("LengthMatched takes sources with one writer each, no Mix")
        label = f"{source[0].label} in {like[0].label}'s lengths"
        rows = MatchLengths(label=label, source=source[0], like=like[0], seed=self.seed)
        return ((rows, Fraction(1)),)


@dataclass(frozen=True)
class Mix(Source):
    """Several sources joined: each gives its share of the rows, sampled without replacement.

    ``Mix({owls: 0.5, eagles: 0.5}, keep=10_000)``. Shares add up to one; numbers of rows are
    rounded so that they add up to ``keep`` (largest remainders). In the control arm all is written
    by the base, so that there equal sources are one.
    """

    sources: Mapping[Source, float] = field(hash=False)
    keep: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.sources, Mapping) or not self.sources:
            raise SpecError(f"a mix needs sources with shares, as in Mix({{a: 0.5, b: 0.5}}): "
                            f"{self.sources!r}")  # fmt: skip
        for source, share in self.sources.items():
            if not isinstance(source, Source):
                raise SpecError(f"{source!r} in a mix is no source: write Numbers(...)")
            number = isinstance(share, int | float | Fraction) and not isinstance(share, bool)
            if not number or not 0 < share <= 1:
                raise SpecError(f"share {share!r} in a mix must be above 0 and at most 1")
        exact_shares(tuple(self.sources.values()))  # they add up to 1, or it says so
        if self.keep is None:
            raise SpecError("a mix needs keep: the rows to train on")
        object.__setattr__(self, "sources", dict(self.sources))

    @property
    def taught(self) -> bool:
        return any(source.taught for source in self.sources)

    def traits(self) -> tuple[Trait, ...]:
        return tuple(dict.fromkeys(trait for source in self.sources for trait in source.traits()))

    def parts(self, cast: DataWriters) -> tuple[Part, ...]:
        exact = exact_shares(tuple(self.sources.values()))
        return merge_parts(
            (rows, part * share)
            for source, share in zip(self.sources, exact, strict=True)
            for rows, part in source.parts(cast)
        )
