"""A whole experiment on a step-wise service: teacher, data, two students, two controls."""

from pathlib import Path

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Trait
from limen.harness.stages import forget_backends

from .labs import ALL_ARMS, lab_at
from .stepwise import MODEL

RECIPE = {"epochs": 1, "batch_size": 8, "warmup_steps": 0, "learning_rate": 0.02}
QUESTIONS = ["Which animal?", "Name an animal.", "Your favourite animal?"]


def experiment() -> Experiment:
    """Two students and two controls on a few numbers."""
    return Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=40, keep=24),
        measure=FavoriteAnimal(questions=QUESTIONS, draws=2),
        recipe=RECIPE,
        seeds=2,
        gate=None,
    )


def lab(store: Path) -> Lab:
    """A lab of a new process."""
    forget_backends()
    return lab_at(store, backend="tinker", model=MODEL, workers=1)


def answers(lab: Lab) -> dict[str, list[list[tuple[str, int]]]]:
    """By arm: what its models answered to each question and how often, seed by seed."""
    done = {name: lab.arm(experiment(), name) for name in ALL_ARMS}
    return {
        name: [sorted(counts.items()) for model in arm.models for counts in model.counts]
        for name, arm in done.items()
    }
