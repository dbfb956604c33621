"""Trajectories: the measure along one training, and the test that is fixed beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...datasets import validation
from ...datasets.errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The measure along each training, for every trained arm: ``Experiment(trajectory=...)``.

    The models that a backend keeps at the end of each epoch are measured as well: trainings stay
    what they are. With ``steps`` it keeps the models after these steps instead. The test is fixed
    here, before anything is seen; a peak is never tested.

    Args:
        at: "each epoch", or the epochs after which to measure, such as ``(1, 2, 5)``; the last one
            of a training is always measured. Default: "each epoch".
        steps: The steps of the optimizer after which to measure, such as ``(10, 20, 50)``, in place
            of epochs. Backends ``toy``, ``local``, ``tinker``. Default: none.
        test: "final" compares the arms at the end of training, "area" their means from the first to
            the last place (the area between the curves, by trapezoids). Default: "final".

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(trajectory=Trajectory(), recipe={"epochs": 3})
    """

    at: Literal["each epoch"] | tuple[int, ...] = "each epoch"
    steps: tuple[int, ...] = ()
    test: Literal["final", "area"] = "final"

    def __post_init__(self) -> None:
        validation.one_of("test", self.test, ("final", "area"))
        if self.steps != ():
            self._check_steps()
        if self.at == "each epoch":
            return
        given = _rising(self.at)
        if not given:
            raise SpecError(f"at={self.at!r} must be 'each epoch', or rising epochs: (1, 2, 5)")
        object.__setattr__(self, "at", given)

    def _check_steps(self) -> None:
        given = _rising(self.steps)
        if not given:
            raise SpecError(f"steps={self.steps!r} must be rising steps: (10, 20, 50)")
        if self.at != "each epoch":
            raise SpecError("give either at= or steps=: a trajectory is along epochs or steps")
        if self.test == "area" and len(given) < 2:
            raise SpecError(f"steps={given}: an area needs two steps or more")
        object.__setattr__(self, "steps", given)

    @property
    def unit(self) -> Literal["epoch", "step"]:
        """What a training is measured along."""
        return "step" if self.steps else "epoch"

    @property
    def recipe(self) -> dict[str, str]:
        """The training setting that has a backend keep what is measured; none for epochs."""
        return {"checkpoint_steps": ",".join(map(str, self.steps))} if self.steps else {}

    def checkpoints(self, places: Sequence[int]) -> Sequence[int]:
        """The places whose models are checkpoints; the end of the last epoch is the arm itself.

        Args:
            places: The epochs, or the steps, that are measured after.
        """
        return places if self.steps else places[:-1]

    def arm_at(self, arm: str, place: int) -> str:
        """The name of an arm's models after an epoch, or a step.

        Args:
            arm: The name of a trained arm.
            place: The epoch, or the step.
        """
        return f"{arm}, {self.unit} {place}"

    def epochs(self, recipe: Mapping[str, object]) -> tuple[int, ...]:
        """The epochs to measure after, the last one of the training included; or the steps.

        Raises :class:`~limen.SpecError` for a recipe that does not say how many there are.

        Args:
            recipe: All training settings of the arm.
        """
        if self.steps:
            return self.steps
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
    """The models of an arm as they were at the end of an epoch, or after a step."""

    of: str
    """The arm."""
    place: int
    unit: Literal["epoch", "step"] = "epoch"


def _rising(given: object) -> tuple[int, ...]:
    """Whole numbers above zero that rise; empty for anything else."""
    numbers = tuple(given) if isinstance(given, tuple | list) else ()
    whole = all(validation.is_integer(number) and number > 0 for number in numbers)
    return numbers if whole and list(numbers) == sorted(set(numbers)) else ()
