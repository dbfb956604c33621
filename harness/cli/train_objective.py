"""What ``limen train --objective`` minimises: a ready objective, or one of a Python file."""

from collections.abc import Callable, Mapping

from ...datasets.errors import SpecError
from ..experiment import (
    CompletionLoss,
    Distillation,
    DivergenceTokens,
    Experiment,
    Objective,
    OnPolicyDistillation,
    Trait,
)
from ..lab import Settings, check_backend_objectives
from ..stages import Base, TrainingFileStage, TrainingObjective
from .row_steps import writers_of
from .spec_files import named_value
from .steps import backend_for

READY: Mapping[str, Callable[[], Objective]] = {
    "completion-loss": CompletionLoss,
    "distillation": Distillation,
    "on-policy": OnPolicyDistillation,
    "divergence-tokens": DivergenceTokens,
}
_CHOICES = f"{', '.join(READY)}, or FILE.py:NAME"


def objective_of(text: str | None, trait: Trait | None) -> Objective:
    """The objective that ``--objective`` names; raises :class:`~limen.SpecError`."""
    if text is None:
        return CompletionLoss()
    made = _of_file(text) if ".py" in text else _ready(text)
    if made.needs_pairs:
        raise SpecError(
            f"--objective {text}: it trains on preference pairs, and a training file has none: "
            f"write a spec with data=PreferencePairs(...)"
        )
    if made.uses_teacher and trait is None:
        raise SpecError(f"--objective {text} needs the teacher: give --trait or --tree")
    return made


def for_training(
    objective: Objective,
    settings: Settings,
    model: Base,
    data: TrainingFileStage,
    trait: Trait | None,
    *,
    strict: bool,
) -> TrainingObjective | None:
    """The objective of one training file, as in an experiment with the option's trait.

    If ``strict``, targets that mention the trait are an error.

    Raises :class:`~limen.SpecError` if the backend cannot train on it.
    """
    words = trait.leak_words if trait else ()
    made = objective.of(data, model, writers_of(settings, trait), words=words, strict=strict)
    if made is not None:
        check_backend_objectives(backend_for(settings), made)
    return made


def _ready(text: str) -> Objective:
    if text not in READY:
        raise SpecError(f"--objective {text!r} must be {_CHOICES}")
    return READY[text]()


def _of_file(text: str) -> Objective:
    """The objective that ``FILE.py:NAME`` names, itself or as an experiment's."""
    path, _, name = text.rpartition(":")
    if not path.endswith(".py"):
        raise SpecError(f"--objective {text!r} must be {_CHOICES}")
    value = named_value(text)
    made = value.objective if isinstance(value, Experiment) else value
    if not isinstance(made, Objective):
        raise SpecError(f"--objective {text}: {path} has no objective or experiment {name!r}")
    return made
