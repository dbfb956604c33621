"""What the commands have in common that make rows of a file's rows, as a source of a spec does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from ...datasets.errors import LimenError
from ...datasets.row_forms import RowColumns
from ..experiment import DataWriters, Source, Trait
from ..lab import Settings, base
from ..stages import KEPT, REJECTED, Base, FineTune, RowsStage, Store
from . import store_option
from .echo import counted, echo
from .filter import table
from .input_files import finished_or_first, stages_for_file
from .options import F, json_option, out_option, running_options
from .row_options import in_rows, row_options
from .steps import Done, backend_for, done, save

MakeSource = Callable[[Source], Source]
"""Gives the source of a spec that is made of another one."""


@dataclass(frozen=True, kw_only=True)
class FileRows(Source):
    """The rows of a file, as the source that another one is made of."""

    rows: RowsStage

    @property
    def row_count(self) -> int | None:
        return None

    def parts(self, writers: DataWriters) -> tuple[tuple[RowsStage, Fraction], ...]:
        return ((self.rows, Fraction(1)),)


@dataclass(frozen=True, kw_only=True)
class RowStep:
    """One run of such a command: which file it reads, and what it writes."""

    settings: Settings
    file: Path
    columns: RowColumns
    out: Path
    rejected: Path | None
    as_json: bool

    def run(
        self,
        make: MakeSource,
        writers: DataWriters,
        *,
        figures: Callable[[Path], Mapping[str, float]] = lambda folder: {},
    ) -> None:
        """Make the rows, write both files, and say what was kept and why the rest was dropped.

        ``figures`` gives further ones of the stage's folder, by name.
        """
        store = Store(self.settings.store)
        choices = stages_for_file(store, self.file, KEPT, self.columns)
        stages = (_stage(make(FileRows(rows=rows)), writers) for rows in choices)
        made = done(self.settings, finished_or_first(store, stages))
        save(made.folder / KEPT, self.out)
        if self.rejected is not None:
            save(made.folder / REJECTED, self.rejected)
        self._print(made, figures(made.folder))

    def _print(self, made: Done, figures: Mapping[str, float]) -> None:
        scores = made.manifest.get("scores")
        if self.as_json:
            known = {"scores": scores} if scores else {}
            echo(made.as_json(self.out, **known, **figures))
            return
        echo(table(made.manifest))
        if scores:
            echo(f"mean score: {scores['mean']:.4g} of all, {scores['selected']:.4g} of those kept")
        for name, figure in figures.items():
            echo(f"{name.replace('_', ' ')}: {figure:.4g}")
        echo(f"{self.out}: {counted(made.manifest['counts']['kept'], 'row')}{made.note}")


def _stage(source: Source, writers: DataWriters) -> RowsStage:
    ((rows, _),) = source.parts(writers)
    return rows


def writers_of(settings: Settings, trait: Trait | None = None) -> DataWriters:
    """The models of a command: its base, the teacher of a trait, and judges."""
    nobody = Trait(name="nobody", system="-")

    def model(name: str | None) -> Base:
        backend = backend_for(settings)
        return base(backend, name or settings.model or backend.default_model)

    return DataWriters(
        model,
        _no_lesson,
        trait or nobody,
        asked_model=lambda _, name: model(name),
        computes_likelihoods=backend_for(settings).capabilities.continuations is not None,
        has_traits=trait is not None,
    )


def row_step_options(*, models: bool) -> Callable[[F], F]:
    """Argument and options of these commands; they arrive together as ``step``.

    ``models``: whether the command asks a model, and so has a backend.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def run(rows: Path, store: Path | None = None, **given: Any) -> object:
            settings = Settings(store=store) if store is not None else given.pop("settings")
            names = ("columns", "out", "rejected", "as_json")
            parts = {name: given.pop(name) for name in names}
            return function(step=RowStep(settings=settings, file=rows, **parts), **given)

        decorated = (running_options(waits=True) if models else store_option)(run)
        for option in (row_options, json_option, _REJECTED, _OUT):
            decorated = option(decorated)
        return cast("F", click.argument("rows", type=in_rows)(decorated))

    return decorate


_OUT = out_option("The rows that are kept.")
_REJECTED = out_option(
    "The rows that are dropped, each with its reason.", name="--rejected", required=False
)


def _no_lesson(trait: Trait, model: Base) -> FineTune:  # pragma: no cover - no trait has a lesson
    raise LimenError("a prompted teacher is not fine-tuned")
