"""Hops: the students of one experiment are the teachers of the next."""

from typing import Any

from ...datasets.errors import SpecError
from .experiment import Experiment


def Hop(experiment: Experiment, /, **changes: Any) -> Experiment:  # noqa: N802
    """The next generation of an experiment: its students write the data, without any prompt.

    Everything else stays as it is, unless ``changes`` say otherwise. Seeds are independent chains:
    the student of seed ``i`` teaches the student of seed ``i``, in the control too, so that the two
    chains differ in the first teacher's trait alone and not in how often data were passed on. Hops
    can be chained to any depth: ``Hop(Hop(first))`` has three generations of students. Before each
    generation the gate checks that its teachers, the students before, show the trait; by default
    they need a fifth of what is asked of a first teacher.

    Args:
        experiment: Whose students teach.
        changes: Fields of :class:`Experiment` that differ, such as ``data=`` or ``recipe=``.

    Raises:
        SpecError: ``experiment`` is none, neither its data nor its objective have a teacher, or
            there are more seeds than it has.

    Examples:
        >>> second = Hop(experiment)
    """
    if not isinstance(experiment, Experiment):
        raise SpecError(f"Hop({experiment!r}) needs an Experiment(...), whose students teach")
    name = f"{experiment.name}, hop" if experiment.name else None
    return experiment.but(**{"name": name, **changes, "teachers_from": experiment})
