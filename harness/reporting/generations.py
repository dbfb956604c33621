"""Hops: one line for each generation of students."""

from collections.abc import Iterator, Mapping

from ...datasets.errors import LimenError
from ...reports import GenerationRow
from ..experiment import Experiment
from ..lab import Arm, Lab
from ..statistics import difference


def generation_rows(
    lab: Lab, experiment: Experiment, finished: Mapping[str, Arm]
) -> tuple[GenerationRow, ...]:
    """The generations that are finished; none if the experiment is no hop, or is not finished."""
    if experiment.teachers_from is None or not {"student", "control"} <= finished.keys():
        return ()
    try:
        return tuple(_row(lab, one) for one in _chain(experiment))
    except LimenError:  # the failed arm stands in the report of its own
        return ()


def _chain(experiment: Experiment) -> Iterator[Experiment]:
    """The experiments from the first generation to this one."""
    if experiment.teachers_from is not None:
        yield from _chain(experiment.teachers_from)
    yield experiment


def _row(lab: Lab, experiment: Experiment) -> GenerationRow:
    reading = experiment.measure.readings([experiment.trait.shown_by])[0]
    teacher, student, control = (
        lab.arm(experiment, name).read(reading) for name in ("teacher", "student", "control")
    )
    effect = difference(student, control)
    return GenerationRow(
        generation=experiment.hops + 1,
        teacher=teacher.value,
        student=student.value,
        student_interval=student.interval,
        control=control.value,
        difference=effect.value,
        interval=effect.interval,
        p_value=effect.p_value,
        claim=effect.claim,
    )
