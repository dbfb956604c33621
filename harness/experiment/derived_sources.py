"""Sources made from other sources: mixed, shuffled, matched in length."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, get_args

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import MatchLengths, RowsStage, Shuffle, Shuffling
from .source import SampledSource, Source
from .source_of_source import SourceOfSource, check_source
from .traits import Trait
from .writers import DataWriters, Part, exact_shares, merge_parts


@dataclass(frozen=True, kw_only=True)
class Shuffled(SourceOfSource):
    """Another source's filtered rows, shuffled: their numbers, or which prompt a text answers.

    As many rows are kept as of that source.

    Args:
        source: Whose rows.
        how: "within": the numbers of each row in another order. "across": the numbers of all rows
            dealt anew. "prompts": the texts stay as they are, of any medium, and each answers the
            prompt of another row.
        seed: Another seed gives another order. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=Shuffled(source=numbers, how="within"))
    """

    keep: int | None = field(init=False)
    source: Source
    how: Shuffling
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("how", self.how, get_args(Shuffling))
        validation.seed("seed", self.seed)
        object.__setattr__(self, "keep", self.source.row_count)

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        label = f"{rows.label} shuffled {self.how}"
        return Shuffle(label=label, source=rows, how=self.how, seed=self.seed)


@dataclass(frozen=True, kw_only=True)
class LengthMatched(SampledSource):
    """Rows of one source, as long as another's: a control for the effect of length.

    Rows of numbers that are too long are cut, and those that are too short are joined. For words
    or characters each row of ``like`` takes the shortest row left that is as long, cut to its
    length. As many rows are kept as of ``like``.

    Args:
        source: Whose numbers; ``Numbers(by="base", ...)`` for a control.
        like: Whose lengths.
        seed: Another seed takes the rows of ``source`` in another order. Default: 0.
        unit: What a length counts: "numbers", "words" or "characters". Default: "numbers".

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=LengthMatched(source=numbers, like=other_numbers))
    """

    keep: int | None = field(init=False)
    source: Source
    like: Source
    seed: int = 0
    unit: Literal["numbers", "words", "characters"] = "numbers"

    def __post_init__(self) -> None:
        check_source("source", self.source)
        check_source("like", self.like)
        validation.seed("seed", self.seed)
        validation.one_of("unit", self.unit, ("numbers", "words", "characters"))
        object.__setattr__(self, "keep", self.like.row_count)

    @property
    def uses_teacher(self) -> bool:
        return self.source.uses_teacher

    def traits(self) -> tuple[Trait, ...]:
        return tuple(dict.fromkeys((*self.source.traits(), *self.like.traits())))

    def random_selection(self) -> Source | None:
        inner = self.source.random_selection()
        return None if inner is None else replace(self, source=inner)

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        sources = self.source.parts(writers)
        models = self.like.parts(writers.with_traits())
        if len(sources) != 1 or len(models) != 1:
            raise SpecError("LengthMatched takes sources with one writer each, not a Mix")
        source, like = sources[0][0], models[0][0]
        label = f"{source.label} in {like.label}'s lengths"
        rows = MatchLengths(label=label, source=source, like=like, seed=self.seed, unit=self.unit)
        return ((rows, Fraction(1)),)


@dataclass(frozen=True)
class Mix(SampledSource):
    """Several sources joined: each gives its share of the rows, sampled without replacement.

    ``Mix({owls: 0.5, eagles: 0.5}, keep=10_000)``. Numbers of rows are rounded so that they add up
    to ``keep`` (largest remainders). In the control arm the base writes all rows, so that sources
    that differ only in their teacher are one source there.

    Args:
        sources: A share for each source, above 0; the shares add up to 1.
        keep: Rows in a student's training set, sampled anew for each seed.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Mix({owl_numbers: 0.5, eagle_numbers: 0.5}, keep=10_000)
    """

    sources: Mapping[Source, float] = field(hash=False)
    keep: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shares(self.sources)
        if self.keep is None:
            raise SpecError("a mix needs keep: the rows to train on")
        object.__setattr__(self, "sources", dict(self.sources))

    @property
    def uses_teacher(self) -> bool:
        return any(source.uses_teacher for source in self.sources)

    @property
    def has_control(self) -> bool:
        return any(source.has_control for source in self.sources)

    @property
    def needs_trait(self) -> bool:
        return any(source.needs_trait for source in self.sources)

    @property
    def has_pairs(self) -> bool:
        return all(source.has_pairs for source in self.sources)

    def traits(self) -> tuple[Trait, ...]:
        return tuple(dict.fromkeys(trait for source in self.sources for trait in source.traits()))

    def random_selection(self) -> Source | None:
        random = {source: source.random_selection() for source in self.sources}
        if not any(random.values()):
            return None
        shares = ((random[source] or source, share) for source, share in self.sources.items())
        return Mix(dict(shares), keep=self.keep)

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        exact = exact_shares(tuple(self.sources.values()))
        return merge_parts(
            (rows, part * share)
            for source, share in zip(self.sources, exact, strict=True)
            for rows, part in source.parts(writers)
        )


def _check_shares(sources: object) -> None:
    """Raise :class:`~limen.SpecError` for what is not sources with shares that add up to 1."""
    if not isinstance(sources, Mapping) or not sources:
        raise SpecError(
            f"a mix needs sources with shares, as in Mix({{a: 0.5, b: 0.5}}): {sources!r}"
        )
    for source, share in sources.items():
        if not isinstance(source, Source):
            raise SpecError(f"{source!r} in a mix is not a source: write Numbers(...)")
        number = validation.is_number(share) or isinstance(share, Fraction)
        if not number or not 0 < share <= 1:
            raise SpecError(f"share {share!r} in a mix must be above 0 and at most 1")
    exact_shares(tuple(sources.values()))  # raises unless they add up to 1
