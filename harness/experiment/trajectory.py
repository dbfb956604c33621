"""Trajectories: the measure along one training, and the test that is fixed beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...datasets import validation
from ...datasets.errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The measure along each training, for every trained arm: ``Experiment(trajectory=...)``.

    Trainings stay what they are: the models that a backend keeps at the end of each epoch are
    measured as well. The test is fixed here, before anything is seen; a peak is never tested.

    Args:
        at: "each epoch", or the epochs after which to measure, such as ``(1, 2, 5)``; the last one
            of a training is always measured. Default: "each epoch".
        test: "final" compares the arms at the end of training, "area" their means over the whole
            training (the area between the curves, by trapezoids). Default: "final".
    """

    at: Literal["each epoch"] | tuple[int, ...] = "each epoch"
    test: Literal["final", "area"] = "final"

    def __post_init__(self) -> None:
        validation.one_of("test", self.test, ("final", "area"))
        if self.at == "each epoch":
            return
        given = tuple(self.at) if isinstance(self.at, tuple | list) else ()
        whole = all(validation.is_integer(epoch) and epoch > 0 for epoch in given)
        if not given or not whole or list(given) != sorted(set(given)):
            raise SpecError(f"at={self.at!r} must be 'each epoch', or rising epochs: (1, 2, 5)")
        object.__setattr__(self, "at", given)

    def epochs(self, recipe: Mapping[str, object]) -> tuple[int, ...]:
        """The epochs to measure after, the last one of the training included.

        Raises :class:`~limen.SpecError` for a recipe that does not say how many there are.
        """
        last = recipe.get("epochs")
        if not isinstance(last, int) or last < 2:
            raise SpecError(
                f"trajectory needs trainings of two epochs or more, and the recipe has "
                f"epochs={last!r}: write recipe={{'epochs': 5}}"
            )
        if self.at == "each epoch":
            return tuple(range(1, last + 1))
        if max(self.at) > last:
            raise SpecError(f"at={self.at!r} goes beyond the training's epochs={last}")
        return tuple(dict.fromkeys((*self.at, last)))


@dataclass(frozen=True, kw_only=True)
class AtEpoch:
    """The models of an arm as they were at the end of an epoch."""

    of: str
    """The arm."""
    epoch: int


def epoch_arm(arm: str, epoch: int) -> str:
    """The name of an arm's models at the end of an epoch."""
    return f"{arm}, epoch {epoch}"
