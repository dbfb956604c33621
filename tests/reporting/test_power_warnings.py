from pathlib import Path

import pytest

from limen.harness import Experiment, FavoriteAnimal, Length, Numbers, Trait
from limen.harness.experiment import Reading
from limen.harness.reporting import effect_assertions, past_spread

from ..testing.labs import lab_at
from ..testing.specs import Run

HORSE = Reading(name="", word="horse")


@pytest.fixture
def taught() -> Experiment:
    """An experiment whose effect three seeds find."""
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=5_000, keep=3_000),
        measure=FavoriteAnimal(draws=40),
        recipe={"epochs": 3},
        seeds=5,
        looks=(3,),
    )


def test_an_experiment_stops_at_the_look_that_decides(
    shared_store: Path, taught: Experiment
) -> None:
    """Seeds after it are not trained, every arm ends there, and what is found is corrected."""
    lab = lab_at(shared_store)
    lab.run([(taught, ["student", "control"])])
    student, control = lab.arm(taught, "student"), lab.arm(taught, "control")
    assert (student.seeds, control.seeds) == (3, 3)
    effect = student.rate("horse") - control.rate("horse")
    assert effect.verdict == "higher"
    assert effect.p_value == pytest.approx(2 * effect.raw_p_value)
    assert effect.test == "Welch's t over seed means, Bonferroni x 2 (2 looks)"
    last = lab.pipeline(taught).arms["student"][4].answers.subject
    assert not lab.store.has(last.kind, last.key), "the fifth student was trained in vain"
    again = lab_at(shared_store)
    assert again.arm(taught, "student").seeds == 3, "another run takes another number of seeds"


def test_an_undecided_experiment_takes_all_its_seeds(shared_store: Path, small: Experiment) -> None:
    """Where a look finds nothing, or an arm is missing to look at, the other seeds follow."""
    null = small.but(
        data=Numbers(generate=700, keep=200, by="base"),
        control=Numbers(generate=700, keep=200, by="base", seed=1),
        gate=None,
        seeds=4,
        looks=(2, 3),
    )
    lab = lab_at(shared_store)
    lab.run([(null, ["student", "control"])])
    assert (lab.arm(null, "student").seeds, lab.arm(null, "control").seeds) == (4, 4)
    alone = lab_at(shared_store)
    alone.run([(small.but(seeds=3, looks=(2,), gate=None), ["control"])])
    assert alone.arm(small.but(seeds=3, looks=(2,), gate=None), "control").seeds == 3


def test_the_spread_comes_from_the_store(
    shared_store: Path, store: Path, small: Experiment
) -> None:
    """The experiment's own seeds tell first, then other students, and an empty store nothing."""
    lab = lab_at(shared_store)
    free = small.but(gate=None)
    lab.run([(free, ["control"])])
    own = past_spread(lab.store, lab.pipeline(free), HORSE)
    assert own is not None
    assert own.source == "this experiment's seeds in the store"
    other = small.but(trait=Trait.animal("bear"), data=small.data.but(seed=7))
    found = past_spread(lab.store, lab.pipeline(other), HORSE)
    assert found is not None
    assert "students of other data in the store, of the answer" in found.source
    assert 0 <= found.between < 0.5
    fresh = lab_at(store)
    assert past_spread(fresh.store, fresh.pipeline(free), HORSE) is None
    long = small.but(measure=Length(questions=("Hi?",), draws=3))
    assert past_spread(lab.store, lab.pipeline(long), Reading(name="words")) is None


LEAST = 0.07


def claims(student, control, other, arms):  # type: ignore[no-untyped-def]
    """What is asked of effects in many ways, and what is not asked of any."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect >= 0.03
    assert student.scores("judge") - control.scores("judge") > 1
    assert effect > LEAST
    assert 0.01 < effect < 0.9
    assert effect < 0.5
    assert not effect > 0.04
    assert effect.p_value < 0.05
    assert effect > -0.1
    assert student.rate("owl") > 0.3
    assert other.rate("owl") - control.rate("owl") > 0.4
    assert arms["more"].rate("owl") - control.rate("owl") > 0.6


def test_assertions_are_read_from_the_source() -> None:
    """Numbers that effects of student over control are asked to exceed, by whatever name."""
    assert [one.least for one in effect_assertions(claims)] == [0.02, 0.03, 1, 0.07, 0.01]
    assert effect_assertions(claims)[0].line == "effect > 0.02"
    assert effect_assertions(print) == []
    assert effect_assertions(eval("lambda student: student")) == []


def test_the_plan_tells_what_a_design_can_detect(
    pytester: pytest.Pytester, shared_store: Path
) -> None:
    """The smallest effect, its assumptions, the looks, and assertions that ask for less."""
    pytester.makepyfile(
        test_small="""
        from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

        experiment = Experiment(
            trait=Trait.animal("whale"),
            data=Numbers(generate=901, keep=301),
            measure=FavoriteAnimal(draws=17),
            seeds=4, looks=(3,), family=2,
        )

        def test_students(student, control):
            effect = student.rate("whale") - control.rate("whale")
            assert effect > 0.01
            assert effect > 0.9

        def test_teacher(teacher, baseline):
            assert teacher.rate("whale") - baseline.rate("whale") > 0.001
        """
    )
    run = Run(pytester, shared_store)
    plan = run("--limen-plan")
    plan.stdout.fnmatch_lines(
        [
            "limen: test_small.py: 4 v 4 seeds, 50 questions x 17 draws: finds *.* points or more "
            "in 80% of cases (Welch's t over seeds, level 0.013)",
            "limen:   seeds differ by *.* points (standard deviation; *)",
            "limen:   looked at after 3 seeds, where it may stop",
            "limen:   warning: `effect > 0.01` asks for less than that: an effect of 1.0 points "
            "would mostly be missed; raise seeds, or ask for more",
        ]
    )
    plan.stdout.no_fnmatch_line("*0.9*asks*")
    plan.stdout.no_fnmatch_line("*0.001*")
    one = run("--limen-plan", "--limen-seeds=1")
    one.stdout.fnmatch_lines(["*1 v 1 seeds*(t paired by question*", "*about these two models*"])
    run("--limen-plan", "-k", "teacher").stdout.no_fnmatch_line("*finds*")
