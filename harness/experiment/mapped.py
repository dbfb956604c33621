"""Sources whose rows are changed, by a function or by a model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...datasets import validation
from ..stages import HashedFunction, MapRows, RowChange, RowsStage, row_function
from .source_of_source import SourceOfSource
from .writers import DataWriters

Change = RowChange | HashedFunction | Callable[..., Any]


@dataclass(frozen=True)
class Mapped(SourceOfSource):
    """Another source's rows, each changed by a function.

    The control's rows are changed likewise. An error of the function fails this experiment alone.

    Args:
        source: Whose rows.
        by: The change: ``PermuteDigits()``, ``PermuteNumbers()``, ``FirstNumbers(n)``,
            ``FirstWords(n)``, ``Prefix(text)``, ``SystemPrompt(text)``, or a function of prompt and
            completion, two texts. It gives the new completion, a pair of prompt and completion, or
            None to drop the row. A function with a third argument gets a ``random.Random``, seeded
            for each row.
        keep: Rows in a student's training set, sampled anew for each seed. Default: as many as
            the source's; if the function drops rows, there may be too few of them left.
        seed: Another seed gives the function other random numbers. Default: 0.

    Raises:
        SpecError: ``by`` is no such function, or uses what a key cannot contain.

    Examples:
        >>> data = Mapped(numbers, by=lambda prompt, text: text.replace("7", "8"), keep=5_000)
    """

    by: Change = field(kw_only=True)
    keep: int | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.seed("seed", self.seed)
        if self.keep is not None:
            validation.count("keep", self.keep)
        object.__setattr__(self, "by", self._change)

    @property
    def _change(self) -> RowChange | HashedFunction:
        if isinstance(self.by, RowChange):
            return self.by
        return row_function("by", self.by, random=True)

    @property
    def row_count(self) -> int | None:
        return self.source.row_count if self.keep is None else self.keep

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        change = self._change
        label = f"{rows.label} changed by {change.name}"
        return MapRows(label=label, source=rows, by=change, seed=self.seed)
