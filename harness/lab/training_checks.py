"""Trainings that a plan refuses, before any data are made for them."""

from collections.abc import Iterable

from ...backends import Backend
from ...datasets.errors import SpecError
from ..stages import Checkpoint, FineTune, Stage, Store
from .pipeline import in_order


def check_trainings(backend: Backend, store: Store, stages: Iterable[Stage]) -> None:
    """Raise :class:`~limen.SpecError` for a training that cannot be done with its recipe.

    Trainings that the stages need count, too; those that the store has do not. A step of a
    trajectory that comes after the end of a training is named as such, and not as a setting.
    """
    needed = list(in_order(stages))
    for stage in needed:
        if isinstance(stage, Checkpoint):
            stage.check()
    check = backend.capabilities.check_training
    if check is None:
        return
    for stage in needed:
        if isinstance(stage, FineTune) and stage.base.backend == backend.name and stage.data.count:
            try:
                check(stage.recipe, stage.data.count)
            except SpecError as error:
                if not store.has(stage.kind, stage.key):
                    raise SpecError(f"{stage.label}: {error}") from None
