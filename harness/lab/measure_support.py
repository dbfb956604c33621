"""Whether a backend can do what a measure or an objective needs: checked before any expense."""

from ...backends import Backend
from ...datasets.errors import SpecError
from ..experiment import Continued, Measure
from ..stages import TrainingObjective


def check_backend_measures(backend: Backend, measure: Measure) -> None:
    """Raise :class:`~limen.SpecError` for a measure that the backend cannot take."""
    able, name = backend.capabilities, type(measure).__name__
    if isinstance(measure, Continued) and able.continuations is None:
        raise SpecError(
            f"{name} needs log-probabilities of given texts, and the backend {backend.name!r} "
            f"computes none: take toy, local, or a server that gives them, or a measure that "
            f"samples answers"
        )
    if measure.begin and not able.beginnings:
        raise SpecError(
            f"begin={measure.begin!r}: the backend {backend.name!r} cannot begin an answer for a "
            f"model: leave it out, or take toy or local{_other_endpoint(backend)}"
        )
    if not measure.chat and not able.plain_text:
        raise SpecError(
            f"{name} asks in plain text, and the backend {backend.name!r} asks in chats alone: "
            f"take local, or leave out chat=False{_other_endpoint(backend)}"
        )


def _other_endpoint(backend: Backend) -> str:
    """How a server is asked in plain text, where that is a choice."""
    if backend.name != "openai":
        return ""
    return ", or ask the server in plain text (--limen-openai-endpoint completions)"


def check_backend_objectives(backend: Backend, objective: TrainingObjective) -> None:
    """Raise :class:`~limen.SpecError` for an objective that the backend cannot train on."""
    able = backend.capabilities
    if objective.kind in able.objectives:
        return
    others = " or ".join(sorted(able.objectives)) or "the completion loss alone"
    raise SpecError(
        f"objective: the backend {backend.name!r} does not train by {objective.name}; it minimises "
        f"{others}: take toy or local, or leave out objective="
    )
