"""What all sources have in common that are made from one other source."""

from dataclasses import dataclass, replace
from typing import Self

from ...datasets.errors import SpecError
from ..stages import RowsStage
from .source import Source
from .traits import Trait
from .writers import DataWriters, Part


@dataclass(frozen=True)
class SourceOfSource(Source):
    """A source whose rows are another source's, chosen or changed.

    Who writes the rows, their traits and their control are those of the other source.

    Args:
        source: The other source.
    """

    source: Source

    def __post_init__(self) -> None:
        check_source("source", self.source)

    @property
    def row_count(self) -> int | None:
        return self.source.row_count

    @property
    def uses_teacher(self) -> bool:
        return self.source.uses_teacher

    @property
    def has_control(self) -> bool:
        return self.source.has_control

    @property
    def no_control(self) -> str:
        return self.source.no_control

    @property
    def needs_trait(self) -> bool:
        return self.source.needs_trait

    @property
    def has_pairs(self) -> bool:
        return self.source.has_pairs

    def traits(self) -> tuple[Trait, ...]:
        return self.source.traits()

    def random_selection(self) -> Self | None:
        inner = self.source.random_selection()
        return None if inner is None else replace(self, source=inner)

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        made = self.source.parts(writers)
        return tuple((self.made_of(rows, writers), share) for rows, share in made)

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        """The stage that makes this source's rows of the other source's.

        Args:
            rows: The stage that leaves the other source's rows.
            writers: What makes the stages of base and teachers.
        """
        raise NotImplementedError


def check_source(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` for what is no source."""
    if not isinstance(value, Source):
        raise SpecError(f"{name}={value!r} must be a source, such as Numbers(...)")
