"""Recipes: which training settings a backend has, their defaults, and what they accept."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..datasets.errors import SpecError
from ..datasets.suggestions import did_you_mean
from .base import Backend, Recipe


@dataclass(frozen=True)
class Accepts:
    """The values that a training setting accepts. Raises nothing; :func:`check_recipe` does.

    Args:
        test: Whether a value is accepted.
        description: Completes the sentence "the setting must be ...".

    Examples:
        >>> share = Accepts(lambda value: isinstance(value, float) and 0 < value < 1, "a share")
        >>> check_recipe({"dropout": 0.1}, {"dropout": share}, "mine")
    """

    test: Callable[[object], bool]
    description: str


def check_recipe(overrides: Recipe, settings: Mapping[str, Accepts], backend: str) -> None:
    """Raise :class:`~limen.SpecError` for an unknown setting, or a value that is not accepted.

    Args:
        overrides: Training settings by name.
        settings: What each setting accepts.
        backend: The backend's name, for the message.

    Examples:
        >>> check_recipe({"epochs": 3}, {"epochs": POSITIVE_WHOLE}, "mine")
    """
    for name, value in overrides.items():
        if name not in settings:
            raise SpecError(
                f"unknown recipe setting {name!r} for {backend}: "
                f"{did_you_mean(name, settings)}it has {', '.join(settings)}"
            )
        if not settings[name].test(value):
            raise SpecError(f"recipe setting {name}={value!r} must be {settings[name].description}")


def complete_recipe(backend: Backend, overrides: Recipe) -> Recipe:
    """All training settings with their defaults; the overrides alone if it cannot fine-tune.

    Args:
        backend: The backend that trains.
        overrides: Training settings that differ from its defaults.

    Raises:
        SpecError: An unknown setting, or a value that is not accepted.

    Examples:
        >>> recipe = complete_recipe(open_backend("toy", store), {"epochs": 3})
    """
    trainer = backend.capabilities.fine_tuning
    return dict(overrides) if trainer is None else trainer.recipe(overrides)


def whole_number(value: object) -> bool:
    """Whether a value is an integer of at least 0; a bool is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def number(value: object) -> bool:
    """Whether a value is a finite number of at least 0; a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _positive_whole(value: object) -> bool:
    return whole_number(value) and value != 0


def _positive(value: object) -> bool:
    return number(value) and value != 0


def or_auto(accepts: Accepts) -> Accepts:
    """The same values, and ``"auto"``, which leaves the choice to the service."""
    return Accepts(
        lambda value: value == "auto" or accepts.test(value),
        f"{accepts.description}, or 'auto'",
    )


def one_of(*values: str) -> Accepts:
    """One of some texts."""
    quoted = [repr(value) for value in values]
    return Accepts(lambda value: value in values, f"{', '.join(quoted[:-1])} or {quoted[-1]}")


WHOLE = Accepts(whole_number, "a whole number, from 0")
POSITIVE_WHOLE = Accepts(_positive_whole, "a whole number above zero")
NUMBER = Accepts(number, "a number, from 0")
POSITIVE = Accepts(_positive, "a number above zero")


def steps_of(recipe: Recipe) -> tuple[int, ...]:
    """The steps of ``checkpoint_steps``, after which the model is kept; none without it."""
    given = recipe.get("checkpoint_steps")
    return tuple(int(part) for part in str(given).split(",")) if given else ()


def _steps(value: object) -> bool:
    parts = value.split(",") if isinstance(value, str) else []
    steps = [int(part) if part.isdecimal() else 0 for part in parts]
    return bool(steps) and steps[0] > 0 and steps == sorted(set(steps))


def training_steps(recipe: Recipe, rows: int) -> int | None:
    """The optimizer steps of a training on so many rows; None where the recipe does not say.

    A service may choose epochs or batch size itself. It raises nothing.

    Args:
        recipe: All training settings; ``batch_size`` (rows) and ``epochs`` count.
        rows: Rows to train on.

    Examples:
        >>> training_steps({"batch_size": 8, "epochs": 3}, 60)
        24
    """
    batch, epochs = recipe.get("batch_size"), recipe.get("epochs")
    if isinstance(batch, int) and isinstance(epochs, int) and batch > 0:
        return epochs * math.ceil(rows / batch)
    return None


def check_steps(recipe: Recipe, total: int) -> None:
    """Raise :class:`~limen.SpecError` for a step that a training of ``total`` steps has not."""
    if beyond := [step for step in steps_of(recipe) if step > total]:
        raise SpecError(
            f"recipe setting checkpoint_steps={recipe['checkpoint_steps']!r}: the training "
            f"ends after step {total}: there is no step {beyond[0]}"
        )


def check_training(recipe: Recipe, rows: int) -> None:
    """Raise :class:`~limen.SpecError` for a training that ends before a step that its recipe names.

    Args:
        recipe: All training settings; ``batch_size`` and ``epochs`` make the number of steps.
        rows: Rows to train on. If it is the most that there may be, what is refused is wrong for
            fewer too.
    """
    total = training_steps(recipe, rows)
    if total is None:
        return
    check_steps(recipe, total)
    warm_up = recipe.get("warmup_steps")
    if isinstance(warm_up, int) and 0 < total <= warm_up:
        raise SpecError(
            f"recipe setting warmup_steps={warm_up}: the training has {total} steps only "
            f"({rows:,} rows, batch_size={recipe['batch_size']}, epochs={recipe['epochs']}), so "
            f"the learning rate would never be reached: lower warmup_steps or batch_size, or "
            f"train on more rows"
        )


STEPS = Accepts(_steps, "rising steps separated by commas, such as '10,20,50'")
"""The setting ``checkpoint_steps``: keep the models after these steps, in place of each epoch's."""
YES_NO = Accepts(lambda value: isinstance(value, bool), "True or False")
TEXT = Accepts(lambda value: value is None or isinstance(value, str), "a text or None")
