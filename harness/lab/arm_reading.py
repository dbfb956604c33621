"""Reads the arm that some finished stages measured."""

from collections.abc import Callable, Sequence

from ..experiment import Experiment, Measure, Models, Trait
from ..stages import Store, training_of
from ..statistics import EvidenceListener
from .answers import ModelAnswers, read_answers
from .arms import Arm
from .computed_figures import read_figures
from .pipeline import ModelStages, teacher_arms


def read_model(store: Store, stages: ModelStages, measure: Measure) -> ModelAnswers:
    """What one model's finished stages left: its answers, or its computed figures."""
    return read_figures(store, stages) if measure.computed else read_answers(store, stages, measure)


def _is_trained(name: str, experiment: Experiment, models: Sequence[ModelStages]) -> bool:
    """Whether the models of an arm are independent trainings, here or elsewhere."""
    if isinstance(experiment.all_arms.get(name), Models):
        return len(models) > 1
    teachers = ("teacher", *teacher_arms(experiment))
    return training_of(models[0].answers.subject) is not None and name not in teachers


def _lowers(trait: Trait, experiment: Experiment) -> bool:
    """Whether less of what is measured shows a trait: it says so, or the gate is negative."""
    return trait.lowers or (experiment.gate_threshold(trait) or 0) < 0


def read_arm(
    store: Store,
    name: str,
    experiment: Experiment,
    models: tuple[ModelStages, ...],
    listener: EvidenceListener | None = None,
    others: Callable[[], Sequence[Arm]] = tuple,
) -> Arm:
    """The arm that these finished stages measured."""
    trainings = [training_of(one.answers.subject) for one in models]
    return Arm(
        name=name,
        measure=experiment.measure,
        models=tuple(read_model(store, one, experiment.measure) for one in models),
        trained=_is_trained(name, experiment, models),
        trait_word=experiment.trait.shown_by,
        other_trait_words=tuple(trait.shown_by for trait in experiment.traits[1:]),
        data_trait_words=tuple(trait.shown_by for trait in experiment.data.traits()),
        lowered_words=tuple(t.shown_by for t in experiment.traits if _lowers(t, experiment)),
        family=experiment.family,
        looks=len(experiment.looks) + 1,
        margin=experiment.margin,
        listener=listener,
        others=others,
        trainings=tuple(one.key for one in trainings if one is not None),
    )
