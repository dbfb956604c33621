"""What every source has: rows to train on, and the stages that make them."""

from dataclasses import dataclass, replace
from typing import Any, Self

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .traits import Trait
from .writers import DataWriters, Part


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows to train on: how many of them, and the stages that make them.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Numbers(generate=30_000, keep=10_000)  # a kind of source
        >>> smaller = data.but(keep=5_000)
    """

    @property
    def row_count(self) -> int | None:
        """Rows in a student's training set; None for a source that only a mix can use."""
        raise NotImplementedError

    def resized(self, rows: int) -> Self:
        """The same source with another number of rows in a training set.

        Args:
            rows: Rows of each training set.
        """
        return self.but(keep=rows)

    def random_selection(self) -> "Source | None":
        """The same source with rows chosen at random where a score chooses them; None if no score
        chooses any.
        """
        return None

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        """The stages whose rows a training set is sampled from, each with its share.

        Args:
            writers: What makes the stages of base and teachers.
        """
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

    @property
    def needs_trait(self) -> bool:
        """Whether a teacher has to show its trait, since it writes rows or selects them."""
        return self.uses_teacher

    @property
    def has_pairs(self) -> bool:
        """Whether the rows are preference pairs."""
        return False

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
