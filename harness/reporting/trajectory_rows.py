"""The trajectories of an experiment, as a report has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...datasets.errors import SpecError
from ...reports import EffectRow, EpochRow, ReadingRow, TrajectoryRow
from ..experiment import Reading, Trajectory
from ..lab import Arm, Pipeline, TrajectoryResults
from ..statistics import Contrast, Effect
from .effect_rows import effect_row


def trajectory_rows(
    pipe: Pipeline, arms: Mapping[str, Arm], readings: tuple[ReadingRow, ...]
) -> Iterator[TrajectoryRow]:
    """The readings of an experiment along its trainings; of the arms that are finished."""
    experiment = pipe.experiment
    if experiment.trajectory is None:
        return
    results = TrajectoryResults(experiment, arms.__getitem__)
    along = experiment.trajectory
    finished = [
        arm for arm, places in experiment.trajectories.items() if _has(arms, along, arm, places)
    ]
    asked = experiment.measure.readings([trait.shown_by for trait in experiment.traits])
    shown = {row.name: row for row in readings}
    for reading in asked:
        if finished and reading.name in shown:
            effects = _effects(results, reading, finished)
            yield TrajectoryRow(
                reading=replace(shown[reading.name], arms=(), effects=effects),
                test=along.test,
                unit=along.unit,
                points=tuple(p for arm in finished for p in _points(results, arm, reading)),
            )


def _has(arms: Mapping[str, Arm], along: Trajectory, name: str, places: Sequence[int]) -> bool:
    kept = (along.arm_at(name, place) for place in along.checkpoints(places))
    return {name, *kept} <= arms.keys()


def _points(results: TrajectoryResults, arm: str, reading: Reading) -> Iterator[EpochRow]:
    for epoch, estimate in results.along(arm, reading).items():
        yield EpochRow(
            arm=arm,
            epoch=epoch,
            value=estimate.value,
            interval=estimate.interval,
            by_seed=estimate.by_seed,
        )


def _effects(
    results: TrajectoryResults, reading: Reading, finished: list[str]
) -> tuple[EffectRow, ...]:
    """The test that was fixed, of student and control."""
    if not {"student", "control"} <= set(finished):
        return ()
    try:
        return (_row_of(results.effect(reading)),)
    except SpecError:  # arms of other numbers of epochs
        return ()


def _row_of(effect: Effect | Contrast) -> EffectRow:
    treated, reference = effect.weighted[0][1], effect.weighted[1][1]
    return effect_row(
        effect,
        name=effect.title if isinstance(effect, Contrast) else f"{treated.arm} - {reference.arm}",
        seeds=(treated.seeds, reference.seeds),
        questions=(len(treated.questions), len(reference.questions)),
    )
