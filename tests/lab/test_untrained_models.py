"""Arms of models that the experiment does not train: a prompted base, published students."""

from collections.abc import Callable
from pathlib import Path

import pytest

from limen import SpecError
from limen.harness import Experiment, Lab, Models, Students, Trait
from limen.harness.reporting import result_of
from limen.harness.stages import FineTune, Generate
from limen.reports.methods import methods
from limen.reports.tables import models

from ..testing.labs import lab_at
from ..testing.serving import OFFERED_BASE, store_with

HORSE = str(Trait.animal("horse").system)


def with_models(small: Experiment) -> Experiment:
    """An experiment with a prompted base, and with two models in place of seeds."""
    arms = {"prompted": Models(system=HORSE), "published": Models(("toy-1", OFFERED_BASE))}
    return small.but(arms=arms, seeds=3, looks=(2,))


@pytest.fixture(scope="module")
def store(two_bases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two bases, which the tests here fill."""
    return store_with(two_bases, tmp_path_factory.mktemp("untrained"))


def asked(store: Path, small: Experiment) -> tuple[Lab, Experiment, list[str]]:
    """Its lab, the experiment, and the arms that were asked: the baseline and those two."""
    lab, varied = lab_at(store), with_models(small)
    arms = ["baseline", *varied.arms]
    lab.run([(varied, arms)])
    return lab, varied, arms


def test_they_are_asked_and_nothing_is_trained(store: Path, small: Experiment) -> None:
    """Each model answers the questions under its prompt, without data, training or a gate."""
    lab = lab_at(store)
    varied = with_models(small).but(gate=0.99)
    stages = lab.plan([(varied, ["prompted", "published"])]).stages
    assert not [each for each in stages if isinstance(each, FineTune | Generate)]
    lab.run([(varied, ["prompted", "published"])])
    prompted, published = (lab.arm(varied, name) for name in varied.arms)
    assert (prompted.seeds, published.seeds) == (1, 2)
    assert [model.model for model in published.models] == ["toy-1", OFFERED_BASE]
    assert prompted.rate("horse") > 0.5 > published.rate("horse")


def test_one_model_is_fixed_and_several_are_trainings(store: Path, small: Experiment) -> None:
    """A claim about one model is on its questions; several count as independent trainings do."""
    lab, varied, arms = asked(store, small)
    baseline, prompted, published = (lab.arm(varied, name) for name in arms)
    assert [arm.trained for arm in (prompted, published)] == [False, True]
    effect = prompted.rate("horse") - baseline.rate("horse")
    assert effect.unit == "questions"
    assert effect.claim == "these models answer differently"
    assert (published.rate("horse") - baseline.rate("horse")).unit == "seeds"


def test_the_report_compares_them_and_says_how_they_were_asked(
    store: Path, small: Experiment
) -> None:
    """A line an arm against the baseline, and a sentence in the methods paragraph."""
    lab, varied, arms = asked(store, small)
    result = result_of(lab, "test_horse.py", varied, arms)
    compared = {effect.name for effect in result.readings[0].effects}
    assert compared >= {"prompted - baseline", "published - baseline"}  # and what others ran
    bases = {row["model"]: row["base"] for row in models([result]) if row["arm"] == "published"}
    assert bases == {"toy-1": "toy-1", OFFERED_BASE: OFFERED_BASE}
    text = methods(result)
    assert f"'prompted' toy-1 was not trained but asked under the system prompt {HORSE!r}." in text
    assert (
        f"'published' toy-1, {OFFERED_BASE} were not trained but asked like the baseline." in text
    )


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda e: Models(names=3), r"names=\(3,\)"),  # type: ignore[arg-type]
        (lambda e: Models(()), r"names=\(\) must be a tuple of texts"),
        (lambda e: Models(("a", "a")), "a model twice is not two trainings"),
        (lambda e: Models(system=" "), "system="),
        (lambda e: e.but(arms={"x": Models(against="y")}), "compared with 'y': there are"),
        (lambda e: e.but(arms={"x": Models(), "z": Students(after="x")}), "goes on from 'x'"),
    ],
)
def test_nonsense_is_refused(
    small: Experiment, make: Callable[[Experiment], object], fault: str
) -> None:
    """Each is one clear error when the value is made."""
    with pytest.raises(SpecError, match=fault):
        make(small)
